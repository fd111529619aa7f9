/**
 * What Markdown would read as its own: emphasis, tags, code, links, cells, entities. `_` within a word, and brackets that no
 * link follows, are read as they are, so they stay readable in a terminal too.
 */
const special =
  /\\(?=[!-/:-@[-`{-~]|$)|[`*<|~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|\](?=[([:])|&(?=#?[A-Za-z0-9]+;)/gu;

/** A text as one line of Markdown shows it. */
export function escapedMarkdown(text: string): string {
  return text.replaceAll("\n", " ").replace(special, "\\$&");
}

/** A code span whose fence is longer than any in the text. */
export function codeSpan(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const room = longest > 0 ? " " : "";
  return `${fence}${room}${text.replaceAll("\n", " ")}${room}${fence}`;
}
