/**
 * The long form of the tests of delivery: real programs from a package index with a password, with uv and pip, broken in every way.
 * Prints a row of a table for each thing that held.
 *
 * `npm run bench:delivery [-- bullseye|bookworm|trixie [TRIAL...]]`
 */
import { isDebianRelease, systemdVersion } from "../../sandbox/release.ts";
import { pulumiToolchain } from "../../setup/toolchain.ts";
import { listing } from "../../test/hosts/listing.ts";
import { DeliveryBench } from "./delivery-bench.ts";
import { codeTrial } from "./trials/code.ts";
import { destroyTrial } from "./trials/destroy.ts";
import { diskTrial } from "./trials/disk.ts";
import { indexTrial, locksTrial } from "./trials/environments.ts";
import { powerTrial } from "./trials/power.ts";
import { twinsTrial } from "./trials/twins.ts";
import { wheelhouseTrial } from "./trials/wheelhouse.ts";

/** In this order: the last takes all away. */
const trials = {
  index: indexTrial,
  locks: locksTrial,
  wheelhouse: wheelhouseTrial,
  twins: twinsTrial,
  code: codeTrial,
  disk: diskTrial,
  power: powerTrial,
};

async function main(): Promise<void> {
  const [release = "bookworm", ...only] = process.argv.slice(2);
  if (!isDebianRelease(release)) throw new Error(`there is no release ${release}`);
  const unknown = only.filter((name) => !(name in trials) && name !== "destroy");
  if (unknown.length > 0) throw new Error(`there is no trial ${unknown}; there are ${Object.keys(trials)}, destroy`);
  Object.assign(process.env, (await pulumiToolchain(console.log)).env);
  const bench = await DeliveryBench.on(release);
  try {
    const before = await listing(bench.host);
    console.log(`systemd ${systemdVersion[release]}\n| what | what happened | the update took |\n|---|---|---|`);
    for (const [name, trial] of Object.entries(trials)) {
      if (only.length > 0 && !only.includes(name)) continue;
      if (name !== "index") await bench.good({ quotes: bench.quotes });
      await trial(bench);
    }
    if (only.length === 0 || only.includes("destroy")) await destroyTrial(bench, before);
  } finally {
    await bench.down();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
