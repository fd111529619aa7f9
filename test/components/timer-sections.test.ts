import assert from "node:assert/strict";
import { test } from "node:test";
import { timerSchema } from "../../components/timer-args.ts";
import { dueSections, scheduleNotes, timerSections } from "../../components/timer-sections.ts";

const sectionsOf = (args: object) => timerSections("nightly", "nightly.service", timerSchema.parse(args));
const problemsOf = (args: object) =>
  timerSchema.safeParse(args).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

test("a timer in full", () => {
  assert.deepEqual(
    sectionsOf({
      description: "100% of the night",
      onCalendar: "*-*-* 03:00:00",
      onBootSec: "15min",
      onStartupSec: 20,
      randomizedDelaySec: "10min",
      fixedRandomDelay: true,
      accuracySec: "1us",
      persistent: true,
      timer: { WakeSystem: true },
    }),
    {
      Unit: { Description: "100%% of the night" },
      Timer: {
        OnCalendar: ["*-*-* 03:00:00"],
        OnBootSec: ["15min"],
        OnStartupSec: ["20"],
        OnUnitActiveSec: undefined,
        OnUnitInactiveSec: undefined,
        OnActiveSec: undefined,
        RandomizedDelaySec: "10min",
        FixedRandomDelay: true,
        AccuracySec: "1us",
        Persistent: true,
        Unit: "nightly.service",
        WakeSystem: true,
      },
      Install: { WantedBy: "timers.target" },
    },
  );
});

test("a schedule is several calendars, each in its time zone", () => {
  const { Timer } = sectionsOf({
    onCalendar: "monthly",
    schedule: {
      onCalendar: ["Mon 07:30", "Mon 08:30 UTC", "hourly", "*-*-01"],
      cron: "\n*/15 * * * *\n0 0 1,15 * 5\n",
      timeZone: "Europe/Berlin",
    },
  });
  assert.deepEqual(Timer?.OnCalendar, [
    "monthly",
    "Mon 07:30 Europe/Berlin",
    "Mon 08:30 UTC",
    "hourly Europe/Berlin",
    "*-*-01 Europe/Berlin",
    "*-*-* *:00/15:00 Europe/Berlin",
    "*-*-01,15 00:00:00 Europe/Berlin",
    "Fri *-*-* 00:00:00 Europe/Berlin",
  ]);
});

test("the preview says what cron became", () => {
  const args = timerSchema.parse({ schedule: { cron: "@daily\n0 0 1,15 * 5" } });
  assert.deepEqual(scheduleNotes(args), [
    'cron "@daily" is OnCalendar=*-*-* 00:00:00',
    'cron "0 0 1,15 * 5" is OnCalendar=*-*-01,15 00:00:00 and OnCalendar=Fri *-*-* 00:00:00; cron runs on the days of the month and on the weekdays: one line for each',
  ]);
});

test("what counts from a run has a first one", () => {
  assert.deepEqual(sectionsOf({ onUnitActiveSec: "1h" }).Timer?.OnActiveSec, ["1h"]);
  assert.deepEqual(sectionsOf({ onUnitInactiveSec: "5min" }).Timer?.OnActiveSec, ["5min"]);
  assert.equal(sectionsOf({ onUnitActiveSec: "1h", onBootSec: "1min" }).Timer?.OnActiveSec, undefined);
  assert.equal(sectionsOf({ onUnitActiveSec: "1h", timer: { OnClockChange: true } }).Timer?.OnActiveSec, undefined);
  assert.deepEqual(sectionsOf({ onUnitActiveSec: "1h", onActiveSec: "0" }).Timer?.OnActiveSec, ["0"]);
});

test("what no calendar can say is refused, by its path", () => {
  assert.match(
    problemsOf({ schedule: { cron: "@daily\n@reboot" } }).join(),
    /^schedule\.cron: @reboot is no time of day/,
  );
  assert.match(
    problemsOf({ schedule: { cron: "0 25 * * *" } }).join(),
    /^schedule\.cron: cron schedule "0 25 \* \* \*": /,
  );
  assert.match(problemsOf({ schedule: { cron: "0 0 30 2 *" } }).join(), /^schedule\.cron: .*never elapses/);
  assert.deepEqual(problemsOf({ schedule: { cron: " \n" } }), ["schedule: has no time; give cron or onCalendar"]);
  assert.deepEqual(problemsOf({ schedule: { cron: "@daily", timeZone: "Mars/Olympus" } }), [
    'schedule.timeZone: "Mars/Olympus" is no time zone; write a name of the tz database such as Europe/Berlin, or UTC',
  ]);
  assert.match(
    problemsOf({ description: "nothing" }).join(),
    /has no trigger; give at least one of onCalendar, schedule/,
  );
  assert.deepEqual(problemsOf({ onCalendar: "daily", fixedRandomDelay: true }), [
    "fixedRandomDelay: fixes a delay that is not given; add randomizedDelaySec",
  ]);
});

test("the service that queues a run waits for the one before without a bound of its own", () => {
  const { Service } = dueSections("nightly");
  assert.equal(Service?.Type, "oneshot");
  assert.equal(Service?.TimeoutStartSec, "infinity");
  assert.match(String(Service?.ExecStart), /nightly\.service/);
});
