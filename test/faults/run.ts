import { randomInt } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { type DebianRelease, debianReleases, systemdVersion } from "../../sandbox/release.ts";
import { removeAbandonedHosts } from "../../sandbox/removal.ts";
import { hostRows, mutations } from "./all-rows.ts";
import { type RowResult, ranRow } from "./rows.ts";
import { Seeded } from "./seeded.ts";
import { Subject } from "./subject.ts";

const help = `npm run test:faults -- [OPTIONS]

Faults while a host is being changed: the network cut, the host program killed, the power cut, disks full, units that hang,
changes that cut off SSH, two runs at once, damaged input. Every trial ends with a check of the whole host: files,
enablement, running units and their bytes are exactly those of one of the two states. The end is a destroy, after which
each host must be as it was before the first trial. docs/faults.md says what each row shows, and what it cannot show.

  --short            few trials of each row: about what \`npm test\` runs
  --long             as many as for a release (hours); the default
  --split            the trials of each row are divided among the releases, instead of all on each
  --trials N         this many of each row
  --seed N           repeats the random choices of a run that printed this number
  --only TEXT,...    only rows whose name holds one of these
  --release NAME,... on these releases only: ${debianReleases.join(", ")}
`;

const print = (line: string) => process.stdout.write(`${line}\n`);

function told(row: RowResult, where: string): string {
  const tally = [...row.tally].map(([what, count]) => (count === 1 ? what : `${count} ${what}`)).join("; ");
  const failed = row.failures.map((failure) => `\n  ${failure}`).join("");
  const verdict = row.failures.length === 0 ? "passed" : "FAILED";
  return `${verdict} ${where}: ${row.name}: ${row.trials} trials in ${row.seconds.toFixed(0)} s${tally === "" ? "" : ` (${tally})`}${failed}`;
}

/** The hosts of a run, one of each release; one on which a row failed makes room for a new one. */
class Hosts {
  private readonly up = new Map<DebianRelease, { host: SandboxHost; subject: Subject }>();
  private readonly options: Options;

  constructor(options: Options) {
    this.options = options;
  }

  async subject(release: DebianRelease): Promise<Subject> {
    const there = this.up.get(release);
    if (there !== undefined) return there.subject;
    const host = await bootedHost({ release });
    try {
      const subject = await Subject.prepared(host, new Seeded(this.options.seed), this.options.form === "short");
      this.up.set(release, { host, subject });
      return subject;
    } catch (error) {
      await host.down();
      throw error;
    }
  }

  async down(release: DebianRelease): Promise<void> {
    const there = this.up.get(release);
    this.up.delete(release);
    await there?.host.down();
  }

  /** Destroys what is on each host and looks at what is left. */
  async ended(): Promise<RowResult[]> {
    const results: RowResult[] = [];
    for (const [release, { subject }] of [...this.up]) {
      const began = Date.now();
      const failures = await failureOf(() => subject.ended());
      const name = "destroy leaves the host as it was before all of them";
      results.push({ name, trials: 1, failures, tally: new Map(), seconds: (Date.now() - began) / 1000 });
      print(told(results.at(-1)!, `systemd ${systemdVersion[release]}`));
    }
    return results;
  }

  async allDown(): Promise<void> {
    for (const release of [...this.up.keys()]) await this.down(release);
  }
}

async function onHosts(options: Options): Promise<RowResult[]> {
  const hosts = new Hosts(options);
  const results: RowResult[] = [];
  const rows = hostRows.filter(({ name, trials }) => isChosen(name, options) && trials[options.form] > 0);
  try {
    for (const row of rows) {
      for (const [index, release] of options.releases.entries()) {
        const step = options.isSplit ? options.releases.length : 1;
        const all = [...Array(options.trials ?? row.trials[options.form]).keys()];
        const numbers = all.filter((number) => !options.isSplit || number % step === index);
        if (numbers.length === 0) continue;
        const subject = await hosts.subject(release);
        const result = await ranRow(row, subject, numbers);
        results.push(result);
        print(told(result, `systemd ${systemdVersion[release]}`));
        if (result.failures.length === 0) continue;
        const ending = "journalctl --no-pager --boot --output=short-precise --lines=80";
        const journal = await subject.host.run(ending).catch(() => undefined);
        if (journal !== undefined) print(`the journal of ${subject.host.name} ends so:\n${journal.stdout}`);
        await hosts.down(release);
      }
    }
    return [...results, ...(await hosts.ended())];
  } finally {
    await hosts.allDown();
  }
}

async function failureOf(work: () => Promise<void>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

interface Options {
  readonly isSplit: boolean;
  readonly form: "short" | "long";
  readonly trials: number | undefined;
  readonly seed: number;
  readonly only: readonly string[];
  readonly releases: readonly DebianRelease[];
}

function isChosen(name: string, { only }: Options): boolean {
  return only.some((text) => name.includes(text));
}

function options(): Options | undefined {
  const { values } = parseArgs({
    options: {
      short: { type: "boolean" },
      long: { type: "boolean" },
      split: { type: "boolean" },
      trials: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      release: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) return undefined;
  const releases = values.release?.split(",").map((word) => {
    const release = debianReleases.find((name) => name === word);
    if (release === undefined) throw new Error(`--release ${word}: the releases are ${debianReleases.join(", ")}`);
    return release;
  });
  return {
    isSplit: values.split === true,
    form: values.short === true ? "short" : "long",
    trials: values.trials === undefined ? undefined : wholeNumber("--trials", values.trials),
    seed: values.seed === undefined ? randomInt(2 ** 31) : wholeNumber("--seed", values.seed),
    only: (values.only ?? "").split(","),
    releases: releases ?? debianReleases,
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw new Error(`${option} ${text}: expected a whole number`);
  return Number(text);
}

async function main(): Promise<void> {
  const chosen = options();
  if (chosen === undefined) {
    process.stdout.write(help);
    return;
  }
  print(`seed ${chosen.seed}: \`npm run test:faults -- --seed ${chosen.seed}\` makes the same choices`);
  const results: RowResult[] = [];
  const input = chosen.trials ?? (chosen.form === "short" ? 1000 : 10_000);
  if (isChosen("mutated bundles, receipts, ledgers and records", chosen)) {
    const result = await mutations(input, chosen.seed);
    results.push(result);
    print(told(result, "any host"));
  }
  results.push(...(await onHosts(chosen)));
  await removeAbandonedHosts(print);
  const trials = results.reduce((sum, row) => sum + row.trials, 0);
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  print(`${trials} trials in ${results.length} rows, ${failed} rows failed`);
  if (failed > 0 || trials === 0) process.exitCode = 1;
}

process.chdir(join(import.meta.dirname, "..", ".."));
await main().catch((error: unknown) => {
  print(`npm run test:faults: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
});
