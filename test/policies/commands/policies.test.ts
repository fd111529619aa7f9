import assert from "node:assert/strict";
import fs, { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { commandRules, policiesOverCommands } from "../../../policies/commands/policies.ts";
import type { Rule } from "../../../policies/rule.ts";
import { type FakeResource, reportedBy, withUnknown } from "../resource-args.ts";

const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-commands-"));
after(() => rmSync(folder, { recursive: true }));

const pinned = { connection: { host: "192.0.2.1", hostKey: "ssh-ed25519 AAAA" } };
function command(create: string, props: object = {}, type = "command:remote:Command"): FakeResource {
  return { type, name: "deploy", props: { create, ...pinned, ...props }, config: {}, parents: [] };
}
function rule(...names: string[]): Rule[] {
  return names.map((name) => {
    const found = commandRules.find((known) => known.name === name);
    assert.ok(found, name);
    return found;
  });
}
function found(rules: readonly Rule[], resource: FakeResource): string[] {
  return policiesOverCommands(rules).flatMap((policy) =>
    reportedBy(policy, resource).map(({ policy: id, message }) => `${id} ${message}`),
  );
}

/** The same, where a policy may have to wait for a part of the resource. */
async function foundLater(rules: readonly Rule[], resource: FakeResource): Promise<string[]> {
  const lines: string[] = [];
  for (const policy of policiesOverCommands(rules)) {
    const reported = reportedBy(policy, resource);
    await setImmediate();
    lines.push(...reported.map(({ policy: id, message }) => `${id} ${message}`));
  }
  return lines;
}

const path = "/etc/systemd/system/api.service";
const bad = "[Service]\nExecStart=/usr/bin/api | tee log\n";
const refusal =
  'shell-syntax api.service: [Service] ExecStart: "|" is an argument of /usr/bin/api, no shell looks at it. Write ExecStart=/bin/sh -c "..." with the whole script in quotes, or use several ExecStartPre= and StandardOutput=append:FILE.';
const shell = rule("shell-syntax", "units-readable");

suite("units in commands", () => {
  const ways: [what: string, resource: FakeResource][] = [
    ["a here-document of a remote command", command(`cat > ${path} <<'EOF'\n${bad}EOF\nsystemctl daemon-reload`)],
    ["one of a local command", command(`sudo tee ${path} <<'EOF' >/dev/null\n${bad}EOF`, {}, "command:local:Command")],
    ["standard input", command(`tee ${path} >/dev/null && systemctl daemon-reload`, { stdin: bad })],
    ["what runs on an update", command("true", { update: `printf '%s' '${bad}' > ${path}` })],
    [
      "lines that are appended",
      command(`echo '[Service]' > ${path}; echo 'ExecStart=/usr/bin/api | tee log' >> ${path}`),
    ],
    ["a unit in the script's own folder", command(`cd /etc/systemd/system && cat > api.service <<'EOF'\n${bad}EOF`)],
    ["standard input, its file named on creation alone", command(`tee ${path}`, { update: "true", stdin: bad })],
    ["standard input of an editor", command("systemctl --full --stdin edit api.service", { stdin: bad })],
    ["a text that is copied with a dollar", copy({ source: { text: `${bad.trim()} $LOG\n` }, remotePath: path })],
    ["what is behind a proxy", copy({ source: { __getSpecialProxyTarget: { text: bad } }, remotePath: path })],
    ["a text that is copied", copy({ source: { text: bad }, remotePath: path })],
  ];
  for (const [what, resource] of ways) {
    test(`are read from ${what}, once`, () => assert.deepEqual(found(shell, resource), [refusal]));
  }

  test("are read from a file of this machine, by each kind of copy", () => {
    const file = join(folder, "api.service");
    writeFileSync(file, bad);
    assert.deepEqual(found(shell, copy({ source: { path: file }, remotePath: path })), [refusal]);
    assert.deepEqual(
      found(shell, { ...copy({ localPath: file, remotePath: path }), type: "command:remote:CopyFile" }),
      [refusal],
    );
  });

  test("are read from a file with a dollar, and by a path from the folder of the program", (t) => {
    const file = join(folder, "api.service");
    writeFileSync(file, `${bad.trim()} $LOG\n`);
    const copied = (localPath: string) => copy({ localPath, remotePath: path });
    assert.deepEqual(found(shell, copied(file)), [refusal]);
    assert.deepEqual(found(shell, copied(relative(readlinkSync(`/proc/${process.ppid}/cwd`), file))), [refusal]);
    // Where there is no /proc, or none of the parent's.
    t.mock.method(fs, "readlinkSync", () => {
      throw new Error("no such file");
    });
    syncBuiltinESMExports();
    const { PWD } = process.env;
    try {
      process.env.PWD = folder;
      assert.deepEqual(found(shell, copied("api.service")), [refusal]);
      delete process.env.PWD;
      assert.deepEqual(found(shell, copied("nowhere.service")), [
        `units-readable deploy: ${path} is not checked: nowhere.service cannot be read from .`,
      ]);
    } finally {
      if (PWD !== undefined) process.env.PWD = PWD;
      t.mock.restoreAll();
      syncBuiltinESMExports();
    }
  });

  test("are read from what the engine gives as a promise", async () => {
    const file = join(folder, "promised.service");
    writeFileSync(file, bad);
    const text = { text: Promise.resolve(bad), path: Promise.resolve(undefined) };
    assert.deepEqual(await foundLater(shell, copy({ source: text, remotePath: path })), [refusal]);
    assert.deepEqual(await foundLater(shell, copy({ source: { text: text.text }, remotePath: path })), [refusal]);
    const asset = { text: Promise.resolve(undefined), path: Promise.resolve(file) };
    assert.deepEqual(await foundLater(shell, copy({ source: asset, remotePath: path })), [refusal]);
    assert.deepEqual(await foundLater(shell, copy({ source: { path: asset.path }, remotePath: path })), [refusal]);
  });

  test("are read anew where one input alone differs", () => {
    const file = join(folder, "other.service");
    writeFileSync(file, bad);
    const good = bad.replace(" | tee log", "");
    const both = (one: FakeResource, other: FakeResource) => [found(shell, one), found(shell, other)];
    const printing = (text: string) => ({ update: `printf '%s' '${text}' > ${path}` });
    assert.deepEqual(both(command("true", printing(good)), command("true", printing(bad))), [[], [refusal]]);
    const tee = `tee ${path}`;
    assert.deepEqual(both(command(tee, { stdin: good }), command(tee, { stdin: bad })), [[], [refusal]]);
    const copied = (text: string, remotePath = path) => copy({ source: { text }, remotePath });
    assert.deepEqual(both(copied(good), copied(bad)), [[], [refusal]]);
    assert.deepEqual(both(copied(bad, "/srv/readme"), copied(bad)), [[], [refusal]]);
    const local = (localPath: string) => copy({ localPath, remotePath: path });
    assert.deepEqual(both(local("/nowhere/x.service"), local(file))[1], [refusal]);
  });

  test("are checked like units of components", () => {
    const rules = rule("non-root-user", "sandbox-no-new-privileges", "restart-required", "watchdog-required");
    assert.deepEqual(
      found(rules, command(`cat > ${path} <<'EOF'\n[Service]\nType=notify\nExecStart=/usr/bin/api\nEOF`)),
      [
        "non-root-user api.service: [Service] User= is not set, wanted an account of its own, or DynamicUser=yes: whoever takes over the process is root on the host",
        "sandbox-no-new-privileges api.service: [Service] NoNewPrivileges= is not set, wanted yes: its processes could gain privileges through setuid programs such as sudo",
        "restart-required api.service: [Service] Restart= is not set, wanted always, on-failure, on-abnormal, on-abort or on-watchdog: a service that crashes would stay down until somebody notices",
        "watchdog-required api.service: [Service] WatchdogSec= is not set, wanted 1s to 10min: a service that hangs would stay up in name and serve nobody",
        "watchdog-required api.service: [Service] Restart= is not set, wanted always, on-failure, on-abnormal or on-watchdog: a service that its watchdog kills would stay dead",
      ],
    );
  });

  test("pass where they are in order, and commands without units are left alone", () => {
    const good = "[Service]\nExecStart=/usr/bin/api\nUser=api\nNoNewPrivileges=yes\nRestart=on-failure\n";
    const rules = rule("non-root-user", "sandbox-no-new-privileges", "restart-required", "units-readable");
    assert.deepEqual(found(rules, command(`cat > ${path} <<'EOF'\n${good}EOF`)), []);
    assert.deepEqual(found(rules, command("apt-get install -y nginx && systemctl restart nginx.service")), []);
    assert.deepEqual(found(rules, command(`systemctl daemon-reload; rm -f ${path}`)), []);
    assert.deepEqual(found(rules, { ...command(""), type: "other:index:Thing" }), []);
    assert.deepEqual(found(rules, copy({ source: { text: "x" }, remotePath: "/srv/readme" })), []);
    assert.deepEqual(found(rules, copy({ source: { text: "x" } })), []);
    for (const other of [`${path}.bak`, `${path}.d/user.conf.bak`])
      assert.deepEqual(found(rules, command(`cat > ${other} <<'EOF'\n[Service]\nEOF`)), [], other);
    assert.deepEqual(found(rules, command(`backup-cp ${path}; Xcp ${path}`)), []);
  });

  test("may be excepted by the name of the unit", (t) => {
    t.mock.method(console, "warn", () => undefined);
    const config = { except: [{ name: "api.service", reason: "until ticket 12" }] };
    assert.deepEqual(found(rule("shell-syntax"), { ...command(`cat > ${path} <<'EOF'\n${bad}EOF`), config }), []);
  });

  test("may hold what the shell puts in: that directive waits, the others are checked", () => {
    const script = `cat > ${path} <<EOF\n[Service]\nUser=$APP_USER\nExecStart=/usr/bin/api | tee log\nEOF`;
    assert.deepEqual(found([...rule("non-root-user"), ...shell, ...rule("known-before-update")], command(script)), [
      refusal,
      "known-before-update deploy: [Service] User is not known before the update, so these checks wait for it: non-root-user",
    ]);
  });

  test("... also where a known line follows", () => {
    const script = `cat > ${path} <<EOF\n[Service]\nUser=$APP_USER\nEOF\necho 'ExecStart=/usr/bin/api | tee log' >> ${path}`;
    assert.deepEqual(found([...rule("non-root-user"), ...shell, ...rule("known-before-update")], command(script)), [
      refusal,
      "known-before-update deploy: [Service] User is not known before the update, so these checks wait for it: non-root-user",
    ]);
  });

  test("in a file that is not known wait for the update", () => {
    const resource = { ...copy({}), props: withUnknown({ ...pinned, remotePath: path }, "source") };
    assert.deepEqual(found([...shell, ...rule("known-before-update")], resource), [
      "known-before-update deploy: source is not known before the update, so these checks wait for it: shell-syntax",
    ]);
  });

  test("in a script that is not known wait for the update", () => {
    const props = withUnknown({ ...pinned }, "create");
    assert.deepEqual(found([...shell, ...rule("known-before-update")], { ...command(""), props }), [
      "known-before-update deploy: create is not known before the update, so these checks wait for it: shell-syntax",
    ]);
    const stdin = { ...command(`tee ${path}`), props: withUnknown({ create: `tee ${path}` }, "stdin") };
    assert.equal(found([...shell, ...rule("known-before-update")], stdin).length, 1);
    const other = { ...command(""), props: withUnknown({ create: "mysql" }, "stdin") };
    assert.deepEqual(found([...shell, ...rule("known-before-update")], other), []);
  });
});

suite("units-readable", () => {
  const cases: [what: string, resource: FakeResource, finding: string][] = [
    ["a template", command(`envsubst < api.tpl > ${path}`), `${path} is not checked: its text comes from elsewhere`],
    ["a copy", command(`cp /srv/api.service ${path}`), `${path} is not checked: no text is written to it here`],
    [
      "a copy by its path",
      command(`/bin/cp /srv/api.service ${path}`),
      `${path} is not checked: no text is written to it here`,
    ],
    [
      "a copy behind another command",
      command(`true;cp a ${path}`),
      `${path} is not checked: no text is written to it here`,
    ],
    [
      "a copy on creation alone",
      command(`cp a ${path}`, { update: "true" }),
      `${path} is not checked: no text is written to it here`,
    ],
    ["a script", command(`python gen.py ${path}`), `${path} is not checked: no text is written to it here`],
    [
      "lines behind a template",
      command(`envsubst < a > ${path}; echo A=b >> ${path}`),
      `${path} is not checked: its text comes from elsewhere`,
    ],
    [
      "a text that the shell puts together",
      command(`cat > ${path} <<EOF\n[$SECTION\nUser=api\nEOF`),
      `${path} is not checked: the shell puts it together`,
    ],
    [
      "no source at all",
      copy({ source: null, remotePath: path }),
      `${path} is not checked: it is no file of this machine`,
    ],
    ["an edit", command(`sed -i s/a/b/ ${path}`), `${path} is not checked: no text is written to it here`],
    [
      "a drop-in",
      command("systemctl edit --stdin api.service <<'EOF'\n[Service]\nUser=api\nEOF"),
      "/etc/systemd/system/api.service.d/override.conf is not checked: it is a drop-in, which says nothing without its unit",
    ],
    [
      "more lines of a file",
      command(`echo User=a >> ${path}`),
      `${path} is not checked: its text comes from elsewhere`,
    ],
    [
      "a text that is no unit",
      command(`cat > ${path} <<'EOF'\n[Service\nEOF`),
      `${path} is not checked: systemd refuses it: line 1: a section header must end in "]", got "[Service"; comments need a line of their own`,
    ],
    [
      "a name from a variable",
      command("cat > /etc/systemd/system/$NAME.service <<'EOF'\n[Service]\nEOF"),
      "/etc/systemd/system/$NAME.service is not checked: its name is put together by the shell",
    ],
    [
      "a file that is not there",
      copy({ source: { path: "/nowhere/api.service" }, remotePath: path }),
      `${path} is not checked: /nowhere/api.service cannot be read from FOLDER`,
    ],
    [
      "a remote source",
      copy({ source: { uri: "https://example.org/a" }, remotePath: path }),
      `${path} is not checked: it is no file of this machine`,
    ],
  ];
  for (const [what, resource, finding] of cases) {
    test(`tells of ${what}`, () => {
      const lines = found(rule("units-readable"), resource);
      assert.deepEqual(
        lines.map((line) => line.replace(/(cannot be read from) .*/, "$1 FOLDER")),
        [`units-readable deploy: ${finding}`],
      );
    });
  }
});

suite("host-key-pinned over commands", () => {
  const refused =
    "host-key-pinned deploy: the host's key is not pinned, wanted connection.hostKey, and the jump host's where there is one: whoever poses as this host gets its secrets";
  const of = (connection: object) => found(rule("host-key-pinned"), command("true", { connection }));
  test("passes a key, also one that is not known yet", () => {
    assert.deepEqual(of({ host: "a", hostKey: "ssh-ed25519 AAAA" }), []);
    assert.deepEqual(of(withUnknown({ host: "a" }, "hostKey")), []);
    assert.deepEqual(of({ host: "a", hostKey: "x", proxy: { host: "b", hostKey: "y" } }), []);
  });
  test("refuses a machine or a jump host without one", () => {
    assert.deepEqual(of({ host: "a" }), [refused]);
    assert.deepEqual(of({ host: "a", hostKey: "x", proxy: { host: "b" } }), [refused]);
  });
  test("does not look at local commands", () => {
    assert.deepEqual(
      found(rule("host-key-pinned"), command("true", { connection: { host: "a" } }, "command:local:Command")),
      [],
    );
    assert.deepEqual(found(rule("host-key-pinned"), command("true", { connection: undefined })), []);
  });
});

function copy(props: object): FakeResource {
  return {
    type: "command:remote:CopyToRemote",
    name: "deploy",
    props: { ...pinned, ...props },
    config: {},
    parents: [],
  };
}
