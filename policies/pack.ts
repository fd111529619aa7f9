import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies.ts";

// Mandatory, so that a forgotten config file lets nothing pass.
new PolicyPack("pulumi-systemd", {
  displayName: "systemd services",
  provider: "systemd",
  tags: ["systemd"],
  enforcementLevel: "mandatory",
  policies: [...policies],
});
