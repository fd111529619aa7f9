import { randomInt } from "node:crypto";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { bootedHost } from "../../sandbox/host.ts";
import { type DebianRelease, debianReleases, systemdVersion } from "../../sandbox/release.ts";
import { removeAbandonedHosts } from "../../sandbox/removal.ts";
import { hostRows, mutations } from "./all-rows.ts";
import { type RowResult, ranRow } from "./rows.ts";
import { Seeded } from "./seeded.ts";
import { Subject } from "./subject.ts";

const help = `npm run test:faults -- [OPTIONS]

Faults while a host is being changed: the network cut, the host program killed, the power cut, disks full, units that hang,
changes that cut off SSH, two runs at once, damaged input. Every trial ends with a check of the whole host: files,
enablement, running units and their bytes are exactly those of one of the two states. Every row ends with a destroy, after
which the host must be as it was before the first trial. docs/faults.md says what each row shows, and what it cannot show.

  --short            few trials of each row: about what \`npm test\` runs
  --long             as many as for a release (hours); the default
  --split            the trials of each row are divided among the releases, instead of all on each
  --trials N         this many of each row
  --seed N           repeats the random choices of a run that printed this number
  --only TEXT        only rows whose name holds TEXT
  --release NAME,... on these releases only: ${debianReleases.join(", ")}
`;

const print = (line: string) => process.stdout.write(`${line}\n`);

function told(row: RowResult, where: string): string {
  const tally = [...row.tally].map(([what, count]) => (count === 1 ? what : `${count} ${what}`)).join("; ");
  const failed = row.failures.map((failure) => `\n  ${failure}`).join("");
  const verdict = row.failures.length === 0 ? "passed" : "FAILED";
  return `${verdict} ${where}: ${row.name}: ${row.trials} trials in ${row.seconds.toFixed(0)} s${tally === "" ? "" : ` (${tally})`}${failed}`;
}

async function onHost(release: DebianRelease, options: Options): Promise<RowResult[]> {
  const where = `systemd ${systemdVersion[release]}`;
  const [first, step] = options.isSplit ? [options.releases.indexOf(release), options.releases.length] : [0, 1];
  const results: RowResult[] = [];
  const chosen = hostRows.filter(({ name, trials }) => name.includes(options.only) && trials[options.form] > 0);
  for (const row of chosen) {
    // A host of its own for each row: one that fails spoils no other.
    const host = await bootedHost({ release });
    try {
      const subject = await Subject.prepared(host, new Seeded(options.seed), options.form === "short");
      const all = [...Array(options.trials ?? row.trials[options.form]).keys()];
      const result = await ranRow(
        row,
        subject,
        all.filter((number) => number % step === first),
      );
      const ending = result.failures.length > 0 ? [] : await failureOf(() => subject.ended());
      const whole = { ...result, failures: [...result.failures, ...ending] };
      results.push(whole);
      print(told(whole, where));
      if (whole.failures.length > 0) {
        const journal = await host
          .run("journalctl --no-pager --boot --output=short-precise --lines=80")
          .catch(() => undefined);
        if (journal !== undefined) print(`the journal of ${host.name} ends so:\n${journal.stdout}`);
      }
    } finally {
      await host.down();
    }
  }
  return results;
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
  readonly only: string;
  readonly releases: readonly DebianRelease[];
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
    only: values.only ?? "",
    releases: releases ?? debianReleases,
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`${option} ${text}: expected a whole number`);
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
  if ("mutated bundles, receipts, ledgers and records".includes(chosen.only)) {
    const result = await mutations(input, chosen.seed);
    results.push(result);
    print(told(result, "any host"));
  }
  for (const release of chosen.releases) results.push(...(await onHost(release, chosen)));
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
