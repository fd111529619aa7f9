import { setTimeout as sleep } from "node:timers/promises";
import { asksForConfirmation } from "../../activation/confirmation.ts";
import { receiptSchema } from "../../activation/receipt.ts";
import { asked, settled } from "./asking.ts";
import { newBundleWith, unit } from "./bundles.ts";
import type { Row } from "./rows.ts";

const confirmSec = 6;

/** A unit that takes the host off the network while it is up, as a wrong firewall would. */
const cutsNetwork = unit(
  "f-cutting.service",
  "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/ip link set host0 down\nExecStop=/bin/ip link set host0 up\n",
);
/** A unit that stops sshd while it is up, and is started at boot. */
const stopsSshd = unit(
  "f-cutting.service",
  "[Unit]\nConflicts=ssh.service\n[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
);

/** A change that cuts off SSH, with `confirm`: the host is back on the old state in time, by itself. */
export const unreachable: Row = {
  name: "change that cuts off SSH, to be confirmed",
  trials: { short: 1, long: 9 },
  async trial(subject, tally, number) {
    const { host } = subject;
    await subject.bringTo("old");
    const cutting = newBundleWith({ units: [number % 2 === 0 ? cutsNetwork : stopsSshd] }, { confirmSec });
    const first = asked(host, cutting);
    await subject.begun();
    const deadline = Date.now() + 1000 * (subject.seconds * 4 + 20);
    while ((await host.run("ls /run/pulumi-systemd/2*/awaiting")).code !== 0) {
      if (Date.now() > deadline) throw new Error("the change was not made");
      await sleep(50);
    }
    const began = Date.now();
    // The answer of the first run cannot come through where the network is gone.
    first.hangUp();
    const { code } = await host.ssh("true", { timeoutSec: 20 });
    if (code === 0) throw new Error("the host can be reached: this trial shows nothing");
    await settled(host, 2 * confirmSec + 20);
    tally(`back within ${Math.ceil((Date.now() - began) / 1000 - confirmSec)} s after its time`);
    await subject.check("old");
    const { stdout } = await asked(host, cutting, { timeoutSec: 30 }).answered;
    if (!/nobody confirmed the change over a new connection within 6 s/.test(stdout)) {
      throw new Error(`the next run does not tell what happened: ${stdout}`);
    }
    await subject.bringTo("new");
  },
};

/** The same, and the machine is restarted while it waits to be confirmed. */
export const unreachableThenOff: Row = {
  name: "change that cuts off SSH, and the machine restarted before its time",
  trials: { short: 0, long: 6 },
  async trial(subject) {
    const { host } = subject;
    await subject.bringTo("old");
    const first = asked(host, newBundleWith({ units: [stopsSshd] }, { confirmSec: 600 }));
    while ((await host.run("ls /run/pulumi-systemd/2*/awaiting")).code !== 0) await sleep(50);
    await host.powerOff();
    first.hangUp();
    await first.answered;
    // It waits until sshd answers.
    await host.boot();
    await subject.remember();
    await subject.check("old");
    await subject.bringTo("new");
  },
};

/** A good change is confirmed by asking again over a new connection, and stays. */
export const confirmed: Row = {
  name: "change confirmed over a new connection",
  trials: { short: 1, long: 9 },
  async trial(subject) {
    const { host } = subject;
    await subject.bringTo("old");
    const wanted = newBundleWith({}, { confirmSec });
    const first = await asked(host, wanted).answered;
    if (first.code !== 1 || !asksForConfirmation(first.stdout)) throw new Error(`the first run says ${first.stdout}`);
    const second = await asked(host, wanted).answered;
    if (second.code !== 0) throw new Error(`the confirmation failed: ${second.stdout}${second.stderr}`);
    const { outcome, actions } = receiptSchema.parse(JSON.parse(second.stdout));
    if (outcome !== "applied" || actions.length === 0) throw new Error(`the receipt says ${second.stdout}`);
    await sleep(1000 * confirmSec);
    await subject.check("new");
  },
};
