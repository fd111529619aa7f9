"""Whole runs against a systemctl that is a script."""

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
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from unittest import mock

from pulumi_systemd_health_under_test import SOURCE, UNIT, check_json, group_json

from pulumi_systemd_health.entry import main
from pulumi_systemd_health.places import Places
from pulumi_systemd_health.spool import spooled_events
from pulumi_systemd_health.state import State, loaded_states, save_text, states_text

# Answers for each unit lie in files of its name; a timer fired as long ago as the file `fired` says.
SYSTEMCTL = """#!/bin/sh
printf '%s\\n' "$*" >> "$HOLD/calls"
case "$1" in
  show)
    case "$4" in
      *LastTrigger*) cat "$HOLD/fired" ;;
      *) shift 5; for unit; do cat "$HOLD/$unit" || exit 1; echo; done ;;
    esac ;;
  is-system-running) cat "$HOLD/system"; exit 1 ;;
  restart|reload) [ -z "$TRIAL" ] || "$TRIAL" || exit 1; cat "$HOLD/restart"; exit "$(cat "$HOLD/restart-code")" ;;
esac
"""

SHOWN = {
    "active": "LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nInvocationID=1\n"
    "InactiveExitTimestampMonotonic=1\nActiveEnterTimestampMonotonic=1\n",
    "failed": "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\n"
    "InactiveExitTimestampMonotonic=1\n",
    "stopped": "LoadState=loaded\nActiveState=inactive\nSubState=dead\nResult=success\n",
}
RESTART = ["is-system-running", f"reset-failed -- {UNIT}", f"restart -- {UNIT}"]
REASON = "it is failed (exit-code)"


class RunTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.hold = holder.name
        self.places = Places(self.hold, "shop-prod")
        for path in (self.path("bin"), self.places.settings, self.places.states, self.places.reports, self.places.logs):
            os.makedirs(path)
        self.write("bin/systemctl", SYSTEMCTL)
        self.write("bin/journalctl", "#!/bin/sh\necho 'web1 api[7]: token=abcdef'\n")
        for program in ("systemctl", "journalctl"):
            os.chmod(self.path("bin", program), 0o755)  # noqa: S103 a program of this test
        self.set_answers("active")
        self.set_group()

    def path(self, *names: str) -> str:
        return os.path.join(self.hold, *names)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as target:
            target.write(text)

    def set_answers(self, shown: str, unit: str = UNIT, system: str = "running", code: int = 0, said: str = "") -> None:
        self.write(unit, SHOWN[shown])
        self.write("system", f"{system}\n")
        self.write("restart", said)
        self.write("restart-code", str(code))

    def set_group(self, *checks: dict[str, Any], **changes: Any) -> None:
        self.write("etc/pulumi-systemd/health/shop-prod/api-health.json", json.dumps(group_json(*checks, **changes)))

    def fire(self) -> None:
        """The timer has fired just now."""
        self.write("fired", f"LastTriggerUSecMonotonic={int(time.monotonic() * 1e6)}us\n")

    def run_check(self, fire: bool = True, **environment: str) -> tuple[int, list[str]]:
        """The exit status of a run and its lines for the journal."""
        if fire:
            self.fire()
        code, lines, _ = self.command("run", "health.service", **environment)
        return code, lines

    def command(self, *words: str, **environment: str) -> tuple[int, list[str], str]:
        told, shown = io.StringIO(), io.StringIO()
        environ = {**self.environ(), **environment}
        with mock.patch.dict(os.environ, environ, clear=True), redirect_stderr(told), redirect_stdout(shown):
            code = main([f"--root={self.hold}", "--scope=shop-prod", *words], "health.py")
        return code, told.getvalue().splitlines(), shown.getvalue()

    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.path('bin')}:/usr/bin:/bin", "HOLD": self.hold}

    def verbs(self) -> list[str]:
        """What systemctl was asked, in order, since the last question."""
        with open(self.path("calls"), encoding="utf-8") as source:
            calls = source.read().splitlines()
        os.remove(self.path("calls"))
        return [call for call in calls if not call.startswith("show ")]

    def states(self) -> dict[str, State]:
        return loaded_states(os.path.join(self.places.states, "api-health.json"))

    def test_a_unit_that_is_well_is_not_touched_and_nothing_is_kept(self) -> None:
        self.assertEqual(self.run_check(), (0, []))
        self.assertEqual(self.verbs(), [])
        self.assertEqual(os.listdir(self.places.states), [])

    def test_only_what_is_due_is_checked(self) -> None:
        self.set_answers("failed")
        self.write("fired", "LastTriggerUSecMonotonic=0\n")
        self.assertEqual(self.run_check(fire=False), (0, []))
        self.assertEqual(len(self.run_check()[1]), 2)
        # Since then it has not fired again.
        self.assertEqual(self.run_check(fire=False), (0, []))
        self.set_group(service="other.service")
        self.assertEqual(self.run_check(), (0, []))

    def test_a_failed_unit_is_restarted_at_most_three_times(self) -> None:
        self.set_answers("failed")
        lines = [self.run_check() for _ in range(6)]
        self.assertEqual(
            lines[:3],
            [
                (
                    0,
                    [
                        f"<4>api-health: not well, 1 check failed: {REASON}",
                        f"<4>api-health: restart, action 1 of 3 in 1 h: {REASON}",
                    ],
                ),
                (0, [f"<4>api-health: restart, action 2 of 3 in 1 h: {REASON}"]),
                (0, [f"<4>api-health: restart, action 3 of 3 in 1 h: {REASON}"]),
            ],
        )
        self.assertEqual(
            lines[3:],
            [(0, [f"<3>api-health: 3 actions in 1 h did not help, so it is left alone: {REASON}"]), (0, []), (0, [])],
        )
        self.assertEqual(self.verbs(), [*RESTART * 3, *["is-system-running"] * 3])
        self.set_answers("active")
        self.assertRegex(self.run_check()[1][0], r"^<5>api-health: recovered after \d+ s, 3 actions$")

    def test_the_root_is_treated_and_its_victims_are_not(self) -> None:
        self.set_group(
            check_json(name="shop/web", unit="web.service", dependsOn=["shop/db"]),
            check_json(name="shop/db", unit="db.service"),
        )
        self.set_answers("failed", "web.service")
        self.set_answers("failed", "db.service")
        code, lines = self.run_check()
        self.assertEqual(code, 0)
        self.assertEqual(lines[0], f"<4>shop/db: not well, 1 check failed: {REASON}; not well because of it: shop/web")
        self.assertEqual(self.verbs(), ["is-system-running", "reset-failed -- db.service", "restart -- db.service"])
        self.set_answers("active", "db.service")
        self.run_check()
        self.assertEqual(self.verbs()[-1], "restart -- web.service")

    def test_a_probe_that_fails_leads_to_a_restart(self) -> None:
        probe = {"kind": "command", "timeoutSec": 5, "user": None}
        self.set_group(check_json(probes=[{**probe, "command": ["/bin/sh", "-c", "echo no database; exit 3"]}]))
        self.assertIn("/bin/sh: exit status 3: no database", self.run_check()[1][1])
        self.assertEqual(self.verbs()[-1], f"restart -- {UNIT}")

    def test_an_action_that_fails_is_told_and_the_check_was_made(self) -> None:
        self.set_answers("failed", said="Job for api.service failed.\nSee journalctl -xe.\n", code=1)
        code, lines = self.run_check()
        self.assertEqual((code, lines[-1]), (0, "<3>api-health: the restart failed: Job for api.service failed."))
        self.assertEqual(len(self.states()["api-health"].actions), 1)

    def test_a_rollback_is_a_unit_of_its_own_and_keeps_no_deploy_out(self) -> None:
        # As the host program does, it waits until checks let it in.
        self.write(
            "bin/systemd-run",
            '#!/bin/sh\nprintf "%s\\n" "$*" >> "$HOLD/calls"\n'
            'flock --timeout 5 --exclusive "$HOLD/run/pulumi-systemd/lock" true || echo "It was kept out."\n'
            'cat "$HOLD/restart"; exit "$(cat "$HOLD/restart-code")"\n',
        )
        os.chmod(self.path("bin/systemd-run"), 0o755)  # noqa: S103 a program of this test
        self.set_group(check_json(actions=["rollback 3600"]))
        self.set_answers("failed")
        code, lines = self.run_check()
        self.assertEqual((code, lines[1:]), (0, [f"<4>api-health: rollback, action 1 of 3 in 1 h: {REASON}"]))
        call = self.verbs()[-1]
        name = "pulumi-systemd-rollback-api-health.service"
        self.assertIn(f"--unit={name} --service-type=oneshot", call)
        back = "command rollback --unit=api.service --newer=3600s --by=health check api-health"
        self.assertRegex(call, rf" {back} --ill=(\d+\.\d{{3}})\.\.\1$")
        # An outage has one at most. In the next one it is tried again, and when it was ill before is told.
        self.assertIn("a rollback did not help, so it is left alone", self.run_check()[1][0])
        self.assertEqual(self.run_check()[1], [])
        self.set_answers("active")
        self.run_check()
        self.set_answers("failed", said="Job for it failed.\n", code=1)
        why = f"Job for it failed.; `journalctl -u {name}` says why"
        self.assertEqual(self.run_check()[1][-1], f"<3>api-health: the rollback failed: {why}")
        self.assertRegex(self.verbs()[-1], r" --ill=\S+ --ill=\S+$")

    def test_what_forbids_to_act(self) -> None:
        for name, shown, system, lease_sec in (
            ("a person stopped it", "stopped", "running", 0),
            ("shutdown", "failed", "stopping", 0),
            ("a lease", "failed", "running", 3600),
        ):
            with self.subTest(name):
                self.set_answers(shown, system=system)
                self.write("run/pulumi-systemd/lease", str(int(time.time()) + lease_sec))
                self.assertEqual(self.run_check(), (0, []))
                self.assertNotIn(f"restart -- {UNIT}", self.verbs())
                self.assertEqual(self.states(), {})

    def test_leases_that_do_not_hold(self) -> None:
        self.set_answers("failed")
        for text, complaint in ((str(int(time.time()) - 1), False), ("", True), ("tomorrow", True)):
            with self.subTest(text):
                self.write("run/pulumi-systemd/lease", text)
                lines = self.run_check()[1]
                self.assertEqual(lines[0].startswith("<4>") and "does not hold the Unix time" in lines[0], complaint)
                self.assertIn(f"restart -- {UNIT}", self.verbs())

    def test_a_lease_ends_a_day_after_it_was_written_whatever_it_says(self) -> None:
        self.set_answers("failed")
        self.write("run/pulumi-systemd/lease", "9" * 15)
        self.assertEqual(self.run_check(), (0, []))
        day_ago = time.time() - 86401
        os.utime(self.path("run/pulumi-systemd/lease"), (day_ago, day_ago))
        self.assertIn("action 1 of 3", self.run_check()[1][-1])

    def test_a_person_holds_and_resumes(self) -> None:
        self.set_answers("failed")
        for names in ([], ["api-health"]):
            self.assertEqual(self.command("hold", "30m", *names)[0], 0)
            self.assertEqual(self.run_check(), (0, []))
            code, _, shown = self.command("status")
            self.assertEqual((code, "held" in shown, "none, held for 30 min" in shown), (0, True, True))
            what = ", ".join(names) or "every check"
            self.assertEqual(self.command("resume", *names)[2], f"no longer held: {what}\n")
            self.assertEqual(self.command("resume", *names)[2], f"was not held: {what}\n")
        self.assertIn("action 1 of 3", self.run_check()[1][-1])
        self.command("hold", "30m")
        shown = self.command("resume", "api-health")[2]
        self.assertRegex(shown, "^was not held: api-health\nbut every check is held for (30|29) min.* more: `resume` without")
        for words in (["hold", "soon"], ["hold", "25h"], ["hold", "1h", "nothing"], ["hold"], ["dance"]):
            self.assertEqual(self.command(*words)[0], 2, words)

    def test_nothing_is_done_during_a_deploy_not_even_a_look(self) -> None:
        self.set_answers("failed")
        self.write("etc/pulumi-systemd/health/shop-prod/api-health.json", "half")
        with open(self.path("run/pulumi-systemd/lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertEqual(self.run_check(), (0, []))
        self.assertFalse(os.path.exists(self.path("calls")))

    def test_a_deploy_cannot_begin_during_a_restart(self) -> None:
        self.set_answers("failed")
        lock = self.path("run/pulumi-systemd/lock")
        trial = f"#!{sys.executable}\nimport fcntl\nfcntl.flock(open({lock!r}), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
        self.write("bin/trial", trial)
        os.chmod(self.path("bin/trial"), 0o755)  # noqa: S103 a program of this test
        lines = self.run_check(TRIAL=self.path("bin/trial"))[1]
        self.assertIn("the restart failed: Traceback", lines[-1])
        # Afterwards it can.
        self.assertEqual(subprocess.run([self.path("bin/trial")], check=False, timeout=30).returncode, 0)

    def test_a_broken_state_is_told_once_and_set_aside(self) -> None:
        place = os.path.join(self.places.states, "api-health.json")
        save_text(place, "{")
        code, lines = self.run_check()
        self.assertEqual(code, 0)
        self.assertEqual(
            lines, [f"<4>the state in {place} is broken (the text is not JSON (line 1)): starting with an empty one"]
        )
        self.assertEqual(os.listdir(self.places.states), ["api-health.json.broken"])
        self.assertEqual(self.run_check(), (0, []))

    def test_the_state_of_another_unit_does_not_count(self) -> None:
        now = time.time()
        old = {"api-health": State("web.service", (True,), (now, now, now), 3)}
        save_text(os.path.join(self.places.states, "api-health.json"), states_text(old))
        self.assertEqual(self.run_check(), (0, []))
        self.assertEqual(self.states(), {"api-health": State(UNIT)})

    def test_nothing_is_done_that_could_not_be_remembered(self) -> None:
        self.set_answers("failed")
        os.mkdir(os.path.join(self.places.states, "api-health.json.new"))
        code, lines = self.run_check()
        self.assertEqual(code, 1)
        self.assertIn("cannot be written (Is a directory), so nothing is done", lines[-1])
        self.assertEqual(self.verbs(), ["is-system-running"])

    def test_a_check_that_cannot_be_made_fails_the_run_and_no_other(self) -> None:
        gone = {"kind": "command", "timeoutSec": 5, "user": None, "command": ["/no/such/program"]}
        self.set_answers("failed", "web.service")
        self.set_group(check_json(probes=[gone]), check_json(name="web", unit="web.service"))
        code, lines = self.run_check()
        self.assertEqual(code, 1)
        self.assertEqual(lines[0][:60], "<3>api-health: the check could not be made: /no/such/program"[:60])
        self.assertEqual(self.verbs()[-1], "restart -- web.service")
        self.set_group(check_json(failAfter=0))
        self.assertIn("failAfter is not a whole number from 1 to 1000", self.run_check()[1][-1])

    def test_what_is_told_goes_to_the_spool_with_the_journal_and_without_secrets(self) -> None:
        self.set_answers("failed")
        self.set_group(notify=["ops"], logFile="api.log")
        os.makedirs(self.path("etc/pulumi-systemd/notify"))
        self.write("etc/pulumi-systemd/notify/ops.json", "{}")
        self.write("etc/pulumi-systemd/api.env", 'KEY="exit-code"\n')
        self.run_check()
        events, broken = spooled_events(self.places.spool("ops"))
        self.assertEqual(broken, [])
        self.assertEqual([each.event.event for each in events], ["outage"])
        event = events[0].event
        done = "Done about it: restart, action 1 of 3 in 1 h"
        self.assertEqual(event.text, f"not well, 1 check failed: it is failed ([secret]). {done}")
        self.assertEqual(event.lines, ("web1 api[7]: token=[secret]",))
        self.assertIn("start --no-block -- ops.service", self.verbs())
        with open(os.path.join(self.places.logs, "api.log"), encoding="utf-8") as log:
            self.assertEqual([line.split()[2] for line in log], ["outage:", "action:"])

    def test_a_notifier_that_is_not_there_is_said_and_keeps_nothing_up(self) -> None:
        self.set_answers("failed")
        self.set_group(notify=["ops"])
        code, lines = self.run_check()
        self.assertEqual(code, 0)
        self.assertTrue(any("the notifier ops is not on this host" in line for line in lines))
        self.assertEqual(self.verbs()[-1], f"restart -- {UNIT}")

    def test_a_process_ends_although_a_probe_hangs(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            rest = {"status": None, "contains": None, "certificateSec": None, "caFile": None, "unixSocket": None}
            self.set_group(check_json(probes=[{"kind": "http", "timeoutSec": 0.2, "url": url, **rest}]))
            self.fire()
            done = subprocess.run(
                [sys.executable, "-B", "-m", "pulumi_systemd_health"]
                + [f"--root={self.hold}", "--scope=shop-prod", "run", "health.service"],
                env={**self.environ(), "PYTHONPATH": SOURCE},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn(f"<4>api-health: not well, 1 check failed: GET {url}: no answer in 0.2 s", done.stderr)

    def test_the_overview(self) -> None:
        self.set_answers("failed")
        self.run_check()
        code, _, shown = self.command("status", "--json")
        self.assertEqual(code, 0)
        (one,) = json.loads(shown)
        self.assertEqual(
            {key: one[key] for key in ("check", "unit", "state", "actionsLeft", "maxActions", "nextAction")},
            {
                "check": "api-health",
                "unit": UNIT,
                "state": "acting",
                "actionsLeft": 2,
                "maxActions": 3,
                "nextAction": "restart",
            },
        )
        self.assertEqual([each["event"] for each in one["history"]], ["outage", "action"])
        table = self.command("status")[2].splitlines()
        self.assertEqual(table[0].split(), ["CHECK", "STATE", "FOR", "CHECKED", "BUDGET", "NEXT", "ACTION"])
        self.assertIn("2 of 3 left in 1 h", table[1])
        self.assertEqual(self.command("status", "nothing")[0], 2)

    def test_a_person_has_it_checked_now(self) -> None:
        self.fire()
        self.run_check()
        self.assertEqual(self.command("check")[0], 0)
        # Nobody took it up, so it is asked for again, but not for ever.
        self.assertEqual(self.verbs(), ["start -- health.service"] * 5)
        self.set_answers("failed")
        self.assertEqual(len(self.run_check(fire=False)[1]), 2)
        self.assertEqual(self.run_check(fire=False)[1], [])

    def test_the_status_line(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(self.path("notify"))
            receiver.settimeout(10)
            self.run_check(NOTIFY_SOCKET=self.path("notify"))
            self.assertEqual(receiver.recv(4096), b"STATUS=1 checks made")


if __name__ == "__main__":
    unittest.main()
