import { PolicyPack } from "@pulumi/policy";
import { commandPolicies } from "./policies.ts";

new PolicyPack("pulumi-systemd-commands", {
  displayName: "systemd units in commands",
  provider: "systemd",
  tags: ["systemd"],
  enforcementLevel: "mandatory",
  policies: [...commandPolicies],
});
