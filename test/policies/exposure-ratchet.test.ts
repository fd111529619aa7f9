import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, suite, test } from "node:test";
import { exposureRatchet } from "../../policies/exposure-ratchet.ts";
import { hostResources, serviceResource, unitResource, violations, withUnknown } from "./resource-args.ts";

const folder = mkdtempSync(join(tmpdir(), "pulumi-systemd-ratchet-"));
const baseline = join(folder, "exposure.json");
after(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(baseline, { force: true }));

const open = { ExecStart: "/usr/bin/api" };
const found = (service: Record<string, string>, name?: string) =>
  violations(exposureRatchet, { ...serviceResource(service, name), config: { baseline } });
const save = (content: unknown) => writeFileSync(baseline, JSON.stringify(content));

suite("exposure-ratchet", () => {
  test("checks nothing without a baseline", () => {
    assert.deepEqual(violations(exposureRatchet, serviceResource(open)), []);
  });
  test("passes a score that is the baseline's", () => {
    save({ dev: { "api.service": 9.6 } });
    assert.deepEqual(found(open), []);
  });
  test("looks once at a unit that the host is sent in another form", () => {
    save({ dev: { "api.service": 9.5 } });
    const [host, command] = hostResources("web1", { "api.service": "[Service]\nExecStart=/usr/bin/other\n" });
    const config = { baseline };
    const all = [unitResource("api.service", "[Service]\nExecStart=/usr/bin/api\n"), host, command];
    assert.equal(violations(exposureRatchet, ...all.map((one) => ({ ...one, config }))).length, 1);
  });
  test("refuses a score above it", () => {
    save({ dev: { "api.service": 9.5 } });
    assert.deepEqual(found(open), [
      "api.service: exposure 9.6, wanted at most 9.5, the baseline of dev: a change must not open the sandbox unseen; the baseline changes in the same commit, or not at all",
    ]);
  });
  test("asks to write a better score down", () => {
    save({ dev: { "api.service": 9.7 } });
    assert.deepEqual(found(open), [
      "[advisory] api.service: exposure 9.6 is better than 9.7, the baseline of dev: write it down to keep it",
    ]);
  });
  test("refuses a service that is not in it, also where another stack has it", () => {
    save({ prod: { "api.service": 9.6 }, dev: { "other.service": 9.6 } });
    assert.deepEqual(found(open), [
      "api.service: exposure 9.6 is not in the baseline of dev, wanted an entry: the review shows the score of a new service",
    ]);
  });
  test("refuses a service of a stack that is not in it", () => {
    save({ prod: { "api.service": 9.6 } });
    assert.deepEqual(found(open), [
      "api.service: exposure 9.6 is not in the baseline of dev, wanted an entry: the review shows the score of a new service",
    ]);
  });
  test("writes no file over one that it cannot read", () => {
    process.env.PULUMI_SYSTEMD_WRITE_BASELINE = "1";
    try {
      writeFileSync(baseline, "{");
      assert.match(found(open)[0] ?? "", /^api\.service: the baseline .* cannot be read: /);
      assert.equal(readFileSync(baseline, "utf8"), "{");
    } finally {
      delete process.env.PULUMI_SYSTEMD_WRITE_BASELINE;
    }
  });
  test("says what is wrong with the file", () => {
    assert.deepEqual(found(open), [
      `api.service: the baseline ${baseline} does not exist; write it with PULUMI_SYSTEMD_WRITE_BASELINE=1`,
    ]);
    save({ dev: { "api.service": 11 } });
    assert.match(found(open)[0] ?? "", /^api\.service: the baseline .* is wrong: .*Too big/s);
    writeFileSync(baseline, "{");
    assert.match(found(open)[0] ?? "", /^api\.service: the baseline .* cannot be read: /);
  });
  test("looks at services alone, and waits for what is not known", () => {
    assert.deepEqual(found(open, "api.socket"), []);
    const props = { sections: { Service: withUnknown({}, "User") } };
    assert.deepEqual(violations(exposureRatchet, { ...serviceResource({}), props, config: { baseline } }), []);
  });
  test("writes the file anew for its stack, sorted, and keeps the other stacks", (t) => {
    process.env.PULUMI_SYSTEMD_WRITE_BASELINE = "1";
    t.after(() => {
      delete process.env.PULUMI_SYSTEMD_WRITE_BASELINE;
    });
    save({ prod: { "api.service": 1 }, dev: { "gone.service": 3 } });
    assert.deepEqual(found(open, "web.service"), [`[advisory] web.service: wrote exposure 9.6 to ${baseline}`]);
    assert.deepEqual(found({ ...open, NoNewPrivileges: "yes", DynamicUser: "yes" }), [
      `[advisory] api.service: wrote exposure 8.4 to ${baseline}`,
    ]);
    assert.ok(existsSync(baseline));
    assert.deepEqual(
      readFileSync(baseline, "utf8")
        .split("\n")
        .map((line) => line.trim())
        .join(" "),
      '{ "dev": { "api.service": 8.4, "web.service": 9.6 }, "prod": { "api.service": 1 } } ',
    );
  });
});
