import type { Lint, LintHit } from "./lint.ts";
import { isOff, type LintedUnit, listWordsOf, quoted } from "./linted-unit.ts";
import { wordMark } from "./readiness.ts";
import { activatedUnit, activatorsOf, mayExist, type UnitSet, unitNamed } from "./unit-set.ts";

const needs = ["Requires", "BindsTo", "Requisite", "Wants"] as const;
const references = [...needs, "After", "Before", "Conflicts", "PartOf", "OnFailure", "Upholds"] as const;

/** What units say of each other. */
export const dependencyLints: readonly Lint[] = [
  {
    id: "requires-without-after",
    severity: "warning",
    why: "Requires= and BindsTo= say what must be there, not what comes first: both start at the same time.",
    fix: "Add After= with the same unit.",
    across: true,
    hits: (unit, set) => {
      if (unit.type === "target") return [];
      const ordered = new Set(
        ["After", "Before"].flatMap((key) => listWordsOf(unit, `Unit.${key}`).map(({ word }) => nameIn(set, word))),
      );
      return (["Requires", "BindsTo"] as const).flatMap((key) =>
        listWordsOf(unit, `Unit.${key}`).flatMap(({ word, at }): LintHit[] => {
          if (ordered.has(nameIn(set, word)) || isOrderedAnyway(unit, word, set)) return [];
          return [
            {
              at,
              mark: wordMark(at, word),
              message: `${key}=${word} without After=${word}: both start at the same time`,
            },
          ];
        }),
      );
    },
  },
  {
    id: "required-unit-unknown",
    severity: "info",
    why: 'Where the required unit is missing the start fails: "Unit not found".',
    fix: "Deploy the unit as well, correct its name, or make sure that the host's own packages bring it.",
    across: true,
    hits: (unit, set) =>
      (["Requires", "BindsTo", "Requisite"] as const).flatMap((key) =>
        listWordsOf(unit, `Unit.${key}`).flatMap(({ word, at }): LintHit[] => {
          if (
            mayExist(set, word) ||
            /\.(target|slice|device|mount|swap)$/.test(word) ||
            /^(systemd-|dbus\.)/.test(word)
          )
            return [];
          return [{ at, mark: wordMark(at, word), message: `${key}=${word}: it is none of the given units` }];
        }),
      ),
  },
  {
    id: "network-online-without-wants",
    severity: "warning",
    why: "After= alone does not start network-online.target; where nothing else does, the unit does not wait for the network.",
    fix: "Add Wants=network-online.target.",
    hits: (unit) => {
      const name = "network-online.target";
      const after = listWordsOf(unit, "Unit.After").find(({ word }) => word === name);
      const isWanted = needs.some((key) => listWordsOf(unit, `Unit.${key}`).some(({ word }) => word === name));
      if (after === undefined || isWanted || unit.type === "target") return [];
      return [
        {
          at: after.at,
          mark: wordMark(after.at, name),
          message: `After=${name} without Wants=${name} waits only if another unit wants it`,
        },
      ];
    },
  },
  {
    id: "self-dependency",
    severity: "warning",
    why: "systemd drops a dependency of a unit on itself.",
    fix: "Write the name of the other unit.",
    hits: (unit) =>
      references.flatMap((key) =>
        listWordsOf(unit, `Unit.${key}`)
          .filter(({ word }) => word === unit.name || (word === "%n" && key !== "OnFailure"))
          .map(({ word, at }) => ({ at, mark: wordMark(at, word), message: `${key}=${word} is this unit itself` })),
      ),
  },
  {
    id: "conflicts-with-needed",
    severity: "warning",
    why: "A unit that is wanted and in conflict is started and stopped by the same job; systemd drops one of the two.",
    fix: "Keep one of the lines.",
    hits: (unit) =>
      listWordsOf(unit, "Unit.Conflicts").flatMap(({ word, at }): LintHit[] => {
        const needed = needs.flatMap((key) => listWordsOf(unit, `Unit.${key}`)).find((other) => other.word === word);
        return needed === undefined
          ? []
          : [{ at, mark: wordMark(at, word), message: `Conflicts=${word} contradicts ${quoted(needed.at)}` }];
      }),
  },
  {
    id: "before-early-target",
    severity: "error",
    why: "With default dependencies the unit itself comes after sysinit.target and basic.target; systemd breaks such a cycle by leaving out a unit.",
    fix: "Write DefaultDependencies=no with Conflicts=shutdown.target and Before=shutdown.target, or leave Before= out.",
    hits: (unit) => {
      if (!["service", "socket", "timer", "path"].includes(unit.type) || isOff(unit, "Unit.DefaultDependencies"))
        return [];
      const early = ["sysinit.target", "local-fs.target", "local-fs-pre.target", "swap.target"];
      const forService = ["basic.target", "sockets.target", "paths.target"];
      const targets = unit.type === "service" ? [...early, ...forService] : early;
      return listWordsOf(unit, "Unit.Before")
        .filter(({ word }) => targets.includes(word))
        .map(({ word, at }) => ({
          at,
          mark: wordMark(at, word),
          message: `Before=${word}: a ${unit.type} with default dependencies comes after it`,
        }));
    },
  },
];

function nameIn(set: UnitSet, word: string): string {
  return set.byName.get(word)?.name ?? word;
}

/** Whether something else says which of the two comes first. */
function isOrderedAnyway(unit: LintedUnit, word: string, set: UnitSet): boolean {
  const hasDefaults = !isOff(unit, "Unit.DefaultDependencies");
  if (/\.slice$/.test(word) || word === "-.mount") return true;
  if (hasDefaults && (/\.socket$/.test(word) || ["sysinit.target", "basic.target", "local-fs.target"].includes(word)))
    return true;
  if (activatedUnit(unit)?.name === word || activatorsOf(set, unit).some(({ name }) => name === word)) return true;
  const other = unitNamed(set, word);
  if (other === undefined) return false;
  return ["Before", "After"].some((key) =>
    listWordsOf(other, `Unit.${key}`).some((listed) => nameIn(set, listed.word) === unit.name),
  );
}
