import { isOnDemand, isTrigger, mayRun, raise, stops, type UnitDraft } from "./plan-draft.ts";
import type { PlanCause, SocketGap } from "./plan-shape.ts";

type Drafts = ReadonlyMap<string, UnitDraft>;

/**
 * What a change does to the units beside it: services around a socket that closes, sockets that go from one service to
 * another, triggers that are held, and units that systemd takes along.
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
      } else if (lost.some(mayRun)) {
        // The socket knows of no connection any more until its new service has run once.
        const maybe = lost.filter(mayRun).every(isOnDemand);
        if (service.action === "start" && (maybe || service.ifIdle === undefined)) continue;
        service.ifIdle = maybe ? service.action : undefined;
        service.action = "start";
        service.causes.push({ kind: "other", unit: socket.name, relation: "hand-over" });
      }
    }
  }
  return late;
}

function handedOver(service: UnitDraft, socket: UnitDraft): void {
  if (mayRun(service)) raise(service, "restart", false, { kind: "other", unit: socket.name, relation: "hand-over" });
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
    if (!behind.includes(service.name) || !service.next || !mayRun(service)) continue;
    const maybe = socket.action !== "start" && socket.ifIdle !== undefined;
    const cause: PlanCause = { kind: "other", unit: socket.name, relation: "socket" };
    moved = raise(service, "stop+start", maybe, cause) || moved;
  }
  return moved;
}

/** systemd stops and restarts what requires a unit together with it; after the daemon-reload nothing requires `late`. */
function takenAlong(drafts: Drafts, late: readonly string[]): boolean {
  let moved = false;
  for (const unit of drafts.values()) {
    const cause: PlanCause = { kind: "other", unit: unit.name, relation: "taken along" };
    const maybe = unit.ifIdle !== undefined;
    for (const dependant of drafts.values()) {
      if (!dependant.next || !mayRun(dependant)) continue;
      if (stops(unit) && !late.includes(unit.name) && dependant.old?.unit.stopsWith.includes(unit.name)) {
        moved = raise(dependant, "stop+start", maybe, cause) || moved;
      } else if (unit.action === "restart" && dependant.next.unit.stopsWith.includes(unit.name)) {
        moved = raise(dependant, "restart", maybe, cause) || moved;
      }
    }
  }
  return moved;
}

/** What could start a service while it is stopped is stopped with it. */
function hold(drafts: Drafts, service: UnitDraft): boolean {
  let moved = false;
  const triggers = [service.old, service.next].flatMap((side) => side?.unit.triggeredBy ?? []);
  for (const name of [...new Set(triggers)].sort()) {
    const trigger = drafts.get(name);
    if (!trigger?.old || !trigger.next) continue;
    const cause: PlanCause = { kind: "other", unit: service.name, relation: "held" };
    moved = raise(trigger, "stop+start", service.ifIdle !== undefined, cause) || moved;
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
