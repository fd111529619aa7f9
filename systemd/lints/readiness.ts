import { addressFamiliesAfter, anyAddressFamily, opensFamiliesOf } from "../exposure/address-families.ts";
import { commandsOf, isConfined, shellScriptOf } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import {
  type Assignment,
  assignmentsOf,
  itemsOf,
  type LintedUnit,
  listWordsOf,
  quoted,
  settingOf,
  spanOf,
  textOf,
} from "./linted-unit.ts";
import { isService, serviceTypeOf } from "./service-type.ts";
import { activatorsOf, type UnitSet, unitNamed } from "./unit-set.ts";

/** How a service says that it is ready and alive. */
export const readinessLints: readonly Lint[] = [
  {
    id: "notify-without-af-unix",
    severity: "error",
    why: "READY=1 and WATCHDOG=1 go through a unix socket; without AF_UNIX the start times out, or the watchdog kills the service.",
    fix: "Add AF_UNIX to RestrictAddressFamilies=.",
    hits: (unit) => {
      const families = assignmentsOf(unit, "Service.RestrictAddressFamilies");
      const at = families.at(-1);
      const speaker = notifier(unit);
      if (at === undefined || speaker === undefined) return [];
      if (!commandsOf(unit, "ExecStart").some(isConfined)) return [];
      const allowed = families.reduce((before, { value }) => addressFamiliesAfter(value, before), anyAddressFamily);
      if (opensFamiliesOf("unix", allowed)) return [];
      const message = `${quoted(at)} leaves no AF_UNIX, which ${quoted(speaker)} needs: the service cannot reach systemd's notification socket`;
      return [{ at, message }];
    },
  },
  {
    id: "notify-from-child",
    severity: "warning",
    why: "With NotifyAccess=main, the default, systemd takes messages from the main process only; that is the wrapper, not the program.",
    fix: "Start the program itself, put `exec` before it in the shell script, or write NotifyAccess=all.",
    hits: (unit) => {
      const speaker = notifier(unit);
      if (speaker === undefined || !["main", "none"].includes(textOf(unit, "Service.NotifyAccess") ?? "main"))
        return [];
      return commandsOf(unit, "ExecStart").flatMap((command): LintHit[] => {
        const script = shellScriptOf(command);
        const isWrapper = ["sudo", "su", "runuser", "timeout", "flock", "npm", "yarn", "pnpm", "uv", "pdm", "make"];
        const stays =
          script === undefined ? isWrapper.includes(command.program) : !/(^|[;&|\s])exec\s/.test(script.text);
        if (!stays) return [];
        const message = `ExecStart: ${command.program} stays the main process, so ${quoted(speaker)} does not hear the program that it starts`;
        return [{ at: command.at, message }];
      });
    },
  },
  {
    id: "watchdog-without-restart",
    severity: "warning",
    why: "The watchdog kills a service that hangs; without a Restart= that covers it, the service then stays down.",
    fix: "Write Restart=on-failure (or always, on-abnormal, on-watchdog).",
    across: true,
    hits: (unit, set) => {
      const at = settingOf(unit, "Service.WatchdogSec");
      if (!isService(unit) || at === undefined || !((spanOf(unit, "Service.WatchdogSec") ?? 0) > 0)) return [];
      if (serviceTypeOf(unit) === "oneshot") return [];
      const restart = settingOf(unit, "Service.Restart");
      if (["always", "on-failure", "on-abnormal", "on-watchdog"].includes(restart?.value ?? "no")) return [];
      const isHandled =
        (textOf(unit, "Unit.FailureAction") ?? "none") !== "none" || listWordsOf(unit, "Unit.OnFailure").length > 0;
      if (isHandled || isStartedOnDemand(unit, set)) return [];
      const instead = restart === undefined ? "there is no Restart=" : `${quoted(restart)} does not cover it`;
      return [{ at, message: `${quoted(at)} kills a service that hangs, and ${instead}: it stays down` }];
    },
  },
  {
    id: "dependency-not-ready",
    severity: "warning",
    why: "After= waits until the other unit is active; a Type=simple service is so before its program has even begun to work.",
    fix: "Give the other service Type=notify (and READY=1), Type=dbus, or a socket unit, or let this one retry.",
    across: true,
    hits: (unit, set) =>
      listWordsOf(unit, "Unit.After").flatMap(({ word, at }): LintHit[] => {
        const other = unitNamed(set, word);
        if (other === undefined || other === unit || !isService(other) || unit.type !== "service") return [];
        const needs = ["Requires", "BindsTo", "Wants", "Requisite"].some((key) =>
          listWordsOf(unit, `Unit.${key}`).some((needed) => needed.word === word),
        );
        const type = serviceTypeOf(other);
        if (!needs || !["simple", "exec", "idle"].includes(type)) return [];
        if (activatorsOf(set, other).some((activator) => activator.type === "socket")) return [];
        if (itemsOf(other, "Service.ExecStartPost").length > 0) return [];
        const message = `After=${word}: ${word} is Type=${type}, which counts as started before it answers`;
        return [{ at, mark: wordMark(at, word), message }];
      }),
  },
];

/** What makes a service send messages to systemd: its `Type=` or its watchdog. */
function notifier(unit: LintedUnit): Assignment | undefined {
  if (!isService(unit)) return undefined;
  const type = settingOf(unit, "Service.Type");
  if (type !== undefined && /^notify(-reload)?$/.test(type.value)) return type;
  return (spanOf(unit, "Service.WatchdogSec") ?? 0) > 0 ? settingOf(unit, "Service.WatchdogSec") : undefined;
}

/** Whether the next request starts it again: by the bus, or by a socket. */
function isStartedOnDemand(unit: LintedUnit, set: UnitSet): boolean {
  return textOf(unit, "Service.BusName") !== undefined || activatorsOf(set, unit).some(({ type }) => type === "socket");
}

/** The part of an assignment that a word of it takes. */
export function wordMark({ value }: Assignment, word: string): { readonly start: number; readonly end: number } {
  const start = Math.max(value.indexOf(word), 0);
  return { start, end: start + word.length };
}
