/**
 * The candidate that a misspelt word most likely means, or undefined where none is near: the same letters in another
 * case, a word of which only the beginning was written, or one with a few letters added, left out, changed or swapped
 * (one in three at most, none in a word of two letters).
 */
export function nearestOf(word: string, candidates: Iterable<string>): string | undefined {
  const lower = word.toLowerCase();
  const most = word.length < 3 ? 0 : Math.max(1, Math.floor(word.length / 3));
  let nearest: string | undefined;
  let shortest = most + 0.5;
  for (const candidate of candidates) {
    const distance = distanceOf(lower, candidate.toLowerCase());
    if (distance < shortest) {
      nearest = candidate;
      shortest = distance;
    }
  }
  return nearest;
}

/** `; did you mean "full"?` for a word that is near one of the candidates, else "". */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const nearest = nearestOf(word, candidates);
  return nearest === undefined ? "" : `; did you mean ${JSON.stringify(nearest)}?`;
}

/** How many letters must be added, left out, changed or swapped with a neighbour to make one text of the other. */
export function editDistance(from: string, to: string): number {
  const width = to.length + 1;
  const rows: number[][] = [Array.from({ length: width }, (_, column) => column)];
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column < width; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const changed = at(rows, row - 1, column - 1) + (same ? 0 : 1);
      let best = Math.min(at(rows, row - 1, column) + 1, (current[column - 1] ?? 0) + 1, changed);
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        best = Math.min(best, at(rows, row - 2, column - 2) + 1);
      }
      current.push(best);
    }
    rows.push(current);
  }
  return at(rows, from.length, to.length);
}

/** The edit distance; a beginning of at least three letters counts as near as one letter, a little more when much is left. */
function distanceOf(word: string, candidate: string): number {
  const edits = editDistance(word, candidate);
  if (word.length < 3 || !candidate.startsWith(word)) return edits;
  return Math.min(edits, 1 + Math.min(0.4, (candidate.length - word.length) / 100));
}

function at(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] ?? 0;
}
