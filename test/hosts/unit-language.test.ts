// The short form of bench/unit-language/: the same comparisons with real systemd, on fewer random cases of a fixed seed.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { calendarMeasurement, calendarQuestions } from "../../bench/unit-language/calendar.ts";
import { codecMeasurement } from "../../bench/unit-language/codec.ts";
import { cronMeasurement, cronQuestions } from "../../bench/unit-language/cron.ts";
import { exposureMeasurement, sandboxFiles, shippedServices } from "../../bench/unit-language/exposure.ts";
import type { Measurement } from "../../bench/unit-language/measurement.ts";
import { processInputMeasurement } from "../../bench/unit-language/process-input.ts";
import { bootedHost, type SandboxHost } from "../../sandbox/host.ts";
import { debianReleases } from "../../sandbox/release.ts";
import { parseUnitFile, printUnitFile } from "../../systemd/unit-file.ts";

const seed = 4;

suite("the unit language and real systemd", { timeout: 300_000 }, () => {
  let hosts: readonly SandboxHost[] = [];
  before(async () => {
    const booted = await Promise.allSettled(debianReleases.map((release) => bootedHost({ release })));
    hosts = booted.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    for (const result of booted) if (result.status === "rejected") throw result.reason;
  });
  after(() => Promise.all(hosts.map((host) => host.down())));

  const onEach = async (measure: (host: SandboxHost) => Promise<Measurement>, chosen = hosts) => {
    for (const measured of await Promise.all(chosen.map(measure))) {
      assert.deepEqual(measured.mismatches, []);
      for (const { what, cases } of measured.rows) assert.ok(cases > 0, `${what}: no case`);
    }
  };
  const withTool = () => hosts.filter(({ release }) => release !== "bullseye");

  test("systemd says the same of every unit that Debian ships after it was parsed and printed", () =>
    onEach((host) => codecMeasurement(host)));

  test("a file that is printed without one of its lines is seen", async () => {
    const lossy = (path: string, text: string): string => {
      const { sections } = parseUnitFile(text);
      if (path !== "systemd-tmpfiles-clean.timer") return printUnitFile({ sections });
      const kept = sections.map(({ name, entries }) => ({
        name,
        entries: entries.filter(({ key }) => key !== "OnUnitActiveSec"),
      }));
      return printUnitFile({ sections: kept });
    };
    const { mismatches } = await codecMeasurement(hosts[1]!, lossy);
    assert.deepEqual(
      mismatches.map(({ input }) => input),
      ["systemd-tmpfiles-clean.timer"],
    );
    assert.match(mismatches[0]!.theirs, /TimersMonotonic=.*OnUnitActiveUSec=1d/);
  });

  test("arguments, environment files and Environment= come out of a process as they went in", () =>
    onEach((host) => processInputMeasurement(host, { seed, count: 50 })));

  test("exposureOf says what systemd-analyze security says", () =>
    onEach(async (host) => {
      const shipped = (await shippedServices(host)).filter((_, index) => index % 8 === 0);
      return exposureMeasurement(host, "services", [...shipped, ...sandboxFiles({ seed, count: 20 })]);
    }, withTool()));

  test("calendars mean what systemd-analyze calendar says", () =>
    onEach((host) => calendarMeasurement(host, calendarQuestions({ seed, count: 100 })), withTool()));

  test("converted cron schedules elapse when cron runs", () =>
    onEach((host) => {
      const { recorded, random } = cronQuestions({ seed, count: 30 });
      return cronMeasurement(host, "schedules", [...recorded, ...random]);
    }, withTool()));
});
