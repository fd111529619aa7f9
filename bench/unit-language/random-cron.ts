import fc from "fast-check";
import type { Draw } from "./measurement.ts";

const { constantFrom, integer, oneof, tuple } = fc;

const step = oneof(
  fc.constant(""),
  integer({ min: 1, max: 12 }).map((width) => `/${width}`),
);
const range = (low: number, high: number) =>
  tuple(integer({ min: low, max: high }), integer({ min: low, max: high })).map(([a, b]) =>
    [Math.min(a, b), Math.max(a, b)].join("-"),
  );

const field = (low: number, high: number, names: readonly string[] = []) => {
  const single = integer({ min: low, max: high }).map(String);
  const item = oneof(
    { weight: 3, arbitrary: single },
    { weight: 2, arbitrary: tuple(range(low, high), step).map((parts) => parts.join("")) },
    ...(names.length > 0 ? [{ weight: 1, arbitrary: constantFrom(...names) }] : []),
  );
  return oneof(
    { weight: 4, arbitrary: fc.constant("*") },
    { weight: 2, arbitrary: integer({ min: 1, max: high }).map((width) => `*/${width}`) },
    { weight: 5, arbitrary: fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(",")) },
    { weight: 1, arbitrary: tuple(single, integer({ min: 1, max: 9 })).map(([start, width]) => `${start}/${width}`) },
  );
};

const schedule = oneof(
  {
    weight: 19,
    arbitrary: tuple(
      field(0, 59),
      field(0, 23),
      field(1, 31),
      field(1, 12, ["jan", "FEB", "Mar", "dec", "jan-mar", "sep-nov"]),
      field(0, 7, ["sun", "MON", "Fri", "sat", "mon-fri", "tue-thu"]),
    ).map((fields) => fields.join(" ")),
  },
  {
    weight: 1,
    arbitrary: constantFrom("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"),
  },
);

/** Random schedules of crontab(5): five fields with lists, ranges, steps and names, or a macro. */
export function randomSchedules({ seed, count }: Draw): readonly string[] {
  return fc.sample(schedule, { seed, numRuns: count });
}

/** Random crontabs, each of one to three such schedules. */
export function randomCrontabs({ seed, count }: Draw): readonly (readonly string[])[] {
  return fc.sample(fc.array(schedule, { minLength: 1, maxLength: 3 }), { seed, numRuns: count });
}
