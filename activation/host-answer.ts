/** A host that answered and did not give what it was asked for. The message is the host program's own. */
export class HostAnswerError extends Error {
  override readonly name = "HostAnswerError";
}

/** What a host said in place of an answer, for people. */
export function hostProblem(title: string, said: readonly string[]): string {
  const text = said.map((part) => part.trim()).filter((part) => part !== "");
  return `${title}: ${text.length === 0 ? "the host program ended without a word" : text.join("\n")}`;
}

/** Gives each whole line of a text that comes in pieces; a line that has no end never comes. */
export function lines(onLine: (line: string) => void): (piece: string) => void {
  let rest = "";
  return (piece) => {
    const parts = (rest + piece).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) onLine(part);
  };
}
