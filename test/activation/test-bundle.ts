import type { Bundle } from "../../activation/bundle.ts";
import type { DefinedFile, DefinedHook, DefinedRelease, DefinedUnit } from "../../components/definition.ts";
import { hostBundle } from "../../components/host-bundle.ts";

/** A unit as a component would define it; what is not given is the plainest. */
export function testUnit(name: string, text: string, more: Partial<DefinedUnit> = {}): DefinedUnit {
  return {
    name,
    text,
    activation: "started",
    restartOnFiles: [],
    restartOnReleases: [],
    triggeredBy: [],
    onChange: "auto",
    settleSec: 0,
    waive: [],
    ...more,
  };
}

/** The bundle of these units, files and releases, as a Host makes it. */
export function testBundle(
  units: DefinedUnit[],
  files: DefinedFile[] = [],
  scope = "test/plan/host",
  releases: DefinedRelease[] = [],
  hooks: DefinedHook[] = [],
): Bundle {
  const bounds = { transactionSec: 120, waitSec: 30, confirmSec: 0 };
  return hostBundle(scope, [{ units, files, users: [], releases, hooks }], bounds);
}
