import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckStatus, HostStatus, UnitStatus } from "../../../activation/host-status.ts";
import { exitStatusOf, narrowed, type StackHostStatus } from "../../../cli/status/stack-status.ts";
import { shortSpan, statusLines } from "../../../cli/status/status-lines.ts";
import { styleFor } from "../../../cli/terminal.ts";
import { unitFilter, unmatched } from "../../../cli/unit-patterns.ts";

const now = 1_800_000_000;
const plain = styleFor(false, {});

function unit(name: string, changes: Partial<UnitStatus> = {}): UnitStatus {
  return {
    name,
    activeState: "active",
    subState: "running",
    since: now - 3 * 86_400 - 4 * 3600,
    result: "success",
    exit: "",
    why: "",
    well: true,
    unitFileState: "enabled",
    activation: "started",
    restarts: 0,
    memoryBytes: 50_541_363,
    nextRun: null,
    lastRun: null,
    invocationId: "",
    ...changes,
  };
}

const check = (changes: Partial<CheckStatus> = {}): CheckStatus => ({
  check: "api-health",
  group: "api-health",
  unit: "api.service",
  state: "healthy",
  status: "healthy: 200",
  since: now,
  outageSince: null,
  heldUntil: null,
  ...changes,
});

function host(name: string, units: readonly UnitStatus[], changes: Partial<HostStatus> = {}): StackHostStatus {
  const status: HostStatus = {
    format: 1,
    scope: `shop/prod/${name}`,
    hostname: name,
    systemd: 252,
    generation: 7,
    at: now,
    now,
    booted: false,
    hold: null,
    rolledBack: null,
    units: [...units],
    health: [],
    healthProblem: "",
    busy: "",
    findings: [],
    ...changes,
  };
  return { host: name, address: undefined, status };
}

const stack = (...hosts: readonly StackHostStatus[]) => ({ project: "shop", stack: "prod", hosts });
const failed = unit("nightly.service", {
  activeState: "failed",
  subState: "failed",
  result: "exit-code",
  exit: "203/EXEC",
  why: "failed (failed); result exit-code",
  well: false,
  memoryBytes: null,
});
const timer = unit("nightly.timer", {
  subState: "waiting",
  restarts: null,
  memoryBytes: null,
  nextRun: now + 60_480,
  lastRun: now - 25_920,
});

test("what is not well comes first, whatever its host; then lines of the hosts", () => {
  const report = stack(
    host("web1", [unit("api.service"), timer]),
    host("web2", [failed, unit("api.service", { restarts: 2 })], {
      health: [check({ state: "open", status: "open, 3 actions did not help", outageSince: now })],
      findings: [
        { kind: "file-changed", unit: "api.service", path: "/etc/systemd/system/api.service" },
        { kind: "release-edited", unit: "", path: "/opt/shop/main.py" },
      ],
    }),
    { host: "web3", address: undefined, problem: "web3: did not answer" },
  );
  assert.deepEqual(
    statusLines(report, plain).map((line) => line.replace(/ {2,}/g, "  ")),
    [
      "HOST  UNIT  STATE  FOR  RESULT  RESTARTS  MEMORY  NEXT  LAST  HEALTH  GEN  DRIFT",
      "web2  nightly.service  failed (failed)  3 d 4 h  exit-code 203/EXEC  0  -  -  -  -  7  -",
      "web2  api.service  active (running)  3 d 4 h  -  2  48.2M  -  -  open  7  file-changed",
      "web1  api.service  active (running)  3 d 4 h  -  0  48.2M  -  -  -  7  -",
      "web1  nightly.timer  active (waiting)  3 d 4 h  -  -  -  in 16 h 48 min  7 h 12 min ago  -  7  -",
      "",
      "web2: api-health: open, 3 actions did not help",
      "web2: nightly.service: failed (failed); result exit-code",
      "web2: drift: release-edited /opt/shop/main.py",
      "web3: not known: web3: did not answer",
    ],
  );
});

test("a rollback and a hold by a person are said", () => {
  const hold = { who: "kim", at: now, until: now + 7200, reason: "orders answer 500" };
  const rolledBack = { to: 6, left: 7, who: "kim", at: now };
  assert.deepEqual(statusLines(stack(host("web1", [], { hold, rolledBack, busy: "pulumi up" })), plain), [
    "web1: a transaction is at work: pulumi up",
    "web1: kim went back from generation 7 to 6",
    "web1: kim holds updates off for 2 h more: orders answer 500",
  ]);
});

test("colours on a terminal alone", () => {
  const lines = statusLines(stack(host("web1", [failed])), styleFor(true, {})).join("\n");
  assert.ok(lines.includes("\x1b[31mfailed (failed)\x1b[0m"), lines);
  assert.ok(
    !statusLines(stack(host("web1", [failed])), plain)
      .join("\n")
      .includes("\x1b"),
  );
});

test("the exit status: a host that is not known, else what is not well, else 0; drift does not count", () => {
  const drift = { findings: [{ kind: "file-changed", unit: "api.service", path: "" }] };
  const well = host("web1", [unit("api.service")], { health: [check()], ...drift });
  const gone = { host: "web2", address: undefined, problem: "gone" };
  assert.equal(exitStatusOf(stack(well)), 0);
  assert.equal(exitStatusOf(stack(well, host("web2", [failed]))), 1);
  assert.equal(exitStatusOf(stack(host("web1", [], { health: [check({ state: "told", outageSince: now })] }))), 1);
  assert.equal(exitStatusOf(stack(host("web1", [], { healthProblem: "no answer" }))), 1);
  assert.equal(exitStatusOf(stack(host("web2", [failed]), gone)), 2);
});

test("units are meant by name and pattern, with the suffix that systemctl adds", () => {
  const units = ["api.service", "api.socket", "nightly.service", "nightly.timer", "notify@a.service"];
  const meant = (...patterns: string[]) => units.filter(unitFilter(patterns));
  assert.deepEqual(meant(), units);
  assert.deepEqual(meant("api"), ["api.service"]);
  assert.deepEqual(meant("nightly*", "api.socket"), ["api.socket", "nightly.service", "nightly.timer"]);
  assert.deepEqual(meant("notify@*"), ["notify@a.service"]);
  assert.deepEqual(meant("ap[ij].service"), ["api.service"]);
  assert.deepEqual(meant("apixservice", "a[", "(", ".*"), []);
  assert.deepEqual(unmatched(["api", "nobody"], units), ["nobody"]);
});

test("of the units that are meant, the checks that watch them, and of a check without a unit its timer", () => {
  const disk = check({ check: "disk", group: "disk", unit: null });
  const all = host("web1", [unit("api.service"), unit("disk.timer")], { health: [check(), disk] });
  const checks = (pattern: string) => narrowed(all, unitFilter([pattern])).status?.health.map((each) => each.check);
  assert.deepEqual([checks("api"), checks("disk.timer"), checks("none")], [["api-health"], ["disk"], []]);
});

test("lengths of time", () => {
  assert.deepEqual([0, 59.6, 3661, 90_000].map(shortSpan), ["0 s", "1 min", "1 h 1 min", "1 d 1 h"]);
});
