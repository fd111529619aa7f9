import { formattedTimeSpan } from "../values/time-span.ts";
import { commandsOf } from "./command-line.ts";
import type { Lint, LintHit } from "./lint.ts";
import {
  type Assignment,
  type LintedUnit,
  listWordsOf,
  quoted,
  settingOf,
  spanIn,
  spanOf,
  textOf,
} from "./linted-unit.ts";
import { isDaemon, isService, serviceTypeOf } from "./service-type.ts";

const second = 1_000_000;

/** When a service is started again, and when systemd gives it up. */
export const restartLints: readonly Lint[] = [
  {
    id: "oneshot-restart-always",
    severity: "error",
    why: "A oneshot service that is started again whenever it ends would never finish; systemd does not load the unit.",
    fix: "Use a timer to run it again and again, or Restart=on-failure to repeat a failed run.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.Restart");
      if (!isService(unit) || serviceTypeOf(unit) !== "oneshot" || at === undefined) return [];
      return ["always", "on-success"].includes(at.value)
        ? [{ at, message: `${quoted(at)} is refused together with Type=oneshot` }]
        : [];
    },
  },
  {
    id: "restart-as-timer",
    severity: "warning",
    why: "A program that ends and is started again by Restart= drifts, cannot be told from one that crashes, and its failures look normal.",
    fix: "Make it Type=oneshot and start it by a timer (OnUnitInactiveSec= keeps the pause between two runs).",
    hits: (unit) => {
      const at = settingOf(unit, "Service.Restart");
      const pause = spanOf(unit, "Service.RestartSec");
      if (!isDaemon(unit) || !["always", "on-success"].includes(at?.value ?? "no")) return [];
      if (pause === undefined || pause < 60 * second || pause === Number.POSITIVE_INFINITY) return [];
      const restartSec = settingOf(unit, "Service.RestartSec");
      if (at === undefined || restartSec === undefined) return [];
      return [
        {
          at: restartSec,
          message: `${quoted(at)} with ${quoted(restartSec)} runs the program like a timer; write a timer if it is meant to end, else a shorter RestartSec=`,
        },
      ];
    },
  },
  {
    id: "start-limit-never-trips",
    severity: "warning",
    why: "RestartSec= x StartLimitBurst= is as long as the interval, so a service that is broken for good is started for ever and never becomes failed.",
    fix: "Write StartLimitIntervalSec= in [Unit], longer than RestartSec= x StartLimitBurst=; write 0 if it shall go on for ever.",
    hits: (unit) => {
      const limit = startLimit(unit);
      if (limit === undefined || !neverTrips(limit)) return [];
      const product = limit.pause * limit.burst;
      const span = product === Number.POSITIVE_INFINITY ? "infinite" : formattedTimeSpan(product);
      const at = limit.intervalAt ?? limit.burstAt ?? limit.pauseAt;
      const message =
        `RestartSec=${formattedTimeSpan(limit.pause)} x StartLimitBurst=${limit.burst}${limit.burstAt ? "" : " (default)"} is ${span}, ` +
        `not below StartLimitIntervalSec=${formattedTimeSpan(limit.interval)}${limit.intervalAt ? "" : " (default)"}: the limit can never trip`;
      const isMeant = limit.intervalAt !== undefined || limit.burstAt !== undefined;
      return [{ at, message, severity: isMeant ? "warning" : "info" }];
    },
  },
  {
    id: "restart-gives-up-fast",
    severity: "info",
    why: "With the default RestartSec=100ms five crashes take half a second; then systemd gives up, though a database may be back in ten.",
    fix: "Write RestartSec=, such as 5s, and the start limit that you want.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.Restart");
      const limit = startLimit(unit);
      if (!isDaemon(unit) || at === undefined || limit === undefined || limit.pauseAt !== undefined) return [];
      if (limit.burstAt !== undefined || limit.intervalAt !== undefined) return [];
      return [{ at, message: `${quoted(at)} without RestartSec=: 5 crashes within half a second end all restarts` }];
    },
  },
  {
    id: "restart-sec-without-restart",
    severity: "info",
    why: "RestartSec= is the pause before a restart; without Restart= there is none.",
    fix: "Write Restart=on-failure, or leave RestartSec= out.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.RestartSec");
      if (!isService(unit) || at === undefined || (textOf(unit, "Service.Restart") ?? "no") !== "no") return [];
      if (textOf(unit, "Service.RestartForceExitStatus") !== undefined) return [];
      return [{ at, message: `${quoted(at)} has no effect: there is no Restart=` }];
    },
  },
  {
    id: "ignored-failure-with-restart",
    severity: "warning",
    why: "The prefix - makes every exit status a success, so a Restart= that waits for failures waits in vain.",
    fix: "Take the - away, or write Restart=always.",
    hits: (unit) => {
      const at = settingOf(unit, "Service.Restart");
      if (!isService(unit) || at === undefined || at.value !== "on-failure") return [];
      return commandsOf(unit, "ExecStart")
        .filter(({ prefixes }) => prefixes.includes("-"))
        .map((command): LintHit => {
          const message = `ExecStart: the prefix - hides a failed exit status from ${quoted(at)}`;
          return {
            at: command.at,
            mark: { start: command.start, end: command.start + command.prefixes.length },
            message,
          };
        });
    },
  },
  {
    id: "on-failure-never-runs",
    severity: "warning",
    why: "OnFailure= is started when systemd gives up restarting; a start limit that never trips means that it never gives up.",
    fix: "Write StartLimitIntervalSec= longer than RestartSec= x StartLimitBurst=.",
    hits: (unit) => {
      const [first] = listWordsOf(unit, "Unit.OnFailure");
      const restart = settingOf(unit, "Service.Restart");
      const limit = startLimit(unit, true);
      if (first === undefined || restart === undefined || limit === undefined || !isDaemon(unit)) return [];
      if (!["always", "on-failure"].includes(restart.value) || textOf(unit, "Service.RestartMode") === "debug")
        return [];
      if (!neverTrips(limit)) return [];
      return [
        {
          at: first.at,
          message: `${quoted(first.at)} never runs: ${quoted(restart)} goes on for ever, as the start limit never trips`,
        },
      ];
    },
  },
  {
    id: "restart-steps-incomplete",
    severity: "warning",
    why: "A growing pause needs RestartSteps= and RestartMaxDelaySec= together, the latter longer than RestartSec=; systemd ignores the rest.",
    fix: "Write both, with RestartMaxDelaySec= above RestartSec=.",
    hits: (unit) => {
      const steps = settingOf(unit, "Service.RestartSteps");
      const longest = settingOf(unit, "Service.RestartMaxDelaySec");
      const hasSteps = steps !== undefined && steps.value !== "0";
      if (!isService(unit) || (!hasSteps && longest === undefined)) return [];
      if (longest === undefined)
        return [{ at: steps, message: `${steps?.key}=${steps?.value} has no effect without RestartMaxDelaySec=` }];
      if (!hasSteps) return [{ at: longest, message: `${quoted(longest)} has no effect without RestartSteps=` }];
      const pause = spanOf(unit, "Service.RestartSec") ?? second / 10;
      return (spanIn(longest.value) ?? Number.POSITIVE_INFINITY) < pause
        ? [{ at: longest, message: `${quoted(longest)} is shorter than RestartSec=${formattedTimeSpan(pause)}` }]
        : [];
    },
  },
];

/** The start limit of a service that is restarted. */
interface StartLimit {
  readonly pause: number;
  readonly pauseAt: Assignment | undefined;
  readonly burst: number;
  readonly burstAt: Assignment | undefined;
  readonly interval: number;
  readonly intervalAt: Assignment | undefined;
}

/** The limit in force, in microseconds; undefined for a service that is not restarted, or without a limit. */
function startLimit(unit: LintedUnit, evenIfOff = false): StartLimit | undefined {
  if (!isService(unit) || (textOf(unit, "Service.Restart") ?? "no") === "no") return undefined;
  const pauseAt = settingOf(unit, "Service.RestartSec");
  const burstAt = first(unit, ["Unit.StartLimitBurst", "Service.StartLimitBurst"]);
  const intervalAt = first(unit, [
    "Unit.StartLimitIntervalSec",
    "Unit.StartLimitInterval",
    "Service.StartLimitInterval",
  ]);
  const pause = pauseAt === undefined ? second / 10 : spanIn(pauseAt.value);
  const burst = burstAt === undefined ? 5 : Number(burstAt.value);
  const interval = intervalAt === undefined ? 10 * second : spanIn(intervalAt.value);
  if (pause === undefined || interval === undefined || !Number.isInteger(burst)) return undefined;
  if (!evenIfOff && (burst === 0 || interval === 0)) return undefined;
  return { pause, pauseAt, burst, burstAt, interval, intervalAt };
}

/** Whether even a service that ends at once is never started more than `burst` times in the interval. */
function neverTrips({ pause, burst, interval }: StartLimit): boolean {
  return interval === 0 || burst === 0 || pause * burst >= interval;
}

function first(unit: LintedUnit, ids: readonly string[]): Assignment | undefined {
  return ids.map((id) => settingOf(unit, id)).find((at) => at !== undefined);
}
