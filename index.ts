import * as pulumi from "@pulumi/pulumi";
import { stackConfig } from "./program/config.ts";
import { deployedHosts } from "./program/stack.ts";

const project = pulumi.getProject();

/** What the last transaction on each host did. */
export const hosts = Object.fromEntries(
  Object.entries(deployedHosts(stackConfig(project, pulumi.runtime.allConfig()))).map(([name, host]) => [
    name,
    host.receipt,
  ]),
);
