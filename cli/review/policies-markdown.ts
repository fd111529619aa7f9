import { escapedMarkdown } from "./escaped-markdown.ts";
import type { AcceptedChange } from "./exposure-baseline.ts";
import { isRefusal, policiesLine, type ReviewedPolicies, type ReviewedVerdict } from "./policy-verdicts.ts";
import { hostList, numbered } from "./review-report.ts";

/** Findings that are written out; with more of them a comment would hold nothing else. */
const shown = 25;

/** What the policies say, as a section: what refuses the change, and what is new. */
export function policiesMarkdown(policies: ReviewedPolicies, accepted: readonly AcceptedChange[]): string[] {
  const { config, verdicts, solved } = policies;
  if (verdicts.length + solved.length + accepted.length === 0) return [];
  const by = config === null ? "No `--policy-pack-config` is given: all is advice." : `By \`${config}\`.`;
  return [
    `### Policies: ${policiesLine(policies)}\n${by}`,
    ...list(verdicts.filter(isOpen)),
    ...list(solved, (verdict) => `- solved: ${place(verdict)} (${verdict.policy})`),
    ...(accepted.length > 0 ? [accepted.map((change) => `- ${escapedMarkdown(acceptedText(change))}`).join("\n")] : []),
  ];
}

/** The rest, to be opened: what is advised, waived and excepted as it was before. */
export function knownPoliciesMarkdown({ verdicts }: ReviewedPolicies): string[] {
  const closed = verdicts.filter((verdict) => !isOpen(verdict));
  if (closed.length === 0) return [];
  const title = `${numbered(closed.length, "finding")} of policies as before`;
  return [`<details><summary>${title}</summary>`, ...list(closed), "</details>"];
}

function isOpen(verdict: ReviewedVerdict): boolean {
  return isRefusal(verdict) || (verdict.since !== "known" && verdict.passes?.by !== "note");
}

function list(
  verdicts: readonly ReviewedVerdict[],
  line: (verdict: ReviewedVerdict) => string = verdictLine,
): string[] {
  if (verdicts.length === 0) return [];
  const left = verdicts.length - shown;
  return [
    [...verdicts.slice(0, shown).map(line), ...(left > 0 ? [`- and ${left} more: the HTML report has all`] : [])].join(
      "\n",
    ),
  ];
}

function verdictLine(verdict: ReviewedVerdict): string {
  const { policy, message, since } = verdict;
  const news = since === "new" || since === "changed" ? ` **${since}**` : "";
  return `- ${isRefusal(verdict) ? `**${verdictWord(verdict)}**` : escapedMarkdown(verdictWord(verdict))}${news} ${place(verdict)}: ${escapedMarkdown(message)} (${policy})`;
}

function place({ on, hosts }: ReviewedVerdict): string {
  return hosts.length === 0 || (hosts.length === 1 && hosts[0] === on)
    ? `\`${on}\``
    : `\`${on}\` on ${hostList(hosts, 3)}`;
}

/** What a verdict does, in few words: `refused`, `waived until 2027-03-31 (30 days left, loads plug-ins)`. */
export function verdictWord({ passes, level }: ReviewedVerdict): string {
  switch (passes?.by) {
    case undefined:
      return level === "advisory" ? "advice" : "refused";
    case "note":
      return "to know";
    case "exception":
      return `excepted (${passes.reason})`;
    case "waiver": {
      const left = passes.daysLeft === 0 ? "last day" : `${passes.daysLeft} days left`;
      return `waived until ${passes.until} (${left}, ${passes.reason})`;
    }
  }
}

/** `the baseline accepts 2.4 for api.service in place of 1.3`. */
export function acceptedText({ unit, before, after }: AcceptedChange): string {
  if (after === null) return `the baseline has no exposure of ${unit} any more (${before?.toFixed(1)})`;
  const instead = before === null ? ", which had none" : ` in place of ${before.toFixed(1)}`;
  return `the baseline accepts an exposure of ${after.toFixed(1)} for ${unit}${instead}`;
}
