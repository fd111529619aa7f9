import type * as pulumi from "@pulumi/pulumi";

/** An Output as the SDK makes it: there is no public way to await one, nor to ask whether it is known. */
interface InnerOutput<T> {
  isKnown: Promise<boolean>;
  promise(withUnknowns?: true): Promise<T>;
}

/** The value of an Output, or undefined where only an update can know it; rejects where it fails. */
export async function knownValue<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  const inner = output as unknown as InnerOutput<T>;
  return (await inner.isKnown) ? inner.promise() : undefined;
}

/** The value of an Output with `pulumi.unknown` for each part that only an update can know; rejects where it fails. */
export function partlyKnownValue(output: pulumi.Output<unknown>): Promise<unknown> {
  return (output as unknown as InnerOutput<unknown>).promise(true);
}
