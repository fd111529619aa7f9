from __future__ import annotations

import unittest

from pulumi_systemd_health_under_test import UNIT

from pulumi_systemd_health.decision import Condition, Sight
from pulumi_systemd_health.errors import BrokenCheckError
from pulumi_systemd_health.round import confirmed
from pulumi_systemd_health.units import UnitView, view_of

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "Result": "success",
    "InvocationID": "1" * 32,
    "InactiveExitTimestampMonotonic": "40000000",
    "ActiveEnterTimestampMonotonic": "42000000",
}


def viewed(**changes: str) -> UnitView:
    shown = "".join(f"{key}={value}\n" for key, value in {**RUNNING, **changes}.items())
    return view_of(UNIT, shown, 100.0)


class ViewTest(unittest.TestCase):
    def test_an_active_unit_is_for_the_probes_to_judge(self) -> None:
        self.assertEqual(viewed(), UnitView(None, "running", 58.0, "", "1" * 32))

    def test_conditions(self) -> None:
        for changes, condition, reason in (
            (
                {"ActiveState": "inactive", "SubState": "dead"},
                Condition.STOPPED,
                "it was stopped, or ended in order",
            ),
            (
                {"ActiveState": "inactive", "SubState": "dead", "Result": "exit-code"},
                Condition.UNHEALTHY,
                "it is inactive (exit-code)",
            ),
            (
                {"ActiveState": "failed", "SubState": "failed", "Result": "start-limit-hit"},
                Condition.UNHEALTHY,
                "it is failed (start-limit-hit)",
            ),
            (
                {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"},
                Condition.BUSY,
                "systemd is about to restart it",
            ),
            (
                {"ActiveState": "activating", "SubState": "auto-restart-queued"},
                Condition.BUSY,
                "systemd is about to restart it",
            ),
            ({"ActiveState": "activating", "SubState": "start-pre"}, Condition.BUSY, "it is activating (start-pre)"),
            (
                {"ActiveState": "deactivating", "SubState": "stop-sigterm"},
                Condition.BUSY,
                "it is deactivating (stop-sigterm)",
            ),
            ({"ActiveState": "reloading", "SubState": "reload"}, Condition.BUSY, "it is reloading (reload)"),
            (
                {"ActiveState": "inactive", "SubState": "dead", "Job": "4711"},
                Condition.BUSY,
                "a job of systemd is under way (inactive, dead)",
            ),
            ({"ActiveState": "active", "Job": "0"}, None, "running"),
            (
                {"ActiveState": "inactive", "SubState": "dead", "LoadState": "masked"},
                Condition.STOPPED,
                "it is masked",
            ),
            (
                {"ActiveState": "inactive", "SubState": "dead", "LoadState": "not-found"},
                Condition.UNHEALTHY,
                "it does not run",
            ),
        ):
            with self.subTest(reason):
                view = viewed(**changes)
                self.assertEqual((view.condition, view.reason), (condition, reason))

    def test_a_unit_without_a_usable_file_cannot_be_restarted(self) -> None:
        for load in ("not-found", "bad-setting", "error", "masked"):
            with self.subTest(load):
                self.assertEqual(viewed(LoadState=load).hopeless, f"its unit file is {load}")

    def test_the_start_counts_from_the_latest_stamp(self) -> None:
        for exit_stamp, enter_stamp, seconds in (
            ("40000000", "0", 60.0),
            ("90000000", "42000000", 10.0),
            ("0", "0", None),
            ("", "", None),
            ("140000000", "0", 0.0),
        ):
            with self.subTest(exit_stamp):
                view = viewed(
                    InactiveExitTimestampMonotonic=exit_stamp,
                    ActiveEnterTimestampMonotonic=enter_stamp,
                )
                self.assertEqual(view.since_start, seconds)

    def test_properties_that_an_old_systemd_or_another_kind_of_unit_lacks(self) -> None:
        self.assertEqual(
            view_of("multi-user.target", "ActiveState=inactive\nSubState=dead\n", 100.0),
            UnitView(Condition.STOPPED, "it was stopped, or ended in order", None, "", ""),
        )

    def test_an_empty_answer_is_no_verdict(self) -> None:
        with self.assertRaisesRegex(BrokenCheckError, "^systemctl show says nothing of api.service$"):
            view_of(UNIT, "\n", 100.0)


class ConfirmedTest(unittest.TestCase):
    """What happened to the unit while it was being probed."""

    def setUp(self) -> None:
        self.probe_failed = Sight(Condition.UNHEALTHY, "no answer", 58.0)

    def test_nothing(self) -> None:
        self.assertEqual(
            confirmed(self.probe_failed, viewed(), viewed(), "a lease"),
            Sight(Condition.UNHEALTHY, "no answer", 58.0, "a lease", restarts=0),
        )

    def test_a_person_stopped_it(self) -> None:
        after = viewed(ActiveState="inactive", SubState="dead", InvocationID="")
        self.assertEqual(confirmed(self.probe_failed, viewed(), after, "").condition, Condition.STOPPED)

    def test_it_was_restarted(self) -> None:
        restarted = Sight(Condition.BUSY, "it was restarted during the check", restarts=0)
        self.assertEqual(confirmed(self.probe_failed, viewed(), viewed(InvocationID="2" * 32), ""), restarted)
        failed = viewed(ActiveState="failed", SubState="failed", Result="exit-code", InvocationID="2" * 32)
        self.assertEqual(confirmed(self.probe_failed, failed, viewed(InvocationID="2" * 32), ""), restarted)

    def test_it_failed(self) -> None:
        after = viewed(ActiveState="failed", SubState="failed", Result="oom-kill")
        self.assertEqual(
            confirmed(self.probe_failed, viewed(), after, ""),
            Sight(Condition.UNHEALTHY, "it is failed (oom-kill)", 58.0, restarts=0),
        )


if __name__ == "__main__":
    unittest.main()
