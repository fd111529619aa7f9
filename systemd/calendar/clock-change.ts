import { nextElapse } from "./elapse.ts";
import { parsedCalendar } from "./grammar.ts";
import { wallClockOf } from "./zone.ts";

/** A stretch of wall clock time that a zone skips (`forward`) or shows twice (`back`). */
export interface ClockChange {
  readonly kind: "forward" | "back";
  /** The instant of the change, in milliseconds since 1970. */
  readonly at: number;
  /** The first wall clock time that is skipped or repeated, as if it were UTC, in milliseconds since 1970. */
  readonly start: number;
  /** The first that is not any more. */
  readonly end: number;
}

const minute = 60_000;
const day = 1440 * minute;
const known = new Map<string, readonly ClockChange[]>();

/** The changes of a zone's clocks from one instant to another (milliseconds since 1970), ascending. */
export function clockChanges(timeZone: string, from: number, to: number): readonly ClockChange[] {
  const first = new Date(from).getUTCFullYear();
  const last = new Date(to).getUTCFullYear();
  return Array.from({ length: last - first + 1 }, (_, index) => changesOfYear(timeZone, first + index))
    .flat()
    .filter(({ at }) => at >= from && at < to);
}

function changesOfYear(timeZone: string, year: number): readonly ClockChange[] {
  const id = `${timeZone} ${year}`;
  const before = known.get(id);
  if (before !== undefined) return before;
  const changes: ClockChange[] = [];
  const offset = (instant: number) => wallClockOf(instant, timeZone) - instant;
  for (let morning = Date.UTC(year, 0, 1); morning < Date.UTC(year + 1, 0, 1); morning += day) {
    const earlier = offset(morning);
    if (offset(morning + day) === earlier) continue;
    let [low, high] = [morning, morning + day];
    while (high - low > minute) {
      const middle = low + Math.floor((high - low) / (2 * minute)) * minute;
      if (offset(middle) === earlier) low = middle;
      else high = middle;
    }
    const edges = [high + earlier, high + offset(high)].toSorted((a, b) => a - b);
    const [start = 0, end = 0] = edges;
    changes.push({ kind: offset(high) > earlier ? "forward" : "back", at: high, start, end });
  }
  known.set(id, changes);
  return changes;
}

/** An elapse that a change of the clocks touches. */
export interface ChangedElapse extends ClockChange {
  /** The wall clock time that the expression names, as if it were UTC, in milliseconds since 1970. */
  readonly wallClock: number;
}

/**
 * The elapses of an `OnCalendar=` expression that fall into a change of the clocks: systemd leaves out what the clocks skip,
 * and counts what they show twice the first time only. At most one for each change.
 * @param from an instant, in milliseconds since 1970
 * @param timeZone the host's local zone, for an expression that names none
 * @throws {CalendarError} if systemd would refuse the expression.
 */
export function changedElapses(expression: string, from: number, to: number, timeZone: string): ChangedElapse[] {
  const spec = parsedCalendar(expression);
  return clockChanges(spec.timeZone ?? timeZone, from, to).flatMap((change) => {
    const next = nextElapse(spec, change.start * 1000 - 1, "UTC");
    return next !== undefined && next < change.end * 1000 ? [{ ...change, wallClock: Math.floor(next / 1000) }] : [];
  });
}
