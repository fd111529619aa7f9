import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { sentInput } from "../../activation/host-command.ts";
import { hostBundle } from "../../components/host-bundle.ts";
import { renderedUnit } from "../../components/unit.ts";
import { sentAsReviewed } from "../../policies/sent-as-reviewed.ts";
import { sentBundle } from "../../policies/sent-units.ts";
import { hostResources, serviceResource, unitResource, violations, withUnknown } from "./resource-args.ts";

const text = "[Unit]\nDescription=api\n[Service]\nExecStart=/usr/bin/api\nNoNewPrivileges=yes\nProtectProc=invisible\n";
const sent = (content: string, name = "api.service", more = {}) =>
  violations(sentAsReviewed, unitResource("api.service", text), ...hostResources("web1", { [name]: content }, more));
const changed = (what: string) => [`api.service: it was changed after it was checked: the host is sent ${what}`];

suite("sent-as-reviewed", () => {
  test("passes what is sent as it was registered", () => assert.deepEqual(sent(text), []));

  test("reads what the components really send, also with a password for sudo", () => {
    const { definition } = renderedUnit("api.service", { text, onDemand: true });
    const bundle = hostBundle("shop/dev/web1", [definition], { transactionSec: 1, waitSec: 1, confirmSec: 0 });
    for (const sudoPassword of [undefined, "open sesame"]) {
      assert.deepEqual(
        sentBundle(sentInput(bundle, sudoPassword))?.units.map(({ name, content }) => ({ name, content })),
        definition.units.map(({ name, text: content }) => ({ name, content })),
      );
    }
  });

  const changes: [from: string, to: string, what: string][] = [
    ["NoNewPrivileges=yes", "NoNewPrivileges=no", "[Service] NoNewPrivileges=no, which was not there"],
    ["NoNewPrivileges=yes\n", "", "no [Service] NoNewPrivileges=yes, which was there"],
    ["NoNewPrivileges=yes\n", "NoNewPrivileges=yes\nNoNewPrivileges=yes\n", "its lines in another order or number"],
    ["ExecStart=", "ExecStartPre=/bin/x\nExecStart=", "[Service] ExecStartPre=/bin/x, which was not there"],
    ["[Unit]", "[Unit", "[] text that is no unit=, which was not there"],
  ];
  for (const [from, to, what] of changes) {
    test(`refuses ${JSON.stringify(to)} for ${JSON.stringify(from)}`, () => {
      assert.deepEqual(sent(text.replace(from, to)), changed(what));
    });
  }

  test("passes a comment, which says nothing to systemd", () => assert.deepEqual(sent(`# written by us\n${text}`), []));

  test("passes what is left out because the host's systemd may be too old for it", () => {
    const newer = text.replace("ProtectProc=invisible", "RestartSteps=5\nProtectProc=invisible");
    const left = violations(
      sentAsReviewed,
      unitResource("api.service", newer),
      ...hostResources("w", { "api.service": text }),
    );
    assert.deepEqual(left, []);
  });

  test("leaves what was registered with an unknown part to the update", () => {
    const props = withUnknown({ sections: { Service: {} } }, "text");
    const late = { ...unitResource("api.service", ""), props };
    assert.deepEqual(violations(sentAsReviewed, late, ...hostResources("w", { "api.service": text })), []);
  });

  test("takes the waiver of the unit, and the exception for what the host brings", (t) => {
    t.mock.method(console, "warn", () => undefined);
    const waive = [{ policy: "sent-as-reviewed", reason: "changed by a transform", until: "2999-01-01" }];
    const waived = unitResource("api.service", text, { waive });
    const [line = ""] = violations(sentAsReviewed, waived, ...hostResources("w", { "api.service": "[Service]\n" }));
    assert.match(line, /^\[advisory\] waived until 2999-01-01 /);
    const config = { except: [{ component: "systemd:index:Host", reason: "comes from a transform" }] };
    assert.deepEqual(sent(text, "extra.service", { config }), []);
  });

  test("refuses a unit that no component registers", () => {
    assert.deepEqual(sent(text, "extra.service"), [
      "extra.service: it is sent to the host, but no component registers it",
    ]);
  });

  test("passes one of two units of a name", () => {
    const other = text.replace("api\n", "blue\n");
    const twice = [{ ...unitResource("api.service", other), parents: ["systemd:index:Service"] }];
    assert.deepEqual(
      violations(
        sentAsReviewed,
        unitResource("api.service", text),
        ...twice,
        ...hostResources("w", { "api.service": text }),
      ),
      [],
    );
  });

  for (const path of [
    "/etc/systemd/system/api.service.d/x.conf",
    "/run/systemd/system/b.service",
    "/lib/systemd/system/c.timer",
  ]) {
    test(`refuses ${path} as a plain file`, () => {
      assert.deepEqual(sent(text, "api.service", { files: [{ path }] }), [
        `web1: ${path} is sent as a plain file, so it is neither shown nor checked; define it as a Unit`,
      ]);
    });
  }
  test("passes any other file", () => {
    const paths = ["/etc/pulumi-systemd/api.env", "/etc/systemd/journald.conf", "/srv/etc/systemd/system/a.service"];
    const files = paths.map((path) => ({ path }));
    assert.deepEqual(sent(text, "api.service", { files }), []);
  });

  test("refuses standard input of another form", () => {
    for (const stdin of ["rm -rf /", "5\nhello{}", "5\nhello[", "-\n", "\n{}"]) {
      const [host, command] = hostResources("web1", {});
      assert.deepEqual(violations(sentAsReviewed, host, { ...command, props: { stdin } }), [
        "web1: what the host is sent is not what this package sends to a host",
      ]);
    }
  });

  test("waits where standard input is not known, and looks at no other command", () => {
    const [host, command] = hostResources("web1", {});
    assert.deepEqual(violations(sentAsReviewed, host, { ...command, props: { stdin: "" } }), []);
    assert.deepEqual(violations(sentAsReviewed, host, { ...command, props: withUnknown({}, "stdin") }), []);
    assert.deepEqual(
      violations(sentAsReviewed, host, { ...command, name: "web1-uploads", props: { stdin: "ls" } }),
      [],
    );
    const inAnother = { ...command, parents: ["other:index:Host"], props: { stdin: "ls" } };
    assert.deepEqual(violations(sentAsReviewed, host, inAnother), []);
    const { parent: _, ...alone } = command;
    assert.deepEqual(violations(sentAsReviewed, host, { ...alone, props: { stdin: "ls" } }), []);
  });

  test("refuses a unit whose text says something else than its sections", () => {
    const unit = (sections: object) => unitResource("api.service", "[Service]\nUser=a\nUMask=7\n", { sections });
    assert.deepEqual(violations(sentAsReviewed, unit({ Service: { UMask: "7", User: "a" } })), []);
    assert.deepEqual(violations(sentAsReviewed, serviceResource({ User: "a" })), []);
    const two = unitResource("api.service", "[Unit]\nAfter=b\n[Service]\nUser=a\n", {
      sections: { Service: { User: "a" }, Unit: { After: "b" } },
    });
    assert.deepEqual(violations(sentAsReviewed, two), []);
    assert.deepEqual(violations(sentAsReviewed, unit({ Service: { UMask: "7", User: "root" } })), [
      "api.service: its text and its sections do not say the same: one was changed later",
    ]);
  });
});
