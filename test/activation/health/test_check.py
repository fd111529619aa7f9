"""Whole checks against a systemctl that is a script."""

from __future__ import annotations

import fcntl
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from contextlib import redirect_stderr
from typing import Any
from unittest import mock

from pulumi_systemd_health_under_test import SOURCE, UNIT

from pulumi_systemd_health.check import main
from pulumi_systemd_health.state import Outage, State, loaded_state, save_state

SYSTEMCTL = """#!/bin/sh
printf '%s\\n' "$*" >> "$HOLD/calls"
case "$1" in
  show) cat "$HOLD/show" ;;
  is-system-running) cat "$HOLD/system"; exit 1 ;;
  restart) cat "$HOLD/restart"; exit "$(cat "$HOLD/restart-code")" ;;
esac
"""

TRIAL = """#!{python}
import fcntl
try:
    fcntl.flock(open("{lock}"), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("kept out")
    raise SystemExit(1)
"""

SHOWN = {
    "active": "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nInvocationID=1\n"
    "InactiveExitTimestampMonotonic=1\nActiveEnterTimestampMonotonic=1\n",
    "failed": "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\n"
    "InactiveExitTimestampMonotonic=1\n",
    "stopped": "LoadState=loaded\nActiveState=inactive\nSubState=dead\nResult=success\n",
}


class CheckTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.hold = holder.name
        for name in ("bin", "state", "run"):
            os.mkdir(self.path(name))
        self.write("bin/systemctl", SYSTEMCTL)
        os.chmod(self.path("bin/systemctl"), 0o755)  # noqa: S103 a program of this test
        self.set_answers("active")
        self.set_settings()

    def path(self, *names: str) -> str:
        return os.path.join(self.hold, *names)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as target:
            target.write(text)

    def set_answers(self, shown: str, system: str = "running", restart: str = "", code: int = 0) -> None:
        self.write("show", SHOWN[shown])
        self.write("system", f"{system}\n")
        self.write("restart", restart)
        self.write("restart-code", str(code))

    def set_settings(self, **changes: Any) -> None:
        values: dict[str, Any] = {
            "format": 1,
            "name": "api-health",
            "unit": UNIT,
            "probes": [],
            "timeoutSec": 5,
            "failAfter": 1,
            "graceSec": 0,
            "maxRestarts": 3,
            "withinSec": 3600,
            "backoffSec": 0,
            "confidential": False,
            **changes,
        }
        self.write("settings.json", json.dumps(values))

    def run_check(self, **environment: str) -> tuple[int, list[str]]:
        """The exit status of one check and its lines for the journal."""
        told = io.StringIO()
        with mock.patch.dict(os.environ, {**self.environ(), **environment}, clear=True), redirect_stderr(told):
            code = main([self.path("settings.json")])
        return code, told.getvalue().splitlines()

    def environ(self) -> dict[str, str]:
        return {
            "PATH": f"{self.path('bin')}:/usr/bin:/bin",
            "HOLD": self.hold,
            "STATE_DIRECTORY": self.path("state"),
            "RUNTIME_DIRECTORY": self.path("run"),
        }

    def verbs(self) -> list[str]:
        """What systemctl was asked, in order, since the last question."""
        with open(self.path("calls"), encoding="utf-8") as source:
            calls = source.read().splitlines()
        os.remove(self.path("calls"))
        return [call for call in calls if not call.startswith("show ")]

    def state(self) -> State | None:
        return loaded_state(self.path("state"))

    def test_a_unit_that_is_well_is_not_touched_and_nothing_is_written(self) -> None:
        self.assertEqual(self.run_check(), (0, []))
        self.assertEqual(self.verbs(), [])
        self.assertIsNone(self.state())

    def test_a_failed_unit_is_restarted_at_most_three_times(self) -> None:
        self.set_answers("failed")
        restart = ["is-system-running", f"reset-failed -- {UNIT}", f"restart -- {UNIT}"]
        lines = [self.run_check() for _ in range(5)]
        self.assertEqual(
            lines[:3],
            [
                (
                    0,
                    [
                        "<4>api.service: unhealthy, 1 check in a row: it is failed (exit-code)",
                        "<4>api.service: restart 1 of 3 in 1 h: it is failed (exit-code)",
                    ],
                ),
                (0, ["<4>api.service: restart 2 of 3 in 1 h: it is failed (exit-code)"]),
                (0, ["<4>api.service: restart 3 of 3 in 1 h: it is failed (exit-code)"]),
            ],
        )
        self.assertRegex(
            "\n".join(lines[3][1]),
            r"^<3>api.service: restarted 3 times in 1 h and still not well, so it is left alone for .*exit-code\)$",
        )
        self.assertEqual(lines[4], (0, []))
        self.assertEqual(self.verbs(), [*restart * 3, "is-system-running", "is-system-running"])

        self.set_answers("active")
        code, told = self.run_check()
        self.assertEqual(code, 0)
        self.assertRegex("\n".join(told), r"^<5>api.service: recovered after \d+ s, 3 restarts$")
        self.assertEqual(self.run_check(), (0, []))

    def test_a_probe_that_fails_leads_to_a_restart(self) -> None:
        self.set_settings(probes=[{"kind": "command", "command": ["/bin/sh", "-c", "echo no database; exit 3"]}])
        self.assertEqual(
            self.run_check(),
            (
                0,
                [
                    "<4>api.service: unhealthy, 1 check in a row: /bin/sh: exit status 3: no database",
                    "<4>api.service: restart 1 of 3 in 1 h: /bin/sh: exit status 3: no database",
                ],
            ),
        )
        self.assertEqual(self.verbs()[-1], f"restart -- {UNIT}")

    def test_a_restart_that_fails_is_told_and_the_check_was_made(self) -> None:
        self.set_answers("failed", restart="Job for api.service failed.\nSee journalctl -xe.\n", code=1)
        code, lines = self.run_check()
        self.assertEqual((code, lines[-1]), (0, "<3>api.service: the restart failed: Job for api.service failed."))
        state = self.state()
        self.assertEqual(state and len(state.restarts), 1)

    def test_what_forbids_to_act(self) -> None:
        for name, shown, system, lease_sec in (
            ("a person stopped it", "stopped", "running", 0),
            ("shutdown", "failed", "stopping", 0),
            ("a lease", "failed", "running", 3600),
        ):
            with self.subTest(name):
                self.set_answers(shown, system=system)
                self.write("run/lease", str(int(time.time()) + lease_sec))
                self.assertEqual(self.run_check(), (0, []))
                self.assertNotIn(f"restart -- {UNIT}", self.verbs())
                self.assertIsNone(self.state())

    def test_leases_that_do_not_hold(self) -> None:
        self.set_answers("failed")
        for text, complaint in ((str(int(time.time()) - 1), False), ("", True), ("tomorrow", True)):
            with self.subTest(text):
                self.write("run/lease", text)
                lines = self.run_check()[1]
                self.assertEqual(lines[0].startswith("<4>") and "does not hold the Unix time" in lines[0], complaint)
                self.assertIn(f"restart -- {UNIT}", self.verbs())

    def test_a_lease_ends_a_day_after_it_was_written_whatever_it_says(self) -> None:
        self.set_answers("failed")
        self.write("run/lease", "9" * 15)
        self.assertEqual(self.run_check(), (0, []))
        day_ago = time.time() - 86401
        os.utime(self.path("run/lease"), (day_ago, day_ago))
        self.assertIn("restart 1 of 3", self.run_check()[1][-1])

    def test_nothing_is_done_during_a_deploy_not_even_a_look(self) -> None:
        self.set_answers("failed")
        self.write("settings.json", "half")
        with open(self.path("run", "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertEqual(self.run_check(), (0, []))
        self.assertFalse(os.path.exists(self.path("calls")))

    def test_a_deploy_cannot_begin_during_a_restart(self) -> None:
        self.set_answers("failed")
        probe = f"#!{sys.executable}\nimport fcntl\ntry:\n    fcntl.flock(open({self.path('run', 'lock')!r}), "
        probe += (
            "fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept BlockingIOError:\n    print('kept out')\n    raise SystemExit(1)\n"
        )
        self.write("bin/trial", probe)
        os.chmod(self.path("bin/trial"), 0o755)  # noqa: S103 a program of this test
        self.write("bin/systemctl", SYSTEMCTL.replace('cat "$HOLD/restart";', f"{self.path('bin/trial')};"))
        self.write("restart-code", "1")
        self.assertEqual(self.run_check()[1][-1], "<3>api.service: the restart failed: kept out")

    def test_a_broken_state_is_told_once_and_replaced(self) -> None:
        self.write("state/state.json", "{")
        code, lines = self.run_check()
        self.assertEqual(code, 0)
        place = self.path("state")
        told = f"<4>the state in {place} is broken (the text is not JSON (line 1)): starting with an empty one"
        self.assertEqual(lines, [told])
        self.assertEqual(self.state(), State(UNIT))
        self.assertEqual(self.run_check(), (0, []))

    def test_the_state_of_another_unit_does_not_count(self) -> None:
        now = time.time()
        save_state(self.path("state"), State("web.service", 1, (now, now, now), Outage(now, "x", 3), True))
        self.assertEqual(self.run_check(), (0, []))
        self.assertEqual(self.state(), State(UNIT))

    def test_nothing_is_done_that_could_not_be_remembered(self) -> None:
        self.set_answers("failed")
        os.mkdir(self.path("state", "state.json.new"))
        code, lines = self.run_check()
        self.assertEqual(code, 1)
        self.assertIn(f"cannot be written (Is a directory), so nothing is done about {UNIT}", lines[-1])
        self.assertEqual(self.verbs(), ["is-system-running"])

    def test_a_check_that_cannot_be_made_fails_and_counts_nothing(self) -> None:
        def cannot_be_made(message: str) -> None:
            with self.subTest(message):
                code, lines = self.run_check()
                self.assertEqual((code, len(lines)), (1, 1))
                self.assertTrue(lines[0].startswith("<3>the check could not be made: "), lines)
                self.assertIn(message, lines[0])
                self.assertIsNone(self.state())

        self.set_settings(probes=[{"kind": "command", "command": ["/no/such/program"]}])
        cannot_be_made("/no/such/program cannot be run: No such file")
        self.set_settings(failAfter=0)
        cannot_be_made("failAfter is not a whole number from 1 to 1000")
        os.remove(self.path("settings.json"))
        cannot_be_made("settings.json cannot be read: No such")
        self.set_settings()
        os.remove(self.path("show"))
        cannot_be_made("systemctl show failed: cat: ")

    def test_a_process_ends_although_a_probe_hangs(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            probe = {"kind": "http", "url": url, "status": None, "contains": None}
            self.set_settings(probes=[probe], timeoutSec=0.2)
            done = subprocess.run(
                [sys.executable, "-B", "-m", "pulumi_systemd_health", self.path("settings.json")],
                env={**self.environ(), "PYTHONPATH": SOURCE},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertEqual(
            done.stderr.splitlines(),
            [
                f"<4>api.service: unhealthy, 1 check in a row: GET {url}: no answer in 0.2 s",
                f"<4>api.service: restart 1 of 3 in 1 h: GET {url}: no answer in 0.2 s",
            ],
        )

    def test_it_says_how_it_is_run(self) -> None:
        self.assertEqual(
            self.run_check(STATE_DIRECTORY=""),
            (1, ["<3>usage: NAME.py SETTINGS, as NAME.service runs it: `systemctl start NAME.service`"]),
        )

    def test_the_status_line(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(self.path("notify"))
            receiver.settimeout(10)
            self.run_check(NOTIFY_SOCKET=self.path("notify"))
            self.assertEqual(receiver.recv(4096), b"STATUS=healthy: active (running)")
            self.set_answers("stopped")
            self.run_check(NOTIFY_SOCKET=self.path("notify"))
            self.assertEqual(receiver.recv(4096), b"STATUS=not watched: it was stopped, or ended in order")


if __name__ == "__main__":
    unittest.main()
