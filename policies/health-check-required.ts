import { z } from "zod";
import { listeningSign } from "./checks/listening.ts";
import { exceptions } from "./exception.ts";
import { rule } from "./rule.ts";
import { typeAndName } from "./sent-units.ts";

/** Requires a health check for every service that takes connections. */
export const healthCheckRequired = rule({
  name: "health-check-required",
  displayName: "Health check",
  description: "Checks that a service which takes connections is asked now and then whether it answers.",
  severity: "medium",
  tags: ["availability"],
  framework: {
    name: "NIST SP 800-53",
    version: "Rev. 5",
    reference: "SI-4",
    specification: "System Monitoring",
  },
  remediationSteps: "Add a HealthCheck with unit: the service, and an http or tcp probe, to the units of the host.",
  config: z.strictObject({ except: exceptions }),
  host: ({ units, stack }) => {
    const names = new Set(units.map(({ name }) => name));
    const watched = new Set(
      [...stack.watched].flatMap(([urn, watches]) => (names.has(`${typeAndName(urn).name}.timer`) ? watches : [])),
    );
    return units.flatMap((unit) => {
      if (!unit.name.endsWith(".service") || watched.has(unit.name)) return [];
      const sign = listeningSign(unit, units);
      if (sign === undefined) return [];
      const why = "a service that runs and answers nobody would go unnoticed";
      return [{ about: unit, finding: { found: `no HealthCheck watches it, and ${sign}`, wanted: "one", why } }];
    });
  },
});
