import { setTimeout as sleep } from "node:timers/promises";
import type { Bundle } from "../../activation/bundle.ts";
import type { Receipt } from "../../activation/receipt.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { type Asked, type AskOptions, asked, loginSeconds, receipt, settled } from "./asking.ts";
import { newBundle, oldBundle } from "./bundles.ts";
import { failingAt } from "./injection.ts";
import type { Seeded } from "./seeded.ts";
import { differences, stateOf, type WholeHost, wholeHost } from "./whole-host.ts";

/** The two states between which the trials go. */
export type StateName = "old" | "new";

const bundles: Readonly<Record<StateName, Bundle>> = { old: oldBundle, new: newBundle };
const other: Readonly<Record<StateName, StateName>> = { old: "new", new: "old" };

/** A host that the trials are made on, with the two states that it may be in. */
export class Subject {
  readonly host: SandboxHost;
  readonly random: Seeded;
  /** Seconds that an undisturbed transaction took. */
  readonly seconds: number;
  /** Steps that an undisturbed transaction has, as injection.ts counts them. */
  readonly steps: number;
  /** Whether trials may be spread over the steps at random; else they go through them one by one. */
  readonly isSample: boolean;
  private readonly states: Readonly<Record<StateName, WholeHost>>;
  private readonly before: WholeHost;
  /** InvocationID of the service that is in both states, since the last boot. */
  private untouched: string | undefined;
  private now: StateName = "old";

  private constructor(
    host: SandboxHost,
    random: Seeded,
    before: WholeHost,
    states: Readonly<Record<StateName, WholeHost>>,
    measured: { seconds: number; steps: number; isSample: boolean },
  ) {
    this.host = host;
    this.random = random;
    this.before = before;
    this.states = states;
    this.seconds = measured.seconds;
    this.steps = measured.steps;
    this.isSample = measured.isSample;
  }

  /** Brings a fresh host to both states once, to know them. */
  static async prepared(host: SandboxHost, random: Seeded, isSample: boolean): Promise<Subject> {
    const before = await wholeHost(host);
    await receipt(host, oldBundle);
    await receipt(host, newBundle, { before: failingAt(0, "killed") });
    const steps = Number(await host.output("cat /run/faults-steps"));
    await settled(host);
    const newer = await wholeHost(host);
    await receipt(host, oldBundle);
    await receipt(host, newBundle);
    const login = await loginSeconds(host);
    const began = Date.now();
    await receipt(host, oldBundle);
    const seconds = (Date.now() - began) / 1000 - login;
    await settled(host);
    const older = await wholeHost(host);
    if (differences(older, newer).length === 0) throw new Error("the two states of the trials are the same");
    const subject = new Subject(host, random, before, { old: older, new: newer }, { seconds, steps, isSample });
    await subject.remember();
    return subject;
  }

  /** The state that the host is not in: what a trial asks for. */
  get next(): StateName {
    return other[this.now];
  }

  get current(): StateName {
    return this.now;
  }

  ask(state: StateName, options: AskOptions = {}): Asked {
    return asked(this.host, bundles[state], options);
  }

  receipt(state: StateName): Promise<Receipt> {
    return receipt(this.host, bundles[state]);
  }

  /** The step that a trial fails at. */
  step(trial: number): number {
    return 1 + (this.isSample ? this.random.below(this.steps) : trial % (this.steps + 2));
  }

  /** A moment within a transaction, or shortly before or after it. */
  async someMoment(): Promise<void> {
    if (this.random.next() < 0.75) await this.begun();
    await sleep(this.random.between(0, this.seconds) * 1000);
  }

  /** Runs a command on the host at a moment within a transaction, or shortly after it. Its exit status. */
  async atSomeMoment(command: string): Promise<number> {
    const { code } = await this.host.run(
      `${this.untilBegun()}; sleep ${this.random.between(0, this.seconds).toFixed(3)}; ${command}`,
    );
    return code;
  }

  /** Waits until the host program has begun with a transaction, or should have. */
  async begun(): Promise<void> {
    await this.host.run(this.untilBegun());
  }

  private untilBegun(): string {
    const tries = Math.round(40 * (1 + this.seconds));
    return `for try in $(seq ${tries}); do ls /run/pulumi-systemd/2*/request.json >/dev/null 2>&1 && break; sleep 0.05; done`;
  }

  /**
   * Waits until nothing is at work and checks the whole host: it is in exactly one of the two states, and the unit that is
   * in both was never touched. @throws Error that tells what differs
   */
  async check(...allowed: StateName[]): Promise<StateName> {
    await settled(this.host);
    this.now = stateOf(await wholeHost(this.host), this.states);
    if (allowed.length > 0 && !allowed.includes(this.now)) {
      throw new Error(`the host is in the state ${this.now}, not in ${allowed.join(" or ")}`);
    }
    const invocation = await this.invocation();
    if (this.untouched !== undefined && invocation !== this.untouched) {
      throw new Error("f-same.service was started anew, though it is the same in both states");
    }
    return this.now;
  }

  /** Brings the host to a state and checks that it is there. */
  async bringTo(state: StateName): Promise<void> {
    await this.receipt(state);
    await this.check(state);
  }

  /** After a boot every unit is started anew. */
  async remember(): Promise<void> {
    this.untouched = await this.invocation();
  }

  /** Destroys what the trials made and checks that the host is as it was before the first of them. */
  async ended(): Promise<void> {
    const { code, stdout, stderr } = await asked(this.host, bundles[this.now], { operation: "destroy" }).answered;
    if (code !== 0) throw new Error(`destroy failed: ${stdout}${stderr}`);
    await settled(this.host);
    const left = differences(this.before, await wholeHost(this.host));
    if (left.length > 0) throw new Error(`after destroy the host differs:\n  ${left.join("\n  ")}`);
    const kept = await this.host.output("ls -A /run/pulumi-systemd");
    if (kept.trim() !== "lock") throw new Error(`/run/pulumi-systemd holds ${kept.trim().split("\n").join(", ")}`);
  }

  private async invocation(): Promise<string> {
    return (await this.host.output("systemctl show --value --property=InvocationID f-same.service")).trim();
  }
}
