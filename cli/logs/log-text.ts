import type { LogEntry } from "../../activation/host-logs.ts";
import type { Style } from "../terminal.ts";

/** Forms of `pulumi-systemd logs -o`, each named as journalctl's. */
export const logForms = ["short", "short-iso", "short-precise", "cat", "json"] as const;

export type LogForm = (typeof logForms)[number];

/** Fields that every form but JSON needs; JSON has all. */
export const shownFields = ["MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "SYSLOG_PID", "_PID", "_COMM"] as const;

/** The field that JSON has beside journalctl's own: which host of the stack it is. */
export const hostField = "PULUMI_SYSTEMD_HOST";

/** One entry as text, without the last newline; undefined for one that journalctl would not show either: it has no message. */
export function logText(host: string, entry: LogEntry, form: LogForm, style: Style): string | undefined {
  if (form === "json") return JSON.stringify({ ...entry, [hostField]: host });
  const message = messageOf(entry);
  if (message === undefined) return undefined;
  const paint = paintOf(entry, style);
  if (form === "cat") return paint(message);
  const prefix = `${timeOf(entry, form)} ${host} ${sourceOf(entry)}: `;
  const [first = "", ...further] = message.split("\n");
  const head = `${style.faint(prefix.slice(0, -1))} ${paint(first)}`;
  return [head, ...further.map((line) => " ".repeat(prefix.length) + paint(line))].join("\n");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal would obey
const terminalColours = /\x1b\[[0-9;]*[mK]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal would obey
const unprintable = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** The message, as journalctl shows it: what is not text, or would steer the terminal, is only counted. */
function messageOf(entry: LogEntry): string | undefined {
  const value = entry.MESSAGE;
  if (typeof value === "string") {
    const plain = value.replaceAll("\r\n", "\n").replace(terminalColours, "").trimEnd();
    return unprintable.test(plain) ? `[${bytes(Buffer.byteLength(value))} blob data]` : plain;
  }
  if (!Array.isArray(value)) return undefined;
  // Bytes that are not UTF-8 come as numbers; a field that stands twice, as texts.
  return typeof value[0] === "number"
    ? `[${bytes(value.length)} blob data]`
    : messageOf({ ...entry, MESSAGE: value[0] });
}

function bytes(count: number): string {
  return count < 1024 ? `${count}B` : `${(count / 1024).toFixed(1)}K`;
}

function sourceOf(entry: LogEntry): string {
  const text = (name: string) => (typeof entry[name] === "string" ? entry[name] : "");
  const name = text("SYSLOG_IDENTIFIER") || text("_COMM") || "unknown";
  const pid = text("_PID") || text("SYSLOG_PID");
  return pid === "" ? name : `${name}[${pid}]`;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** In the time zone of whoever reads, since the hosts may each have their own. */
function timeOf(entry: LogEntry, form: LogForm): string {
  const microseconds = BigInt(entry.__REALTIME_TIMESTAMP);
  const date = new Date(Number(microseconds / 1000n));
  const two = (number: number) => String(number).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  if (form === "short-iso") {
    const offset = -date.getTimezoneOffset();
    const zone = `${offset < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${clock}${zone}`;
  }
  const precise = form === "short-precise" ? `.${String(microseconds % 1_000_000n).padStart(6, "0")}` : "";
  return `${months[date.getMonth()]} ${two(date.getDate())} ${clock}${precise}`;
}

function paintOf({ PRIORITY: priority }: LogEntry, style: Style): (text: string) => string {
  const level = typeof priority === "string" ? Number(priority) : 6;
  return level <= 3 ? style.bad : level === 4 ? style.warning : level === 5 ? style.strong : (text) => text;
}
