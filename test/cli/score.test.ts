import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ScoreOptions, score } from "../../cli/score.ts";
import { UsageError } from "../../cli/unit-source.ts";
import { type Exposure, exposureOf } from "../../systemd/exposure.ts";
import { parseUnitFile } from "../../systemd/unit-file.ts";
import { printedJson, recordingTerminal } from "./recording-terminal.ts";
import { unitFolder } from "./unit-folder.ts";

const open = "[Service]\nExecStart=/bin/true\n";
const closed = `${open}ProtectSystem=strict\nProtectHome=yes\nDynamicUser=yes\nCapabilityBoundingSet=\n`;
const at = unitFolder({ "open.service": open, "closed.service": closed, "a.socket": "[Socket]\nListenStream=80\n" });

function ran(names: readonly string[], options: Partial<ScoreOptions> = {}) {
  const terminal = recordingTerminal();
  const status = score(names.map(at), { systemd: 252, target: 2, ...options }, terminal);
  return { status, terminal };
}

describe("score", () => {
  it("prints a table, one line for each file in the order of the arguments", () => {
    const { status, terminal } = ran(["open.service", "closed.service"]);
    assert.equal(status, 0);
    const [header, ...rows] = terminal.printed;
    assert.match(header!, /^UNIT +EXPOSURE +RATING +WORST TESTS$/);
    assert.match(rows[0]!, /^open\.service +9\.6 +UNSAFE +/);
    assert.match(rows[1]!, /^closed\.service +\d\.\d +[A-Z]+ +/);
    assert.equal(rows.length, 2);
  });

  it("prints an array of {unit, exposure, rating, tests} in the order of the arguments with --json", () => {
    const { status, terminal } = ran(["closed.service", "open.service"], { json: true });
    assert.equal(status, 0);
    const scored = printedJson(terminal) as Exposure[];
    assert.deepEqual(scored, [
      exposureOf("closed.service", parseUnitFile(closed)),
      exposureOf("open.service", parseUnitFile(open)),
    ]);
    assert.deepEqual(Object.keys(scored[1]!), ["unit", "exposure", "rating", "tests"]);
    assert.equal(scored[1]!.exposure, 9.6);
    const [first] = scored[1]!.tests;
    assert.deepEqual([first?.id, first?.badness, first?.exposure], ["User=/DynamicUser=", 10, 0.4]);
  });

  it("prints exposures as JSON numbers with at most one decimal", () => {
    const text = ran(["open.service", "closed.service"], { json: true }).terminal.printed.join("\n");
    const numbers = [...text.matchAll(/"exposure": ([^,\n]*)/g)].map(([, number]) => number!);
    assert.ok(numbers.length > 100);
    assert.deepEqual(
      numbers.filter((number) => !/^(\d+(\.\d)?|null)$/.test(number)),
      [],
    );
  });

  it("takes the nearest systemd whose score is known, and says so", () => {
    for (const [asked, used, reason] of [
      [247, 252, "systemd 247 scores no files, only loaded units"],
      [258, 257, "the score of systemd 258 is not known here"],
    ] as const) {
      const { status, terminal } = ran(["open.service"], { systemd: asked, json: true });
      assert.equal(status, 0);
      assert.deepEqual(printedJson(terminal), [exposureOf("open.service", parseUnitFile(open), { systemd: used })]);
      assert.deepEqual(terminal.complaints, [
        `note: ${reason}; this is the score of ${used}, the nearest that is known`,
      ]);
    }
    assert.deepEqual(ran(["open.service"], { systemd: 255 }).terminal.complaints, []);
  });

  it("explains each test that is not good: what to write, and what that may break", () => {
    const { terminal } = ran(["closed.service"], { explain: true });
    const { exposure, tests } = exposureOf("closed.service", parseUnitFile(closed));
    const bad = tests.filter((test) => test.set === false);
    const [head, ...lines] = terminal.printed;
    assert.equal(head, `# closed.service: ${exposure.toFixed(1)} MEDIUM, ${bad.length} of 81 tests are not good`);
    assert.equal(lines.filter((line) => line.startsWith("    may break  ")).length, bad.length);
    const at = lines.findIndex((line) => line.startsWith("PrivateDevices= "));
    assert.deepEqual(lines.slice(at, at + 3), [
      "PrivateDevices= (0.2) the service can open the hardware devices of the host",
      "    write      PrivateDevices=yes",
      "    may break  GPUs, serial ports, FUSE and other hardware: PrivateDevices=no with DevicePolicy=closed and DeviceAllow=",
    ]);
  });

  it("counts as the systemd that --systemd names", () => {
    const exposures = [252, 257].map((systemd) => {
      const { terminal } = ran(["open.service"], { systemd, json: true });
      return (printedJson(terminal) as Exposure[])[0]!.exposure;
    });
    assert.deepEqual(exposures, [9.6, 9.4]);
  });

  it("ends with 1 when one score is above the threshold, and not when it is equal", () => {
    const statuses = [9.6, 9.5].map((threshold) => ran(["closed.service", "open.service"], { threshold }).status);
    assert.deepEqual(statuses, [0, 1]);
    assert.equal(ran(["open.service"], { threshold: 5, json: true }).status, 1);
  });

  it("suggests lines that reach the target", () => {
    const { status, terminal } = ran(["open.service"], { suggest: true, target: 5 });
    assert.equal(status, 0);
    const [comment, ...lines] = terminal.printed;
    const [, reached] = /^# open\.service: 9\.6 now, (\d\.\d) with$/.exec(comment!) ?? [];
    const suggested = parseUnitFile(`${open}${lines.join("\n")}\n`);
    assert.equal(exposureOf("open.service", suggested).exposure.toFixed(1), reached);
    assert.ok(Number(reached) <= 5, reached);
  });

  it("prints suggestions as an array with --json", () => {
    const { terminal } = ran(["open.service"], { suggest: true, target: 9, json: true });
    const [suggestion] = printedJson(terminal) as { unit: string; reached: number }[];
    assert.deepEqual(Object.keys(suggestion!), ["unit", "exposure", "target", "reached", "directives"]);
    assert.ok(suggestion!.reached <= 9);
  });

  it("refuses what is no service, and names the file", () => {
    assert.throws(
      () => ran(["a.socket"]),
      new UsageError(`${at("a.socket")}: exposure of unit "a.socket": only services (NAME.service) have a score`),
    );
  });
});
