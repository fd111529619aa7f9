"""Probes beside a program that cannot speak to systemd."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from typing import Any

from pulumi_systemd_health_under_test import SOURCE

WAIT_SEC = 20.0
# Ends with status 7 when a file is there; says which variables it has.
PROGRAM = """
import os, sys, time
print(sorted(name for name in os.environ if name.startswith(("NOTIFY", "WATCHDOG"))), os.getpid(), flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
sys.exit(7)
"""


class BesideTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.well, self.end = os.path.join(self.folder, "well"), os.path.join(self.folder, "end")

    def settings(self, value: object) -> str:
        path = os.path.join(self.folder, "settings.json")
        with open(path, "w", encoding="utf-8") as target:
            json.dump(value, target)
        return path

    def started(self, settings: str, *program: str, **variables: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-B", "-m", "pulumi_systemd_health", "beside", settings, *program]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCE, **variables}
        process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        if process.stdout:
            self.addCleanup(process.stdout.close)
        return process

    def told_to(self, address: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
            systemd.settimeout(WAIT_SEC)

            def until(wanted: str) -> list[str]:
                """Messages up to the first that holds a line."""
                found: list[str] = []
                while not any(line.startswith(wanted) for line in (found[-1].split("\n") if found else [])):
                    found.append(systemd.recv(4096).decode())
                return found

            probe = {"kind": "command", "timeoutSec": 1, "command": ["test", "-e", self.well], "user": None}
            program = self.started(
                self.settings({"probes": [probe], "everySec": 5}),
                *(sys.executable, "-c", PROGRAM, self.end),
                NOTIFY_SOCKET=address,
                WATCHDOG_USEC="600000",
                WATCHDOG_PID="1",
            )
            self.assertIn("STATUS=not ready: ", until("STATUS=")[0])
            with open(self.well, "w", encoding="ascii"):
                pass
            before, (ready,) = (lambda all_: (all_[:-1], all_[-1:]))(until("READY=1"))
            self.assertNotRegex("".join(before), "READY|WATCHDOG")
            self.assertEqual(ready.split("\n")[1:], ["READY=1", "WATCHDOG=1"])
            begin = time.monotonic()
            self.assertEqual(len(until("WATCHDOG=1") + until("WATCHDOG=1")), 2)
            # A third of the watchdog's time, whatever everySec says.
            self.assertLess(time.monotonic() - begin, 5)
            os.unlink(self.well)
            until("STATUS=unwell: ")
            self.assertNotIn("WATCHDOG=1", until("STATUS=unwell: ")[0])
            with open(self.end, "w", encoding="ascii"):
                pass
            self.assertEqual(program.wait(WAIT_SEC), 7)
            out = program.stdout.read() if program.stdout else ""
            self.assertIn(f"[] {program.pid}\n", out)
            self.assertRegex(out, "(?s)<6>well: .*<4>unwell: ")

    def test_a_socket_in_the_file_system(self) -> None:
        self.told_to(os.path.join(self.folder, "notify"))

    def test_an_abstract_socket(self) -> None:
        self.told_to(f"@pulumi-systemd-test-{os.getpid()}")

    def test_the_lines_in_the_documentation(self) -> None:
        with open(os.path.join(SOURCE, "..", "..", "docs", "readiness.md"), encoding="utf-8") as source:
            (lines,) = re.findall(r"^```python\n(.*?)^```", source.read(), re.DOTALL | re.MULTILINE)
        for address in (os.path.join(self.folder, "notify"), f"@pulumi-systemd-lines-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
                systemd.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
                systemd.settimeout(WAIT_SEC)
                call = [sys.executable, "-c", f"{lines}\nnotify('READY=1\\nSTATUS=up')"]
                subprocess.run(call, env={"NOTIFY_SOCKET": address}, check=True, timeout=WAIT_SEC)
                self.assertEqual(systemd.recv(4096), b"READY=1\nSTATUS=up")
        subprocess.run([sys.executable, "-c", f"{lines}\nnotify('READY=1')"], env={}, check=True, timeout=WAIT_SEC)

    def test_what_cannot_be_begun(self) -> None:
        tcp = {"kind": "tcp", "timeoutSec": 1, "host": "127.0.0.1", "port": 1}
        cases: list[tuple[Any, str, int, str]] = [
            ({"probes": [], "everySec": 1}, "true", 78, "settings.json: probes is empty"),
            ({"probes": [tcp]}, "true", 78, "settings.json: everySec is missing"),
            ({"probes": [tcp], "everySec": 1}, "/nowhere/x", 203, "/nowhere/x cannot be run: No such file or directory"),
        ]
        for settings, program, code, told in cases:
            started = self.started(self.settings(settings), program)
            out, _ = started.communicate(timeout=WAIT_SEC)
            self.assertEqual((started.returncode, told in out), (code, True), out)


if __name__ == "__main__":
    unittest.main()
