import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type RegisteredResource, stackVerdicts } from "../../policies/stack-verdicts.ts";

const now = new Date("2027-03-01T12:00:00Z");
const urn = (type: string, name: string) => `urn:pulumi:prod::shop::${type}::${name}`;

function unit(name: string, service: object, more: Partial<RegisteredResource> = {}, inputs = {}): RegisteredResource {
  const type = "systemd:index:Unit";
  const sections = { Unit: { Description: "orders" }, Service: service };
  return { type, name, urn: urn(type, name), parent: "", inputs: { sections, ...inputs }, unknown: ["text"], ...more };
}

function host(name: string, units: string[], inputs = {}): RegisteredResource {
  const type = "systemd:index:Host";
  const own = { units, hostKeyPinned: true, ...inputs };
  return { type, name, urn: urn(type, name), parent: "", inputs: own, unknown: [] };
}

/** Only these policies. */
const only = (...names: string[]) => ({
  all: "disabled",
  ...Object.fromEntries(names.map((name) => [name, "mandatory"])),
});
const said = (resources: RegisteredResource[], config: object, except: string[] = []) =>
  stackVerdicts(resources, { config, except, now }).map(({ policy, level, message, passes, host: on }) => ({
    policy,
    level,
    message,
    passes: passes?.by,
    on,
  }));

suite("the pack's verdicts on a stack, without an engine", () => {
  test("a finding, with its level; the same of a host", () => {
    const web1 = host("web1", ["api.service"], { hostKeyPinned: false });
    const resources = [web1, unit("api.service", { NoNewPrivileges: "no" })];
    assert.deepEqual(said(resources, only("sandbox-no-new-privileges", "host-key-pinned")), [
      {
        policy: "sandbox-no-new-privileges",
        level: "mandatory",
        message:
          "api.service: [Service] NoNewPrivileges=no, wanted yes: its processes could gain privileges through setuid programs such as sudo",
        passes: undefined,
        on: undefined,
      },
      {
        policy: "host-key-pinned",
        level: "mandatory",
        message: said([web1], only("host-key-pinned"))[0]?.message,
        passes: undefined,
        on: "web1",
      },
    ]);
  });

  test("each with the page that explains it, by the names of the units", () => {
    const resources = [unit("b.service", { ExecStart: [] }), unit("a.service", { ExecStart: [] })];
    const verdicts = stackVerdicts(resources, { config: only("non-root-user", "no-exec-start"), now });
    assert.deepEqual(
      verdicts.map(({ page, message }) => [page, message.split(":")[0]]),
      [
        ["docs/policies.md#non-root-user", "a.service"],
        ["docs/lints.md#no-exec-start", "a.service"],
        ["docs/policies.md#non-root-user", "b.service"],
        ["docs/lints.md#no-exec-start", "b.service"],
      ],
    );
  });

  test("what is waived and what is excepted passes", () => {
    const waive = [{ policy: "sandbox-no-new-privileges", reason: "calls sudo until ticket 12", until: "2999-01-01" }];
    const waived = unit("api.service", {}, {}, { waive });
    const except = [{ name: "old.service", reason: "goes with ticket 13" }];
    const config = { all: "disabled", "sandbox-no-new-privileges": { enforcementLevel: "mandatory", except } };
    assert.deepEqual(
      said([waived, unit("old.service", {})], config).map(({ passes }) => passes),
      ["waiver", "exception"],
    );
  });

  test("a directive that is not known is told by known-before-update, and only where that is asked", () => {
    const late = unit("api.service", {}, { unknown: ["text", "sections.Service.NoNewPrivileges"] });
    const config = only("sandbox-no-new-privileges", "known-before-update");
    assert.deepEqual(
      said([late], config).map(({ message }) => message),
      [
        "api.service: [Service] NoNewPrivileges is not known before the update, so these checks wait for it: sandbox-no-new-privileges",
      ],
    );
    assert.deepEqual(said([late], config, ["known-before-update"]), []);
    // Nothing of it is left for the next resource.
    assert.deepEqual(said([late], config, ["known-before-update"]), []);
  });

  test("one part of a list that is not known makes the directive unknown", () => {
    const list = { Environment: ["A=1", undefined] };
    const late = unit("api.service", list, { unknown: ["text", "sections.Service.Environment[1]"] });
    const told = said([late], only("secret-in-environment", "known-before-update"));
    assert.match(told[0]?.message ?? "", /^api\.service: \[Service\] Environment is not known before the update/);
  });

  test("two runs know nothing of each other", () => {
    const timer: RegisteredResource = unit(
      "nightly.timer",
      {},
      { unknown: [] },
      { text: "[Timer]\nOnCalendar=daily\n" },
    );
    const sent = (name: string): RegisteredResource => ({
      type: "command:remote:Command",
      name,
      urn: urn("systemd:index:Host$command:remote:Command", name),
      parent: urn("systemd:index:Host", name),
      inputs: {},
      unknown: ["stdin"],
    });
    const one = [timer, host("web1", ["nightly.timer"]), sent("web1")];
    const two = [timer, host("web2", ["nightly.timer"]), sent("web2")];
    assert.equal(said([...one, ...two], only("timer-jitter")).length, 1);
    assert.deepEqual(said(one, only("timer-jitter")), []);
    assert.deepEqual(said(two, only("timer-jitter")), []);
  });
});
