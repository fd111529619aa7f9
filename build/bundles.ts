// Writes all bundles: `node build/bundles.ts`, as `npm ci` does. What is not bundled runs from its sources, a little slower.

const isThere = await import("esbuild").then(
  () => true,
  () => false,
);
if (isThere) {
  await (await import("./policy-pack.ts")).writePacks();
  await (await import("./program.ts")).writeProgram();
} else console.log("esbuild is not installed (--omit=dev): the program and the policy packs run from their sources");
