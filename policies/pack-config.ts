import type { EnforcementLevel } from "@pulumi/policy";
import { z } from "zod";
import type { Rule } from "./rule.ts";
import { configProblems } from "./verdict.ts";

/** What a file for `--policy-pack-config` says of one rule. */
export interface RuleSetting {
  readonly level: EnforcementLevel;
  /** Its own keys, checked. */
  readonly config: unknown;
}

/** A config file for the pack is wrong. */
export class PackConfigError extends Error {}

/** The level of the pack (pack.ts), for rules that have none of their own. */
const packLevel: EnforcementLevel = "mandatory";

const level = z.enum(["advisory", "mandatory", "remediate", "disabled"]);
const entry = z.union([level, z.looseObject({ enforcementLevel: level.optional() })]);
const packConfig = z.record(z.string(), entry);

/**
 * The level and the config of each rule, by its name, as Pulumi takes them from a file for `--policy-pack-config`. Stricter than
 * Pulumi: the name of a policy that does not exist is an error.
 * @param file content of the file, parsed
 * @throws PackConfigError
 */
export function ruleSettings(rules: readonly Rule[], file: unknown): ReadonlyMap<string, RuleSetting> {
  const parsed = packConfig.safeParse(file);
  if (!parsed.success) throw new PackConfigError(configProblems(parsed.error));
  const { all, ...own } = parsed.data;
  const unknown = Object.keys(own).filter((name) => !rules.some((rule) => rule.name === name));
  if (unknown.length > 0) throw new PackConfigError(`there is no policy ${unknown.join(", ")}`);
  const forAll = levelOf(all);
  return new Map(
    rules.map((rule) => {
      const given = own[rule.name];
      const { enforcementLevel: _, ...config } = typeof given === "object" ? given : {};
      const checked = rule.config.safeParse(config);
      if (!checked.success) throw new PackConfigError(`${rule.name}: ${configProblems(checked.error)}`);
      return [rule.name, { level: levelOf(given) ?? forAll ?? rule.level ?? packLevel, config }];
    }),
  );
}

function levelOf(given: z.infer<typeof entry> | undefined): EnforcementLevel | undefined {
  return typeof given === "object" ? given.enforcementLevel : given;
}
