import type { Lint, LintHit } from "./lint.ts";
import { assignmentsOf, isOff, type LintedUnit, listWordsOf, quoted, textOf } from "./linted-unit.ts";
import { wordMark } from "./readiness.ts";
import { activatorsOf } from "./unit-set.ts";

const installDirectives = ["WantedBy", "RequiredBy", "UpheldBy", "Alias", "Also", "DefaultInstance"];

/** How a unit is enabled. */
export const installLints: readonly Lint[] = [
  {
    id: "no-install",
    severity: "info",
    why: "`systemctl enable` has nothing to do, so the unit is not started at boot.",
    fix: "Write [Install] with WantedBy=multi-user.target (timers.target, sockets.target), unless another unit starts it.",
    across: true,
    hits: (unit, set): LintHit[] => {
      if (!["service", "timer", "socket", "path"].includes(unit.type) || unit.instance !== undefined) return [];
      if (
        unit.file.sections.length === 0 ||
        installDirectives.some((key) => assignmentsOf(unit, `Install.${key}`).length > 0)
      )
        return [];
      if (activatorsOf(set, unit).length > 0 || set.pulledIn.has(unit.name)) return [];
      const isSpecial = textOf(unit, "Service.BusName") !== undefined || textOf(unit, "Service.Type") === "oneshot";
      if (isSpecial || isOff(unit, "Unit.DefaultDependencies")) return [];
      return [{ message: "there is no [Install] section, and no given unit starts this one" }];
    },
  },
  {
    id: "template-without-default-instance",
    severity: "info",
    why: "`systemctl enable NAME@.service` needs an instance: either in the command, or in the unit.",
    fix: "Enable instances by name (NAME@one.service), or write DefaultInstance=.",
    hits: (unit) => {
      const at = assignmentsOf(unit, "Install.WantedBy")[0] ?? assignmentsOf(unit, "Install.RequiredBy")[0];
      if (unit.instance !== "" || at === undefined || textOf(unit, "Install.DefaultInstance") !== undefined) return [];
      return [{ at, message: `${quoted(at)}: only instances of this template can be enabled` }];
    },
  },
  {
    id: "alias-of-itself",
    severity: "warning",
    why: "A unit needs no second name that is its first; `systemctl enable` says so or fails.",
    fix: "Leave the line out.",
    across: true,
    hits: (unit, set) => {
      const own = listWordsOf(unit, "Install.Alias").filter(({ word }) => word === unit.name || word === "%n");
      // A link to a unit under its alias has the unit's text, and so the alias.
      if (own.length === 0 || set.units.some((other) => other !== unit && haveSameText(other, unit))) return [];
      return own.map(({ word, at }) => ({
        at,
        mark: wordMark(at, word),
        message: `Alias=${word} is the name of the unit itself`,
      }));
    },
  },
  {
    id: "alias-of-other-type",
    severity: "error",
    why: "`systemctl enable` refuses an alias whose type, or whose being a template, differs from the unit's.",
    fix: "Give the alias the suffix of the unit.",
    hits: (unit) =>
      listWordsOf(unit, "Install.Alias").flatMap(({ word, at }): LintHit[] => {
        const type = word.slice(word.lastIndexOf(".") + 1);
        if (word.includes("%") || !word.includes(".") || type === unit.type) return [];
        return [
          { at, mark: wordMark(at, word), message: `Alias=${word}: a ${unit.type} cannot have the name of a ${type}` },
        ];
      }),
  },
  {
    id: "wanted-by-default-target",
    severity: "warning",
    why: "default.target is whatever the host boots into; on a host that boots into rescue mode, the unit starts there, too.",
    fix: "Write WantedBy=multi-user.target.",
    hits: (unit) =>
      listWordsOf(unit, "Install.WantedBy")
        .filter(({ word }) => word === "default.target")
        .map(({ word, at }) => ({
          at,
          mark: wordMark(at, word),
          message: `WantedBy=${word}: for a unit of the system that is multi-user.target`,
        })),
  },
  {
    id: "after-wanting-target",
    severity: "info",
    why: "The unit is part of the target, and comes after it: the host counts as booted before the unit has even begun.",
    fix: "Leave After= with that target out; write After=network-online.target or what it truly waits for.",
    hits: (unit) => {
      const wanting = new Set(listWordsOf(unit, "Install.WantedBy").map(({ word }) => word));
      return listWordsOf(unit, "Unit.After")
        .filter(({ word }) => wanting.has(word) && word.endsWith(".target"))
        .map(({ word, at }) => ({
          at,
          mark: wordMark(at, word),
          message: `After=${word} and WantedBy=${word}: the target does not wait for the unit`,
        }));
    },
  },
  {
    id: "wanted-by-shutdown",
    severity: "warning",
    why: "With default dependencies a unit conflicts with shutdown.target: when the host goes down it is stopped, not started.",
    fix: "Start it at boot with RemainAfterExit=yes and do the work in ExecStop=, or write DefaultDependencies=no.",
    hits: (unit) => {
      if (isOff(unit, "Unit.DefaultDependencies") || unit.type === "target") return [];
      return ["WantedBy", "RequiredBy"]
        .flatMap((key) => listWordsOf(unit, `Install.${key}`))
        .filter(({ word }) => /^(shutdown|reboot|poweroff|halt|kexec|final|umount)\.target$/.test(word))
        .map(({ word, at }) => ({
          at,
          mark: wordMark(at, word),
          message: `${at.key}=${word}: a ${unit.type} with default dependencies is stopped by it`,
        }));
    },
  },
];

function haveSameText(one: LintedUnit, other: LintedUnit): boolean {
  return JSON.stringify(one.file) === JSON.stringify(other.file);
}
