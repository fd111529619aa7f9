import { z } from "zod";
import { type Opened, opened } from "./envelope.ts";

/** A resource that a program registered. */
export interface Registration {
  readonly urn: string;
  /** Type token: `systemd:index:Host`. */
  readonly type: string;
  readonly name: string;
  /** URN of its parent; empty for the stack itself. */
  readonly parent: string;
  readonly inputs: Opened;
}

/** The same as it travels: its inputs in the envelopes of Pulumi's wire protocol. */
export interface WireRegistration extends Omit<Registration, "inputs"> {
  readonly inputs: object;
}

/** One message of a program to the person who runs it. */
export interface Diagnostic {
  readonly severity: "info" | "warning" | "error";
  readonly message: string;
  /** The resource that it is about; empty for the program as a whole. */
  readonly urn: string;
}

/** What is known of a resource from elsewhere, such as the stack's state. */
export interface KnownResource {
  readonly id: string;
  /** Its outputs, in their envelopes. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** What the recorder in a program must know: one line of JSON. */
export interface RecorderTask {
  readonly project: string;
  readonly stack: string;
  /** What to answer for a resource beside its own inputs, by URN; all else is unknown to the program. */
  readonly known: Readonly<Record<string, KnownResource>>;
}

/** What a program did to its engine. It travels as a line of JSON. */
export type Recorded =
  | { readonly registered: WireRegistration }
  /** The severity is a number of Pulumi's protocol. */
  | { readonly said: Omit<Diagnostic, "severity"> & { readonly severity: number } }
  /** What the real engine would have asked a provider for, and nobody answered. */
  | { readonly unanswered: string };

/** All that a program registered and said: nothing of it was made. */
export interface ProgramRecord {
  readonly registrations: readonly Registration[];
  readonly diagnostics: readonly Diagnostic[];
  /** What the real engine would have asked a provider for, and nobody answered here. In order, each once. */
  readonly unanswered: readonly string[];
}

const recordedSchema: z.ZodType<Recorded> = z.union([
  z.strictObject({
    registered: z.strictObject({
      urn: z.string(),
      type: z.string(),
      name: z.string(),
      parent: z.string(),
      inputs: z.custom<object>((value) => typeof value === "object" && value !== null),
    }),
  }),
  z.strictObject({ said: z.strictObject({ severity: z.int(), message: z.string(), urn: z.string() }) }),
  z.strictObject({ unanswered: z.string() }),
]);

/**
 * Lines of JSON from the recorder in a program.
 * @throws SyntaxError or ZodError where a line is none of its own: somebody else wrote to its channel
 */
export function recordedLines(lines: readonly string[]): Recorded[] {
  return lines.map((line) => recordedSchema.parse(JSON.parse(line)));
}

/** `LogSeverity` of Pulumi's protocol, but for what is for its developers alone. */
const severities: Readonly<Record<number, Diagnostic["severity"]>> = { 1: "info", 2: "warning", 3: "error" };

/** All of it, put together. */
export function programRecord(all: readonly Recorded[]): ProgramRecord {
  const registrations: Registration[] = [];
  const diagnostics: Diagnostic[] = [];
  const unanswered = new Set<string>();
  for (const one of all) {
    if ("registered" in one) registrations.push({ ...one.registered, inputs: opened(one.registered.inputs) });
    else if ("unanswered" in one) unanswered.add(one.unanswered);
    else {
      const severity = severities[one.said.severity];
      if (severity !== undefined) diagnostics.push({ ...one.said, severity });
    }
  }
  return { registrations, diagnostics, unanswered: [...unanswered].sort() };
}
