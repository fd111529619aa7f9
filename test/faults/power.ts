import { setTimeout as sleep } from "node:timers/promises";
import { settled } from "./asking.ts";
import type { Row } from "./rows.ts";

/** The plug is pulled at a random moment; the boot alone, without another run, puts the host on one of the two states. */
export const powerCut: Row = {
  name: "machine powered off at a random moment and booted again",
  trials: { short: 1, long: 50 },
  async trial(subject, tally) {
    const { host } = subject;
    const wanted = subject.next;
    const request = subject.ask(wanted);
    await subject.someMoment();
    await host.powerOff();
    request.hangUp();
    await request.answered;
    await sleep(100);
    // It waits until systemd reports `running`: a unit that failed at boot, the way back among them, is an error.
    await host.boot();
    await settled(host);
    await subject.remember();
    const recovered = await host.output(
      "journalctl --boot --no-pager --output=cat --unit=pulumi-systemd-recovery.service",
    );
    const reached = await subject.check();
    tally(
      recovered.includes("was taken back") ? "taken back by the boot" : `${reached === wanted ? "new" : "old"} state`,
    );
    // The next run finds a host that it can work with, and tells what happened to the one before.
    const receipt = await subject.receipt(wanted);
    if (recovered.includes("was taken back") && !receipt.warnings.some((line) => line.includes("by a restart"))) {
      throw new Error(`the next run does not tell of it: ${receipt.warnings.join("; ")}`);
    }
    await subject.check(wanted);
  },
};
