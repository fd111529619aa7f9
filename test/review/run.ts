/**
 * `npm run test:review`: every change of test/review/changes.yaml, one after another, on a real host. Each is reviewed, then
 * deployed, and what the review said is compared with what the host did: which units were started, go on or stopped, which are
 * enabled, how often systemd read its units again, and which files changed. Ends with 1 when one differs.
 */
import { isDeepStrictEqual } from "node:util";
import { pulumiToolchain } from "../../setup/toolchain.ts";
import { reviewedHistory } from "./changes.ts";
import { reviewedHost } from "./reviewed-host.ts";

const { env } = await pulumiToolchain(console.error);
Object.assign(process.env, env);
const { start, changes } = reviewedHistory();
const host = await reviewedHost(start);
let same = 0;
try {
  for (const change of changes) {
    const { said, happened } = await host.changed(change);
    const isSame = isDeepStrictEqual(said, happened);
    if (isSame) same += 1;
    console.log(`${isSame ? "as reviewed" : "NOT AS REVIEWED"}: ${change.change}`);
    if (!isSame) console.log(JSON.stringify({ said, happened }, null, 2));
  }
} finally {
  await host.down();
}
console.log(`${same} of ${changes.length} changes went as reviewed`);
process.exitCode = same === changes.length ? 0 : 1;
