import fc from "fast-check";

const { constantFrom, oneof, integer, tuple } = fc;

/** A number of a field: two digits, as people write it, or without the leading zero. */
const number = (low: number, high: number) =>
  tuple(integer({ min: low, max: high }), fc.boolean()).map(([value, padded]) => (padded ? pad(value) : String(value)));
const pad = (value: number): string => String(value).padStart(2, "0");

/** An item of a field: a number, a range, a step, or a range with a step. Few are refused by systemd. */
const item = (low: number, high: number) =>
  oneof(
    { weight: 4, arbitrary: number(low, high) },
    {
      weight: 2,
      arbitrary: tuple(integer({ min: low, max: high }), integer({ min: low, max: high })).map(([a, b]) =>
        [Math.min(a, b), Math.max(a, b)].map(pad).join(".."),
      ),
    },
    {
      weight: 2,
      arbitrary: tuple(number(low, high), integer({ min: 1, max: Math.max(1, Math.floor((high - low) / 2)) })).map(
        ([start, step]) => `${start}/${step}`,
      ),
    },
    {
      weight: 1,
      arbitrary: tuple(
        integer({ min: low, max: high }),
        integer({ min: low, max: high }),
        integer({ min: 1, max: 7 }),
      ).map(([a, b, step]) => `${pad(Math.min(a, b))}..${pad(Math.max(a, b))}/${step}`),
    },
  );

const field = (low: number, high: number) =>
  oneof(
    { weight: 3, arbitrary: fc.constant("*") },
    { weight: 5, arbitrary: item(low, high) },
    { weight: 1, arbitrary: fc.array(item(low, high), { minLength: 2, maxLength: 4 }).map((items) => items.join(",")) },
  );

const day = oneof(
  constantFrom("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
  constantFrom("monday", "TUESDAY", "wed", "Thursday", "friday", "Saturday", "sun"),
);
const weekdays = fc
  .array(
    oneof(
      { weight: 3, arbitrary: day },
      tuple(day, day).map((pair) => pair.join("..")),
    ),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((items) => items.join(","));

const year = oneof(
  { weight: 6, arbitrary: fc.constant("*") },
  { weight: 2, arbitrary: integer({ min: 2023, max: 2032 }).map(String) },
  {
    weight: 1,
    arbitrary: constantFrom("2024..2026", "2024/2", "2000/4", "24", "99", "2024,2028", "2199", "1970..2100/7"),
  },
);
const date = tuple(year, field(1, 12), constantFrom("-", "-", "-", "-", "~"), field(1, 31), fc.nat(3)).map(
  ([years, months, separator, days, dice]) => `${dice === 0 ? "" : `${years}-`}${months}${separator}${days}`,
);

const second = oneof(
  { weight: 5, arbitrary: field(0, 59) },
  { weight: 1, arbitrary: constantFrom("0.5", "30.25", "0/0.5", "1.000001", "59.999999", "0/7.5", "10..20/2.5") },
);
const time = tuple(field(0, 23), field(0, 59), fc.option(second)).map(([hours, minutes, seconds]) =>
  [hours, minutes, ...(seconds === null ? [] : [seconds])].join(":"),
);

const zone = constantFrom(
  ...[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "America/Santiago",
    "Asia/Kathmandu",
  ],
);
const shorthand = constantFrom(
  ...["minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannually", "yearly", "annually", "Daily"],
  ...["biannually", "bi-annually", "semi-annually"],
);

const parts = tuple(fc.option(weekdays), fc.option(date), fc.option(time, { freq: 3 }), fc.option(zone, { freq: 1 }))
  .filter(([weekdayPart, datePart, timePart]) => [weekdayPart, datePart, timePart].some((part) => part !== null))
  .map((all) => all.filter((part) => part !== null).join(" "));

/** An expression with one character taken out, doubled or replaced: mostly one that systemd refuses. */
const mutated = tuple(parts, fc.nat(), constantFrom(..."*/.,:-~@ 0159aM")).chain(([text, at, other]) => {
  const index = at % text.length;
  const [before, after] = [text.slice(0, index), text.slice(index + 1)];
  return constantFrom(before + after, before + text.charAt(index).repeat(2) + after, before + other + after);
});

/** Random `OnCalendar=` expressions of every form, about one in three refused by systemd. */
export const randomCalendar: fc.Arbitrary<string> = oneof(
  { weight: 16, arbitrary: parts },
  { weight: 2, arbitrary: mutated },
  {
    weight: 1,
    arbitrary: tuple(shorthand, fc.option(zone)).map(([word, named]) => `${word}${named ? ` ${named}` : ""}`),
  },
  { weight: 1, arbitrary: integer({ min: 0, max: 2_000_000_000 }).map((seconds) => `@${seconds}`) },
);
