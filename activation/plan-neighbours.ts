import { isTrigger, raise, stops, type UnitDraft } from "./plan-draft.ts";
import type { PlanCause, SocketGap } from "./plan-shape.ts";

type Drafts = ReadonlyMap<string, UnitDraft>;

/**
 * What a change does to the units beside it: services around a socket that closes, sockets that go from one service to
 * another, triggers that are held, and units that systemd takes along.
 * @param drafts all units, and of each whether it runs before the change
 * @returns names of services that go away and whose socket stays open: they are stopped after the daemon-reload
 */
export function planNeighbours(drafts: Drafts): string[] {
  const late = planHandOvers(drafts);
  const all = [...drafts.values()];
  for (let moved = true; moved; ) {
    const closing = all.filter((unit) => unit.name.endsWith(".socket") && (stops(unit) || unit.action === "start"));
    const stopped = closing.map((socket) => stopAround(drafts, socket));
    const along = takenAlong(drafts, late);
    const holding = all.filter((unit) => stops(unit) && !isTrigger(unit.name) && !late.includes(unit.name));
    const held = holding.map((service) => hold(drafts, service));
    moved = along || [...stopped, ...held].includes(true);
  }
  return late.filter((name) => drafts.get(name)?.action === "stop");
}

/** A socket that stays open while the service behind it becomes another one. */
function planHandOvers(drafts: Drafts): string[] {
  const late: string[] = [];
  for (const socket of drafts.values()) {
    if (!socket.name.endsWith(".socket") || !socket.old || !socket.next) continue;
    if (socket.action !== "none" && socket.action !== "reload-manager") continue;
    const [from, to] = [served(drafts, "old", socket), served(drafts, "next", socket)];
    const lost = from.filter((name) => !to.includes(name)).flatMap((name) => drafts.get(name) ?? []);
    const gained = to.filter((name) => !from.includes(name)).flatMap((name) => drafts.get(name) ?? []);
    for (const service of lost) {
      if (!service.next) late.push(service.name);
      else handedOver(service, socket);
    }
    for (const service of gained) {
      if (service.old) {
        handedOver(service, socket);
      } else if (lost.some(({ runs }) => runs) && service.action !== "start") {
        // The socket knows of no connection any more until its new service has run once.
        service.action = "start";
        service.causes.push({ kind: "other", unit: socket.name, relation: "hand-over" });
      }
    }
  }
  return late;
}

function handedOver(service: UnitDraft, socket: UnitDraft): void {
  raise(service, "restart", { kind: "other", unit: socket.name, relation: "hand-over" });
}

/** The units that a socket starts, before or after. */
function served(drafts: Drafts, side: "old" | "next", socket: UnitDraft): string[] {
  return [...drafts.values()]
    .filter((unit) => unit[side]?.unit.triggeredBy.includes(socket.name))
    .map(({ name }) => name);
}

/** systemd refuses to start a socket whose service runs. */
function stopAround(drafts: Drafts, socket: UnitDraft): boolean {
  let moved = false;
  const behind = [...served(drafts, "old", socket), ...served(drafts, "next", socket)];
  for (const service of drafts.values()) {
    if (!behind.includes(service.name) || !service.next) continue;
    const cause: PlanCause = { kind: "other", unit: socket.name, relation: "socket" };
    moved = raise(service, "stop+start", cause) || moved;
  }
  return moved;
}

/** systemd stops and restarts what requires a unit together with it; after the daemon-reload nothing requires `late`. */
function takenAlong(drafts: Drafts, late: readonly string[]): boolean {
  let moved = false;
  for (const dependant of drafts.values()) {
    if (!dependant.next) continue;
    const [old, next] = [dependant.old?.unit, dependant.next.unit];
    const before = [...(old?.stopsWith ?? []), ...(old?.stopPropagatedFrom ?? [])];
    for (const name of new Set([...before, ...next.stopsWith, ...next.stopPropagatedFrom, ...next.bindsTo])) {
      const unit = drafts.get(name);
      if (!unit) continue;
      const cause: PlanCause = { kind: "other", unit: name, relation: "taken along" };
      const isStopped = stops(unit) && !late.includes(name) && before.includes(name);
      // At a restart systemd 252 leaves it alone, and 257 leaves it down.
      const isLeftDown =
        (unit.action === "restart" || unit.action === "stop+start") && next.stopPropagatedFrom.includes(name);
      if (isStopped || isLeftDown) {
        moved = raise(dependant, "stop+start", cause) || moved;
      } else if (becomesBound(dependant, unit)) {
        moved = raise(dependant, "stop+start", { ...cause, relation: "not up yet" }) || moved;
      } else if (unit.action === "restart" && next.stopsWith.includes(name)) {
        moved = raise(dependant, "restart", cause) || moved;
      }
    }
  }
  return moved;
}

/**
 * Whether a unit gains `BindsTo=` to one that is not up when systemd reads that: it would end there and then, whatever its
 * `onChange` says. Once it was bound, it ran only while that other one did.
 */
function becomesBound(dependant: UnitDraft, unit: UnitDraft): boolean {
  if (!unit.next || dependant.old?.unit.bindsTo.includes(unit.name)) return false;
  return dependant.next?.unit.bindsTo.includes(unit.name) === true && (!unit.runs || stops(unit));
}

/** What could start a service while it is stopped is stopped with it. */
function hold(drafts: Drafts, service: UnitDraft): boolean {
  let moved = false;
  const triggers = [service.old, service.next].flatMap((side) => side?.unit.triggeredBy ?? []);
  for (const name of [...new Set(triggers)].sort()) {
    const trigger = drafts.get(name);
    if (!trigger?.old || !trigger.next) continue;
    const cause: PlanCause = { kind: "other", unit: service.name, relation: "held" };
    moved = raise(trigger, "stop+start", cause) || moved;
  }
  return moved;
}

/** Where nobody listens for a while, or for good. */
export function socketGaps(drafts: Drafts): SocketGap[] {
  const opened = [...drafts.values()].filter(({ name, next }) => name.endsWith(".socket") && next);
  return [...drafts.values()]
    .filter((socket) => socket.name.endsWith(".socket") && (stops(socket) || socket.action === "restart"))
    .flatMap((socket) =>
      (socket.old?.facts.listens ?? []).map((address) => ({
        socket: socket.name,
        address,
        reopenedBy: opened.find(({ next }) => next?.facts.listens.includes(address))?.name ?? null,
      })),
    );
}
