import { actionText, causeText, hookText } from "./cause-text.ts";
import { driftHtml } from "./drift-text.ts";
import { escaped } from "./escaped.ts";
import { type FileChange, type HostChange, heaviestAction, type UnitChange } from "./host-change.ts";
import { pageStyle } from "./page-style.ts";
import { policiesHtml } from "./policies-html.ts";
import { exposureText, headline, hostList, numbered, type ReviewReport } from "./review-report.ts";

/**
 * The report as one HTML page: without scripts, without anything from elsewhere, for light and dark screens and for paper.
 * @param week an SVG of the timers' next seven days; empty for none
 */
export function reviewHtml(report: ReviewReport, week = ""): string {
  const changing = report.hosts.filter(({ kind }) => kind !== "unchanged");
  const same = report.hosts.filter(({ kind }) => kind === "unchanged").flatMap(({ hosts }) => hosts);
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Review of stack ${escaped(report.stack)}</title><style>${pageStyle}</style></head><body>`,
    `<header><p>Review of stack <b>${escaped(report.stack)}</b> of ${escaped(report.project)}, compared with <b>${escaped(report.base)}</b></p>`,
    `<h1>${escaped(headline(report))}</h1>`,
    "<p>Actions are those of the next <code>pulumi up</code> on hosts that are at that state.</p></header><main>",
    ...report.unknown.map(
      ({ host, parts }) =>
        `<p class="note"><b>${escaped(host)}</b> is not wholly known without an update: ${escaped(parts.join(", "))}</p>`,
    ),
    ...report.notes.map((note) => `<p class="note">${escaped(note)}</p>`),
    policiesHtml(report.policies, report.acceptedExposures),
    ...changing.map(hostSection),
    same.length > 0 ? `<p>Nothing changes on ${escaped(hostList(same.sort(), 12))}.</p>` : "",
    driftHtml(report.drift),
    waivers(report),
    timers(report, week),
    "</main></body></html>",
    "",
  ]
    .filter((part) => part !== "")
    .join("\n")
    .concat("\n");
}

function hostSection(change: HostChange): string {
  const { hosts, kind, units, files, plan } = change;
  const facts = [
    ...plan.gaps.map(
      ({ socket, address, reopenedBy }) =>
        `<b class="heavy">${escaped(socket)} closes ${escaped(address)}</b>${reopenedBy === null ? "" : `; ${escaped(reopenedBy)} opens it again`}`,
    ),
    ...plan.releases.changed.map((name) => `release of ${escaped(name)} is shipped`),
    ...plan.releases.removed.map((name) => `release of ${escaped(name)} goes`),
    ...plan.hooks.map((hook) => `${escaped(hookText(hook))}: <code>${escaped(hook.command)}</code>`),
    ...plan.accounts.made.map((name) => `account ${escaped(name)} is made`),
    ...plan.accounts.removed.map((name) => `account ${escaped(name)} goes`),
  ];
  const untouched = plan.untouched;
  return [
    `<section><h2>${escaped(hostList(hosts))}${kind === "changed" ? "" : ` <small>${kind}</small>`}</h2>`,
    ...(facts.length > 0 ? [`<ul>${facts.map((fact) => `<li>${fact}</li>`).join("")}</ul>`] : []),
    ...units.map(unitBlock),
    ...files.map(fileBlock),
    untouched.length > 0
      ? `<details><summary>${numbered(untouched.length, "unit")} untouched</summary><p>${untouched.map((name) => `<code>${escaped(name)}</code>`).join(" ")}</p></details>`
      : "",
    "</section>",
  ].join("\n");
}

function unitBlock(unit: UnitChange): string {
  const causes = [...unit.causes.map(causeText), ...unit.notes];
  const moved = (unit.exposure?.moved ?? []).map(
    (move) => `<li><code>${escaped(move.id)}</code> ${move.before.toFixed(1)} \u2192 ${move.after.toFixed(1)}</li>`,
  );
  const score = exposureText(unit.exposure);
  return [
    `<details class="unit" open><summary><code>${escaped(unit.unit)}</code> <span class="action ${weightOf(unit)}">${escaped(actionText(unit))}</span>${score === "" ? "" : ` <span class="score">exposure ${score}</span>`}</summary>`,
    causes.length > 0 ? `<ul>${causes.map((cause) => `<li>${escaped(cause)}</li>`).join("")}</ul>` : "",
    diffBlock(unit.diff),
    moved.length > 0 ? `<details><summary>what moved the exposure</summary><ul>${moved.join("")}</ul></details>` : "",
    "</details>",
  ].join("\n");
}

function weightOf(unit: UnitChange): string {
  const action = heaviestAction(unit);
  if (action === "stop" || action === "stop+start" || action === "restart") return "heavy";
  return action === "start" || action === "reload" ? "light" : "none";
}

function fileBlock({ path, change, secret, diff }: FileChange): string {
  const what = secret && change === "changed" ? "secret set anew" : secret ? `${change}, secret` : change;
  return `<details class="unit"${diff === "" ? "" : " open"}><summary><code>${escaped(path)}</code> <span class="action none">${what}</span></summary>${diffBlock(diff)}</details>`;
}

function diffBlock(diff: string): string {
  if (diff === "") return "";
  const lines = diff.split("\n").map((line) => {
    const kind = line.startsWith("+") ? "add" : line.startsWith("-") ? "del" : line.startsWith("@@") ? "hunk" : "";
    return kind === "" ? escaped(line) : `<span class="${kind}">${escaped(line)}</span>`;
  });
  return `<pre tabindex="0">${lines.join("\n")}</pre>`;
}

function waivers({ waivers: all }: ReviewReport): string {
  if (all.length === 0) return "";
  const rows = all.map(
    ({ on, policy, reason, until, daysLeft, isNew }) =>
      `<tr><td>${escaped(on)}${isNew ? " <b>new</b>" : ""}</td><td><code>${escaped(policy)}</code></td><td>${escaped(reason)}</td><td>${until} (${daysLeft < 0 ? '<b class="error">over</b>' : `${numbered(daysLeft, "day")} left`})</td></tr>`,
  );
  return `<section><h2>Waivers</h2><div class="wide"><table><thead><tr><th>on</th><th>policy</th><th>reason</th><th>until</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></section>`;
}

function timers({ timers: all, scheduleNotes: notes }: ReviewReport, week: string): string {
  if (all.length === 0) return "";
  const rows = all.map(({ timer, hosts, onCalendar, onEvent, next }) => {
    const cells = [
      timer,
      hostList(hosts, 3),
      [...onCalendar, ...onEvent].join("; "),
      next.map((time) => time.slice(0, 16).replace("T", " ")).join(", "),
    ];
    return `<tr>${cells.map((text) => `<td>${escaped(text)}</td>`).join("")}</tr>`;
  });
  return [
    "<section><h2>Timers that change</h2>",
    `<div class="wide"><table><thead><tr><th>timer</th><th>hosts</th><th>when</th><th>next, UTC</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`,
    notes.length > 0 ? `<ul>${notes.map(({ message }) => `<li>${escaped(message)}</li>`).join("")}</ul>` : "",
    week === "" ? "" : `<figure>${week}</figure>`,
    "</section>",
  ].join("\n");
}
