import type { Results } from "./results.ts";
import { tableText } from "./table.ts";

const begin = "<!-- npm run bench writes this -->";
const end = "<!-- to here -->";

/** A page with the tables of these results between its two marks. @throws Error when it has no marks */
export function pageWithResults(page: string, results: Results): string {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`the page has no ${begin} and ${end}`);
  return `${before}${begin}\n\n${tableText(results)}\n\n${end}${after}`;
}
