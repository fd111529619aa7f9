import * as pulumi from "@pulumi/pulumi";
import { unlessFailed } from "./components/failed-update.ts";
import { secretConfigKeys, stackConfig } from "./program/config.ts";
import { configFileText } from "./program/secret-places.ts";
import { deployedHosts } from "./program/stack.ts";
import { hostSummary } from "./program/summary.ts";

const config = stackConfig(
  pulumi.getProject(),
  pulumi.runtime.allConfig(),
  secretConfigKeys(),
  configFileText(pulumi.getStack()),
);

/** What runs on each host, and what the last transaction there did. */
export const hosts = Object.fromEntries(
  Object.entries(deployedHosts(config)).map(([name, host]) => [name, unlessFailed(host.receipt).apply(hostSummary)]),
);
