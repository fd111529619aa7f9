import { receiptSchema } from "../../activation/receipt.ts";
import { asked, settled } from "./asking.ts";
import { bundle, sleeper, unit } from "./bundles.ts";
import type { Row } from "./rows.ts";

const other = bundle("faults/other/host", { units: [unit("f-other.service", sleeper("other", "7"))] });

/** Two stacks at the same moment: one waits for the other, and each reaches its own state. */
export const twoStacks: Row = {
  name: "two stacks on one host at the same moment",
  trials: { short: 1, long: 9 },
  async trial(subject) {
    const wanted = subject.next;
    const both = await Promise.all([subject.ask(wanted).answered, asked(subject.host, other).answered]);
    const failed = both.find(({ code }) => code !== 0);
    if (failed !== undefined) throw new Error(`${failed.stdout}${failed.stderr}`);
    await settled(subject.host);
    const active = await subject.host.run("systemctl is-active f-other.service");
    if (active.stdout !== "active\n") throw new Error(`the unit of the other stack is ${active.stdout}`);
    const gone = await asked(subject.host, other, { operation: "destroy" }).answered;
    if (gone.code !== 0) throw new Error(`${gone.stdout}${gone.stderr}`);
    await subject.check(wanted);
  },
};

/** The same stack twice at the same moment, as two runs of CI do: both get the receipt of what was done. */
export const sameTwice: Row = {
  name: "the same stack twice at the same moment",
  trials: { short: 1, long: 9 },
  async trial(subject, tally) {
    const wanted = subject.next;
    const both = await Promise.all([subject.ask(wanted).answered, subject.ask(wanted).answered]);
    const receipts = both.map(({ code, stdout, stderr }) => {
      if (code !== 0) throw new Error(`${stdout}${stderr}`);
      return receiptSchema.parse(JSON.parse(stdout));
    });
    const transactions = new Set(receipts.map(({ transaction }) => transaction));
    if (!receipts.some(({ actions }) => actions.length > 0)) throw new Error("neither tells what was done");
    tally(transactions.size === 1 ? "one transaction for both" : "one after the other");
    await subject.check(wanted);
  },
};

/** The same stack asks for both states at the same moment: the host ends on one of them, whole. */
export const againstItself: Row = {
  name: "the same stack asks for two states at the same moment",
  trials: { short: 0, long: 9 },
  async trial(subject, tally) {
    const both = await Promise.all([subject.ask("old").answered, subject.ask("new").answered]);
    const failed = both.find(({ code }) => code !== 0);
    if (failed !== undefined) throw new Error(`${failed.stdout}${failed.stderr}`);
    tally(`${await subject.check()} state`);
  },
};
