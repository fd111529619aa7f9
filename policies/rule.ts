import type { EnforcementLevel, PolicyComplianceFramework, Severity } from "@pulumi/policy";
import { z } from "zod";
import type { Waiver } from "../systemd/lints/waiver.ts";
import { parsedTimeSpan, timeSpanProblem } from "../systemd/values/time-span.ts";
import type { CheckedResource } from "./checked-resource.ts";
import type { CheckedUnit } from "./checked-unit.ts";
import type { Finding } from "./checks/finding.ts";
import type { Exception } from "./exception.ts";
import type { ObservedStack } from "./observed-stack.ts";
import type { CheckedHost } from "./sent-units.ts";

/** What a finding is about, where that is not the resource itself: a unit among those of a host. */
export interface Subject {
  readonly name: string;
  readonly urn: string;
  readonly waive: readonly Waiver[];
}

/** A finding as a rule reports it. */
export interface RuleFinding {
  /** In parts, or as one text behind the name. */
  readonly finding: Finding | string;
  /** What it is about. @default the resource */
  readonly about?: Subject;
  /** Only to be read: it stops nothing, whatever the level of the policy. @default false */
  readonly isNote?: boolean;
}

/** The config that every rule has. */
export interface RuleConfig {
  readonly except: readonly Exception[];
}

/** What one policy asks for, apart from where it finds the units and how it is told. */
export interface Rule<Config extends RuleConfig = RuleConfig> {
  /** Id in config files, waivers and output, in kebab-case; also the heading in the documentation. */
  readonly name: string;
  readonly displayName: string;
  /** One sentence. The way to the documentation is added. */
  readonly description: string;
  /** Page of the documentation with a heading of the rule's name. @default "docs/policies.md" */
  readonly page?: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  readonly framework?: PolicyComplianceFramework;
  readonly remediationSteps: string;
  /** Level where the config says none. @default "mandatory" */
  readonly level?: EnforcementLevel;
  /** Whether a definition cannot waive it. @default false */
  readonly isFinal?: boolean;
  /** Strict schema of its config, every key with a default. */
  readonly config: z.ZodObject & z.ZodType<Config>;
  /** What it refuses in one unit by itself. Reading a directive that is not known throws. */
  readonly unit?: (unit: CheckedUnit, config: Config) => readonly RuleFinding[];
  /** What it refuses in all that one host is sent, beyond what it refuses in each unit. */
  readonly host?: (host: CheckedHost, config: Config) => readonly RuleFinding[];
  /** Whether a unit that a host is sent in another form than the registered one is left alone. @default false */
  readonly onlyRegistered?: boolean;
  /** What it refuses in any other resource. */
  readonly resource?: (resource: CheckedResource, config: Config, stack: ObservedStack) => readonly RuleFinding[];
}

/** A rule; its config is only known to itself. */
export function rule<Config extends RuleConfig>(spec: Rule<Config>): Rule {
  // The config that is handed in has passed the rule's own schema.
  return spec as unknown as Rule;
}

/** A rule about services: templates and instances included, other units pass. */
export function serviceRule<Config extends RuleConfig>(
  spec: Omit<Rule<Config>, "unit"> & {
    readonly service: (unit: CheckedUnit, config: Config) => readonly Finding[];
  },
): Rule {
  const { service, ...rest } = spec;
  return rule<Config>({
    ...rest,
    unit: (unit, config) =>
      unit.name.endsWith(".service") ? service(unit, config).map((finding) => ({ finding })) : [],
  });
}

/** A time span in a config that bounds something. */
export const boundingTimeSpan = z.string().superRefine((text, context) => {
  const problem = timeSpanProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  else if (!Number.isFinite(parsedTimeSpan(text)) || parsedTimeSpan(text) === 0) {
    context.addIssue({
      code: "custom",
      message: `${JSON.stringify(text)} is no bound; write a time span such as 5min`,
    });
  }
});
