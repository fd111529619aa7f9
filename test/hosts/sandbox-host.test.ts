import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { hostFolder, sandboxConnection } from "../../sandbox/connection.ts";
import { bootedHost, runningHost, type SandboxHost, sshCommand } from "../../sandbox/host.ts";
import { type HostRecord, readRecord } from "../../sandbox/record.ts";
import { debianReleases, systemdVersion } from "../../sandbox/release.ts";
import { removeAbandonedHosts } from "../../sandbox/removal.ts";
import { type CommandResult, commandOutput, commandResult } from "../../setup/command.ts";

const top = join(import.meta.dirname, "..", "..");

/** Whatever of a host is on this machine: nothing when it was taken away. */
async function traces(record: HostRecord): Promise<string[]> {
  const cgroups = ["", "/unified", "/systemd"].map((hierarchy) => `/sys/fs/cgroup${hierarchy}/${record.id}`);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [
    ...[hostFolder(record.name), `/sys/class/net/${record.id}`, `/run/netns/${record.id}`, ...cgroups].filter(
      existsSync,
    ),
    ...mounts.filter((line) => line.includes(`/${record.name}/`) || line.includes(record.id)),
    ...readdirSync("/run/systemd/nspawn/propagate").filter((name) => name === record.id),
    ...(await commandOutput("ps", ["ps", "-eo", "args"])).split("\n").filter((line) => line.includes(record.id)),
  ];
}

function recordOf(name: string): HostRecord {
  const record = readRecord(name);
  assert.ok(record !== undefined, `${name} has no record`);
  return record;
}

suite("hosts of three releases side by side", { timeout: 900_000 }, () => {
  let hosts: SandboxHost[] = [];
  before(async () => {
    hosts = await Promise.all(debianReleases.map((release) => bootedHost({ release })));
  });
  after(() => Promise.all(hosts.map((host) => host.down())));

  test("each runs its systemd, is its own machine, and does nothing unasked", async () => {
    const facts = await Promise.all(
      hosts.map(async (host) => ({
        release: host.release,
        systemd: (await host.output("systemctl --version")).split(" ")[1],
        state: (await host.output("systemctl is-system-running")).trim(),
        hostname: (await host.output("hostname")).trim(),
        redis: (await host.run("systemctl is-enabled redis-server")).stdout.trim(),
        timers: (await host.output("systemctl list-timers --no-legend --plain")).match(/\S+\.timer/g),
      })),
    );
    assert.deepEqual(
      facts,
      hosts.map(({ release, name }) => ({
        release,
        systemd: String(systemdVersion[release]),
        state: "running",
        hostname: name,
        redis: "disabled",
        timers: ["systemd-tmpfiles-clean.timer"],
      })),
    );
    for (const fact of ["name", "address", "hostKey"] as const) {
      assert.equal(new Set(hosts.map((host) => host[fact])).size, hosts.length, `the same ${fact} twice`);
    }
    const ids = await Promise.all(hosts.map((host) => host.output("cat /etc/machine-id")));
    assert.equal(new Set(ids).size, hosts.length);
  });

  test("deploy may log in by key and use sudo; root may not log in; the host key is pinned", async () => {
    for (const host of hosts) {
      assert.deepEqual(await host.ssh("id -un; sudo -n id -un; cat", { stdin: "in" }), {
        code: 0,
        stdout: "deploy\nroot\nin",
        stderr: "",
      });
      assert.deepEqual(sandboxConnection(host.name), host.connection);
      const [program, ...args] = sshCommand({ ...host.connection, user: "root" });
      assert.match((await commandResult([program!, ...args, "true"])).stderr, /Permission denied \(publickey\)/);
    }
    const [one, other] = hosts;
    const mixedUp = sshCommand({ ...one!.connection, privateKeyFile: other!.privateKeyFile });
    assert.match(
      (await commandResult([...mixedUp, "true"])).stderr,
      /Host key verification failed|No ED25519 host key/,
    );
  });

  test("commands inside run as root or deploy, with stdin, exit code and a bound", async () => {
    const host = hosts[0]!;
    const told = await host.run('id -un; echo "$HOME" "$PWD"; cat; exit 3', { user: "deploy", stdin: "in" });
    assert.deepEqual(told, { code: 3, stdout: "deploy\n/home/deploy /home/deploy\nin", stderr: "" });
    assert.equal((await host.output("id -un; pwd")).trim(), "root\n/root");
    await assert.rejects(host.output("echo why >&2; exit 4"), {
      message: `${host.name}: \`echo why >&2; exit 4\` ended with exit code 4:\n  why`,
    });
    await assert.rejects(host.run("sleep 60", { timeoutSec: 0.5 }), /did not end within 0.5 s/);
    await host.writeFile("/etc/some/new 'file'", "text\n", 0o600);
    assert.equal(
      await host.output(`stat -c '%a %U' "/etc/some/new 'file'"; cat "/etc/some/new 'file'"`),
      "600 root\ntext\n",
    );
  });

  test("a service of one host lives on when another host's of the same name is killed", async () => {
    const units = await Promise.all(
      hosts.map(async (host) => {
        await host.output("systemd-run --unit=same --collect sleep 600");
        return () => host.run("systemctl is-active same").then(({ stdout }) => stdout.trim());
      }),
    );
    await hosts[0]!.output("systemctl kill --signal=KILL same");
    const deadline = Date.now() + 10_000;
    while ((await units[0]!()) === "active") assert.ok(Date.now() < deadline, "the killed service is still active");
    assert.deepEqual(await Promise.all(units.slice(1).map((state) => state())), ["active", "active"]);
  });

  test("the cable can be cut and joined again without a connection being reset", async () => {
    const host = hosts[1]!;
    const talk = host.ssh("for i in $(seq 20); do echo $i; sleep 0.1; done");
    await new Promise((resolve) => setTimeout(resolve, 700));
    await host.cutLink();
    await assert.rejects(host.ssh("true", { timeoutSec: 2 }), /did not end within 2 s/);
    assert.equal((await host.run("echo inside")).stdout, "inside\n");
    await host.restoreLink();
    assert.deepEqual((await talk).code, 0);
    assert.equal((await host.ssh("echo back")).stdout, "back\n");
  });

  for (const release of debianReleases) {
    test(`${release}: pulling the plug ends it at once, and it boots again with its disk`, async () => {
      const host = hosts.find((candidate) => candidate.release === release)!;
      await host.output("systemd-run --unit=stopper --property=ExecStop='/bin/touch /var/lib/stopped' sleep 600");
      await host.output("echo kept >/var/lib/kept; sync");
      const leader = host.leader!;
      await host.powerOff();
      assert.equal(host.leader, undefined);
      assert.equal(runningHost(host.name), undefined);
      await assert.rejects(host.run("true"), { message: `the sandbox host ${host.name} is off` });
      await removeAbandonedHosts(() => {});
      await host.boot();
      assert.notEqual(host.leader, leader);
      assert.equal(
        await host.output("cat /var/lib/kept; ls /var/lib/stopped 2>&1 || true"),
        "kept\nls: cannot access '/var/lib/stopped': No such file or directory\n",
      );
      assert.equal((await host.ssh("systemctl is-system-running")).stdout, "running\n");
      await assert.rejects(host.boot(), { message: `the sandbox host ${host.name} is on already` });
    });
  }

  test("a name is taken once", async () => {
    const { name, release } = hosts[0]!;
    await assert.rejects(bootedHost({ name, release }), {
      message: `there is a sandbox host "${name}" already: take it down, or choose another name`,
    });
    await assert.rejects(bootedHost({ name: "Web_1", release }), /^Error: "Web_1" cannot name a sandbox host/);
    assert.equal((await hosts[0]!.ssh("true")).code, 0);
  });
});

suite("what python a host has", { timeout: 900_000 }, () => {
  for (const [python, code] of [
    ["minimal", 0],
    ["none", 127],
  ] as const) {
    test(python, async () => {
      const host = await bootedHost({ release: "bullseye", python });
      try {
        assert.equal((await host.ssh("python3 -c 'import sys'")).code, code);
        assert.notEqual((await host.ssh("python3 -c 'import json'")).code, 0);
      } finally {
        await host.down();
      }
    });
  }
});

suite("a host goes without a trace", { timeout: 300_000 }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "sandbox-host-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A process that boots a host and then does `rest`; and the host's record once it is up. */
  async function owner(rest: string): Promise<{ child: ChildProcess; record: HostRecord }> {
    const file = join(folder, "owner.ts");
    writeFileSync(
      file,
      `import { bootedHost } from ${JSON.stringify(join(top, "sandbox", "host.ts"))};
       const host = await bootedHost({ release: "bookworm" });
       console.log(host.name);
       ${rest}`,
    );
    const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "ignore"] });
    const [line] = await once(child.stdout, "data");
    return { child, record: recordOf(String(line).trim()) };
  }

  test("when it is taken down, also after its plug was pulled", async () => {
    const host = await bootedHost({ release: "bookworm" });
    const record = recordOf(host.name);
    assert.notDeepEqual(await traces(record), []);
    await host.down();
    assert.deepEqual(await traces(record), []);
    await host.down();

    const off = await bootedHost({ release: "bookworm" });
    const offRecord = recordOf(off.name);
    await off.powerOff();
    await off.down();
    assert.deepEqual(await traces(offRecord), []);
  });

  test("when several processes take it down at once", async () => {
    const host = await bootedHost({ release: "bookworm" });
    const record = recordOf(host.name);
    writeFileSync(
      join(folder, "remover.ts"),
      `import { removeHost } from ${JSON.stringify(join(top, "sandbox", "removal.ts"))};
       await removeHost(${JSON.stringify(record)});`,
    );
    const removers = [1, 2, 3].map(() => commandResult([process.execPath, join(folder, "remover.ts")]));
    const done = { code: 0, stdout: "", stderr: "" };
    assert.deepEqual(await Promise.all(removers), [done, done, done]);
    await host.down();
    assert.deepEqual(await traces(record), []);
  });

  for (const [how, rest] of [
    ["ends", ""],
    ["throws", "throw new Error('boo');"],
    ["calls process.exit", "process.exit(0);"],
  ] as const) {
    test(`when its process ${how}`, async () => {
      const { child, record } = await owner(rest);
      await once(child, "close");
      assert.deepEqual(await traces(record), []);
    });
  }

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    test(`when its process gets ${signal}`, async () => {
      const { child, record } = await owner("setTimeout(() => {}, 60_000);");
      child.kill(signal);
      assert.deepEqual(await once(child, "close"), [null, signal]);
      assert.deepEqual(await traces(record), []);
    });
  }

  test("when its process was killed: at the next run", async () => {
    const { child, record } = await owner("setTimeout(() => {}, 60_000);");
    child.kill("SIGKILL");
    await once(child, "close");
    assert.notDeepEqual(await traces(record), []);
    const told: string[] = [];
    await removeAbandonedHosts((line) => told.push(line));
    assert.ok(told.includes(`taking down ${record.name}, which a run that has ended left behind`));
    assert.deepEqual(await traces(record), []);
  });

  test("when it does not boot: the error shows its console", async () => {
    const script = `
      import { bootedHost } from ${JSON.stringify(join(top, "sandbox", "host.ts"))};
      await bootedHost({ name: "never-boots", release: "bookworm" }).catch((error) => console.log(error.message));`;
    // A systemd-nspawn that says something and ends.
    writeFileSync(join(folder, "systemd-nspawn"), "#!/bin/bash\necho no such luck\nexit 1\n", { mode: 0o755 });
    writeFileSync(join(folder, "failing.ts"), script);
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    assert.deepEqual(await commandResult([process.execPath, join(folder, "failing.ts")], { env }), {
      code: 0,
      stdout: `booting the sandbox host never-boots (bookworm) failed (exit code 1):
  systemd-nspawn ended during boot
its console's last lines:
  no such luck
`,
      stderr: "",
    });
    assert.equal(existsSync(hostFolder("never-boots")), false);
  });
});

suite("npm run host", { timeout: 120_000 }, () => {
  const name = `cli-${process.pid}`;
  const host = (...args: string[]): Promise<CommandResult> =>
    commandResult([process.execPath, join(top, "sandbox", "cli.ts"), ...args]);
  after(() => host("down", name));

  test("up, list, ssh and down", async () => {
    const up = await host("up", name, "--release", "trixie");
    const { address } = runningHost(name)!;
    assert.deepEqual(up, { code: 0, stdout: "", stderr: `${name} is up: trixie, ${address}\n` });
    assert.deepEqual(await host("up", name), {
      code: 0,
      stdout: "",
      stderr: `${name} is up already: trixie, ${address}\n`,
    });
    assert.equal((await host("up", name, "--release", "bullseye")).code, 1);
    const listed: unknown[] = JSON.parse((await host("list", "--json")).stdout);
    assert.deepEqual(
      listed.filter((entry) => (entry as { name: string }).name === name),
      [{ name, release: "trixie", systemd: 257, state: "up", address }],
    );
    assert.deepEqual(await host("ssh", name, "echo", "$HOSTNAME;", "exit", "9"), {
      code: 9,
      stdout: `${name}\n`,
      stderr: "",
    });
    assert.deepEqual(await host("down", name), { code: 0, stdout: "", stderr: `${name} is down\n` });
    assert.deepEqual(await host("ssh", name), {
      code: 1,
      stdout: "",
      stderr: `host: sandbox host "${name}" is not up: run \`npm run host -- up ${name}\`\n`,
    });
    assert.deepEqual(await host("down", name), {
      code: 1,
      stdout: "",
      stderr: `host: there is no sandbox host "${name}": \`npm run host -- list\` shows all\n`,
    });
  });

  test("bad arguments are told, with where help is", async () => {
    for (const [args, message] of [
      [["up"], "`up` takes one NAME"],
      [["up", "a", "--release", "buster"], "--release buster: there is bullseye, bookworm, trixie"],
      [["down"], "`down` takes NAME... or --all"],
      [["down", "a", "--all"], "`down` takes NAME... or --all"],
      [["start"], 'there is no command "start"'],
    ] as const) {
      assert.deepEqual(await host(...args), {
        code: 2,
        stdout: "",
        stderr: `host: ${message}\n\`npm run host -- --help\` shows how\n`,
      });
    }
    assert.match((await host("--help")).stdout, /npm run host -- up web1/);
  });
});
