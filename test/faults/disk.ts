import type { Row } from "./rows.ts";
import type { Subject } from "./subject.ts";

/** Folders of one host that are put on a small file system of their own for a trial, with what is in them. */
async function onSmallDisk(subject: Subject, folder: string, kilobytes: number): Promise<() => Promise<void>> {
  const { host } = subject;
  await host.output(
    `set -e; rm -rf /run/faults-disk; mkdir /run/faults-disk; cp -a ${folder}/. /run/faults-disk/
    mount -t tmpfs -o mode=$(stat -c %a ${folder}) faults-disk ${folder}
    cp -a /run/faults-disk/. ${folder}/
    used=$(df --output=used -k ${folder} | tail -1); mount -o remount,size=$((used + ${kilobytes}))k ${folder}`,
  );
  return async () => {
    // What the trial left there is carried over, byte for byte and with its times.
    await host.output(
      `set -e; rm -rf /run/faults-disk; mkdir /run/faults-disk; cp -a ${folder}/. /run/faults-disk/
      umount ${folder}; find ${folder} -mindepth 1 -delete; cp -a /run/faults-disk/. ${folder}/; rm -rf /run/faults-disk`,
    );
  };
}

function fullDisk(name: string, folder: string, most: number): Row {
  return {
    name,
    trials: { short: 1, long: 9 },
    async trial(subject, tally) {
      const wanted = subject.next;
      const before = subject.current;
      const restored = await onSmallDisk(subject, folder, Math.round(subject.random.between(0, most)));
      const { code, stdout, stderr } = await subject.ask(wanted).answered.finally(restored);
      tally(code === 0 ? "there was room" : "refused or taken back");
      if (code !== 0 && !/No space left on device|no room/.test(`${stdout}${stderr}`)) {
        throw new Error(`the failure does not tell its reason: ${stdout}${stderr}`);
      }
      await subject.check(code === 0 ? wanted : before);
    },
  };
}

export const fullEtc = fullDisk("disk of the units full", "/etc/systemd/system", 4200);
export const fullVar = fullDisk("disk of the ledger full", "/var/lib", 300);

export const readOnlyEtc: Row = {
  name: "read-only /etc",
  trials: { short: 1, long: 3 },
  async trial(subject) {
    const { host } = subject;
    const before = subject.current;
    await host.output("mount --bind /etc /etc && mount -o remount,ro,bind /etc");
    const { code, stdout } = await subject.ask(subject.next).answered.finally(() => host.output("umount /etc"));
    if (code === 0) throw new Error("it says that it has written to a read-only file system");
    if (!/Read-only file system/.test(stdout)) throw new Error(`the failure does not tell its reason: ${stdout}`);
    await subject.check(before);
  },
};
