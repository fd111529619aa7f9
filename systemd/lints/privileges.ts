import { capabilitiesAfter } from "../exposure/capability-set.ts";
import { allCommandsOf, commandsOf, isConfined } from "./command-line.ts";
import { privilegeProgramIn } from "./executable.ts";
import type { Lint, LintHit } from "./lint.ts";
import {
  assignmentsOf,
  isOn,
  itemsOf,
  type LintedUnit,
  listWordsOf,
  quoted,
  settingOf,
  textOf,
} from "./linted-unit.ts";
import { isDaemon, isService, runsAsRoot } from "./service-type.ts";
import { activatorsOf, type UnitSet } from "./unit-set.ts";

/** Users, capabilities, and sandbox settings that a program cannot live with or that protect nothing. */
export const privilegeLints: readonly Lint[] = [
  {
    id: "no-new-privileges-sudo",
    severity: "error",
    why: "sudo and its kind gain privileges by a set-user-ID bit, which NoNewPrivileges= switches off: they refuse to work.",
    fix: "Run the one command with the prefix + (as root), or start another service for it.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.NoNewPrivileges") ?? settingOf(unit, "Service.DynamicUser");
      const isSet = isOn(unit, "Service.NoNewPrivileges") || isOn(unit, "Service.DynamicUser");
      if (!isService(unit) || at === undefined || !isSet || runsAsRoot(unit)) return [];
      return allCommandsOf(unit)
        .filter(isConfined)
        .flatMap((command): LintHit[] => {
          const name = privilegeProgramIn(command);
          if (name === undefined || name === "runuser") return [];
          return [{ at: command.at, message: `${command.at.key}: ${name} cannot work with ${quoted(at)}` }];
        });
    },
  },
  {
    id: "root-interpreter",
    severity: "info",
    why: "Without User= the program runs as root; a hole in it is a hole in the host.",
    fix: "Write User=NAME, or DynamicUser=yes with StateDirectory=.",
    hits: (unit) => {
      if (!isDaemon(unit) || !runsAsRoot(unit)) return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const isApplication =
          /^(python[0-9.]*|node|nodejs|ruby|php[0-9.]*|java|uvicorn|gunicorn|celery|hypercorn|daphne|flask|deno|bun)$/;
        if (!isApplication.test(command.program)) return [];
        const user = settingOf(unit, "Service.User");
        return [
          {
            at: user ?? command.at,
            message: `${user === undefined ? "there is no User=" : quoted(user)}: ${command.program} runs as root`,
          },
        ];
      });
    },
  },
  {
    id: "user-nobody",
    severity: "warning",
    why: "nobody is shared by whatever has no user of its own, such as NFS: its processes can signal and trace each other.",
    fix: "Write a user of its own, or DynamicUser=yes.",
    hits: (unit) =>
      ["User", "Group"].flatMap((key): LintHit[] => {
        const at = settingOf(unit, `${unit.ownSection}.${key}`);
        const isShared = at !== undefined && ["nobody", "nogroup", "65534"].includes(at.value);
        return isShared && (key === "User" || textOf(unit, `${unit.ownSection}.User`) !== undefined)
          ? [{ at, message: `${quoted(at)} is shared with others`, severity: key === "User" ? "warning" : "info" }]
          : [];
      }),
  },
  {
    id: "loose-user-name",
    severity: "warning",
    why: "systemd takes the name with a warning, but useradd refuses it, and some tools read it as something else.",
    fix: "Write a name of letters, digits, _ and -, not beginning with a digit; one name only.",
    hits: (unit) =>
      ["User", "Group"].flatMap((key): LintHit[] => {
        const at = settingOf(unit, `${unit.ownSection}.${key}`);
        if (at === undefined || at.value.includes("%") || /^[0-9]+$/.test(at.value)) return [];
        return /^[A-Za-z_][A-Za-z0-9_-]{0,30}$/.test(at.value) || /[:/"']/.test(at.value)
          ? []
          : [{ at, message: `${quoted(at)} does not match systemd's strict rules for names` }];
      }),
  },
  {
    id: "memory-deny-write-execute",
    severity: "warning",
    why: "A program that makes code at run time (a JIT, some foreign function calls) is refused that memory and crashes.",
    fix: "Leave MemoryDenyWriteExecute= out for such a program, and try it with its real work.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.MemoryDenyWriteExecute");
      if (!isService(unit) || at === undefined || !isOn(unit, "Service.MemoryDenyWriteExecute")) return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const text = [command.program, ...command.programArguments.map((word) => word.text)].join(" ");
        const compiles = /^(node|nodejs|java|pypy[0-9.]*|luajit|dotnet|mono|deno|bun|julia|erl|beam\.smp)$/.test(
          command.program,
        );
        const library = /\b(ctypes|cffi|numba|torch|jax|pypy|luajit|dotnet)\b/i.exec(text)?.[0];
        if (compiles) return [{ at, message: `${quoted(at)}: ${command.program} compiles at run time` }];
        if (library !== undefined)
          return [{ at, message: `${quoted(at)}: ${library} may need memory that is writable and executable` }];
        if (!/^python[0-9.]*$/.test(command.program) && !["uvicorn", "gunicorn", "celery"].includes(command.program))
          return [];
        return [
          {
            at,
            severity: "info",
            message: `${quoted(at)}: Python works with it, libraries that compile (numba, cffi and ctypes callbacks on old libffi, torch) may not`,
          },
        ];
      });
    },
  },
  {
    id: "ambient-outside-bounding-set",
    severity: "error",
    why: "A capability that CapabilityBoundingSet= leaves out cannot be had by AmbientCapabilities= either; systemd drops it without a word.",
    fix: "Name the capability in both.",
    hits: (unit) => {
      const bounding = assignmentsOf(unit, "Service.CapabilityBoundingSet");
      const ambient = itemsOf(unit, "Service.AmbientCapabilities");
      const last = bounding.at(-1);
      if (!isService(unit) || last === undefined || ambient.length === 0) return [];
      const all = (1n << 64n) - 1n;
      const allowed = bounding.reduce((before, { value }) => capabilitiesAfter(value, before, all), all);
      return ambient.flatMap((at): LintHit[] => {
        const wanted = capabilitiesAfter(at.value, 0n, 0n);
        if (at.value.startsWith("~") || (wanted & ~allowed) === 0n) return [];
        return [{ at, message: `${quoted(at)} is not within ${quoted(last)}: the service does not get it` }];
      });
    },
  },
  {
    id: "privileged-port",
    severity: "warning",
    why: "Only root, or CAP_NET_BIND_SERVICE, may listen on a port below 1024 (where the kernel's default holds).",
    fix: "Let a socket unit listen, or write AmbientCapabilities=CAP_NET_BIND_SERVICE.",
    across: true,
    hits: (unit, set) => {
      if (!isService(unit) || runsAsRoot(unit) || hasSocket(unit, set)) return [];
      if (
        /NET_BIND_SERVICE/i.test(
          listWordsOf(unit, "Service.AmbientCapabilities")
            .map(({ word }) => word)
            .join(" "),
        )
      )
        return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        if (/[+!]/.test(command.prefixes)) return [];
        const found = listeningPort(command.programArguments.map(({ text }) => text));
        if (found === undefined || found >= 1024 || found === 0) return [];
        return [
          {
            at: command.at,
            message: `ExecStart: ${textOf(unit, "Service.User") ?? "a dynamic user"} may not listen on port ${found}`,
          },
        ];
      });
    },
  },
  {
    id: "private-network-listens",
    severity: "warning",
    why: "With PrivateNetwork=yes the service has a loopback of its own and nothing else: nobody reaches its ports, and it reaches nobody.",
    fix: "Leave PrivateNetwork= out, or let a socket unit listen, whose connections come through.",
    across: true,
    hits: (unit, set) => {
      const at = settingOf(unit, "Service.PrivateNetwork");
      if (!isService(unit) || at === undefined || !isOn(unit, "Service.PrivateNetwork") || hasSocket(unit, set))
        return [];
      if (listWordsOf(unit, "Unit.JoinsNamespaceOf").length > 0) return [];
      const listens = commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const port = listeningPort(command.programArguments.map(({ text }) => text));
        return port === undefined
          ? []
          : [{ at, message: `${quoted(at)}: nobody reaches port ${port} of this service` }];
      });
      const online = listWordsOf(unit, "Unit.Wants").find(({ word }) => word === "network-online.target");
      if (listens.length > 0 || online === undefined) return listens;
      return [{ at, message: `${quoted(at)} cuts the service off, which ${quoted(online.at)} wants online` }];
    },
  },
  {
    id: "allow-without-deny",
    severity: "warning",
    why: "An allow list alone allows nothing less: what no rule denies is allowed.",
    fix: "Add IPAddressDeny=any, or SocketBindDeny=any.",
    hits: (unit) =>
      [
        ["IPAddressAllow", "IPAddressDeny"],
        ["SocketBindAllow", "SocketBindDeny"],
      ].flatMap(([allow, deny]): LintHit[] => {
        const at = itemsOf(unit, `${unit.ownSection}.${allow}`)[0];
        if (at === undefined || assignmentsOf(unit, `${unit.ownSection}.${deny}`).length > 0) return [];
        // A slice around the unit may hold the other list.
        if (textOf(unit, `${unit.ownSection}.Slice`) !== undefined) return [];
        return [{ at, message: `${quoted(at)} restricts nothing without ${deny}=any` }];
      }),
  },
  {
    id: "filter-without-architectures",
    severity: "info",
    why: "Calls of another ABI (32-bit on a 64-bit host) have other numbers, by which they pass a filter.",
    fix: "Write SystemCallArchitectures=native.",
    hits: (unit) => {
      const at = itemsOf(unit, `${unit.ownSection}.SystemCallFilter`)[0];
      if (at === undefined || itemsOf(unit, `${unit.ownSection}.SystemCallArchitectures`).length > 0) return [];
      return [{ at, mark: "key", message: "SystemCallFilter: there is no SystemCallArchitectures=native" }];
    },
  },
];

function hasSocket(unit: LintedUnit, set: UnitSet): boolean {
  return (
    listWordsOf(unit, "Service.Sockets").length > 0 || activatorsOf(set, unit).some(({ type }) => type === "socket")
  );
}

/** The TCP port that a program listens on, as its arguments say in the usual ways, or undefined. */
export function listeningPort(words: readonly string[]): number | undefined {
  for (const [index, word] of words.entries()) {
    const option =
      /^(--?(?:port|bind|listen|listen-address|http|address|addr|host|web\.listen-address|p|b|l))(?:=(.*))?$/.exec(
        word,
      );
    const value = option === null ? word : (option[2] ?? words[index + 1] ?? "");
    const isPort = option !== null && /port|-p$/.test(option[1] ?? "");
    const digits = (
      isPort
        ? /^(\d{1,5})$/
        : /^(?:https?:\/\/|tcp:\/\/)?(?:0\.0\.0\.0|127\.0\.0\.1|localhost|\*|\[[0-9a-f:]*\])?:(\d{1,5})$/
    ).exec(value)?.[1];
    if (digits !== undefined && Number(digits) <= 65535) return Number(digits);
  }
  return undefined;
}
