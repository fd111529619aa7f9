/** Whether a unit is meant by one of these names or shell patterns; `api` is `api.service`, as with systemctl. None means all. */
export function unitFilter(patterns: readonly string[]): (unit: string) => boolean {
  if (patterns.length === 0) return () => true;
  const expressions = patterns.map((pattern) => expression(wholeName(pattern)));
  return (unit) => expressions.some((each) => each.test(unit));
}

/** The patterns that mean none of these units. */
export function unmatched(patterns: readonly string[], units: readonly string[]): readonly string[] {
  return patterns.filter((pattern) => !units.some(unitFilter([pattern])));
}

const unitTypes = /\.(service|socket|timer|path|target|mount|automount|slice|scope|swap|device)$/;

/** A name or pattern with the suffix that systemctl would add. */
export function wholeName(pattern: string): string {
  return unitTypes.test(pattern) || /[*?[]/.test(pattern) ? pattern : `${pattern}.service`;
}

function expression(pattern: string): RegExp {
  const text = pattern
    .replace(/[\\^$.|()+{}]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  try {
    return new RegExp(`^${text}$`);
  } catch {
    // A bracket that is not closed stands for itself.
    return new RegExp(`^${text.replace(/[[\]]/g, "\\$&")}$`);
  }
}
