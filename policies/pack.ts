import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies.ts";

// Mandatory, so that a preview without a config file is as strict as production.
new PolicyPack("pulumi-systemd", {
  displayName: "systemd services",
  provider: "systemd",
  tags: ["systemd"],
  enforcementLevel: "mandatory",
  policies: [...policies],
});
