import { actionText, causeText, hookText } from "./cause-text.ts";
import { driftMarkdown } from "./drift-text.ts";
import { escaped } from "./escaped.ts";
import { codeSpan, escapedMarkdown } from "./escaped-markdown.ts";
import type { HostChange, UnitChange } from "./host-change.ts";
import { knownPoliciesMarkdown, policiesMarkdown } from "./policies-markdown.ts";
import { exposureText, headline, hostList, numbered, type ReviewReport } from "./review-report.ts";

/** Longest comment that GitHub takes is 65,536 characters; GitLab takes more. */
export const commentLimit = 60_000;

/**
 * The report as Markdown, fit for a comment on a pull request. What matters most stands first: what happens and why for all
 * hosts, then the diffs; those that would go beyond `limit` characters are left out and counted.
 */
export function reviewMarkdown(report: ReviewReport, limit = commentLimit): string {
  const changing = report.hosts.filter(({ kind }) => kind !== "unchanged");
  const same = report.hosts.filter(({ kind }) => kind === "unchanged").flatMap(({ hosts }) => hosts);
  const head = [
    `## Stack \`${report.stack}\`: ${headline(report)}`,
    `Compared with \`${report.base}\`. Actions are those of the next \`pulumi up\` on hosts that are at that state.`,
    ...report.unknown.map(
      ({ host, parts }) => `> **${host}** is not wholly known without an update: ${escapedMarkdown(parts.join(", "))}`,
    ),
    ...report.notes.map((note) => `> ${escapedMarkdown(note)}`),
  ];
  const policies = policiesMarkdown(report.policies, report.acceptedExposures);
  const tables = changing.flatMap(hostSection);
  const tail = [
    ...driftMarkdown(report.drift),
    ...waivers(report),
    ...schedule(report),
    ...(same.length > 0 ? [`Nothing changes on ${hostList(same.sort(), 12)}.`] : []),
    ...knownPoliciesMarkdown(report.policies),
  ];
  const fixed = cut([...head, ...policies, ...tables, ...tail].join("\n\n"), limit - 200);
  const diffs = changing.flatMap(diffSections);
  const kept: string[] = [];
  let length = fixed.length;
  for (const diff of diffs) {
    if (length + diff.length + 2 > limit - 200) continue;
    kept.push(diff);
    length += diff.length + 2;
  }
  const left = diffs.length - kept.length;
  const rest = left > 0 ? [`_${numbered(left, "diff")} left out here for length: the HTML report has all._`] : [];
  return `${[fixed, ...kept, ...rest].join("\n\n")}\n`;
}

function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = text.lastIndexOf("\n", limit);
  return `${text.slice(0, end)}\n\n_Cut here for length: the HTML report has all._`;
}

function hostSection(change: HostChange): string[] {
  const { hosts, kind, units, files, plan } = change;
  const title = `### ${hostList(hosts)}${kind === "changed" ? "" : ` (${kind})`}`;
  const table =
    units.length === 0
      ? []
      : [
          [
            "| unit | action | why | exposure |",
            "|---|---|---|---|",
            ...units.map((unit) => `| ${row(unit).join(" | ")} |`),
          ].join("\n"),
        ];
  const facts = [
    ...plan.gaps.map(
      ({ socket, address, reopenedBy }) =>
        `**${escapedMarkdown(`${socket} closes ${address}`)}**${reopenedBy === null ? "" : escapedMarkdown(`; ${reopenedBy} opens it again`)}`,
    ),
    ...files.map(
      ({ path, change: what, secret }) =>
        `${codeSpan(path)} ${secret && what === "changed" ? "secret set anew" : what}`,
    ),
    ...plan.releases.changed.map((name) => `release of ${name} is shipped`),
    ...plan.releases.removed.map((name) => `release of ${name} goes`),
    ...plan.hooks.map((hook) => `${escapedMarkdown(hookText(hook))}: ${codeSpan(hook.command)}`),
    ...plan.accounts.made.map((name) => `account ${name} is made`),
    ...plan.accounts.removed.map((name) => `account ${name} goes`),
    ...units.flatMap(({ unit, exposure }) =>
      (exposure?.moved ?? [])
        .slice(0, 5)
        .map(
          (move) =>
            `exposure of ${escapedMarkdown(unit)}: \`${move.id}\` ${move.before.toFixed(1)} \u2192 ${move.after.toFixed(1)}`,
        ),
    ),
    ...(plan.untouched.length > 0 ? [`${numbered(plan.untouched.length, "unit")} untouched`] : []),
  ];
  return [title, ...table, ...(facts.length > 0 ? [facts.map((fact) => `- ${fact}`).join("\n")] : [])];
}

function row(unit: UnitChange): string[] {
  const why = [...unit.causes.map(causeText), ...unit.notes];
  return [`\`${unit.unit}\``, actionText(unit), why.map(escapedMarkdown).join("<br>"), exposureText(unit.exposure)];
}

function diffSections({ hosts, units, files }: HostChange): string[] {
  return [
    ...units.map(({ unit, diff }) => ({ name: unit, diff })),
    ...files.map(({ path, diff }) => ({ name: path, diff })),
  ]
    .filter(({ diff }) => diff !== "")
    .map(({ name, diff }) =>
      [
        `<details><summary>${escaped(name)} on ${hostList(hosts, 3)}</summary>`,
        "",
        fenced(diff),
        "",
        "</details>",
      ].join("\n"),
    );
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}diff\n${text}\n${fence}`;
}

function waivers({ waivers: all }: ReviewReport): string[] {
  if (all.length === 0) return [];
  const lines = all.map(({ on, policy, reason, until, daysLeft, isNew }) => {
    const left = daysLeft < 0 ? "**over**" : `${numbered(daysLeft, "day")} left`;
    return `- ${isNew ? "**new** " : ""}${escapedMarkdown(on)}: ${policy} until ${until} (${left}): ${escapedMarkdown(reason)}`;
  });
  return [`### Waivers\n${lines.join("\n")}`];
}

function schedule({ timers, scheduleNotes: notes }: ReviewReport): string[] {
  if (timers.length === 0) return [];
  const lines = timers.map(({ timer, hosts, next, onEvent }) => {
    const when =
      next.length > 0 ? next.map((time) => time.slice(0, 16).replace("T", " ")).join(", ") : onEvent.join(", ");
    return `- ${escapedMarkdown(timer)} on ${hostList(hosts, 3)}: ${escapedMarkdown(when)}`;
  });
  return [
    `### Timers that change, next elapses in UTC\n${[...lines, ...notes.map(({ message }) => `- note: ${escapedMarkdown(message)}`)].join("\n")}`,
  ];
}
