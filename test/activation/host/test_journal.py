from __future__ import annotations

import json
import os
import time
import unittest
from typing import Any
from unittest import mock

import pulumi_systemd_host_under_test  # noqa: F401

from pulumi_systemd_host.journal import LINES, NONE, journal_lines
from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.systemctl import UnitState

AT = 1_800_000_000_000_000


def entry(message: Any, **fields: Any) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": str(AT), "MESSAGE": message, "_PID": "7", "_COMM": "sh", **fields})


def told(message: Any, run: str = "", **fields: Any) -> str:
    """A line of systemd about a unit."""
    return entry(message, SYSLOG_IDENTIFIER="systemd", _PID="1", INVOCATION_ID=run, **fields)


class Journal(unittest.TestCase):
    def setUp(self) -> None:
        self.calls: list[list[str]] = []
        before = os.environ.get("TZ")
        self.addCleanup(time.tzset)
        self.addCleanup(lambda: os.environ.pop("TZ") if before is None else os.environ.update(TZ=before))
        os.environ["TZ"] = "UTC"
        time.tzset()

    def lines(self, outputs: list[str], invocation: str = "", latest: str = "two") -> list[str]:
        system = mock.Mock()
        answers = iter(outputs)

        def run(argv: list[str], _seconds: float) -> Completed:
            self.calls.append(argv)
            return Completed(0, "" if "--sync" in argv else next(answers), "")

        system.run = run
        return journal_lines(system, UnitState("api.service", {"InvocationID": latest}), invocation)

    def test_last_words_that_have_lost_their_run_are_of_the_one_around_them(self) -> None:
        journal = "\n".join(
            [
                told("Started api.", "one"),
                entry("of the first"),
                told("Failed.", "one"),
                told("Started api.", "two"),
                entry("no orders today"),
                entry("still none", _SYSTEMD_INVOCATION_ID="two"),
                told("Failed.", "two"),
            ]
        )
        stamp = "2027-01-15T08:00:00+0000"
        self.assertEqual(
            self.lines([journal]),
            [
                f"{stamp} systemd[1]: Started api.",
                f"{stamp} sh[7]: no orders today",
                f"{stamp} sh[7]: still none",
                f"{stamp} systemd[1]: Failed.",
            ],
        )
        self.assertEqual(self.lines([journal], "one")[1], f"{stamp} sh[7]: of the first")
        self.assertEqual(self.calls[:2][0], ["journalctl", "--sync"])
        self.assertEqual(self.calls[1][-3:], ["--boot", "--unit", "api.service"])

    def test_a_run_that_later_ones_have_pushed_out_is_asked_for_by_itself(self) -> None:
        later = "\n".join(told(f"line {i}", "two") for i in range(300))
        found = self.lines([later, told("Failed.", "one")], "one")
        self.assertEqual([line.partition(": ")[2] for line in found], ["Failed."])
        self.assertEqual(self.calls[-1][-3:], ["_SYSTEMD_INVOCATION_ID=one", "+", "INVOCATION_ID=one"])

    def test_only_the_last_lines_are_told(self) -> None:
        found = self.lines(["\n".join(told(f"line {i}", "two") for i in range(40))])
        self.assertEqual((len(found), found[-1][-7:]), (LINES, "line 39"))

    def test_messages_of_several_lines_of_bytes_and_of_nothing(self) -> None:
        messages = ["a\nb\n", list(b"\xff\x1b[0m!"), None, "", ["x", 300, 65]]
        found = self.lines(["\n".join([*(told(each, "two") for each in messages), "{", "[]", ""])])
        self.assertEqual([line.partition(": ")[2] for line in found], ["a", "b", "\ufffd\x1b[0m!", "A"])

    def test_a_unit_without_a_run_and_nothing_at_all(self) -> None:
        self.assertEqual(len(self.lines([told("one", "one") + "\n" + told("two", "two")], latest="")), 2)
        self.assertEqual(self.lines(["", ""]), [NONE])
        self.assertEqual(self.lines([""], latest=""), [NONE])


if __name__ == "__main__":
    unittest.main()
