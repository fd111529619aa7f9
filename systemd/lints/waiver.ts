/** A lint or policy that one definition may break until a date. */
export interface Waiver {
  /** Id of the lint or policy, such as `no-description`. */
  readonly policy: string;
  /** Why, for the reviewer. */
  readonly reason: string;
  /** Last day on which it holds, `YYYY-MM-DD`; the day ends at midnight UTC. */
  readonly until: string;
}

const dayMs = 86_400_000;

/** Why a text is no last day of a waiver, or undefined. */
export function lastDayProblem(text: string): string | undefined {
  const shown = JSON.stringify(text);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return `${shown} is not a date; write YYYY-MM-DD, such as 2027-03-31`;
  const day = new Date(`${text}T00:00:00Z`);
  const isReal = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  return isReal ? undefined : `${shown} is no day of the calendar`;
}

/** A day as it was written: without quotes YAML reads it as a time, which Go prints in one form or the other. */
export function writtenDay(text: string): string {
  return text.replace(/(T00:00:00Z| 00:00:00 \+0000 UTC)$/, "");
}

/** Whole days that a waiver holds after today: 0 on its last day, less than 0 when it is over. */
export function waiverDaysLeft(waiver: Waiver, now: Date): number {
  return Math.floor((Date.parse(`${waiver.until}T00:00:00Z`) - Math.floor(now.getTime() / dayMs) * dayMs) / dayMs);
}

/** Whether a waiver still holds. */
export function waiverHolds(waiver: Waiver, now: Date): boolean {
  return waiverDaysLeft(waiver, now) >= 0;
}

/** The waiver of a lint or policy that holds now and holds longest, if there is one. */
export function waiverOf<W extends Waiver>(waivers: readonly W[], policy: string, now: Date): W | undefined {
  const holding = waivers.filter((waiver) => waiver.policy === policy && waiverHolds(waiver, now));
  return holding.toSorted((a, b) => (a.until < b.until ? 1 : -1))[0];
}
