import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type DeliveryBench, held } from "../delivery-bench.ts";

/** A power cut while an environment is built. */
export async function powerTrial(bench: DeliveryBench): Promise<void> {
  const { host, quotes } = bench;
  await bench.changed(
    "requirements.txt",
    (text) => `${text}# again\n`,
    async () => {
      const cut = bench.up({ quotes });
      const building =
        "systemctl list-units --no-legend --state=activating 'pulumi-systemd-*build*' | grep -q . && find $(ls -td /opt/quotes/environments/*/ | head -1) -type f | wc -l || echo 0";
      let built = 0;
      for (const deadline = Date.now() + 120_000; built < 300; await sleep(100)) {
        built = Number(await host.output(building));
        if (Date.now() > deadline) throw new Error("no build was seen at work");
      }
      await host.powerOff();
      await host.boot();
      const ended = await cut;
      assert.equal(ended.code, 1, ended.output);
      await bench.answers();
      held(
        `the power fails with ${built} files of an environment built`,
        "the update fails; after the boot the release before answers",
        ended,
      );
      const then = await bench.good({ quotes });
      const hidden = "ls -A /opt/quotes/environments /opt/quotes/releases | grep '^[.][^.]' || true";
      assert.equal(await host.output(hidden), "");
      await bench.answers();
      held("the update after that", "goes through; nothing of the first is left", then);
    },
  );
}
