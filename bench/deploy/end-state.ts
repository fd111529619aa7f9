import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Bundle } from "../../activation/bundle.ts";
import { sha256 } from "../../activation/digests.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { parseUnitFile, unitModel } from "../../systemd/unit-file.ts";
import { type Listing, listing, listingChanges } from "../../test/hosts/listing.ts";

/** What a host ran after an operation: the invocation of each unit, by its name. */
export type Invocations = Readonly<Record<string, string>>;

const answer = z.object({ problems: z.array(z.string()), invocations: z.record(z.string(), z.string()) });
const program = readFileSync(join(import.meta.dirname, "end-state.py"), "utf8");

/**
 * Checks that a host is as the bundle says: contents, modes and owners of files, accounts, units active and enabled, and
 * that each process has the environment of its unit and its secrets.
 * @throws Error with all that is not so
 */
export async function checkedState(host: SandboxHost, bundle: Bundle): Promise<Invocations> {
  const files = [
    ...bundle.files.map(({ path, mode, content }) => ({ path, mode, sha256: sha256(content) })),
    ...bundle.units.map(({ path, content }) => ({ path, mode: "0644", sha256: sha256(content) })),
  ];
  const secrets = new Map(bundle.files.map(({ path, content }) => [path, environmentEntries(content)]));
  const units = bundle.units.map(({ name, content }) => {
    const { Environment: own = [], EnvironmentFile: named = [] } = unitModel(parseUnitFile(content)).Service ?? {};
    const fromFiles = [named].flat().flatMap((path) => secrets.get(String(path)) ?? []);
    return { name, environment: [...[own].flat().flatMap((line) => environmentEntries(String(line))), ...fromFiles] };
  });
  const asked = { files, users: bundle.users.map(({ name }) => name), units };
  const text = await host.output(`python3 -Ic '${program.replaceAll("'", "'\\''")}'`, { stdin: JSON.stringify(asked) });
  const { problems, invocations } = answer.parse(JSON.parse(text));
  if (problems.length > 0) throw new Error(`${host.name} is not as it should be:\n  ${problems.join("\n  ")}`);
  return invocations;
}

/** `A="x"` as `A=x`; the benchmark has no value that needs more. */
function environmentEntries(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replaceAll('"', "").trim())
    .filter((line) => line.includes("="));
}

/** Units that were started anew between two looks. */
export function restarted(before: Invocations, after: Invocations): string[] {
  return Object.keys(after).filter((name) => before[name] !== after[name]);
}

/** What is left on a host on purpose: tools for their next run, and data of services (StateDirectory=). */
const leftOnPurpose = ["/home/deploy/.ansible", "/root/.ansible", "/var/lib/bench*"];

/** A look at a host before anything is deployed. */
export function before(host: SandboxHost): Promise<Listing> {
  return listing(host, leftOnPurpose);
}

/**
 * Takes away what was left on purpose, so that the next contender begins as this one did.
 * @throws Error naming what else is left on a host after a destroy
 */
export async function checkedAbsence(host: SandboxHost, was: Listing): Promise<void> {
  const left = listingChanges(was, await listing(host, leftOnPurpose));
  const units = await host.output(
    "systemctl list-units --all --plain --no-legend 'bench*' ; systemctl --failed --no-legend --plain",
  );
  if (left.length > 0 || units.trim() !== "") {
    throw new Error(`${host.name} is not as before after destroy:\n  ${[...left, units].join("\n  ")}`);
  }
  await host.output(`rm -rf ${leftOnPurpose.join(" ")}`);
}
