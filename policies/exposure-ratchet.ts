import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { exposureDirectives, exposureOfSections } from "../systemd/exposure.ts";
import { type CheckedUnit, throwUnknown } from "./checked-unit.ts";
import { exceptions } from "./exception.ts";
import { type RuleFinding, rule } from "./rule.ts";

/** Scores that are in force, by stack and unit: `{ "prod": { "api.service": 1.3 } }`. */
const baselineSchema = z.record(z.string(), z.record(z.string(), z.number().min(0).max(10)));
type Baseline = z.infer<typeof baselineSchema>;

/** Set to any value, the variable has the preview write the baseline in place of the check. */
const writes = "PULUMI_SYSTEMD_WRITE_BASELINE";

/** Requires that no service is more exposed than a committed file says. */
export const exposureRatchet = rule({
  name: "exposure-ratchet",
  displayName: "Exposure does not rise",
  description: "Checks that the exposure score of a service is not above the committed baseline.",
  severity: "high",
  tags: ["sandbox", "review"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "CM-2",
    specification: "Baseline Configuration",
  },
  remediationSteps: `Undo what opened the sandbox. Where it is meant, write the new score in the same commit: ${writes}=1 pulumi preview with the same --policy-pack and --policy-pack-config.`,
  config: z.strictObject({
    baseline: z
      .string()
      .default("")
      .describe(
        "Path of the baseline, from the folder of this pack or absolute. Empty: there is none, nothing is checked.",
      ),
    except: exceptions,
  }),
  onlyRegistered: true,
  unit: (unit, { baseline }) => {
    if (baseline === "" || !unit.name.endsWith(".service")) return [];
    for (const directive of exposureDirectives) throwUnknown(`Service.${directive}`, unit.unknown);
    return ratcheted(unit, resolve(baseline));
  },
});

/** Stacks that this run has begun to write anew. */
const begun = new Map<string, Baseline>();

function ratcheted(unit: CheckedUnit, path: string): readonly RuleFinding[] {
  const stack = unit.urn.split(":")[2] ?? "";
  const { exposure } = exposureOfSections(unit.name, unit.model);
  if (process.env[writes] !== undefined) return written(path, stack, unit.name, exposure);
  const known = readBaseline(path);
  if (typeof known === "string") return [{ finding: known }];
  const allowed = known[stack]?.[unit.name];
  const now = `exposure ${exposure.toFixed(1)}`;
  if (allowed === undefined) {
    const finding = {
      found: `${now} is not in the baseline of ${stack}`,
      wanted: "an entry",
      why: "the review shows the score of a new service",
    };
    return [{ finding }];
  }
  if (exposure > allowed) {
    const why = "a change must not open the sandbox unseen; the baseline changes in the same commit, or not at all";
    return [{ finding: { found: now, wanted: `at most ${allowed.toFixed(1)}, the baseline of ${stack}`, why } }];
  }
  return exposure < allowed
    ? [
        {
          finding: `${now} is better than ${allowed.toFixed(1)}, the baseline of ${stack}: write it down to keep it`,
          isNote: true,
        },
      ]
    : [];
}

function readBaseline(path: string): Baseline | string {
  if (!existsSync(path)) return `the baseline ${path} does not exist; write it with ${writes}=1`;
  try {
    const parsed = baselineSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data : `the baseline ${path} is wrong: ${z.prettifyError(parsed.error)}`;
  } catch (error) {
    return `the baseline ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function written(path: string, stack: string, unit: string, exposure: number): RuleFinding[] {
  const before = existsSync(path) ? readBaseline(path) : {};
  if (typeof before === "string") return [{ finding: before }];
  // Entries of this stack are written anew: a unit that is gone leaves the file.
  const own = begun.get(path)?.[stack] ?? {};
  const highest = Math.max(own[unit] ?? 0, exposure);
  const entries = Object.entries({ ...own, [unit]: highest }).sort(([a], [b]) => (a < b ? -1 : 1));
  const next = { ...before, [stack]: Object.fromEntries(entries) };
  begun.set(path, next);
  const stacks = Object.entries(next).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify(Object.fromEntries(stacks), null, 2)}\n`);
  return [{ finding: `wrote exposure ${highest.toFixed(1)} to ${path}`, isNote: true }];
}
