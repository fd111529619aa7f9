import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DeliveryBench, held } from "../delivery-bench.ts";

const files = 6000;

/**
 * Eats the disk once some of the release's files are there, and says how many. Each look is 5 ms after the one before, and
 * thousands of files take far longer than a look.
 */
const filler = `import glob, os, time
end = time.monotonic() + 300
while time.monotonic() < end:
    began = glob.glob("/opt/big/releases/.*.pulumi-systemd-*")
    if began and len(os.listdir(began[0])) > 50:
        break
    time.sleep(0.005)
with open("/opt/big/filler", "wb", 0) as file:
    for size in (1 << 20, 4096):
        try:
            while time.monotonic() < end:
                file.write(bytes(size))
        except OSError:
            pass
print(max(len(os.listdir(path)) for path in began))`;

/** A file system that fills up while a release is unpacked, and one that is too full before. */
export async function diskTrial(bench: DeliveryBench): Promise<void> {
  const { host, quotes } = bench;
  const source = join(bench.scratch, "big");
  mkdirSync(source);
  for (let each = 0; each < files; each++) writeFileSync(join(source, `f${each}`), Buffer.alloc(10_000, each));
  writeFileSync(join(source, "main.py"), "import time\ntime.sleep(100000)\n");
  const services = { quotes, big: { source, exec: ["python3", "main.py"] } };
  await host.output("mkdir -p /opt/big && mount -t tmpfs -o size=120M tmpfs /opt/big");
  const filled = host.output("python3 -", { stdin: filler, timeoutSec: 320 });
  // Its error is thrown where it is awaited.
  filled.catch(() => {});
  const full = await bench.refused(services, /No space left on device/);
  const unpacked = Number(await filled);
  assert.ok(unpacked > 50 && unpacked < files, `the disk was full with ${unpacked} files`);
  assert.equal(await host.output("rm /opt/big/filler; ls -A /opt/big; ls /etc/systemd/system | grep big || true"), "");
  await bench.answers();
  held(
    `a disk that fills up with ${unpacked} of ${files} files unpacked`,
    "an error that names it; nothing of the release is left, nothing was restarted",
    full,
  );
  await host.output("dd if=/dev/zero of=/opt/big/filler bs=1M count=40 2>/dev/null");
  const early = await bench.refused(
    services,
    /no room on the file system of .*: unpacked it needs \d+ MiB, and \d+ MiB are free/,
  );
  assert.equal(await host.output("rm /opt/big/filler; ls -A /opt/big"), "");
  held(
    "a disk that is too full before",
    "an error that says what is needed and what is free; nothing was unpacked",
    early,
  );
  const then = await bench.good(services);
  held("the same with room made", "runs", then);
  await bench.good({ quotes });
  await host.output("umount /opt/big; rmdir /opt/big");
}
