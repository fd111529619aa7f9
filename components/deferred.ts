import * as pulumi from "@pulumi/pulumi";
import { knownParts } from "./known-parts.ts";
import { arrayOutput, partlyKnownValue } from "./output-value.ts";
import { checkedWithoutEcho } from "./secret-values.ts";

/** Whether a value holds an Output, a Promise or a resource anywhere, so that it is known only later. */
export function isDeferred(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise || pulumi.Resource.isInstance(value)) return true;
  if (Array.isArray(value)) return value.some(isDeferred);
  if (value !== null && typeof value === "object") return Object.values(value).some(isDeferred);
  return false;
}

/** A value that is known now, or an Output of one that is known later. */
export type Deferrable<T> = T | pulumi.Output<T>;

/**
 * Runs `build` over the plain arguments: at once when nothing in them is an Output, so that a mistake stops the program
 * where it was made; else inside the Output, so that it stops everything that depends on it, with no secret in its words.
 * Where parts of the arguments are not known during a preview, `partly` runs on them with `pulumi.unknown` in their place; by
 * default those parts of the result are known that do not depend on them (`partsOf`).
 */
export function built<R>(
  args: object,
  build: (plain: unknown) => R,
  partly: (plain: unknown) => R = (plain) => knownParts(plain, build),
): Deferrable<R> {
  if (!isDeferred(args)) return build(args);
  const value: pulumi.Output<unknown> = pulumi.output(args);
  return stepped(value, (plain) => checkedWithoutEcho(value, plain, build, args), partly);
}

/** A value after a step, at once when it is known. */
export function mapped<T, R>(value: Deferrable<T>, step: (known: T) => R): Deferrable<R> {
  return isOutput(value)
    ? stepped(
        value,
        (known) => checkedWithoutEcho(value, known, (open) => step(open as T)),
        (known) => knownParts(known as T, step),
      )
    : step(value);
}

/** One field of a value that may be known only later. */
export function fieldOf<T, K extends keyof T>(value: Deferrable<T>, key: K): Deferrable<T[K]> {
  return mapped(value, (known) => known[key]);
}

type Known<T> = T extends pulumi.Output<infer V> ? V : T;

/**
 * Several values as one: at once when none is an Output. Unlike `pulumi.all` it takes each value as it is and looks for no
 * Output within it, which is most of the time that a large program takes.
 */
export function joined<const T extends readonly unknown[]>(
  values: T,
): Deferrable<{ -readonly [K in keyof T]: Known<T[K]> }> {
  const joint = values.some((value) => isOutput(value)) ? arrayOutput(values) : values;
  // Each value that was an Output is what it comes to.
  return joint as Deferrable<{ -readonly [K in keyof T]: Known<T[K]> }>;
}

/** Does something with a value: at once when it is known. */
export function whenKnown<T>(value: Deferrable<T>, effect: (known: T) => void): void {
  if (isOutput(value)) value.apply((known) => effect(known as T));
  else effect(value);
}

/** A value that may be known only later, as an Output. */
export function outputOf<T>(
  value: Deferrable<T> | pulumi.Input<T> | pulumi.Output<pulumi.Unwrap<T>>,
): pulumi.Output<T> {
  const output: pulumi.Output<unknown> = pulumi.Output.isInstance(value) ? value : pulumi.output(value as object);
  // Nothing that passes here holds an Output within, so the type and its unwrapped form are the same.
  return output as pulumi.Output<T>;
}

/** An Output as the SDK makes it; its declared type leaves out what concerns values that are known in part. */
interface PartialOutput {
  apply(step: (value: unknown) => unknown, runWithUnknowns: true): pulumi.Output<unknown>;
}

function stepped<R>(
  value: pulumi.Output<unknown>,
  step: (known: unknown) => R,
  partly: (known: unknown) => R,
): pulumi.Output<R> {
  const run = (known: unknown) => {
    if (pulumi.isUnknown(known)) return pulumi.unknown;
    return pulumi.containsUnknowns(known) ? partly(known) : step(known);
  };
  // What the step gives back holds no Output, so it is R once it is known.
  return (value as unknown as PartialOutput).apply(run, true) as pulumi.Output<R>;
}

/**
 * A value as an input of a component in which each part is known or not by itself: an Output would be unknown as a whole. It
 * carries no secrets and no dependencies, and what fails is unknown: give the engine an Output of the same besides.
 */
export function partsOf(value: Deferrable<unknown>): unknown {
  return isOutput(value) ? partlyKnownValue(value).catch(() => pulumi.unknown) : value;
}

function isOutput<T>(value: Deferrable<T>): value is pulumi.Output<T> {
  return pulumi.Output.isInstance(value);
}

/** Chosen fields of a value as one Input each, so that one unknown field does not hide the others. */
export function fieldsOf<T, K extends keyof T>(
  value: Deferrable<T>,
  keys: readonly K[],
): { [P in K]: Deferrable<T[P]> } {
  // The entries are exactly the keys that were asked for.
  return Object.fromEntries(keys.map((key) => [key, fieldOf(value, key)])) as { [P in K]: Deferrable<T[P]> };
}
