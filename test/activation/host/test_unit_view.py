from __future__ import annotations

import json
import unittest
from typing import Any
from unittest import mock

from test_transaction import SCOPE, WithHost, bundle, service

from pulumi_systemd_host import status
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.ledger import LedgerUnit, Ledger
from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.unit_view import unit_views, unix_time

NOW = 1_800_000_000.0


class Systemd:
    """Answers `systemctl show` and `list-units` with what it was given."""

    def __init__(self, blocks: dict[str, str], instances: str = "") -> None:
        self.blocks, self.instances = blocks, instances
        self.env: dict[str, str] | None = None

    def run(self, argv: list[str], seconds: float, waiting: str | None = None, env: Any = None) -> Completed:
        if "list-units" in argv:
            return Completed(0, self.instances, "")
        self.env = env
        names = argv[argv.index("--") + 1 :]
        return Completed(0, "\n".join(self.blocks[name] for name in names), "")


def unit(activation: str = "started") -> LedgerUnit:
    return LedgerUnit("/etc/systemd/system/x", "", "", "", "", True, activation)


def view(block: str, name: str = "api.service", activation: str = "started") -> dict[str, Any]:
    host: Any = Systemd({name: block})
    return unit_views(host, Ledger(SCOPE, units={name: unit(activation)}), NOW, 1000.0)[0]


class Views(unittest.TestCase):
    def test_a_service_that_runs(self) -> None:
        found = view(
            "ActiveState=active\nSubState=running\nResult=success\nNRestarts=2\nMemoryCurrent=4096\n"
            "ActiveEnterTimestamp=Sat 2026-11-21 19:40:08 UTC\nInactiveEnterTimestamp=Sat 2026-11-21 19:40:00 UTC\n"
        )
        self.assertEqual((found["well"], found["restarts"], found["memoryBytes"], found["why"]), (True, 2, 4096, ""))
        self.assertEqual(found["since"], unix_time("Sat 2026-11-21 19:40:08 UTC"))

    def test_how_it_failed_by_name(self) -> None:
        base = "ActiveState=failed\nSubState=failed\nMemoryCurrent=[not set]\n"
        started = view(base + "Result=exit-code\nExecMainCode=1\nExecMainStatus=203\n")
        killed = view(base + "Result=signal\nExecMainCode=2\nExecMainStatus=9\n")
        self.assertEqual([(each["exit"], each["well"]) for each in (started, killed)], [("203/EXEC", False), ("SIGKILL", False)])
        self.assertIn("result exit-code: it ended with a failure; exit status 203/EXEC", started["why"])
        self.assertIsNone(started["memoryBytes"])
        old = view("ActiveState=inactive\nMemoryCurrent=18446744073709551615\nNRestarts=\n")
        self.assertEqual((old["memoryBytes"], old["restarts"]), (None, None))

    def test_what_is_down_and_may_be_is_well(self) -> None:
        down = "ActiveState=inactive\nSubState=dead\n"
        self.assertFalse(view(down)["well"])
        self.assertTrue(view(down, activation="none")["well"])
        self.assertTrue(view(f"{down}Type=oneshot\nRemainAfterExit=no\n")["well"])
        self.assertTrue(view(f"{down}ConditionResult=no\nConditionTimestampMonotonic=5\n")["well"])
        self.assertFalse(view("ActiveState=activating\nSubState=auto-restart\n")["well"])

    def test_the_runs_of_a_timer(self) -> None:
        block = (
            "ActiveState=active\nSubState=waiting\nNextElapseUSecRealtime={}\nNextElapseUSecMonotonic={}\n"
            "LastTriggerUSec=Sat 2026-11-21 03:00:00 UTC\n"
        )
        calendar = view(block.format("Sun 2026-11-22 03:00:00 UTC", "infinity"), "n.timer")
        self.assertEqual(calendar["nextRun"] - calendar["lastRun"], 86_400)
        counted = view(block.format("", "20min 1.5s"), "n.timer")
        self.assertEqual(counted["nextRun"], NOW - 1000 + 1201.5)
        both = view(block.format("Fri 2027-01-15 09:00:00 UTC", "20min"), "n.timer")
        self.assertEqual(both["nextRun"], NOW + 200)
        never = view("ActiveState=active\nNextElapseUSecRealtime=\nNextElapseUSecMonotonic=infinity\nLastTriggerUSec=n/a\n", "n.timer")
        self.assertEqual((never["nextRun"], never["lastRun"]), (None, None))

    def test_instances_stand_for_their_template_and_what_is_down_comes_first(self) -> None:
        blocks = {
            "api.service": "ActiveState=active\n",
            "n@1.service": "ActiveState=active\n",
            "n@2.service": "ActiveState=failed\n",
        }
        host: Any = Systemd(blocks, "n@1.service loaded active\nn@2.service loaded failed\n")
        ledger = Ledger(SCOPE, units={"api.service": unit(), "n@.service": unit("none")})
        found = unit_views(host, ledger, NOW, 1000.0)
        self.assertEqual([each["name"] for each in found], ["n@2.service", "api.service", "n@1.service"])
        self.assertEqual(host.env, {"TZ": "UTC"})


class Statuses(WithHost):
    def asked(self, **changes: Any) -> Any:
        request = {"format": 1, "scope": SCOPE, "everySec": 0, **changes}
        return status.run_status(self.host, json.dumps(request).encode())

    def test_one_line_with_all_of_it(self) -> None:
        self.apply(bundle([service("api.service", "ok")]))
        before = self.host.tree()
        found = json.loads(self.asked().text)
        self.assertEqual((found["generation"], found["findings"], found["busy"]), (1, [], ""))
        self.assertEqual([each["name"] for each in found["units"]], ["api.service"])
        self.assertEqual(before, self.host.tree())

    def test_a_host_that_was_never_touched(self) -> None:
        found = json.loads(self.asked().text)
        self.assertEqual((found["generation"], found["units"], found["health"]), (0, [], []))

    def test_a_watch_ends_when_nobody_reads_any_more(self) -> None:
        written: list[str] = []

        def write(descriptor: int, text: str) -> bool:
            written.append(text)
            return len(written) < 3

        with mock.patch.object(status, "write_quietly", write):
            self.assertEqual(self.asked(everySec=2).text, "")
        self.assertEqual([json.loads(text)["generation"] for text in written], [0, 0, 0])
        self.assertEqual(self.host.clock, 4)

    def test_what_is_no_request_is_refused(self) -> None:
        for changes in ({"everySec": -1}, {"everySec": "2"}, {"scope": ""}, {"more": 1}):
            with self.subTest(changes), self.assertRaisesRegex(HostError, "the request for a status is not well-formed"):
                self.asked(**changes)


if __name__ == "__main__":
    unittest.main()
