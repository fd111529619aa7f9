import type { ResourceValidationArgs, ResourceValidationPolicy } from "@pulumi/policy";
import type { UnitModel } from "../systemd/sections.ts";
import { parseUnitFile, unitModel } from "../systemd/unit-file.ts";
import type { Finding } from "./checks/finding.ts";
import type { Exception } from "./exception.ts";
import { type FindingsPolicySpec, findingsPolicy } from "./findings-policy.ts";

/** What a policy over services is; see `FindingsPolicySpec`. */
export interface ServicePolicySpec<Config extends { readonly except: readonly Exception[] }>
  extends Omit<FindingsPolicySpec<Config>, "resourceType" | "findings"> {
  /** What it refuses in one service. */
  readonly findings: (name: string, unit: UnitModel, config: Config) => readonly Finding[];
}

/**
 * A policy over every `.service` unit that a component registers, templates and instances included.
 *
 * A value that is unknown at preview throws when a check reads it; the SDK turns that into an advisory that names the
 * value. During the update all values are known before any host is touched, and the check runs on them.
 */
export function servicePolicy<Config extends { readonly except: readonly Exception[] }>(
  spec: ServicePolicySpec<Config>,
): ResourceValidationPolicy {
  return findingsPolicy({
    ...spec,
    resourceType: "systemd:index:Unit",
    findings: (resource, config) => {
      if (!resource.name.endsWith(".service")) return resource.notApplicable("only services are checked");
      const unit = registeredUnit(resource);
      // The component refuses its arguments itself, with a better message.
      if (unit === undefined) return resource.notApplicable("the unit has no content");
      return spec.findings(resource.name, unit, config);
    },
  });
}

function registeredUnit({ props }: ResourceValidationArgs): UnitModel | undefined {
  if (props.sections !== undefined) return props.sections;
  return props.text === undefined ? undefined : unitModel(parseUnitFile(props.text));
}
