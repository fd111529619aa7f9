import type { CheckStatus, HostStatus, UnitStatus } from "../../activation/host-status.ts";

/** One host of what `status --json` prints. */
export interface StackHostStatus {
  readonly host: string;
  readonly address: string | undefined;
  /** Why there is no status; then the rest is missing. */
  readonly problem?: string;
  readonly status?: HostStatus;
}

/** What `status --json` prints. */
export interface StackStatus {
  readonly project: string;
  readonly stack: string;
  readonly hosts: readonly StackHostStatus[];
}

/** Exit status of `pulumi-systemd status`. */
export const statusExit = { well: 0, notWell: 1, notKnown: 2 } as const;

/** States of a check that ask nobody to look. `docs/health.md` says what each means. */
const quietStates = ["healthy", "grace", "waiting", "stopped", "held", "not checked"];

/** Whether somebody should look at a check. */
export function isIll({ state, outageSince }: CheckStatus): boolean {
  return outageSince !== null || !quietStates.includes(state);
}

/** The checks to show beside a unit: those that watch it; of those that watch no unit, the ones that its timer makes due. */
export function checksOf(unit: UnitStatus, checks: readonly CheckStatus[]): readonly CheckStatus[] {
  return checks.filter(({ unit: watched, group }) => (watched ?? `${group}.timer`) === unit.name);
}

/** The same host with the units that are meant, and their checks. */
export function narrowed(host: StackHostStatus, isMeant: (unit: string) => boolean): StackHostStatus {
  const { status } = host;
  if (status === undefined) return host;
  const units = status.units.filter(({ name }) => isMeant(name));
  const health = status.health.filter((check) => units.some((unit) => checksOf(unit, [check]).length > 0));
  const findings = status.findings.filter(({ unit }) => unit === "" || isMeant(unit));
  return { ...host, status: { ...status, units, health, findings } };
}

/** The exit status for scripts: a host that was not asked is worse than a unit that is down, since nothing is known of it. */
export function exitStatusOf({ hosts }: StackStatus): number {
  if (hosts.some(({ problem }) => problem !== undefined)) return statusExit.notKnown;
  const isWell = hosts.every(
    ({ status }) =>
      status === undefined ||
      (status.healthProblem === "" && status.units.every(({ well }) => well) && !status.health.some(isIll)),
  );
  return isWell ? statusExit.well : statusExit.notWell;
}
