import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { sha256 } from "../../activation/digests.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { encodedEnvironmentFile } from "../../systemd/environment-file.ts";
import { filesWith } from "./files-with.ts";
import { bootedFleet, type Fleet, testOnEachHost } from "./fleet.ts";
import { differingUnits, invocations } from "./invocations.ts";
import { onEach } from "./observation.ts";
import { connectionOf } from "./stack.ts";

const file = "/etc/pulumi-systemd/keeper.env";
const store = "/etc/pulumi-systemd/credentials/keeper";
const credentialFiles = [`${store}/keystore`, `${store}/token`];
const random = () => randomBytes(18).toString("hex");
/** Parts without a special character: they stay as they are in whatever escaping the whole is found. */
const parts = [random(), random(), random(), random(), random(), random(), random()] as const;
const plain = parts[0];
const quoted = `${parts[1]}"'\\$HOME %n\n${parts[2]}`;
const rotated = parts[3];
/** A credential by the variable that is rotated with it. */
const tokens = { [plain]: parts[4], [rotated]: parts[5] };
const keystore = Buffer.concat([Buffer.from([0, 255, 254, 10]), Buffer.from(parts[6])]);

/** Records what processes are given, all through the run; the service that has the secret is left out by its cgroup. */
const sampler = `
import os, signal, time
seen, running = set(), [True]
signal.signal(signal.SIGTERM, lambda *_: running.clear())
while running:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as source:
                seen.add(source.read())
            with open(f"/proc/{pid}/environ", "rb") as source:
                environ = source.read()
            with open(f"/proc/{pid}/cgroup") as source:
                if "/keeper.service" not in source.read():
                    seen.add(environ)
        except OSError:
            pass
    time.sleep(0.01)
with open("/run/sampler/seen", "wb") as target:
    target.write(b"\\n".join(seen))
`;

suite("a secret", { timeout: 300_000 }, () => {
  let fleet: Fleet;
  /** Everything that a person or a program could have read of the run, by where. */
  const read = new Map<string, string>();
  const services = (keeper: Record<string, unknown> = {}) => ({
    services: {
      keeper: { exec: ["/bin/sleep", "infinity"], timeoutStopSec: "2s", ...keeper },
      bystander: { exec: ["/bin/sleep", "infinity"], credentials: { own: "same all along" } },
    },
  });
  const secrets = (key: string) => ({
    "services.keeper.secretEnvironment.API_KEY": key,
    "services.keeper.secretEnvironment.QUOTED": quoted,
    "services.keeper.credentials.token": tokens[key] ?? "",
    "services.keeper.credentialsBase64.keystore": keystore.toString("base64"),
  });
  /** Forms in which the secrets, or what is easily guessed from, could be written down. */
  const traces = () => {
    const whole = [plain, quoted, rotated, ...Object.values(tokens)];
    return [
      ...parts,
      ...[...whole, keystore].map((value) => sha256(value)),
      keystore.toString("base64"),
      ...whole.map((value) => Buffer.from(value).toString("base64")),
    ];
  };
  const fileDigests = () =>
    [plain, rotated].map((key) => sha256(encodedEnvironmentFile({ API_KEY: key, QUOTED: quoted })));
  const configured = (key: string, keeper?: Record<string, unknown>) => {
    const hosts = onEach(fleet.hosts, (host) => ({ connection: connectionOf(host) }));
    return fleet.stack.configure({ ...services(keeper), hosts }, secrets(key));
  };
  const cli = async (what: string, ...args: string[]) => {
    const run = await fleet.stack.pulumi(...args);
    read.set(what, run.output);
    return run;
  };

  before(async () => {
    fleet = await bootedFleet(async (host) => {
      await host.writeFile("/run/sampler/sampler.py", sampler);
      await host.output("systemd-run --quiet --unit=sampler python3 /run/sampler/sampler.py");
    });
    // The first preview has no command yet, the second has one to update.
    await configured(plain);
    for (const [what, ...args] of [
      ["preview", "preview"],
      ["preview --diff", "preview", "--diff"],
      ["preview --json", "preview", "--json"],
      ["up", "up", "--yes"],
    ] as const) {
      const run = await cli(what, ...args);
      assert.equal(run.code, 0, run.output);
    }
    await configured(rotated);
    for (const [what, ...args] of [
      ["preview --diff of the rotation", "preview", "--diff"],
      ["preview --json of the rotation", "preview", "--json"],
      ["up --diff of the rotation", "up", "--yes", "--diff"],
      ["stack export", "stack", "export"],
      ["stack output", "stack", "output", "--json"],
      ["stack output --show-secrets", "stack", "output", "--json", "--show-secrets"],
    ] as const) {
      const run = await cli(what, ...args);
      assert.equal(run.code, 0, run.output);
    }
    await configured(plain, { exec: ["/bin/false"] });
    const failed = await cli("an up that fails", "up", "--yes", "--diff");
    assert.equal(failed.code, 1, failed.output);
    for (const entry of readdirSync(fleet.stack.folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) read.set(path, readFileSync(path, "utf8"));
    }
    for (const host of fleet.hosts) {
      const samples = await host.output("systemctl stop sampler.service; cat /run/sampler/seen; rm -r /run/sampler");
      assert.match(
        samples,
        /python3\0-I\0\/run\/pulumi-systemd\/[^/]+\/program\.py\0apply/,
        "the host program was not sampled",
      );
      read.set(`processes of ${host.release}`, samples);
      read.set(
        `journal of ${host.release}`,
        await host.output("journalctl --sync; journalctl --no-pager --all -o json"),
      );
      read.set(`properties of ${host.release}`, await host.output("systemctl show --all '*'"));
    }
  });
  after(() => fleet?.down());

  testOnEachHost(
    "is in its file, which only root can read, and the service has it",
    () => fleet,
    async (host) => {
      assert.equal(await host.output(`stat --format='%a %U:%G %F' ${file}`), "600 root:root regular file\n");
      const environ = await host.output(
        "cat /proc/$(systemctl show --property=MainPID --value keeper.service)/environ",
      );
      const variables = environ.split("\0");
      assert.ok(variables.includes(`API_KEY=${rotated}`) && variables.includes(`QUOTED=${quoted}`), environ);
      assert.equal(
        await host.output(`stat --format='%n %a %U:%G %F' ${credentialFiles.join(" ")}`),
        credentialFiles.map((path) => `${path} 600 root:root regular file\n`).join(""),
      );
      const given =
        "/proc/$(systemctl show --property=MainPID --value keeper.service)/root/run/credentials/keeper.service";
      assert.equal(await host.output(`base64 -w0 ${given}/keystore`), keystore.toString("base64"));
      assert.equal(await host.output(`cat ${given}/token`), tokens[rotated]);
      assert.ok(variables.includes("CREDENTIALS_DIRECTORY=/run/credentials/keeper.service"), environ);
    },
  );

  test("that is rotated is told as such in the preview, by its path alone", () => {
    const changed = read.get("preview --diff of the rotation") ?? "";
    for (const { release } of fleet.hosts) {
      assert.deepEqual(
        [...changed.matchAll(new RegExp(`${release}: (/\\S+): secret rotated`, "g"))].map(([, path]) => path).sort(),
        [`${store}/token`, file],
      );
    }
    assert.doesNotMatch(read.get("preview --diff") ?? "", /secret rotated/);
  });

  test("is in no output, state, process or journal, and neither is a digest of it", () => {
    for (const { release } of fleet.hosts) assert.match(read.get(`journal of ${release}`) ?? "", /keeper\.service/);
    const found = [...read].flatMap(([what, text]) =>
      [...traces(), ...fileDigests()].flatMap((trace, index) =>
        text.includes(trace) ? [`trace ${index} in ${what}`] : [],
      ),
    );
    assert.deepEqual(found, []);
  });

  testOnEachHost(
    "is in no other file of the host",
    () => fleet,
    async (host) => {
      // The file that the test computes is the one that lies there.
      assert.ok(fileDigests().includes((await host.output(`sha256sum ${file}`)).slice(0, 64)));
      // A control: the search itself finds what is there.
      const decoy = random();
      await host.writeFile("/var/tmp/decoy", `x${decoy}x`, 0o600);
      const found = await filesWith(host, [...traces(), ...fileDigests(), decoy]);
      const given = ["keystore", "token"].map((name) => `/run/credentials/keeper.service/${name}`);
      const kept = [...generationsOf(host), ledgerOf(host)];
      const own = [...credentialFiles, file];
      assert.deepEqual(outside(found, given), [
        ...own,
        // Generations are whole, so that a person can go back on the host alone. For drift the ledger keeps a digest of the file.
        ...kept,
        "/var/tmp/decoy",
      ]);
      // A credential's digest is that of its text alone, so it is among the traces.
      assert.deepEqual(outside(await filesWith(host, traces()), given), [...own, ...kept]);
      const access = await host.output(
        `stat --format='%a %U' /var/lib/pulumi-systemd ${kept.join(" ")}; runuser -u deploy -- cat ${[...own, ...kept].join(" ")} 2>&1 || true`,
      );
      assert.deepEqual(access.trimEnd().split("\n"), [
        "700 root",
        ...kept.map(() => "600 root"),
        ...[...own, ...kept].map((path) => `cat: ${path}: Permission denied`),
      ]);
    },
  );

  test("that the program itself prints before it ends is struck from the update's error", async () => {
    const leak = {
      exec: [
        "/bin/sh",
        "-c",
        'echo "cannot log in with $API_KEY, $QUOTED, $(cat $CREDENTIALS_DIRECTORY/token)"; exit 1',
      ],
    };
    const run = await fleet.tried(services(leak), secrets(plain));
    assert.equal(run.code, 1, run.output);
    for (const { release } of fleet.hosts)
      assert.match(run.output, /cannot log in with \[secret\].*\[secret\]/s, release);
    assert.deepEqual(
      traces().filter((trace) => run.output.includes(trace)),
      [],
    );
  });

  test("in `environment` is refused, and the host is not asked", async () => {
    const run = await fleet.tried(
      { services: { keeper: { exec: ["/bin/sleep", "infinity"] } } },
      { "services.keeper.environment.API_KEY": plain },
    );
    assert.equal(run.code, 1, run.output);
    assert.match(
      run.output,
      /^ {6}pulumi-systemd:services: holds a secret where none can be kept: every user of a host can read its units; a secret goes into `secretEnvironment` or `credentials` of a service or into the credentials of a `connection` or notifier$/m,
    );
    assert.doesNotMatch(run.output, /command:remote:Command/);
    assert.ok(!run.output.includes(plain));
  });

  test("that is rotated restarts what has it, and nothing else", async () => {
    const before = await Promise.all(fleet.hosts.map(invocations));
    await fleet.deploy(services(), { ...secrets(rotated), "services.keeper.credentials.token": tokens[plain] ?? "" });
    const after = await Promise.all(fleet.hosts.map(invocations));
    for (const [index, { release }] of fleet.hosts.entries()) {
      assert.deepEqual(differingUnits(before[index]!, after[index]!), ["keeper.service"], release);
    }
  });

  test("goes with destroy", async () => {
    const run = await fleet.stack.destroy();
    assert.equal(run.code, 0, run.output);
    for (const host of fleet.hosts) {
      const left = await filesWith(host, [...traces(), ...fileDigests()]);
      // The journal has what the program itself printed.
      assert.deepEqual(
        left.filter((path) => !path.startsWith("/var/log/journal/")),
        [],
      );
    }
  });
});

function outside(found: readonly string[], left: readonly string[]): string[] {
  return found.filter((path) => !left.includes(path));
}

/** What an update and a rotation left. */
function generationsOf(host: SandboxHost): string[] {
  return [1, 2].map((number) => ledgerOf(host).replace(/ledger\.json$/, `generations/${number}.json`));
}

function ledgerOf(host: SandboxHost): string {
  return `/var/lib/pulumi-systemd/pulumi-systemd/dev/${host.release}/ledger.json`;
}
