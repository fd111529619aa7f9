import type { Lint, LintHit } from "./lint.ts";
import { itemsOf, quoted, settingOf, textOf } from "./linted-unit.ts";
import { isService } from "./service-type.ts";

/** Where output goes, and settings that lost their meaning with time. */
export const outputLints: readonly Lint[] = [
  {
    id: "obsolete-output",
    severity: "warning",
    why: "systemd 246 took the direct way to syslog away; it warns in its log and writes to the journal, from which syslog reads anyway.",
    fix: "Leave the line out; the journal is the default.",
    hits: (unit) =>
      ["StandardOutput", "StandardError"].flatMap((key): LintHit[] => {
        const at = settingOf(unit, `${unit.ownSection}.${key}`);
        return at?.value.startsWith("syslog")
          ? [{ at, message: `${quoted(at)} is obsolete, systemd takes journal` }]
          : [];
      }),
  },
  {
    id: "file-output-overwrites",
    severity: "warning",
    why: "file: begins at the start of the file at each start of the service and writes over what is there, without cutting the rest.",
    fix: "Write append:FILE (or truncate:FILE, systemd 248), or leave it to the journal.",
    hits: (unit) =>
      ["StandardOutput", "StandardError"].flatMap((key): LintHit[] => {
        const at = settingOf(unit, `${unit.ownSection}.${key}`);
        if (!at?.value.startsWith("file:/") || at.value.startsWith("file:/dev/")) return [];
        const isBoth = textOf(unit, `${unit.ownSection}.StandardInput`) === at.value;
        return isBoth ? [] : [{ at, message: `${quoted(at)} writes over the log of the run before` }];
      }),
  },
  {
    id: "legacy-var-run",
    severity: "warning",
    why: "/var/run is a link to /run that not every system has early at boot; systemd rewrites the path with a warning.",
    fix: "Write /run.",
    hits: (unit) =>
      [
        "Service.PIDFile",
        ...["ListenStream", "ListenDatagram", "ListenSequentialPacket", "ListenFIFO"].map((key) => `Socket.${key}`),
      ]
        .flatMap((id) => itemsOf(unit, id))
        .filter(({ value }) => value.startsWith("/var/run/"))
        .map((at) => ({ at, mark: { start: 0, end: 8 }, message: `${quoted(at)}: write ${at.value.slice(4)}` })),
  },
  {
    id: "limit-without-effect",
    severity: "warning",
    why: "Linux ignores this limit since 2.4.30.",
    fix: "Write MemoryMax=.",
    hits: (unit) => {
      const at = settingOf(unit, `${unit.ownSection}.LimitRSS`);
      return at === undefined ? [] : [{ at, message: `${quoted(at)} limits nothing` }];
    },
  },
  {
    id: "memory-limits-order",
    severity: "warning",
    why: "A soft limit above a hard one, or a guarantee above a limit, never comes into play.",
    fix: "Keep MemoryMin= <= MemoryLow= <= MemoryHigh= <= MemoryMax=.",
    hits: (unit) => {
      const sizes = ["MemoryMin", "MemoryLow", "MemoryHigh", "MemoryMax"].flatMap((key) => {
        const at = settingOf(unit, `${unit.ownSection}.${key}`);
        const size = at === undefined ? undefined : bytesOf(at.value);
        return at === undefined || size === undefined ? [] : [{ at, size }];
      });
      return sizes.slice(1).flatMap((larger, index): LintHit[] => {
        const smaller = sizes[index];
        if (smaller === undefined || smaller.size <= larger.size) return [];
        return [{ at: smaller.at, message: `${quoted(smaller.at)} is above ${quoted(larger.at)}` }];
      });
    },
  },
  {
    id: "no-description",
    severity: "info",
    why: "Logs and `systemctl status` show the description; without one they show the name of the file.",
    fix: "Write Description= in [Unit], a short noun phrase.",
    hits: (unit) =>
      unit.file.sections.length > 0 && isService(unit) && settingOf(unit, "Unit.Description") === undefined
        ? [{ sectionIndex: 0, message: "there is no Description=" }]
        : [],
  },
];

function bytesOf(value: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)([KMGTPE]?)B?$/i.exec(value);
  if (found === null) return undefined;
  const exponent = ["", "K", "M", "G", "T", "P", "E"].indexOf((found[2] ?? "").toUpperCase());
  return Number(found[1]) * 1024 ** exponent;
}
