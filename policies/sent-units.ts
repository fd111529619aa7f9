import { inflateSync } from "node:zlib";
import { UnitSyntaxError } from "../systemd/unit-file.ts";
import type { CheckedResource } from "./checked-resource.ts";
import { type CheckedUnit, unitFromText } from "./checked-unit.ts";
import { type ObservedHost, type ObservedStack, observedUnits } from "./observed-stack.ts";
import { reading } from "./unknown-values.ts";

/** All units of one host. */
export interface CheckedHost {
  /** Name of the Host. */
  readonly name: string;
  readonly urn: string;
  readonly units: readonly CheckedUnit[];
  readonly stack: ObservedStack;
}

/** What a Host's command hands to the host program, as far as policies look at it. */
export interface SentBundle {
  readonly units: readonly { readonly name: string; readonly content: string }[];
  readonly files: readonly { readonly path: string }[];
}

const hostType = "systemd:index:Host";

/** The type of a resource in a URN, and the name. */
export function typeAndName(urn: string): { readonly type: string; readonly name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.slice(types.lastIndexOf("$") + 1), name: name.join("::") };
}

/** The URN of the Host whose command a resource is; undefined for other resources. */
export function hostOfCommand({ type, name, opts }: CheckedResource): string | undefined {
  if (type !== "command:remote:Command" || opts.parent === undefined) return undefined;
  const host = typeAndName(opts.parent);
  // Another one of a Host only takes its uploads away.
  return host.type === hostType && host.name === name ? opts.parent : undefined;
}

let last: { readonly stdin: string; readonly bundle: SentBundle | undefined } | undefined;

/** The bundle that a Host sends on standard input; undefined where there is none. */
export function sentBundle(stdin: string): SentBundle | undefined {
  // Many policies ask for the same one.
  if (last?.stdin !== stdin) last = { stdin, bundle: parsedBundle(stdin) };
  return last.bundle;
}

function parsedBundle(stdin: string): SentBundle | undefined {
  // Which host program is to read it; a line with the password for sudo may follow.
  const packed = /^[0-9a-f]{64} \S+\n(?:sudo \S*\n)?(\S+)$/.exec(stdin)?.[1];
  if (packed === undefined) return undefined;
  try {
    const { units, files }: Partial<SentBundle> = JSON.parse(inflateSync(Buffer.from(packed, "base64")).toString());
    return Array.isArray(units) && Array.isArray(files) ? { units, files } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * All units of the host that a command is for: as they are sent or, where that is not known before the update, as the
 * components registered them. Undefined for any other resource.
 */
export function checkedHost(resource: CheckedResource, stack: ObservedStack): CheckedHost | undefined {
  const urn = hostOfCommand(resource);
  if (urn === undefined) return undefined;
  const stdin = reading(() => resource.props.stdin);
  const bundle = typeof stdin.value === "string" ? sentBundle(stdin.value) : undefined;
  const host: ObservedHost | undefined = stack.hosts.get(urn);
  const units =
    bundle === undefined
      ? (host?.units ?? []).flatMap((name) => observedUnits(stack, name).slice(-1))
      : bundle.units.flatMap(({ name, content }) => sentUnit(name, content, resource.urn, stack));
  return { name: typeAndName(urn).name, urn, units, stack };
}

function sentUnit(name: string, content: string, urn: string, stack: ObservedStack): CheckedUnit[] {
  const known = observedUnits(stack, name);
  const same = known.find(({ text }) => text === content);
  if (same !== undefined) return [same];
  try {
    const registered = known.at(-1);
    const identity = { name, urn: registered?.urn ?? urn, waive: registered?.waive ?? [] };
    return [{ ...unitFromText(identity, content), isChanged: true }];
  } catch (error) {
    // The host's own systemd refuses it, and `sent-as-reviewed` names it.
    if (error instanceof UnitSyntaxError) return [];
    throw error;
  }
}
