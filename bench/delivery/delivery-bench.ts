import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import type { DebianRelease } from "../../sandbox/release.ts";
import { wheelhouse } from "../../sandbox/wheelhouse.ts";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { whileChanged } from "../../test/hosts/changed-file.ts";
import { differingUnits, invocations } from "../../test/hosts/invocations.ts";
import { connectionOf, type TestStack, testStack } from "../../test/hosts/stack.ts";
import { ownAddress, type PackageIndex, packageIndex } from "./package-index.ts";

export const password = "p@ss/word that nobody may see";

/** A `pulumi up`, and how long it took. */
export interface TimedRun extends PulumiRun {
  readonly seconds: number;
}

/** One host, one stack, and a service `quotes` (examples/fastapi) whose packages come from an index with a password. */
export class DeliveryBench {
  readonly host: SandboxHost;
  readonly stack: TestStack;
  readonly index: PackageIndex;
  /** A folder of this machine that goes with the bench. */
  readonly scratch: string;
  /** Wheels of `quotes`. */
  readonly wheels: string;
  /** A folder whose wheels the index has too. */
  readonly furtherWheels: string;
  /** The code of `quotes`. */
  readonly source: string;
  readonly quotes: Readonly<Record<string, unknown>>;

  private constructor(host: SandboxHost, stack: TestStack, index: PackageIndex, scratch: string, wheels: string) {
    this.host = host;
    this.stack = stack;
    this.index = index;
    this.scratch = scratch;
    this.wheels = wheels;
    this.furtherWheels = join(scratch, "wheels");
    this.source = join(scratch, "app");
    this.quotes = {
      source: this.source,
      requirements: "requirements.txt",
      exec: ["uvicorn", "main:app", "--port", "8001"],
      type: "notify",
      timeoutStartSec: "20s",
      packageIndex: {
        url: `http://${ownAddress(host)}:${index.port}/simple`,
        trustedHosts: [`${ownAddress(host)}:${index.port}`],
        username: "deploy",
      },
    };
  }

  static async on(release: DebianRelease): Promise<DeliveryBench> {
    const app = join(import.meta.dirname, "..", "..", "examples", "fastapi", "app");
    const wheels = await wheelhouse(join(app, "requirements.txt"), console.log);
    const scratch = mkdtempSync(join(tmpdir(), "bench-delivery-"));
    cpSync(app, join(scratch, "app"), { recursive: true });
    mkdirSync(join(scratch, "wheels"));
    const index = await packageIndex(password, () =>
      [wheels, join(scratch, "wheels")].flatMap((folder) => readdirSync(folder).map((file) => join(folder, file))),
    );
    return new DeliveryBench(await bootedHost({ release }), await testStack(), index, scratch, wheels);
  }

  async down(): Promise<void> {
    this.index.close();
    this.stack.remove();
    await this.host.down();
    rmSync(this.scratch, { recursive: true, force: true });
  }

  /** `pulumi up` with these services. Whatever it says, it does not say the password. */
  async up(pythonServices: object, secret = password): Promise<TimedRun> {
    const started = Date.now();
    const hosts = { host: { connection: connectionOf(this.host) } };
    const secrets = Object.fromEntries(
      Object.entries(pythonServices)
        .filter(([, service]) => "packageIndex" in service)
        .map(([name]) => [`pythonServices.${name}.packageIndex.password`, secret] as const),
    );
    await this.stack.configure({ hosts, pythonServices }, secrets);
    const run = await this.stack.up();
    assert.ok(!run.output.includes(secret) && !run.output.includes(encodeURIComponent(secret)), run.output);
    return { ...run, seconds: (Date.now() - started) / 1000 };
  }

  async good(pythonServices: object): Promise<TimedRun> {
    const run = await this.up(pythonServices);
    assert.equal(run.code, 0, run.output);
    return run;
  }

  /** An update that fails with the expected words. */
  async bad(pythonServices: object, expected: RegExp, secret = password): Promise<TimedRun> {
    const run = await this.up(pythonServices, secret);
    assert.equal(run.code, 1, run.output);
    assert.match(run.output, expected);
    return run;
  }

  /** One that fails before it touches a unit, and leaves nothing beside the releases and environments that were there. */
  async refused(pythonServices: object, expected: RegExp, secret = password): Promise<TimedRun> {
    const look = async () => [
      await invocations(this.host),
      await this.host.output("ls -A /opt /opt/*/releases /opt/*/environments 2>/dev/null || true"),
    ];
    const [units, files] = await look();
    const run = await this.bad(pythonServices, expected, secret);
    const [unitsThen, filesThen] = await look();
    assert.deepEqual(differingUnits(Object(units), Object(unitsThen)), []);
    assert.equal(filesThen, files);
    return run;
  }

  /** How many environments were built since the host's last boot. */
  async builds(): Promise<number> {
    const count = "journalctl --no-pager --boot -o cat _PID=1 | grep -c '^Starting .*builds an environment' || true";
    return Number(await this.host.output(`journalctl --sync; ${count}`));
  }

  /** @throws Error when quotes does not answer */
  async answers(): Promise<void> {
    const local = await this.host.output("curl --fail --silent --max-time 10 http://127.0.0.1:8001/health");
    assert.equal(local, '{"healthy":true}');
  }

  /** Has a file of quotes changed while `body` runs. */
  changed<T>(file: string, change: (text: string) => string, body: () => Promise<T>): Promise<T> {
    return whileChanged(join(this.source, file), change, body);
  }
}

/** A row of the table: it is printed once all of it was seen. */
export function held(what: string, happened: string, { seconds }: { readonly seconds: number }): void {
  console.log(`| ${what} | ${happened} | ${seconds.toFixed(0)} s |`);
}
