from __future__ import annotations

import tempfile
import unittest

from pulumi_systemd_host_under_test import ScriptedSystem, state

from pulumi_systemd_host.errors import HostError, UnitsDownError
from pulumi_systemd_host.exit_status import told
from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.systemctl import instances_of, parse_show, show, version
from pulumi_systemd_host.units import Units, settled

SHOWN = """Type=notify
LoadState=loaded
Restart=no
Id=api.service
ActiveState=active
Environment=A=1 B=2

LoadState=not-found
Id=gone.service
ActiveState=inactive
"""


class Show(unittest.TestCase):
    def test_blocks_come_in_the_order_asked_for(self) -> None:
        states = parse_show(SHOWN, ["api.service", "gone.service"])
        self.assertEqual(states["api.service"].get("Environment"), "A=1 B=2")
        self.assertEqual((states["api.service"].active, states["api.service"].loaded), ("active", True))
        self.assertEqual((states["gone.service"].active, states["gone.service"].loaded), ("inactive", False))

    def test_an_alias_keeps_the_name_that_was_asked_for(self) -> None:
        states = parse_show("Id=ssh.service\n", ["sshd.service"])
        self.assertEqual(
            (states["sshd.service"].name, states["sshd.service"].get("Id")), ("sshd.service", "ssh.service")
        )

    def test_a_missing_block_is_an_error(self) -> None:
        with self.assertRaisesRegex(HostError, "answered 2 units where 3"):
            parse_show(SHOWN, ["a.service", "b.service", "c.service"])

    def test_one_call_and_none_for_nothing(self) -> None:
        system = ScriptedSystem("")
        system.answers["systemctl show"] = Completed(0, SHOWN, "")
        self.assertEqual(list(show(system, ["gone.service", "api.service"], 5)), ["api.service", "gone.service"])
        self.assertEqual(show(system, [], 5), {})
        self.assertEqual(len(system.commands), 1)

    def test_instances(self) -> None:
        system = ScriptedSystem("")
        system.answers["systemctl list-units"] = Completed(0, "n@1.service loaded active running x\nn@.service a\n", "")
        self.assertEqual(instances_of(system, "n@.service", 5), ["n@1.service"])

    def test_version(self) -> None:
        system = ScriptedSystem("")
        system.answers["systemctl --version"] = Completed(0, "systemd 247 (247.3-7+deb11u7)\n+PAM\n", "")
        self.assertEqual(version(system), 247)
        system.answers["systemctl --version"] = Completed(0, "systemd 257 (257.9-1~deb13u1)\n", "")
        self.assertEqual(version(system), 257)


class Settled(unittest.TestCase):
    def test_table(self) -> None:
        unmet = {"ConditionResult": "no", "ConditionTimestampMonotonic": "1"}
        cases = [
            (state(), True),
            (state(active="reloading"), True),
            (state(active="activating", sub="start"), False),
            (state(active="activating", sub="auto-restart"), False),
            (state(active="failed", Result="exit-code"), False),
            (state(active="inactive", sub="dead"), False),
            (state(active="inactive", sub="dead", Type="oneshot"), True),
            (state(active="inactive", sub="dead", Type="oneshot", RemainAfterExit="yes"), False),
            (state(active="inactive", sub="dead", Type="oneshot", Result="exit-code"), False),
            (state(active="inactive", sub="dead", **unmet), True),
        ]
        for shown, expected in cases:
            with self.subTest(shown.properties):
                self.assertEqual(settled(shown), expected)


class Settle(unittest.TestCase):
    def settle(self, answers: list[str], seconds: float = 2.0) -> list[str]:
        waiting = list(answers)

        class Changing(ScriptedSystem):
            def run(self, *arguments: object, **options: object) -> Completed:
                return Completed(0, waiting.pop(0) if len(waiting) > 1 else waiting[0], "")

        units = Units(Changing(""), 10, 100)
        return units.settle({"api.service": seconds}, {"api.service"})

    UP = "ActiveState=active\nSubState=running\nNRestarts=0\nInvocationID=1\n"

    def test_stays_up(self) -> None:
        self.assertEqual(self.settle([self.UP]), [])

    def test_falls(self) -> None:
        for then, ended in (
            ("ActiveState=failed\nNRestarts=0\nInvocationID=1\n", {}),
            ("ActiveState=activating\nSubState=auto-restart\nNRestarts=0\nInvocationID=1\n", {}),
            ("ActiveState=active\nNRestarts=1\nInvocationID=2\n", {"api.service": "1"}),
            ("ActiveState=active\nNRestarts=0\nInvocationID=2\n", {"api.service": "1"}),
        ):
            with self.subTest(then), self.assertRaises(UnitsDownError) as caught:
                self.settle([self.UP, then])
            self.assertEqual((caught.exception.units, caught.exception.ended), (["api.service"], ended))

    def test_was_restarted_before_the_first_look(self) -> None:
        with self.assertRaises(UnitsDownError):
            self.settle([self.UP.replace("NRestarts=0", "NRestarts=2")], 0)

    def test_a_condition_is_a_warning(self) -> None:
        unmet = "ActiveState=inactive\nConditionResult=no\nConditionTimestampMonotonic=4\n"
        self.assertEqual(self.settle([unmet]), ["api.service is not running: a Condition of it is not met"])


class Told(unittest.TestCase):
    def test_table(self) -> None:
        cases = [
            (
                state(active="failed", sub="failed", Result="exit-code", ExecMainCode="1", ExecMainStatus="203"),
                "failed (failed); result exit-code: it ended with a failure; exit status 203/EXEC (the program in "
                "Exec...= cannot be executed: missing, not executable, or its interpreter is missing)",
            ),
            (
                state(active="failed", sub="failed", Result="watchdog", ExecMainCode="3", ExecMainStatus="6"),
                "failed (failed); result watchdog: it did not ping the watchdog within WatchdogSec=; killed by SIGABRT",
            ),
            (
                state(active="inactive", sub="dead", ExecMainCode="1", ExecMainStatus="0"),
                "inactive (dead); it ended by itself, with success",
            ),
        ]
        for shown, expected in cases:
            self.assertEqual(told(shown), expected)


class SystemctlCommands(unittest.TestCase):
    def test_stop_takes_triggers_first(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            system = ScriptedSystem(root)
            Units(system, 5, 100).stop(["a.service", "a.socket", "t.timer"])
            self.assertEqual(
                [command[1:] for command in system.commands],
                [
                    ["--job-mode=replace-irreversibly", "stop", "--", "a.socket", "t.timer"],
                    ["reset-failed", "--", "a.socket"],
                    ["stop", "--", "a.service"],
                ],
            )
            system.commands.clear()
            Units(system, 5, 100).stop(["t.timer"])
            self.assertEqual([command[1:] for command in system.commands], [["stop", "--", "t.timer"]])


if __name__ == "__main__":
    unittest.main()
