import * as pulumi from "@pulumi/pulumi";

/** An Output as the SDK makes it: there is no public way to await one, nor to ask whether it is known. */
interface InnerOutput<T> {
  isKnown: Promise<boolean>;
  isSecret: Promise<boolean>;
  promise(withUnknowns?: true): Promise<T>;
  resources(): Set<pulumi.Resource>;
  allResources(): Promise<Set<pulumi.Resource>>;
}

/** How the SDK makes one. */
type OutputClass = new <T>(
  resources: Set<pulumi.Resource>,
  value: Promise<T>,
  isKnown: Promise<boolean>,
  isSecret: Promise<boolean>,
  allResources: Promise<Set<pulumi.Resource>>,
) => pulumi.Output<T>;

/** Values as one Output of them all, in which each that is an Output is resolved, and no other is looked into. */
export function arrayOutput(values: readonly unknown[]): pulumi.Output<unknown[]> {
  const outputs = values.filter((value) => pulumi.Output.isInstance(value)) as unknown as InnerOutput<unknown>[];
  const made = pulumi.Output as unknown as OutputClass;
  return new made(
    new Set(outputs.flatMap((output) => [...output.resources()])),
    Promise.all(values.map((value) => (pulumi.Output.isInstance(value) ? partlyKnownValue(value) : value))),
    Promise.all(outputs.map(({ isKnown }) => isKnown)).then((all) => all.every(Boolean)),
    Promise.all(outputs.map(({ isSecret }) => isSecret)).then((all) => all.some(Boolean)),
    Promise.all(outputs.map((output) => output.allResources())).then((all) => new Set(all.flatMap((set) => [...set]))),
  );
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
