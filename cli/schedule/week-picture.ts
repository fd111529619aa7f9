import { type PlannedTimer, weekLimit } from "./planned-timer.ts";

const day = 86_400_000;
const row = 28;
const top = 44;
const labelWidth = 260;
const width = 1080;
const plot = width - labelWidth - 20;
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/**
 * The seven days from a moment on as an SVG, one row per timer: a tick for each elapse, as wide as its jitter; a band for what
 * elapses too often to be told apart. Readable on light and dark ground.
 */
export function weekPicture(timers: readonly PlannedTimer[], from: Date, timeZone: string): string {
  const height = top + timers.length * row + 30;
  const start = from.getTime();
  const x = (time: number) => round(labelWidth + ((time - start) / (7 * day)) * plot);
  const midnights = Array.from({ length: 8 }, (_, index) => (Math.ceil(start / day) + index) * day).filter(
    (time) => time < start + 7 * day,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Elapses of the next seven days">`,
    `<style>text{font:12px system-ui,sans-serif;fill:#24292f}.quiet{fill:#6e7781}.grid{stroke:#d0d7de}.tick{fill:#0969da}.band{fill:#0969da;opacity:.35}.event{fill:#6e7781;font-style:italic}.back{fill:#fff}.stripe{fill:#f6f8fa}`,
    `@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet,.event{fill:#9198a1}.grid{stroke:#3d444d}.tick,.band{fill:#4493f8}.back{fill:#0d1117}.stripe{fill:#151b23}}</style>`,
    `<rect class="back" width="${width}" height="${height}"/>`,
    ...timers.map((_, index) =>
      index % 2 === 0 ? `<rect class="stripe" y="${top + index * row}" width="${width}" height="${row}"/>` : "",
    ),
    ...midnights.flatMap((time) => [
      `<line class="grid" x1="${x(time)}" x2="${x(time)}" y1="${top - 8}" y2="${height - 30}"/>`,
      ...(x(time) < width - 70
        ? [`<text class="quiet" x="${x(time) + 4}" y="${top - 14}">${weekday.format(time)}</text>`]
        : []),
    ]),
    ...timers.flatMap((timer, index) => timerRow(timer, top + index * row, x)),
    `<text class="quiet" x="12" y="${height - 10}">${escaped(`days in UTC, from ${from.toISOString().slice(0, 16).replace("T", " ")}; hosts in ${timeZone}; a tick is as wide as its random delay`)}</text>`,
    "</svg>",
    "",
  ]
    .filter((line) => line !== "")
    .join("\n")
    .concat("\n");
}

function timerRow(timer: PlannedTimer, y: number, x: (time: number) => number): string[] {
  const hosts = timer.hosts.length === 1 ? (timer.hosts[0] ?? "") : `${timer.hosts.length} hosts`;
  const label = `<text x="12" y="${y + 18}">${escaped(shortened(timer.timer.replace(/\.timer$/, ""), 24))} <tspan class="quiet">${escaped(shortened(hosts, 16))}</tspan></text>`;
  if (timer.week.length === 0) {
    const said = timer.onEvent.length > 0 ? timer.onEvent.join(", ") : "not in these days";
    return [label, `<text class="event" x="${labelWidth + 6}" y="${y + 18}">${escaped(said)}</text>`];
  }
  const times = timer.week.map((text) => Date.parse(text));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const title = `<title>${escaped([timer.timer, ...timer.onCalendar].join("  "))}</title>`;
  const isDense = times.length >= weekLimit || times.length * 2 > x(last) - x(first) + 2;
  if (isDense && times.length > 2) {
    const end = times.length >= weekLimit ? labelWidth + plot : x(last);
    return [
      label,
      `<rect class="band" x="${x(first)}" y="${y + 8}" width="${round(end - x(first))}" height="12">${title}</rect>`,
    ];
  }
  return [
    label,
    ...times.map((time) => {
      const end = Math.min(x(time + timer.jitterSec * 1000), labelWidth + plot);
      return `<rect class="tick" x="${x(time)}" y="${y + 6}" width="${round(Math.max(2, end - x(time)))}" height="16">${title}</rect>`;
    }),
  ];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}\u2026`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
