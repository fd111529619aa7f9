"""The runs of a timer, against a systemctl and a systemd-analyze that are scripts."""

from __future__ import annotations

import os
import tempfile
import time
import unittest
from typing import Any
from unittest import mock

import pulumi_systemd_health_under_test  # noqa: F401 puts the modules on the path

from pulumi_systemd_health import timer_runs
from pulumi_systemd_health.probe_settings import TimerProbe
from pulumi_systemd_health.timer_runs import Runs, loaded_runs, next_due, save_runs, service_of, timer_problem, untold_runs, with_run

# Each answers with the file of its unit; the calendar with what is due, and writes down what it was asked.
SYSTEMCTL = '#!/bin/sh\nfor unit; do :; done\ncat "$HOLD/$unit"\n'
ANALYZE = '#!/bin/sh\necho "$*" >> "$HOLD/asked"\ncat "$HOLD/due"\n'
TIMER = (
    "LoadState=loaded\nActiveState=active\nSubState=waiting\nUnit=nightly.service\n"
    "TimersCalendar={ OnCalendar=*-*-* 03:00:00 ; next_elapse=Sun 2026-11-22 03:00:00 UTC }\n"
    "RandomizedDelayUSec=10min\nAccuracyUSec=1s\n"
)
DAY = 86_400.0
# Noon of a day; the machine has been up for two days.
NOW, UP = 1_800_014_400.0, 2 * DAY
LAST, DUE = NOW - 9 * 3600, NOW + 15 * 3600


def at(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


class TimerRunsTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.hold = holder.name
        for name, text in (("systemctl", SYSTEMCTL), ("systemd-analyze", ANALYZE)):
            self.write(name, text)
            os.chmod(os.path.join(self.hold, name), 0o755)  # noqa: S103 a program of this test
        environment = mock.patch.dict(os.environ, {"PATH": f"{self.hold}:/usr/bin:/bin", "HOLD": self.hold})
        environment.start()
        self.addCleanup(environment.stop)
        self.now, self.up = NOW, UP
        for name, clock in (("time", lambda: self.now), ("monotonic", lambda: self.up)):
            patch = mock.patch.object(timer_runs.time, name, clock)
            patch.start()
            self.addCleanup(patch.stop)
        self.write("nightly.timer", TIMER)
        self.service(LAST)
        self.due(DUE)

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.hold, name), "w", encoding="utf-8") as target:
            target.write(text)

    def service(self, begun: float | None, **changes: str) -> None:
        stamp = 0 if begun is None else int((self.up - (self.now - begun)) * 1e6)
        values = {"ActiveState": "inactive", "Result": "success", "ExecMainCode": "1", "ExecMainStatus": "0", **changes}
        lines = [f"{key}={value}\n" for key, value in values.items()]
        self.write("nightly.service", "".join(lines) + f"InactiveExitTimestampMonotonic={stamp}\n")

    def due(self, *moments: float) -> None:
        blocks = []
        for moment in moments:
            text = time.strftime("%a %Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
            blocks.append(f"  Original form: x\n    Next elapse: Sun 2026-11-22 04:00:00 CET\n       (in UTC): {text}\n")
        self.write("due", "\n".join(blocks))

    def later(self, seconds: float) -> None:
        self.now, self.up = self.now + seconds, self.up + seconds

    def problem(self, **changes: Any) -> str | None:
        memory = os.path.join(self.hold, "memory")
        return timer_problem(TimerProbe(**{"timeout_sec": 5, "timer": "nightly.timer", "grace_sec": 600, "memory": memory, **changes}))

    def asked(self) -> list[str]:
        with open(os.path.join(self.hold, "asked"), encoding="utf-8") as source:
            return source.read().splitlines()

    def test_what_ran_and_did_well_is_well_and_is_asked_for_once(self) -> None:
        for _ in range(3):
            self.assertIsNone(self.problem())
        self.assertEqual(self.asked(), [f"calendar --base-time=@{int(NOW)} -- *-*-* 03:00:00"])

    def test_a_run_that_does_not_take_place_is_told_after_all_that_it_may_be_late(self) -> None:
        self.assertIsNone(self.problem())
        # The delay by chance, the accuracy, the grace: 20 min and 1 s.
        self.later(DUE - NOW + 1200)
        self.assertIsNone(self.problem())
        self.later(2)
        self.assertEqual(self.problem(), f"the run that was due at {at(DUE)} did not take place")
        self.service(self.now - 1)
        self.due(DUE + DAY)
        self.assertIsNone(self.problem())

    def test_it_is_told_after_the_machine_was_off_and_a_run_that_is_made_up_for_has_its_time(self) -> None:
        self.assertIsNone(self.problem())
        self.later(2 * DAY)
        self.up = 60.0
        self.service(None)
        self.assertIsNone(self.problem())
        self.later(1300)
        self.assertEqual(self.problem(), f"the run that was due at {at(DUE)} did not take place")
        self.service(self.now - 5)
        self.due(self.now + 3600)
        self.assertIsNone(self.problem())

    def test_a_run_that_fails_is_told_until_one_does_well_also_over_a_reboot(self) -> None:
        self.service(LAST, ActiveState="failed", Result="exit-code", ExecMainStatus="3")
        failed = f"the run of {at(LAST)} failed: exit-code, exit status 3"
        self.assertEqual(self.problem(), failed)
        self.up = 100.0
        self.service(None)
        self.assertEqual(self.problem(), failed)
        # The next one is under way: how it ends is not known.
        self.service(self.now - 5, ActiveState="activating")
        self.assertEqual(self.problem(), failed)
        self.service(self.now - 5)
        self.assertIsNone(self.problem())

    def test_a_run_that_does_not_end_in_time(self) -> None:
        self.service(LAST, ActiveState="failed", Result="timeout", ExecMainCode="2", ExecMainStatus="15")
        self.assertEqual(self.problem(), f"the run of {at(LAST)} failed: it did not end in time")

    def test_a_run_that_is_due_while_one_runs(self) -> None:
        self.service(LAST, ActiveState="activating")
        self.assertIsNone(self.problem())
        self.later(DUE - NOW + 1300)
        self.service(LAST, ActiveState="activating")
        self.assertEqual(
            self.problem(), f"the run that was due at {at(DUE)} did not take place, since the run before it had not ended"
        )

    def test_a_timer_that_does_not_run(self) -> None:
        for old, new, said in (
            ("ActiveState=active", "ActiveState=inactive", "it is inactive, so nothing runs at its times"),
            ("LoadState=loaded", "LoadState=not-found", "its unit file is not-found"),
            ("SubState=waiting", "SubState=elapsed", "it will not elapse again"),
        ):
            self.write("nightly.timer", TIMER.replace(old, new))
            self.assertEqual(self.problem(), said)

    def test_a_changed_schedule_is_asked_for_anew(self) -> None:
        self.problem()
        self.write("nightly.timer", TIMER.replace("03:00:00 ;", "04:00:00 ;"))
        self.problem()
        self.assertEqual([line.rsplit(" ", 1)[1] for line in self.asked()], ["03:00:00", "04:00:00"])

    def test_the_first_of_several_calendars_counts(self) -> None:
        self.due(DUE + 60, DUE, DUE + 30)
        self.assertEqual(next_due(("a", "b", "c"), NOW, 5), DUE)
        self.write("due", "  Original form: 2020-01-01\n    Next elapse: never\n")
        self.assertIsNone(next_due(("2020-01-01",), NOW, 5))
        self.assertIsNone(next_due((), NOW, 5))

    def test_the_service_behind_a_timer(self) -> None:
        for unit, service in (
            ("nightly.service", "nightly.service"),
            ("nightly-due.service", "nightly.service"),
            ("backup.service", "backup.service"),
            ("", "nightly.service"),
        ):
            self.assertEqual(service_of("nightly.timer", {"Unit": unit}), service)

    def test_the_same_start_seen_by_clocks_that_drift_is_one_run(self) -> None:
        shown = {"InactiveExitTimestampMonotonic": "1000000", "ActiveState": "inactive", "Result": "success"}
        runs = with_run(Runs(0.0), shown, NOW, 100.0)
        self.assertEqual(with_run(runs, shown, NOW + 60.5, 160.0), runs)
        self.assertEqual(with_run(runs, shown, NOW + 3600, 160.0).begun, NOW + 3600 - 159)

    def test_each_run_is_told_once_from_when_somebody_looks(self) -> None:
        self.problem()
        self.assertEqual(self.told(), [])
        second = self.now + 60
        self.later(90)
        self.service(second, ActiveState="activating")
        self.problem()
        self.assertEqual(self.told(), [("run-started", f"the run of {at(second)} has begun")])
        self.problem()
        self.assertEqual(self.told(), [])
        self.service(second, Result="exit-code", ExecMainStatus="2", ActiveState="failed")
        self.problem()
        self.assertEqual(self.told(), [("run-failed", f"the run of {at(second)} failed: exit-code, exit status 2")])
        third = self.now + 60
        self.later(90)
        self.service(third)
        self.problem()
        self.assertEqual([event for event, _ in self.told()], ["run-started", "run-succeeded"])
        self.assertEqual(self.told(), [])

    def told(self) -> list[tuple[str, str]]:
        path = os.path.join(self.hold, "memory")
        runs = loaded_runs(path)
        assert runs is not None
        found, after = untold_runs(runs)
        save_runs(path, after)
        return found

    def test_a_broken_memory_begins_anew(self) -> None:
        for text in ("", "{}", '{"format": 1}', "\0"):
            self.write("memory", text)
            self.assertIsNone(loaded_runs(os.path.join(self.hold, "memory")))
            self.assertIsNone(self.problem())


if __name__ == "__main__":
    unittest.main()
