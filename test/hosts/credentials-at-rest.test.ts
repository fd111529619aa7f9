import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { sha256 } from "../../activation/digests.ts";
import type { SandboxHost } from "../../sandbox/host.ts";
import { systemdVersion } from "../../sandbox/release.ts";
import { filesWith } from "./files-with.ts";
import { bootedFleet, type Fleet } from "./fleet.ts";
import { differingUnits, invocations } from "./invocations.ts";
import { connectionOf } from "./stack.ts";

const store = "/etc/pulumi-systemd/credentials/keeper";
const hostKey = "/var/lib/systemd/credential.secret";
const given = "/run/credentials/keeper.service";
const random = () => randomBytes(18).toString("hex");
const [first, second, third, ofMover] = [random(), random(), random(), random()] as const;
const mover = `
import hashlib, os, pathlib, sys, time
own = pathlib.Path(os.environ["CREDENTIALS_DIRECTORY"], "own").read_bytes()
assert hashlib.sha256(hashlib.sha256(own).digest()).hexdigest() == "${sha256(createHash("sha256").update(ofMover).digest())}"
print("has it", *sys.argv[1:], flush=True)
time.sleep(0 if sys.argv[1:] else 10**6)
`;
const keystore = Buffer.concat([Buffer.from([0, 255, 254, 10]), Buffer.from(random())]);
/** It ends where it cannot read one of them. */
const reader = [
  "/bin/sh",
  "-c",
  "cat $CREDENTIALS_DIRECTORY/token $CREDENTIALS_DIRECTORY/keystore >/dev/null && exec sleep infinity",
];

suite("credentials encrypted at rest", { timeout: 600_000 }, () => {
  let fleet: Fleet;
  /** Those that can: systemd 252 and 257. */
  let hosts: readonly SandboxHost[];
  let old: SandboxHost;
  /** A program that ends where its credential is another one. */
  let code: string;

  /** `waitSec` differs so that Pulumi asks the hosts also where nothing else does. */
  const configure = (token: string, waitSec: number, { exec = reader, on = hosts, stated = {} } = {}) =>
    fleet.stack.configure(
      {
        services: {
          keeper: { exec, credentialsAtRest: "encrypted", timeoutStopSec: "2s" },
          bystander: { exec: ["/bin/sleep", "infinity"], credentials: { own: "same all along" } },
        },
        // Its hook runs before the switch, when the credential is not at its own place yet.
        pythonServices: {
          mover: {
            source: code,
            exec: ["python", "main.py"],
            preStart: ["python", "main.py", "--once"],
            credentialsAtRest: "encrypted",
          },
        },
        hosts: Object.fromEntries(
          on.map((host) => [host.release, { connection: connectionOf(host), waitSec, ...stated }]),
        ),
      },
      {
        "services.keeper.credentials.token": token,
        "services.keeper.credentialsBase64.keystore": keystore.toString("base64"),
        "pythonServices.mover.credentials.own": ofMover,
      },
    );
  const onAll = <T>(body: (host: SandboxHost) => Promise<T>) => Promise.all(hosts.map(body));
  const up = async (token: string, waitSec: number) => {
    await configure(token, waitSec);
    const run = await fleet.stack.up();
    assert.equal(run.code, 0, run.output);
    return run;
  };

  /** The running service has these, and no file of the host but its credentials in memory has any of them in clear. */
  const assertHas = async (host: SandboxHost, token: string) => {
    const inside = `/proc/$(systemctl show --property=MainPID --value keeper.service)/root${given}`;
    assert.equal(await host.output(`cat ${inside}/token`), token, host.release);
    assert.equal(await host.output(`base64 -w0 ${inside}/keystore`), keystore.toString("base64"));
    const traces = [first, second, third, ofMover].flatMap((text) => [
      text,
      sha256(text),
      Buffer.from(text).toString("base64"),
    ]);
    traces.push(keystore.subarray(4).toString(), sha256(keystore), keystore.toString("base64"));
    const decoy = random();
    await host.writeFile("/var/tmp/decoy", `x${decoy}x`, 0o600);
    const found = await filesWith(host, [...traces, decoy]);
    await host.output("rm /var/tmp/decoy");
    const inMemory = [`${given}/keystore`, `${given}/token`, "/run/credentials/mover.service/own"];
    assert.deepEqual(
      found.filter((path) => !inMemory.includes(path)),
      ["/var/tmp/decoy"],
      host.release,
    );
  };

  before(async () => {
    fleet = await bootedFleet();
    code = join(fleet.stack.folder, "mover");
    mkdirSync(code);
    writeFileSync(join(code, "main.py"), mover);
    old = fleet.hosts.find(({ release }) => systemdVersion[release] < 250)!;
    hosts = fleet.hosts.filter((host) => host !== old);
  });
  after(() => fleet?.down());

  test("are refused in the preview of a host that is known to be older", async () => {
    await configure(first, 60, { on: [old], stated: { systemd: 247 } });
    const run = await fleet.stack.preview();
    assert.notEqual(run.code, 0);
    assert.ok(
      run.output.includes(
        `keeper.service, mover.service: \`credentialsAtRest: "encrypted"\` is LoadCredentialEncrypted=, which needs systemd 250, and ${old.release} has 247; say \`credentialsAtRest: "plain"\` for it`,
      ),
      run.output,
    );
  });

  test("are refused by an older host itself before anything changes there, and brought to the others", async () => {
    await configure(first, 60, { on: fleet.hosts });
    const run = await fleet.stack.up();
    assert.equal(run.code, 1, run.output);
    assert.ok(
      run.output.includes(
        `this host has systemd 247, and LoadCredentialEncrypted= needs 250; nothing was changed on it. Next: say \`credentialsAtRest: "plain"\` for what has ${store}/keystore, ${store}/token, /etc/pulumi-systemd/credentials/mover/own, or upgrade the host.`,
      ),
      run.output,
    );
    assert.equal(await old.output("ls -A /etc/pulumi-systemd /var/lib/pulumi-systemd 2>/dev/null || true"), "");
    await onAll(async (host) => {
      await assertHas(host, first);
      const printed = await host.output("journalctl --sync; journalctl --output=cat | grep '^has it'");
      assert.deepEqual(printed.trimEnd().split("\n"), ["has it --once", "has it"]);
      assert.equal(
        await host.output(`stat --format='%n %a %U:%G %F' ${store}/keystore ${store}/token`),
        ["keystore", "token"].map((name) => `${store}/${name} 600 root:root regular file\n`).join(""),
      );
    });
  });

  test("are sealed once: the next transaction restarts nothing and writes no file anew", async () => {
    const state = (host: SandboxHost) =>
      host.output(
        `sha256sum ${store}/*; stat --format='%i %Y' ${store}/*; ls /var/lib/pulumi-systemd/*/*/*/generations`,
      );
    const before = await onAll(async (host) => [await invocations(host), await state(host)] as const);
    await up(first, 61);
    await onAll(async (host) => {
      const [started, files] = before[hosts.indexOf(host)]!;
      assert.deepEqual(differingUnits(started, await invocations(host)), []);
      assert.equal(await state(host), files);
    });
  });

  test("that are rotated preview as such, and restart their consumer alone", async () => {
    await configure(second, 61);
    const preview = await fleet.stack.preview("--diff");
    for (const { release } of hosts) {
      assert.deepEqual(
        [...preview.output.matchAll(new RegExp(`${release}: (/\\S+): secret rotated`, "g"))].map(([, path]) => path),
        [`${store}/token`],
      );
    }
    const before = await onAll(invocations);
    await up(second, 61);
    await onAll(async (host) => {
      assert.deepEqual(differingUnits(before[hosts.indexOf(host)]!, await invocations(host)), ["keeper.service"]);
      await assertHas(host, second);
    });
  });

  test("whose service does not start are back as they were, and what it prints of them is struck", async () => {
    const exec = ["/bin/sh", "-c", 'echo "no login with $(cat $CREDENTIALS_DIRECTORY/token)"; exit 1'];
    await configure(third, 61, { exec });
    const run = await fleet.stack.up();
    assert.equal(run.code, 1, run.output);
    for (const { release } of hosts) assert.match(run.output, /no login with \[secret\]/, release);
    assert.ok(!run.output.includes(third));
    await onAll(async (host) => {
      await host.output(
        "journalctl --rotate --vacuum-time=1s >/dev/null 2>&1; rm -rf /run/log/journal/* /var/log/journal/*",
      );
      await assertHas(host, second);
    });
  });

  test("go back with a person on the host, and are there after it was off", async () => {
    await onAll(async (host) => {
      await host.output("pulumi-systemd-host rollback --no-hold 1");
      await assertHas(host, first);
      await host.powerOff();
      await host.boot();
      assert.equal((await host.output("systemctl is-active keeper.service")).trim(), "active", host.release);
      await assertHas(host, first);
    });
  });

  test("go with destroy, all but the key that systemd-creds made of the host", async () => {
    await fleet.destroy([hostKey, "/var/lib/keeper", "/var/lib/bystander", "/var/lib/mover", "/var/lib/private"]);
    await onAll(async (host) => {
      assert.equal(await host.output(`stat --format='%a %U' ${hostKey}`), "400 root\n");
      assert.deepEqual(await filesWith(host, [first, second, third, ofMover]), []);
    });
  });
});
