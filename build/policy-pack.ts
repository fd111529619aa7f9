// Joins a policy pack and what it imports of ours into one JavaScript file, so that a preview does not read and strip 150
// TypeScript files: `node build/policy-pack.ts` writes bin/policies/*.cjs.

import { pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";
import { joinedText, root, writeBundle } from "./bundle.ts";

/** One pack: the folder that Pulumi is given, and the file that is written for it. */
export interface Pack {
  readonly folder: string;
  readonly bundle: string;
}

/** All packs. */
export const packs: readonly Pack[] = [
  { folder: "policies", bundle: "bin/policies/components.cjs" },
  { folder: "policies/commands", bundle: "bin/policies/commands.cjs" },
];

/**
 * Pulumi's own SDK is not joined in: its launcher has loaded most of it already, and the two must share it. The policy SDK
 * asks for all of it where it needs two names; loading all takes as long as all of a pack.
 */
const sdk: Plugin = {
  name: "sdk",
  setup: (build) => {
    build.onResolve({ filter: /^@pulumi\/pulumi$/ }, () => ({ path: "needed", namespace: "sdk" }));
    build.onResolve({ filter: /^(@pulumi\/pulumi\/|@grpc\/grpc-js$|google-protobuf\/)/ }, ({ path }) => ({
      path,
      namespace: "sdk",
    }));
    // As the policy SDK itself would find them, wherever it is installed.
    const from = 'require("node:module").createRequire(require.resolve("@pulumi/policy/package.json"))';
    build.onLoad({ filter: /.*/, namespace: "sdk" }, ({ path }) => ({
      contents:
        path === "needed"
          ? `const from = ${from}; exports.asset = from("@pulumi/pulumi/asset"); exports.Output = from("@pulumi/pulumi/output").Output;`
          : `module.exports = ${from}(${JSON.stringify(path)});`,
      resolveDir: root,
    }));
  },
};

/** The text of a pack's bundle. */
export function bundleText({ folder }: Pick<Pack, "folder">): Promise<string> {
  return joinedText(`${folder}/pack.ts`, {
    format: "cjs",
    external: ["@pulumi/policy/package.json"],
    plugins: [sdk],
  });
}

/** Writes the bundles of all packs. */
export async function writePacks(): Promise<void> {
  for (const pack of packs) writeBundle(pack.bundle, await bundleText(pack));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await writePacks();
