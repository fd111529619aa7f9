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
      for (const deadline = Date.now() + 120_000; ; await sleep(100)) {
        const active = "systemctl list-units --no-legend --state=activating 'pulumi-systemd-*build*'";
        if ((await host.output(active)) !== "") break;
        if (Date.now() > deadline) throw new Error("no build began");
      }
      await sleep(1500);
      const files = "find $(ls -td /opt/quotes/environments/*/ | head -1) -type f | wc -l";
      const built = Number(await host.output(files));
      await host.powerOff();
      await host.boot();
      const ended = await cut;
      assert.equal(ended.code, 1, ended.output);
      await bench.answers();
      held(
        "the power fails in mid-build",
        `the update fails (${built} files were there); after the boot the release before answers`,
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
