import { commandsOf } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import {
  type Assignment,
  isOn,
  type LintedUnit,
  listWordsOf,
  ownSectionIndex,
  quoted,
  settingOf,
  textOf,
} from "./linted-unit.ts";
import { listeningPort } from "./privileges.ts";
import { activatedUnit, activatorsOf, unitNamed } from "./unit-set.ts";

const listenDirectives = [
  "ListenStream",
  "ListenDatagram",
  "ListenSequentialPacket",
  "ListenFIFO",
  "ListenSpecial",
  "ListenNetlink",
  "ListenMessageQueue",
  "ListenUSBFunction",
];

/** Whether the address of a socket is a path. */
export function addressIsPath(address: string): boolean {
  return address.startsWith("/") || address.startsWith("%t/");
}

/** Sockets and the services that they start. */
export const socketLints: readonly Lint[] = [
  {
    id: "socket-without-listen",
    severity: "error",
    why: "systemd does not load a socket unit that listens nowhere.",
    fix: "Write ListenStream=, or another Listen...=.",
    hits: (unit) =>
      unit.type === "socket" && unit.file.sections.length > 0 && listeners(unit).length === 0
        ? [
            {
              sectionIndex: ownSectionIndex(unit),
              message: "there is no ListenStream= or other Listen...=",
            },
          ]
        : [],
  },
  {
    id: "accept-not-possible",
    severity: "error",
    why: "Accept=yes takes connections of stream sockets for a service of its own each; systemd does not load the unit with anything else.",
    fix: "Write Accept=no, or only ListenStream= and no Service=.",
    hits: (unit): LintHit[] => {
      if (unit.type !== "socket") return [];
      const accept = settingOf(unit, "Socket.Accept");
      const most = settingOf(unit, "Socket.MaxConnections");
      if (accept === undefined || !isOn(unit, "Socket.Accept")) return [];
      const service = settingOf(unit, "Socket.Service");
      const other = listeners(unit).find(({ key }) => key !== "ListenStream" && key !== "ListenSequentialPacket");
      if (other !== undefined) return [{ at: accept, message: `${quoted(accept)} does not go with ${quoted(other)}` }];
      if (service !== undefined)
        return [
          {
            at: service,
            message: `${quoted(service)} does not go with ${quoted(accept)}; the service is ${unit.prefix}@.service`,
          },
        ];
      return most?.value === "0" ? [{ at: most, message: `${quoted(most)} is refused; write 1 or more` }] : [];
    },
  },
  {
    id: "socket-service-kind",
    severity: "error",
    why: "Accept=yes starts NAME@.service for each connection, Accept=no one NAME.service; the other one is never started.",
    fix: "Rename the service file, or change Accept=.",
    across: true,
    hits: (unit, set): LintHit[] => {
      if (unit.type !== "socket" || settingOf(unit, "Socket.Service") !== undefined) return [];
      const accepts = isOn(unit, "Socket.Accept");
      const wanted = activatedUnit(unit)?.name ?? "";
      const other = unit.name.replace(/@?\.socket$/, accepts ? ".service" : "@.service");
      if (unit.instance !== undefined || unitNamed(set, wanted) !== undefined || set.byName.get(other) === undefined)
        return [];
      const message = `it starts ${wanted} (Accept=${accepts ? "yes" : "no"}), but there is ${other}`;
      return [{ at: settingOf(unit, "Socket.Accept"), message }];
    },
  },
  {
    id: "port-bound-twice",
    severity: "warning",
    why: 'systemd already listens on the port; a program that opens it itself, instead of taking the open socket, fails with "Address already in use".',
    fix: "Let the program take the socket (uvicorn --fd 3, gunicorn does so by itself), and leave the port out of its arguments.",
    across: true,
    hits: (unit, set) => {
      if (unit.type !== "service") return [];
      const sockets = activatorsOf(set, unit).filter(({ type }) => type === "socket");
      const ports = sockets
        .flatMap(listeners)
        .map(({ value }) => Number(/(?:^|:)(\d+)$/.exec(value)?.[1] ?? Number.NaN));
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const words = command.programArguments.map(({ text }) => text);
        const port = listeningPort(words);
        const takesSocket = [command.program, ...words].some((word) =>
          /gunicorn|systemd-socket-proxyd|--fd|^fd[:=]|systemd:|nginx|caddy/.test(word),
        );
        if (port === undefined || !ports.includes(port) || takesSocket) return [];
        return [
          {
            at: command.at,
            message: `ExecStart: ${command.program} opens port ${port} itself, on which ${sockets.map(({ name }) => name).join(", ")} listens`,
          },
        ];
      });
    },
  },
  {
    id: "listen-conflict",
    severity: "warning",
    why: "Two sockets cannot listen on one address; the second one fails to start.",
    fix: "Give one of them another address.",
    across: true,
    hits: (unit, set) => {
      if (unit.type !== "socket" || isOn(unit, "Socket.ReusePort") || textOf(unit, "Socket.BindToDevice") !== undefined)
        return [];
      const earlier = set.units.slice(0, set.units.indexOf(unit)).filter(({ type }) => type === "socket");
      if (earlier.length === 0) return [];
      return listeners(unit).flatMap((at): LintHit[] => {
        if (!/^ListenStream$|^ListenDatagram$/.test(at.key) || at.value.includes("%")) return [];
        const other = earlier.find((socket) =>
          listeners(socket).some(({ key, value }) => key === at.key && value === at.value),
        );
        return other === undefined || areOneUnit(unit, other)
          ? []
          : [{ at, message: `${quoted(at)}: ${other.name} listens there, too` }];
      });
    },
  },
];

/** Whether one of two names is an alias of the other. */
function areOneUnit(unit: LintedUnit, other: LintedUnit): boolean {
  return [unit, other].some((one) => {
    const aliases = listWordsOf(one, "Install.Alias").map(({ word }) => word);
    return aliases.includes(unit.name) || aliases.includes(other.name);
  });
}

/** What a socket unit listens on; an empty `Listen...=` clears all before it. */
function listeners(unit: LintedUnit): readonly Assignment[] {
  const all = listenDirectives
    .flatMap((key) => unit.assignments.get(`Socket.${key}`) ?? [])
    .toSorted((a, b) => a.sectionIndex - b.sectionIndex || a.entryIndex - b.entryIndex);
  return all.slice(all.findLastIndex(({ value }) => value === "") + 1);
}
