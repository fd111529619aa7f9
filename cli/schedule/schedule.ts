import { writeFileSync } from "node:fs";
import { workingStack } from "../stack/working-stack.ts";
import { type Terminal, tableLines } from "../terminal.ts";
import { type PlannedTimer, plannedTimers } from "./planned-timer.ts";
import { type ScheduleNote, scheduleNotes } from "./schedule-notes.ts";
import { weekPicture } from "./week-picture.ts";

/** Options of `pulumi-systemd schedule`. */
export interface ScheduleOptions {
  /** Folder of the project. */
  cwd: string;
  stack: string;
  configFile?: string;
  /** From when on. Default: now. */
  base?: Date;
  iterations: number;
  timezone: string;
  /** File for the picture of the next week. */
  svg?: string;
  json?: boolean;
}

/** What `schedule --json` prints. */
export interface ScheduleReport {
  readonly stack: string;
  readonly from: string;
  readonly timeZone: string;
  readonly timers: readonly PlannedTimer[];
  readonly notes: readonly ScheduleNote[];
}

/**
 * Prints when each timer of a stack elapses on which host, and what is worth a second look. No host is asked.
 * @returns the exit status
 * @throws UsageError when the project cannot be read or its program fails
 */
export async function schedule(options: ScheduleOptions, terminal: Terminal): Promise<number> {
  const { cwd, stack, configFile, base: from = new Date(), timezone: timeZone, iterations: count } = options;
  const described = await workingStack({ folder: cwd, stack, configFile });
  const timers = plannedTimers(described.hosts, { from, timeZone, count });
  const notes = scheduleNotes(timers);
  if (options.svg !== undefined) writeFileSync(options.svg, weekPicture(timers, from, timeZone));
  if (options.json === true) {
    const report: ScheduleReport = { stack: described.stack, from: from.toISOString(), timeZone, timers, notes };
    terminal.print(JSON.stringify(report, null, 2));
    return 0;
  }
  terminal.print(...scheduleLines(timers, notes, terminal));
  for (const note of described.notes) terminal.complain(note);
  return 0;
}

/** The table of timers and the notes, for people. */
export function scheduleLines(
  timers: readonly PlannedTimer[],
  notes: readonly ScheduleNote[],
  { style }: Pick<Terminal, "style">,
): string[] {
  if (timers.length === 0) return ["no timer on any host of this stack"];
  const header = ["TIMER", "HOSTS", "WHEN", "JITTER", "STARTS", "NEXT (UTC)"].map(style.strong);
  const rows = timers.flatMap((timer) => {
    const when = [...timer.onCalendar, ...timer.onEvent];
    const lines = Math.max(when.length, timer.next.length, 1);
    return Array.from({ length: lines }, (_, line) => [
      line === 0 ? timer.timer : "",
      line === 0 ? hostsText(timer.hosts) : "",
      when[line] ?? "",
      line === 0 ? jitterText(timer) : "",
      line === 0 ? timer.starts : "",
      timer.next[line]?.slice(0, 19).replace("T", " ") ?? (line === 0 ? style.faint("counts from an event") : ""),
    ]);
  });
  return [
    ...tableLines([header, ...rows]),
    ...(notes.length > 0 ? [""] : []),
    ...notes.map(
      ({ kind, message }) => `${kind === "same-moment" ? style.faint("note:") : style.warning("note:")} ${message}`,
    ),
  ];
}

function hostsText(hosts: readonly string[]): string {
  return hosts.length <= 3 ? hosts.join(", ") : `${hosts.slice(0, 2).join(", ")} and ${hosts.length - 2} more`;
}

function jitterText({ jitterSec, fixedJitter }: PlannedTimer): string {
  if (jitterSec === 0) return "none";
  const text = jitterSec % 60 === 0 ? `${jitterSec / 60}min` : `${jitterSec}s`;
  return fixedJitter ? `${text}, fixed` : text;
}
