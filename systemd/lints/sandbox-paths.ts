import { allCommandsOf, type CommandLine, commandsOf, isConfined } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import { isOn, itemsOf, type LintedUnit, listWordsOf, quoted, settingOf, textOf } from "./linted-unit.ts";
import { isService, runsAsRoot } from "./service-type.ts";
import { addressIsPath } from "./sockets.ts";
import { unitNamed } from "./unit-set.ts";

const homes = /^\/(home|root|run\/user)(\/|$)/;

/** Paths that a service uses and its sandbox hides or closes. */
export const sandboxPathLints: readonly Lint[] = [
  {
    id: "protect-home-hides-path",
    severity: "error",
    why: "With ProtectHome=yes the directories /home, /root and /run/user are empty for the service: it cannot start what lies there.",
    fix: "Move the program to /opt or /srv and its data to StateDirectory=, or write ProtectHome=read-only.",
    hits: (unit) => {
      const protect = settingOf(unit, "Service.ProtectHome");
      if (
        !isService(unit) ||
        protect === undefined ||
        !isOn(unit, "Service.ProtectHome") ||
        protect.value === "read-only"
      )
        return [];
      const isEmpty = protect.value === "tmpfs";
      const bound = isEmpty ? boundPaths(unit) : [];
      const isHidden = (path: string) => homes.test(path) && !bound.some((root) => isBelow(path, root));
      const directory = settingOf(unit, "Service.WorkingDirectory");
      const hits: LintHit[] = [];
      for (const command of allCommandsOf(unit).filter(isConfined)) {
        if (isHidden(command.path) || isHidden(command.programPath)) {
          const path = isHidden(command.path) ? command.path : command.programPath;
          hits.push({
            at: command.at,
            message: `${command.at.key}: ${path} cannot be started, ${quoted(protect)} hides it`,
          });
          continue;
        }
        const argument = command.arguments.find(({ text }) => isHidden(text.replace(/^--?[\w-]+=/, "")));
        if (argument === undefined) continue;
        const message = `${command.at.key}: an argument lies in a home directory, which ${quoted(protect)} hides`;
        hits.push({
          at: command.at,
          mark: { start: argument.start, end: argument.start + argument.raw.length },
          message,
          severity: "warning",
        });
      }
      if (directory !== undefined && !directory.value.startsWith("-") && isHidden(directory.value)) {
        hits.push({
          at: directory,
          message: `${quoted(directory)} does not exist for the service, ${quoted(protect)} hides it`,
        });
      } else if (directory?.value === "~") {
        hits.push({
          at: directory,
          severity: "warning",
          message: `${quoted(directory)}: ${quoted(protect)} hides home directories in /home`,
        });
      }
      for (const key of ["ReadWritePaths", "BindPaths", "BindReadOnlyPaths", "ReadOnlyPaths", "ExecPaths"]) {
        const word = listWordsOf(unit, `Service.${key}`).find(({ word }) =>
          isHidden(word.replace(/^[-+]*/, "").split(":")[0] ?? ""),
        );
        if (word === undefined || isEmpty) continue;
        hits.push({
          at: word.at,
          severity: "warning",
          message: `${quoted(word.at)} opens nothing, ${quoted(protect)} hides it`,
        });
      }
      return hits;
    },
  },
  {
    id: "private-tmp-hides-path",
    severity: "warning",
    why: "With PrivateTmp=yes the service has a /tmp and /var/tmp of its own: others do not see its files and sockets there, nor it theirs.",
    fix: "Put what is shared into RuntimeDirectory= (/run/NAME), data into StateDirectory=.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.PrivateTmp") ?? settingOf(unit, "Service.DynamicUser");
      if (
        !isService(unit) ||
        at === undefined ||
        !(isOn(unit, "Service.PrivateTmp") || isOn(unit, "Service.DynamicUser"))
      )
        return [];
      if (listWordsOf(unit, "Unit.JoinsNamespaceOf").length > 0) return [];
      const pidFile = settingOf(unit, "Service.PIDFile");
      const hits: LintHit[] = [];
      if (pidFile !== undefined && isTemporary(pidFile.value)) {
        hits.push({
          at: pidFile,
          message: `${quoted(pidFile)}: with ${quoted(at)} systemd does not see the file that the service writes`,
        });
      }
      for (const command of allCommandsOf(unit).filter(isConfined)) {
        const word = command.arguments.find(({ text }) => /(^|[=:,])(unix:(\/\/)?)?\/(var\/)?tmp\//.test(text));
        if (word === undefined) continue;
        const isSocket = /unix:|\.sock(et)?\b/.test(word.text);
        const what = isSocket
          ? "a socket in /tmp is reached by nobody else"
          : "a file in /tmp is not the one that others see";
        hits.push({
          at: command.at,
          mark: { start: word.start, end: word.start + word.raw.length },
          message: `${command.at.key}: with ${quoted(at)} ${what}`,
          severity: isSocket ? "warning" : "info",
        });
      }
      for (const { word, at: variable } of listWordsOf(unit, "Service.Environment")) {
        if (!/^[^=]+=(unix:(\/\/)?)?\/(var\/)?tmp\/.*\.sock/.test(word)) continue;
        hits.push({
          at: variable,
          message: `Environment: with ${quoted(at)} the socket of ${word.split("=")[0]} in /tmp is the service's own`,
        });
      }
      return hits;
    },
  },
  {
    id: "strict-without-writable-directory",
    severity: "warning",
    why: "With ProtectSystem=strict all is read-only but /dev, /proc, /sys and what the unit opens; also /run and /var.",
    fix: "Write StateDirectory=, CacheDirectory=, LogsDirectory= or RuntimeDirectory=, or ReadWritePaths= for the path.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.ProtectSystem");
      if (!isService(unit) || at?.value !== "strict" || isOn(unit, "Service.DynamicUser")) return [];
      const open = writablePaths(unit);
      return ["PIDFile", "ExecStart"].flatMap((key): LintHit[] => {
        const paths: { readonly path: string; readonly hit: Omit<LintHit, "message"> }[] =
          key === "PIDFile"
            ? itemsOf(unit, "Service.PIDFile").map((file) => ({
                path: file.value.replace(/^(?!\/)/, "/run/").replace(/^\/var\/run/, "/run"),
                hit: { at: file },
              }))
            : commandsOf(unit, "ExecStart").filter(isConfined).flatMap(writtenPaths);
        const closed = paths.find(({ path }) => !open.some((root) => isBelow(path, root)));
        if (closed === undefined) return [];
        return [{ ...closed.hit, message: `${key}: ${closed.path} is read-only, ${quoted(at)} closes it` }];
      });
    },
  },
  {
    id: "dynamic-user-fixed-paths",
    severity: "warning",
    why: "A dynamic user has another number at each start and owns nothing but its StateDirectory= and the like.",
    fix: "Keep data in StateDirectory=, CacheDirectory= or LogsDirectory=, or use a fixed User= without DynamicUser=.",
    hits: (unit) => {
      if (!isService(unit) || !isOn(unit, "Service.DynamicUser")) return [];
      const own = ownDirectories(unit);
      const directory = settingOf(unit, "Service.WorkingDirectory");
      const hits: LintHit[] = [];
      for (const { word, at } of listWordsOf(unit, "Service.ReadWritePaths")) {
        const path = word.replace(/^[-+]*/, "");
        if (path.startsWith("%") || own.some((root) => isBelow(path, root)) || /^\/(dev|proc|sys)(\/|$)/.test(path))
          continue;
        hits.push({
          at,
          message: `ReadWritePaths=${path}: its files belong to a fixed user, a dynamic one may not write them`,
        });
      }
      if (
        directory !== undefined &&
        /^\/(home|root|var\/lib)\//.test(directory.value) &&
        !own.some((root) => isBelow(directory.value, root))
      ) {
        hits.push({
          at: directory,
          message: `${quoted(directory)} belongs to a fixed user; write StateDirectory= and WorkingDirectory=%S/NAME`,
        });
      }
      return hits;
    },
  },
  {
    id: "root-runs-user-writable-path",
    severity: "warning",
    why: "Whoever can write the program becomes root at its next start.",
    fix: "Install the program in /opt or /usr/local, owned by root, or run it with User=.",
    hits: (unit) => {
      if (!isService(unit)) return [];
      const isRoot = runsAsRoot(unit);
      return allCommandsOf(unit).flatMap((command): LintHit[] => {
        if (!isRoot && !/[+!]/.test(command.prefixes)) return [];
        const words = [
          command.path,
          command.programPath,
          ...command.programArguments.map(({ text }) => text).filter(isScript),
        ];
        const path = words.find((word) => /^\/(home\/|tmp\/|var\/tmp\/|dev\/shm\/|var\/www\/)/.test(word));
        return path === undefined
          ? []
          : [{ at: command.at, message: `${command.at.key}: root runs ${path}, which others may be able to write` }];
      });
    },
  },
  {
    id: "socket-in-runtime-directory",
    severity: "warning",
    why: "RuntimeDirectory= is removed when the service stops, and the socket file with it: nobody can connect any more.",
    fix: "Put the socket elsewhere in /run, or write RuntimeDirectoryPreserve=yes.",
    across: true,
    hits: (unit, set) => {
      if (unit.type !== "socket") return [];
      const service = unitNamed(
        set,
        textOf(unit, "Socket.Service") ?? `${unit.prefix}${unit.instance === undefined ? "" : "@"}.service`,
      );
      if (
        service === undefined ||
        ["yes", "restart"].includes(textOf(service, "Service.RuntimeDirectoryPreserve") ?? "no")
      )
        return [];
      const roots = directoriesOf(service, "RuntimeDirectory", "/run");
      return ["ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO"]
        .flatMap((key) => itemsOf(unit, `Socket.${key}`))
        .filter(
          ({ value }) =>
            addressIsPath(value) &&
            roots.some((root) => isBelow(value.replace(/^\/var\/run/, "/run").replace(/^%t/, "/run"), root)),
        )
        .map((at) => ({
          at,
          message: `${quoted(at)} is in RuntimeDirectory= of ${service.name}, which is removed when that stops`,
        }));
    },
  },
];

function writtenPaths(command: CommandLine): { readonly path: string; readonly hit: Omit<LintHit, "message"> }[] {
  return command.arguments.flatMap((word) => {
    const found =
      /^(?:--?[\w-]*(?:log|pid|db|data|state|cache|socket|sock|output)[\w-]*=|unix:(?:\/\/)?)?(\/(?:var\/(?:lib|log|cache|spool)|run|srv)\/[^\s:,;*?]+)$/.exec(
        word.text,
      );
    const path = found?.[1];
    const hit = { at: command.at, mark: { start: word.start, end: word.start + word.raw.length } };
    return path === undefined || /\.(py|js|sh|conf|cfg|ini|toml|ya?ml|json|jar|rb|pl)$/.test(path)
      ? []
      : [{ path, hit }];
  });
}

function writablePaths(unit: LintedUnit): readonly string[] {
  const listed = ["ReadWritePaths", "BindPaths", "TemporaryFileSystem"].flatMap((key) =>
    listWordsOf(unit, `Service.${key}`).map(({ word }) => {
      const parts = word.replace(/^[-+]*/, "").split(":");
      return (key === "BindPaths" ? (parts[1] ?? parts[0]) : parts[0]) ?? "";
    }),
  );
  const temporary = isOn(unit, "Service.PrivateTmp") ? ["/tmp", "/var/tmp"] : [];
  return [...listed.map(withoutSpecifier), ...temporary, ...ownDirectories(unit), "/dev", "/proc", "/sys"];
}

function ownDirectories(unit: LintedUnit): readonly string[] {
  return [
    ...directoriesOf(unit, "StateDirectory", "/var/lib"),
    ...directoriesOf(unit, "CacheDirectory", "/var/cache"),
    ...directoriesOf(unit, "LogsDirectory", "/var/log"),
    ...directoriesOf(unit, "RuntimeDirectory", "/run"),
  ];
}

function directoriesOf(unit: LintedUnit, key: string, root: string): readonly string[] {
  return listWordsOf(unit, `Service.${key}`).map(
    ({ word }) => `${root}/${word.split(":")[0]?.replace(/^%[pN]$/, unit.prefix)}`,
  );
}

function boundPaths(unit: LintedUnit): readonly string[] {
  return ["BindPaths", "BindReadOnlyPaths"].flatMap((key) =>
    listWordsOf(unit, `Service.${key}`).map(({ word }) => word.replace(/^-/, "").split(":").slice(0, 2).at(-1) ?? ""),
  );
}

function withoutSpecifier(path: string): string {
  return path.replace(/^%S/, "/var/lib").replace(/^%C/, "/var/cache").replace(/^%L/, "/var/log").replace(/^%t/, "/run");
}

function isBelow(path: string, root: string): boolean {
  const clean = root.replace(/\/+$/, "");
  return withoutSpecifier(path) === clean || withoutSpecifier(path).startsWith(`${clean}/`);
}

function isTemporary(path: string): boolean {
  return /^\/(var\/)?tmp\//.test(path);
}

function isScript(word: string): boolean {
  return /^\/.*\.(py|sh|js|rb|pl|php|jar)$/.test(word);
}
