import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { waiversRule } from "../../policies/waivers.ts";
import { type FakeResource, hostResources, serviceResource, violations } from "./resource-args.ts";

const rule = waiversRule(() => new Set(["no-description", "host-key-pinned", "sandbox-exposure"]));
const waiver = (until: string, policy = "no-description") => ({ policy, reason: "until ticket 12", until });
let count = 0;
function unit(...waive: object[]): FakeResource {
  count += 1;
  const resource = serviceResource({}, `unit${count}.service`);
  return { ...resource, props: { ...resource.props, waive }, config: { maximum: 1000 } };
}
const own = (message: string) => `unit${count}.service: ${message}`;

suite("waivers", () => {
  test("lists each with its reason and the days that are left", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T20:00:00Z") });
    assert.deepEqual(violations(rule, unit(waiver("2027-03-31"), waiver("2027-03-01", "sandbox-exposure"))), [
      `[advisory] ${own("waives no-description until 2027-03-31 (30 days left): until ticket 12")}`,
      `[advisory] ${own("waives sandbox-exposure until 2027-03-01 (last day): until ticket 12")}`,
    ]);
  });
  test("lists those of a host", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T20:00:00Z") });
    const [host] = hostResources(
      "web1",
      {},
      { waive: [waiver("2027-03-31", "host-key-pinned")], config: { maximum: 1000 } },
    );
    assert.deepEqual(violations(rule, host), [
      "[advisory] web1: waives host-key-pinned until 2027-03-31 (30 days left): until ticket 12",
    ]);
  });
  test("refuses one that has ended, though nothing needs it any more", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-04-01T00:00:00Z") });
    assert.deepEqual(violations(rule, unit(waiver("2027-03-31"))), [
      own("the waiver of no-description ended on 2027-03-31 (until ticket 12): take it away, or give it a new date"),
    ]);
  });
  test("refuses one for no policy", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T00:00:00Z") });
    assert.deepEqual(violations(rule, unit(waiver("2027-03-31", "no-descripton"))), [
      own("the waiver of no-descripton is for no lint or policy of that name"),
    ]);
  });
  test("limits how long one holds", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-01-01T00:00:00Z") });
    const at = (until: string) => violations(rule, unit(waiver(until))).map((line) => line.replace(/unit\d+/, "u"));
    assert.deepEqual(at("2027-06-30"), [
      "[advisory] u.service: waives no-description until 2027-06-30 (180 days left): until ticket 12",
    ]);
    assert.deepEqual(at("2027-07-01"), [
      "u.service: the waiver of no-description holds until 2027-07-01, 181 days from now; at most 180 are allowed",
    ]);
  });
  test("limits how many there are, in a definition and in the stack", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T00:00:00Z") });
    const four = unit(...Array.from({ length: 4 }, () => waiver("2027-03-31")));
    assert.deepEqual(
      violations(rule, four).filter((line) => !line.startsWith("[")),
      [own("it has 4 waivers, at most 3 are allowed")],
    );
    const [first, last] = [unit(waiver("2027-03-31")), unit(waiver("2027-03-31"))];
    assert.deepEqual(
      violations(rule, first, { ...last, config: { maximum: 1 } }).filter((line) => !line.startsWith("[")),
      [own("with it the stack has 2 waivers, at most 1 are allowed")],
    );
    assert.deepEqual(
      violations(rule, first, last, { ...unit(), config: { maximum: 1 } }).filter((line) => !line.startsWith("[")),
      [],
    );
  });
  test("lets as many pass as the config says, for as long", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T00:00:00Z") });
    const config = { maximumDays: 30, maximumPerUnit: 2, maximum: 2 };
    const two = unit(waiver("2027-03-31"), waiver("2027-03-31", "sandbox-exposure"));
    assert.deepEqual(
      violations(rule, { ...two, config }).filter((line) => !line.startsWith("[")),
      [],
    );
    assert.deepEqual(violations(rule, { ...unit(waiver("2027-04-01")), config }), [
      own("the waiver of no-description holds until 2027-04-01, 31 days from now; at most 30 are allowed"),
    ]);
  });
  test("knows policies that are never waived, and itself", (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.parse("2027-03-01T00:00:00Z") });
    const config = { never: ["host-key-pinned"], maximum: 1000 };
    assert.deepEqual(violations(rule, { ...unit(waiver("2027-03-31", "host-key-pinned")), config }), [
      own("host-key-pinned cannot be waived here"),
    ]);
    const itself = waiversRule(() => new Set(["waivers"]));
    assert.deepEqual(violations(itself, unit(waiver("2027-03-31", "waivers"))), [own("waivers cannot be waived here")]);
  });
  test("looks at definitions and hosts alone", () => {
    assert.deepEqual(violations(rule, { ...unit(waiver("2000-01-01")), type: "other:index:Thing" }), []);
  });
});
