/** One thing that a check refuses, in parts that read as one sentence. */
export interface Finding {
  /** What stands in the unit, such as `[Service] NoNewPrivileges=no`. */
  readonly found: string;
  /** What is accepted in its place, such as `yes`. */
  readonly wanted: string;
  /** What goes wrong otherwise. */
  readonly why: string;
}

/**
 * A finding as a reviewer reads it, on one line.
 * @param name the unit's file name, or the name of another resource
 */
export function findingMessage(name: string, { found, wanted, why }: Finding): string {
  return `${name}: ${found}, wanted ${wanted}: ${why}`;
}
