import type { CheckStatus, HostStatus, UnitStatus } from "../../activation/host-status.ts";
import { type Style, tableLines } from "../terminal.ts";
import { checksOf, isIll, type StackHostStatus, type StackStatus } from "./stack-status.ts";

const header = [
  "HOST",
  "UNIT",
  "STATE",
  "FOR",
  "RESULT",
  "RESTARTS",
  "MEMORY",
  "NEXT",
  "LAST",
  "HEALTH",
  "GEN",
  "DRIFT",
];
const nothing = "-";

/** A stack's status for people: one table, what is not well first, then a line for each host of which there is more to say. */
export function statusLines({ hosts }: StackStatus, style: Style): string[] {
  const all = hosts.flatMap((host) => (host.status?.units ?? []).map((unit) => ({ host, status: host.status, unit })));
  const isWell = ({ status, unit }: (typeof all)[number]) =>
    unit.well && !checksOf(unit, status?.health ?? []).some(isIll);
  const rows = [...all.filter((each) => !isWell(each)), ...all.filter(isWell)].flatMap(({ host, status, unit }) =>
    status === undefined ? [] : [row(host.host, unit, status, style)],
  );
  const table = rows.length === 0 ? [] : tableLines([header.map(style.faint), ...rows]);
  const notes = hosts.flatMap((host) => hostNotes(host, style));
  return [...table, ...(table.length > 0 && notes.length > 0 ? [""] : []), ...notes];
}

function row(host: string, unit: UnitStatus, status: HostStatus, style: Style): string[] {
  const { now, generation, findings, health } = status;
  const isTimer = unit.name.endsWith(".timer");
  const state = `${unit.activeState} (${unit.subState})`;
  const drifts = [...new Set(findings.filter((finding) => finding.unit === unit.name).map(({ kind }) => kind))];
  return [
    style.strong(host),
    unit.name,
    unit.well ? (unit.activeState === "active" ? style.good(state) : state) : style.bad(state),
    unit.since === null ? nothing : shortSpan(now - unit.since),
    unit.result === "success" ? nothing : style.bad([unit.result, unit.exit].filter((part) => part !== "").join(" ")),
    unit.restarts === null ? nothing : unit.restarts === 0 ? "0" : style.warning(String(unit.restarts)),
    unit.memoryBytes === null ? nothing : bytes(unit.memoryBytes),
    unit.nextRun === null ? nothing : `in ${shortSpan(unit.nextRun - now)}`,
    unit.lastRun === null ? (isTimer ? "never" : nothing) : `${shortSpan(now - unit.lastRun)} ago`,
    healthCell(checksOf(unit, health), style),
    String(generation),
    drifts.length === 0 ? nothing : style.warning(drifts.join(" ")),
  ];
}

/** The states of the checks, each once, those that somebody should look at first. */
function healthCell(checks: readonly CheckStatus[], style: Style): string {
  const ill = new Set(checks.filter(isIll).map(({ state }) => state));
  const well = new Set(checks.filter((check) => !isIll(check)).map(({ state }) => state));
  const cells = [
    ...[...ill].map(style.bad),
    ...[...well].map((state) => (state === "healthy" ? style.good(state) : state)),
  ];
  return cells.length === 0 ? nothing : cells.join(" ");
}

function hostNotes({ host, problem, status }: StackHostStatus, style: Style): string[] {
  const name = style.strong(host);
  if (status === undefined) return [`${name}: ${style.bad("not known")}: ${problem ?? "not asked yet"}`];
  const { hold, rolledBack, now } = status;
  const elsewhere = status.findings.filter(({ unit }) => unit === "");
  return [
    ...(problem === undefined ? [] : [style.bad(`as of ${shortSpan(Date.now() / 1000 - now)} ago: ${problem}`)]),
    ...(status.generation === 0 ? ["nothing was applied yet"] : []),
    ...(status.busy === "" ? [] : [style.warning(`a transaction is at work: ${status.busy}`)]),
    ...(rolledBack === null
      ? []
      : [style.warning(`${rolledBack.who} went back from generation ${rolledBack.left} to ${rolledBack.to}`)]),
    ...(hold === null
      ? []
      : [
          style.warning(
            `${hold.who} holds updates off for ${shortSpan(hold.until - now)} more${hold.reason === "" ? "" : `: ${hold.reason}`}`,
          ),
        ]),
    ...status.health.filter(isIll).map((check) => `${style.bad(check.check)}: ${check.status}`),
    ...status.units
      .filter(({ well, why }) => !well && why !== "")
      .map((unit) => `${style.bad(unit.name)}: ${unit.why}`),
    ...(status.healthProblem === "" ? [] : [style.bad(`its checks could not be asked: ${status.healthProblem}`)]),
    ...elsewhere.map(({ kind, path }) => style.warning(`drift: ${kind}${path === "" ? "" : ` ${path}`}`)),
  ].map((text) => `${name}: ${text}`);
}

/** A length of time in its two largest units, such as `3 d 4 h`; less than a second is `0 s`. */
export function shortSpan(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [size, name] of [
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

/** A size as `systemctl status` has it: `5.3M`. */
function bytes(count: number): string {
  const units = ["B", "K", "M", "G", "T"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(count, 1)) / 10)));
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)}${units[power]}`;
}
