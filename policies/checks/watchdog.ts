import type { UnitModel } from "../../systemd/sections.ts";
import { parsedTimeSpan, timeSpanProblem } from "../../systemd/values/time-span.ts";
import type { Finding } from "./finding.ts";
import { serviceType, shown, valueInForce } from "./service-directives.ts";

/** What `watchdogFindings` accepts as `WatchdogSec=`, as time spans of systemd.time(7). */
export interface WatchdogLimits {
  /** The shortest watchdog that passes, such as `1s`. */
  readonly minimum: string;
  /** The longest watchdog that passes, such as `5min`. */
  readonly maximum: string;
}

const notifyTypes: readonly string[] = ["notify", "notify-reload"];
/** Values of `Restart=` that start the service again after its watchdog fired (systemd.service(5), table of `Restart=`). */
const restartsAfterWatchdog: readonly string[] = ["always", "on-failure", "on-abnormal", "on-watchdog"];

/** A service of `Type=notify` or `notify-reload` that may hang without anybody noticing, or that stays dead when it did. */
export function watchdogFindings(unit: UnitModel, limits: WatchdogLimits): readonly Finding[] {
  if (!notifyTypes.includes(serviceType(unit))) return [];
  return [...watchdogSecFindings(unit, limits), ...restartFindings(unit)];
}

function watchdogSecFindings(unit: UnitModel, { minimum, maximum }: WatchdogLimits): readonly Finding[] {
  const value = valueInForce(unit, "WatchdogSec");
  const found = shown("WatchdogSec", value);
  const wanted = `${minimum} to ${maximum}`;
  const problem = value === undefined ? undefined : timeSpanProblem(value);
  if (problem !== undefined) return [{ found, wanted, why: "it is no time span, so systemd ignores it" }];
  const span = parsedTimeSpan(value ?? "0");
  if (span === 0 || span === Number.POSITIVE_INFINITY) {
    return [{ found, wanted, why: "a service that hangs would stay up in name and serve nobody" }];
  }
  if (span < parsedTimeSpan(minimum)) {
    return [{ found, wanted, why: "a short pause on a busy host would kill a healthy service" }];
  }
  if (span > parsedTimeSpan(maximum)) {
    return [{ found, wanted, why: "a service that hangs would be out for that long before it is restarted" }];
  }
  return [];
}

function restartFindings(unit: UnitModel): readonly Finding[] {
  const value = valueInForce(unit, "Restart");
  if (restartsAfterWatchdog.some((restart) => restart === value)) return [];
  return [
    {
      found: shown("Restart", value),
      wanted: "always, on-failure, on-abnormal or on-watchdog",
      why: "a service that its watchdog kills would stay dead",
    },
  ];
}
