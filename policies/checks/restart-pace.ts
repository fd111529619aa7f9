import type { UnitModel } from "../../systemd/sections.ts";
import { parsedTimeSpan, timeSpanProblem } from "../../systemd/values/time-span.ts";
import type { Finding } from "./finding.ts";
import { assignments, shown, valueInForce } from "./service-directives.ts";

/** What `restartPaceFindings` accepts as `RestartSec=`, as time spans of systemd.time(7). */
export interface RestartPaceLimits {
  readonly minimum: string;
  readonly maximum: string;
}

/** What systemd takes for a pause where none is written. */
const defaultPause = "100ms";

/**
 * A service that is restarted so fast that it floods the host, so slowly that it is out for long, or whose failure takes the
 * whole host down. Follows systemd.service(5), `RestartSec=`, and systemd.unit(5), `StartLimitAction=` and `FailureAction=`.
 */
export function restartPaceFindings(unit: UnitModel, limits: RestartPaceLimits): readonly Finding[] {
  return [...pauseFindings(unit, limits), ...actionFindings(unit)];
}

function pauseFindings(unit: UnitModel, { minimum, maximum }: RestartPaceLimits): readonly Finding[] {
  if ((valueInForce(unit, "Restart") ?? "no") === "no") return [];
  const value = valueInForce(unit, "RestartSec");
  const found =
    value === undefined ? `${shown("RestartSec", value)}, which is ${defaultPause}` : shown("RestartSec", value);
  const wanted = `${minimum} to ${maximum}`;
  if (value !== undefined && timeSpanProblem(value) !== undefined) {
    return [{ found, wanted, why: "it is no time span, so systemd ignores it" }];
  }
  const pause = parsedTimeSpan(value ?? defaultPause);
  if (pause < parsedTimeSpan(minimum)) {
    const why =
      "a service that fails at once is tried so often that systemd gives it up, or that it takes the host's time";
    return [{ found, wanted, why }];
  }
  if (pause > parsedTimeSpan(maximum)) {
    return [{ found, wanted, why: "a service that crashes would be out for that long" }];
  }
  return [];
}

function actionFindings(unit: UnitModel): readonly Finding[] {
  return ["StartLimitAction", "FailureAction"].flatMap((directive) => {
    const value = assignments(unit, directive, "Unit").findLast((text) => text !== "") ?? "none";
    if (value === "none") return [];
    return [
      {
        found: `[Unit] ${directive}=${value}`,
        wanted: "none",
        why: "one failing service would take the whole host down",
      },
    ];
  });
}
