import assert from "node:assert/strict";
import { type DeliveryBench, held } from "../delivery-bench.ts";

/** New code that is broken: no health gate and no check, so only systemd sees it. */
export async function codeTrial(bench: DeliveryBench): Promise<void> {
  const { host, quotes } = bench;
  const count = await bench.builds();
  const current = await host.output("readlink /opt/quotes/current");
  for (const [what, code, expected] of [
    [
      "ends after 3 s",
      "import os, threading\nthreading.Timer(3, os._exit, (3,)).start()\n",
      /quotes\.service did not stay up/,
    ],
    ["hangs at its start", "import time\ntime.sleep(100)\n", /quotes\.service did not come up/],
    ["fails to import", "import no_such_module\n", /No module named 'no_such_module'/],
    ["eats its memory", "x = [bytearray(1 << 20) for _ in range(1 << 20)]\n", /quotes\.service did not come up/],
  ] as const) {
    const limited = { ...quotes, settleSec: 6, service: { LimitAS: "1G" } };
    const run = await bench.changed(
      "main.py",
      (text) => code + text,
      () => bench.bad({ quotes: limited }, expected),
    );
    await bench.answers();
    assert.equal(await host.output("readlink /opt/quotes/current"), current);
    held(`new code ${what}`, "taken back; the release before answers", run);
  }
  assert.equal(await bench.builds(), count, "new code built an environment");
}
