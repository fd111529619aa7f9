import { escaped } from "./escaped.ts";
import type { AcceptedChange } from "./exposure-baseline.ts";
import { acceptedText, verdictWord } from "./policies-markdown.ts";
import { isRefusal, policiesLine, type ReviewedPolicies, type ReviewedVerdict } from "./policy-verdicts.ts";
import { hostList, numbered } from "./review-report.ts";

/** What the policies say, as a section of the page; empty where they say nothing. */
export function policiesHtml(policies: ReviewedPolicies, accepted: readonly AcceptedChange[]): string {
  const { config, verdicts, solved } = policies;
  if (verdicts.length + solved.length + accepted.length === 0) return "";
  const open = verdicts.filter((verdict) => isRefusal(verdict) || verdict.since !== "known");
  const closed = verdicts.filter((verdict) => !open.includes(verdict));
  const by =
    config === null
      ? "No <code>--policy-pack-config</code> is given: all is advice."
      : `By <code>${escaped(config)}</code>.`;
  return [
    `<section><h2>Policies: ${escaped(policiesLine(policies))}</h2><p>${by}</p>`,
    list(open.map(verdictItem)),
    list(accepted.map((change) => escaped(acceptedText(change)))),
    solved.length > 0 ? `<h3>Solved</h3>${list(solved.map((verdict) => `${place(verdict)} ${policy(verdict)}`))}` : "",
    closed.length > 0
      ? `<details><summary>${numbered(closed.length, "finding")} as before</summary>${list(closed.map(verdictItem))}</details>`
      : "",
    "</section>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "" : `<ul class="verdicts">${items.map((item) => `<li>${item}</li>`).join("\n")}</ul>`;
}

function verdictItem(verdict: ReviewedVerdict): string {
  const { message, since, fix } = verdict;
  const news = since === "new" || since === "changed" ? ` <b>${since}</b>` : "";
  const word = `<b class="${isRefusal(verdict) ? "heavy" : verdict.passes === null ? "warning" : "info"}">${escaped(verdictWord(verdict))}</b>`;
  const help = verdict.passes === null && !message.includes(fix) ? `<br><small>${escaped(fix)}</small>` : "";
  return `${word}${news} ${place(verdict)}: ${escaped(message)} ${policy(verdict)}${help}`;
}

function place({ on, hosts }: ReviewedVerdict): string {
  const name = `<code>${escaped(on)}</code>`;
  return hosts.length === 0 || (hosts.length === 1 && hosts[0] === on)
    ? name
    : `${name} on ${escaped(hostList(hosts, 4))}`;
}

function policy({ policy: id }: ReviewedVerdict): string {
  return `<small><code>${escaped(id)}</code></small>`;
}
