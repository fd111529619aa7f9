import { exposureOf } from "../../systemd/exposure.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";

/** How the exposure of one service changes. */
export interface ExposureChange {
  /** Score from 0.0 (sealed) to 10.0 (open); null where the service is new. */
  readonly before: number | null;
  /** null where the service goes. */
  readonly after: number | null;
  /** Tests of the score that moved, those that moved most first. Empty for a service that is new or goes. */
  readonly moved: readonly ExposureMove[];
}

/** One test of the score that moved. */
export interface ExposureMove {
  /** As `systemd-analyze security` shows it: `PrivateTmp=`. */
  readonly id: string;
  /** Its share of the score before and after. */
  readonly before: number;
  readonly after: number;
}

/** The change of a service's score, from the texts of its unit; null for a unit that is no service. */
export function exposureChange(
  unit: string,
  before: string | undefined,
  after: string | undefined,
  systemd?: number,
): ExposureChange | null {
  if (!unit.endsWith(".service")) return null;
  const options = systemd === undefined ? {} : { systemd: Math.min(257, Math.max(252, systemd)) };
  const [old, next] = [before, after].map((text) =>
    text === undefined ? undefined : exposureOf(unit, parseUnitFile(text), options),
  );
  const moved = (old && next ? next.tests : [])
    .map((test, index) => ({ id: test.id, before: old?.tests[index]?.exposure ?? 0, after: test.exposure ?? 0 }))
    .filter((move) => move.before !== move.after)
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before));
  return { before: old?.exposure ?? null, after: next?.exposure ?? null, moved };
}
