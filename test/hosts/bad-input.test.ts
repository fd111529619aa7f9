import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { hostCommand } from "../../activation/host-command.ts";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import type { PulumiRun } from "../../setup/pulumi-cli.ts";
import { changesSince, observed, untouched, uploads } from "./observation.ts";
import { connectionOf, type TestStack, testStack } from "./stack.ts";

const services = { api: { exec: ["/bin/sleep", "infinity"] } };

/** A mistake in the config: the stack's mistakes, or the resource that it is found in, and all that a person reads of it. */
const mistakes: readonly [title: string, config: object, resource: string, lines: readonly string[]][] = [
  [
    "mistakes in the config are told at once, each with its path",
    {
      service: {},
      services: {
        directive: { ...services.api, service: { ProtectSytem: true } },
        span: { ...services.api, restartSec: "5 sceonds" },
        type: { exec: "/bin/sleep" },
        value: { ...services.api, service: { ProtectSystem: "stict" } },
      },
    },
    "pulumi:pulumi:Stack (pulumi-systemd-dev)",
    [
      "error: the stack's config has mistakes:",
      '  pulumi-systemd:services.directive.service.ProtectSytem: ProtectSytem: [Service] has no directive of this name; did you mean "ProtectSystem"?',
      '  pulumi-systemd:services.span.restartSec: "5 sceonds" is not a time span: "sceonds" is no unit; write e.g. "90s" or "1min 30s"; did you mean "seconds"?',
      "  pulumi-systemd:services.type.exec: Invalid input: expected array, received string",
      '  pulumi-systemd:services.value.service.ProtectSystem: ProtectSystem: "stict" is not one of no, yes, full, strict; did you mean "strict"?',
      '  pulumi-systemd:Unrecognized key: "service"',
    ],
  ],
  [
    "a unit name with a slash",
    { services: { "a/b": services.api } },
    "systemd:index:Service (a/b)",
    [
      'error: a/b: unit name "a/b.service" holds "/"; only letters, digits and : - _ . \\ @ are allowed (escape other text, as systemd-escape does)',
    ],
  ],
  [
    "a source directory that is not there",
    { pythonServices: { api: { source: "no/such/folder", exec: ["python", "main.py"] } } },
    "systemd:index:PythonService (api)",
    [
      'error: api: source: "no/such/folder" does not exist; give a directory of source code, a .tar, .tar.gz or .zip of one, or a wheel',
    ],
  ],
];

const quick = { dialErrorLimit: 2, perDialTimeout: 2 };

suite("bad input", { timeout: 300_000 }, () => {
  let host: SandboxHost;
  let without: SandboxHost;
  let minimal: SandboxHost;
  let stack: TestStack;

  before(async () => {
    // What is wrong is found before systemd is asked, so the release does not matter.
    [host, without, minimal, stack] = await Promise.all([
      bootedHost({ release: "bookworm" }),
      bootedHost({ release: "bullseye", python: "none" }),
      bootedHost({ release: "bullseye", python: "minimal" }),
      testStack(),
    ]);
  });
  after(async () => {
    stack?.remove();
    await Promise.all([host?.down(), without?.down(), minimal?.down()]);
  });

  /** What `pulumi up` says. It must fail without a stack trace, and leave the host as it was. */
  const refused = async (at: SandboxHost, config: object, connection: object, logins = 0): Promise<Diagnostic[]> => {
    const before = await observed(at, [uploads]);
    await stack.configure({ ...config, hosts: { web1: { connection: { ...connectionOf(at), ...connection } } } });
    const run = await stack.up();
    assert.equal(run.code, 1, run.output);
    assert.doesNotMatch(run.output, /^\s+at .*:\d+:\d+|unhandled exception/m);
    const changes = await changesSince(before);
    assert.deepEqual({ ...changes, logins: 0 }, untouched, run.output);
    // Others than those who may log in get no further than sshd.
    assert.equal(changes.logins === "sshd contacted" ? 0 : changes.logins, logins, run.output);
    // What no update has brought to it yet is told from the second one on.
    return diagnostics(run).filter(([resource]) => resource !== "systemd:index:Host (web1)");
  };
  const ofResource = (resource: string, ...lines: string[]): Diagnostic[] => [
    [resource, ...lines],
    ["pulumi:pulumi:Stack (pulumi-systemd-dev)", "error: update failed"],
  ];
  /** What is said of a host that was tried. */
  const ofHost = (...lines: string[]) => ofResource("command:remote:Command (web1)", ...lines);
  /** What is said of one that cannot be reached: it is found by the first file that is sent. */
  const ofDial = (line: string) => ofResource("command:remote:CopyToRemote (web1:program)", line);
  const failed = (status: number) =>
    `error: Process exited with status ${status}: running ${JSON.stringify(hostCommand("apply"))}:`;

  for (const [title, config, resource, lines] of mistakes) {
    test(title, async () => assert.deepEqual(await refused(host, config, {}), [[resource, ...lines]]));
  }

  test("a port where nobody listens", async () => {
    assert.deepEqual(
      await refused(host, { services }, { port: 9 }),
      ofDial(`error: after 10 failed attempts: dial tcp ${host.address}:9: connect: connection refused`),
    );
  });

  test("a host whose packets are lost, within the bounds of its dials", async () => {
    const outside = (await host.output("ip route show default")).split(" ")[2];
    await host.output(`ip route add blackhole ${outside}/32`);
    try {
      const started = Date.now();
      assert.deepEqual(
        await refused(host, { services }, quick),
        ofDial(`error: after 2 failed attempts: dial tcp ${host.address}:22: i/o timeout`),
      );
      const seconds = (Date.now() - started) / 1000;
      assert.ok(seconds < 60, `it took ${seconds} s`);
    } finally {
      await host.output(`ip route del blackhole ${outside}/32`);
    }
  });

  test("another host's key", async () => {
    assert.deepEqual(
      await refused(host, { services }, { hostKey: minimal.hostKey, ...quick }),
      ofDial("error: after 2 failed attempts: ssh: handshake failed: ssh: host key mismatch"),
    );
  });

  test("a login that may not use sudo", async () => {
    await host.output("mv /etc/sudoers.d/deploy /root/sudoers-deploy");
    try {
      assert.deepEqual(
        await refused(host, { services }, {}, 2),
        ofHost(
          failed(1),
          "sudo asks deploy for a password on this host; allow it without one (`deploy ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d), give it (sudoPassword), or log in as root",
        ),
      );
    } finally {
      await host.output("mv /root/sudoers-deploy /etc/sudoers.d/deploy");
    }
  });

  test("no python3 on the host", async () => {
    assert.deepEqual(
      await refused(without, { services }, {}, 2),
      ofHost(failed(127), "pulumi-systemd: this host has no python3: install it (apt install python3)"),
    );
  });

  test("only a minimal python3 on the host", async () => {
    assert.deepEqual(
      await refused(minimal, { services }, {}, 2),
      ofHost(
        failed(1),
        "pulumi-systemd: this host's python3 lacks parts of the standard library (dataclasses, hmac, http, json, queue, shlex, shutil, tarfile, termios): only a minimal one is installed; apt install python3",
      ),
    );
  });

  test("a program that is not on the host is told by systemd before anything is written", async () => {
    assert.deepEqual(
      await refused(host, { services: { api: { exec: ["/opt/api/bin/api"] } } }, {}, 2),
      ofHost(
        failed(1),
        "systemd 252 of this host does not accept these units; nothing was changed on it:",
        "  api.service: Command /opt/api/bin/api is not executable: No such file or directory",
      ),
    );
  });
});

/** A resource as the CLI names it, and each line that it says of it. */
type Diagnostic = readonly [resource: string, ...lines: string[]];

/** The diagnostics of a run, by the name of their resource. */
function diagnostics(run: PulumiRun): Diagnostic[] {
  const [, text = ""] = run.output.split(/^Diagnostics:\n/m);
  const blocks = text.split(/^(?=\S)/m)[0]!.split("\n\n");
  return blocks
    .filter((block) => block.trim() !== "")
    .map((block): Diagnostic => {
      const [resource = "", ...lines] = block.split("\n").filter((line) => line.trim() !== "");
      return [resource.trim().replace(/:$/, ""), ...lines.map((line) => line.slice(4))];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
