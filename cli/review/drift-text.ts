import type { HostDrift } from "../drift.ts";
import { escaped } from "./escaped.ts";
import { escapedMarkdown } from "./escaped-markdown.ts";
import { numbered } from "./review-report.ts";

/** `2 differences on 1 host, 1 host not looked at`. */
export function driftLine(hosts: readonly HostDrift[]): string {
  const differing = hosts.filter(({ report }) => report !== undefined && report.findings.length > 0);
  const blind = hosts.filter(({ problem }) => problem !== undefined);
  const count = differing.reduce((sum, { report }) => sum + (report?.findings.length ?? 0), 0);
  const parts = [
    ...(count > 0 ? [`${numbered(count, "difference")} on ${numbered(differing.length, "host")}`] : []),
    ...(blind.length > 0 ? [`${numbered(blind.length, "host")} not looked at`] : []),
  ];
  return parts.length > 0 ? parts.join(", ") : `none on ${numbered(hosts.length, "host")}`;
}

/** How the hosts differ now from what was applied to them, as Markdown; nothing where nobody asked. */
export function driftMarkdown(hosts: readonly HostDrift[] | null): string[] {
  if (hosts === null) return [];
  const lines = driftRows(hosts).map(([host, ...texts]) => {
    const [what, found, repair] = texts.map(escapedMarkdown);
    return what === "" ? `- **${host} was not looked at**: ${found}` : `- ${host}: ${what}: ${found}; ${repair}`;
  });
  return [`### Drift: ${driftLine(hosts)}`, ...(lines.length > 0 ? [lines.join("\n")] : [])];
}

/** The same as a section of the page. */
export function driftHtml(hosts: readonly HostDrift[] | null): string {
  if (hosts === null) return "";
  const rows = driftRows(hosts).map((cells) => `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`);
  const table = `<div class="wide"><table><thead><tr><th>host</th><th>what</th><th>found</th><th>repaired by</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
  return `<section><h2>Drift: ${escaped(driftLine(hosts))}</h2>${rows.length > 0 ? table : ""}</section>`;
}

/** Host, what differs, how, and what repairs it; hosts that could not be looked at first. */
function driftRows(hosts: readonly HostDrift[]): [string, string, string, string][] {
  const blind = hosts.flatMap(({ host, problem }): [string, string, string, string][] =>
    problem === undefined ? [] : [[host, "", problem.replaceAll("\n", " "), ""]],
  );
  const found = hosts.flatMap(({ host, report }) =>
    (report?.findings ?? []).map((finding): [string, string, string, string] => [
      host,
      `${finding.kind} ${finding.path || finding.unit}`,
      `${finding.found}; expected: ${finding.expected}`,
      finding.repair,
    ]),
  );
  return [...blind, ...found];
}
