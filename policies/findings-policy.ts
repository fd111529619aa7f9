import type {
  PolicyComplianceFramework,
  PolicyConfigSchema,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  Severity,
} from "@pulumi/policy";
import { z } from "zod";
import { type Finding, findingMessage } from "./checks/finding.ts";
import { type Exception, exceptionFor } from "./exception.ts";

/** What a policy is, apart from the mechanics that all of them share. */
export interface FindingsPolicySpec<Config extends { readonly except: readonly Exception[] }> {
  /** Id in config files and output, in kebab-case; also the heading in docs/policies.md. */
  readonly name: string;
  readonly displayName: string;
  /** One sentence that begins with "Checks". The way to the documentation is added. */
  readonly description: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  readonly framework?: PolicyComplianceFramework;
  readonly remediationSteps: string;
  /** Strict schema of the policy's config, every key with a default. */
  readonly config: z.ZodObject & z.ZodType<Config>;
  /** Type of the resources that it reads. */
  readonly resourceType: string;
  /** What it refuses in one resource. A value that is unknown at preview throws when it is read: see `unitPolicy`. */
  readonly findings: (resource: ResourceValidationArgs, config: Config) => readonly Finding[];
}

/** A policy of the SDK from a check: its config is validated, each finding is reported or excepted. */
export function findingsPolicy<Config extends { readonly except: readonly Exception[] }>(
  spec: FindingsPolicySpec<Config>,
): ResourceValidationPolicy {
  const { name, displayName, description, severity, tags, framework, remediationSteps, config, resourceType } = spec;
  return {
    name,
    displayName,
    description: `${description} See docs/policies.md#${name}`,
    severity,
    tags: [...tags],
    ...(framework === undefined ? {} : { framework }),
    remediationSteps,
    configSchema: configSchema(config),
    validateResource: (resource, reportViolation) => {
      if (resource.type !== resourceType) return;
      // The CLI checks values but lets keys pass that it does not know: a misspelt one would silently be the default.
      const parsed = config.safeParse(resource.getConfig());
      if (!parsed.success) {
        reportViolation(`the config of ${name} is wrong, so it checks nothing: ${configProblems(parsed.error)}`);
        return;
      }
      const findings = spec.findings(resource, parsed.data);
      const exception = exceptionFor(resource, parsed.data.except);
      for (const finding of findings) {
        const message = findingMessage(resource.name, finding);
        if (exception === undefined) reportViolation(message);
        // What a pack writes to stderr is shown among the preview's diagnostics.
        else console.warn(`${name} excepted (${exception.reason}): ${message}`);
      }
    },
  };
}

function configSchema(config: z.ZodObject): PolicyConfigSchema {
  const { properties } = z.toJSONSchema(config, { target: "draft-7", io: "input" });
  // Both are JSON schema; the types differ in keywords that no config here uses.
  return { properties: (properties ?? {}) as PolicyConfigSchema["properties"] };
}

function configProblems(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => [...path, message].join(": ")).join("; ");
}
