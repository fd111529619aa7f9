/** A value that a check needs is not known before the update. */
export class UnknownValueError extends Error {
  /** What it is: `[Service] User`. */
  readonly what: string;

  constructor(what: string) {
    super(`${what} is not known before the update`);
    this.what = what;
  }
}

/** A value of a resource's inputs, or undefined where it is not there or not known. */
export interface Reading {
  readonly value: unknown;
  readonly isKnown: boolean;
}

/** Reads one input: those that are not known yet throw when they are read. */
export function reading(read: () => unknown): Reading {
  try {
    return { value: read(), isKnown: true };
  } catch (error) {
    if (error instanceof UnknownValueError) return { value: undefined, isKnown: false };
    // The SDK does not export the class of what it throws.
    if (error instanceof Error && error.message.includes("can't be known during preview")) {
      return { value: undefined, isKnown: false };
    }
    throw error;
  }
}

/** What a check could not look at: the policy, and the value that is missing. */
export interface Postponed {
  readonly policy: string;
  readonly what: string;
}

let postponedOf: { readonly urn: string; readonly all: Postponed[] } | undefined;

/** Remembers a check that has to wait for the update. The policies run one after another on each resource. */
export function postpone(urn: string, postponed: Postponed): void {
  if (postponedOf?.urn !== urn) postponedOf = { urn, all: [] };
  postponedOf.all.push(postponed);
}

/** What was postponed on a resource since this was last asked. */
export function takePostponed(urn: string): readonly Postponed[] {
  const taken = postponedOf?.urn === urn ? postponedOf.all : [];
  postponedOf = undefined;
  return taken;
}
