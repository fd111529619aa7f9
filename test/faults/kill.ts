import { failingAt } from "./injection.ts";
import type { Row } from "./rows.ts";

const killAll =
  "units=$(systemctl list-units --plain --no-legend 'pulumi-systemd-2*' | cut -d' ' -f1); [ -n \"$units\" ] && systemctl kill --signal=KILL $units";

/** SIGKILL to every process of the transaction's unit; systemd itself takes back what is half done. */
export const killedAtRandom: Row = {
  name: "host program killed at a random moment",
  trials: { short: 1, long: 100 },
  async trial(subject, tally) {
    const wanted = subject.next;
    const before = subject.current;
    const request = subject.ask(wanted);
    tally((await subject.atSomeMoment(killAll)) === 0 ? "killed" : "nothing to kill");
    const { code, stdout, stderr } = await request.answered;
    const reached = await subject.check(code === 0 ? wanted : before);
    tally(`${reached === wanted ? "new" : "old"} state`);
    if (code !== 0 && !/run `pulumi up` again/i.test(`${stdout}${stderr}`)) {
      throw new Error(`the failure does not say what to do: ${stdout}${stderr}`);
    }
  },
};

/** Killed before one step after the other; every third time the way back that systemd starts is killed too. */
export const killedAtEachStep: Row = {
  name: "host program killed before each of its steps",
  trials: { short: 3, long: 150 },
  async trial(subject, tally, number) {
    const wanted = subject.next;
    const before = subject.current;
    const twice = Math.floor(number / 3) % 3 === 2;
    const step = subject.step(number);
    const how = twice ? "killed with its way back" : "killed";
    const { code, stdout } = await subject.ask(wanted, { before: failingAt(step, how) }).answered;
    if (code === 0) {
      // It had no such step, or had committed before it: the way back then only finished what was left.
      tally("reached the new state");
      await subject.check(wanted);
      return;
    }
    if (!/run `pulumi up` again/i.test(stdout)) throw new Error(`the failure does not say what to do: ${stdout}`);
    tally(twice ? "taken back by the unit for a restart" : "taken back by ExecStopPost=");
    await subject.check(before);
  },
};

/** Every step fails in turn as if the disk were full. */
export const failedAtEachStep: Row = {
  name: "each step fails as on a full disk",
  trials: { short: 1, long: 150 },
  async trial(subject, tally, number) {
    const wanted = subject.next;
    const before = subject.current;
    const { code, stdout } = await subject.ask(wanted, { before: failingAt(subject.step(number), "full") }).answered;
    tally(code === 0 ? "reached the new state" : "taken back at once");
    if (code !== 0 && !/No space left on device/.test(stdout)) {
      throw new Error(`the failure does not tell its reason: ${stdout}`);
    }
    // A failure after the new state counted is a warning: the next run tidies up.
    if (stdout.includes("tidying up did not succeed")) await subject.receipt(wanted);
    await subject.check(code === 0 ? wanted : before);
  },
};
