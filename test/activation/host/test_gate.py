from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
import unittest
from typing import Iterable

from pulumi_systemd_host_under_test import ScriptedSystem, state

from pulumi_systemd_health.probe_settings import CommandProbe, HttpProbe, TcpProbe, UnixSocketProbe
from pulumi_systemd_host.bundle import Gate
from pulumi_systemd_host.errors import OverdueError, UnitsDownError
from pulumi_systemd_host.gate import become, pass_gates
from pulumi_systemd_host.systemctl import UnitState
from pulumi_systemd_host.units import Units

API = "api.service"


class FakeUnits(Units):
    """Units that are shown as a script says, one entry for each look; the last one stays."""

    def __init__(self, *looks: UnitState, seconds: float = 600) -> None:
        super().__init__(ScriptedSystem(tempfile.gettempdir()), seconds, seconds)
        self.looks = list(looks)

    def show(self, names: Iterable[str]) -> dict[str, UnitState]:
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return {name: look for name in names}


def gate(*probes: HttpProbe | TcpProbe | UnixSocketProbe | CommandProbe, stable: float = 2, within: float = 10) -> Gate:
    return Gate(tuple(probes), stable, within, False)


class Gates(unittest.TestCase):
    def setUp(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.server.close)
        self.port = self.server.getsockname()[1]

    def failure(self, units: Units, wanted: Gate) -> UnitsDownError:
        with self.assertRaises(UnitsDownError) as caught:
            pass_gates(units, {API: wanted})
        return caught.exception

    def test_well_for_long_enough(self) -> None:
        units = FakeUnits(state())
        pass_gates(units, {API: gate(TcpProbe(1, "127.0.0.1", self.port))})
        self.assertGreaterEqual(units.system.now(), 2)
        self.assertLess(units.system.now(), 4)

    def test_no_gate_takes_no_time(self) -> None:
        units = FakeUnits(state())
        pass_gates(units, {})
        self.assertEqual(units.system.now(), 0)

    def test_never_well(self) -> None:
        self.server.close()
        problem = self.failure(FakeUnits(state()), gate(TcpProbe(1, "127.0.0.1", self.port)))
        self.assertEqual(
            str(problem),
            f"{API} did not pass its health gate within 10 s: TCP 127.0.0.1:{self.port}: Connection refused",
        )
        self.assertEqual(problem.units, [API])

    def test_well_too_late_to_be_stable(self) -> None:
        flag = os.path.join(tempfile.mkdtemp(), "well")
        units = FakeUnits(state())
        slept = units.system.sleep

        def sleep(seconds: float) -> None:
            slept(seconds)
            if units.system.now() > 9 and not os.path.exists(flag):
                open(flag, "w", encoding="utf-8").close()

        units.system.sleep = sleep  # type: ignore[method-assign]
        problem = self.failure(units, gate(CommandProbe(5, ("/usr/bin/test", "-e", flag))))
        self.assertRegex(
            str(problem), r"^api.service was well for only \d.\d s when the 10 s of its health gate were over; 2 s"
        )

    def test_a_restart_while_it_is_watched(self) -> None:
        again = state(InvocationID="2" * 32, NRestarts="1")
        problem = self.failure(
            FakeUnits(state(NRestarts="0"), state(NRestarts="0"), again), gate(TcpProbe(1, "127.0.0.1", self.port))
        )
        self.assertIn("did not stay up while its health gate watched it", str(problem))
        self.assertEqual(problem.ended, {API: "1" * 32})

    def test_its_last_breath(self) -> None:
        looks = [state()] * 6 + [state(active="failed", sub="failed", Result="exit-code")]
        problem = self.failure(FakeUnits(*looks), gate(TcpProbe(1, "127.0.0.1", self.port)))
        self.assertIn(f"its last answer: TCP 127.0.0.1:{self.port} is well", str(problem))

    def test_what_is_not_up_is_left_out(self) -> None:
        pass_gates(FakeUnits(state(active="inactive", sub="dead")), {API: gate(TcpProbe(1, "127.0.0.1", 1))})

    def test_the_time_of_the_transaction_ends_it(self) -> None:
        self.server.close()
        with self.assertRaises(OverdueError):
            pass_gates(FakeUnits(state(), seconds=3), {API: gate(TcpProbe(1, "127.0.0.1", self.port))})

    def test_a_probe_that_cannot_be_made_is_no_pass(self) -> None:
        problem = self.failure(FakeUnits(state()), gate(CommandProbe(1, ("/nowhere/probe",)), within=1))
        self.assertIn("the probe could not be made: /nowhere/probe cannot be run", str(problem))

    def test_a_socket_in_the_file_system(self) -> None:
        path = os.path.join(tempfile.mkdtemp(), "api.sock")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen()
            pass_gates(FakeUnits(state()), {API: gate(UnixSocketProbe(1, path))})

    def test_as_the_user_of_a_process(self) -> None:
        for pid in ("", "0", "x", "4194305", *(["self"] if os.geteuid() else [str(os.getpid())])):
            self.assertEqual(become(pid), ())

    @unittest.skipIf(os.geteuid(), "only root can start a process of another user")
    def test_a_command_runs_as_the_user_of_the_service(self) -> None:
        sleeper = subprocess.Popen(["setpriv", "--reuid=65501", "--regid=65502", "--clear-groups", "sleep", "60"])
        self.addCleanup(sleeper.wait)
        self.addCleanup(sleeper.kill)
        while os.stat(f"/proc/{sleeper.pid}").st_uid != 65501:
            time.sleep(0.01)
        command = CommandProbe(5, ("/bin/sh", "-c", '[ "$(id -u) $(id -g) $(id -G)" = "65501 65502 65502" ]'))
        pass_gates(FakeUnits(state(MainPID=str(sleeper.pid))), {API: gate(command, stable=0)})
        self.failure(FakeUnits(state(MainPID="0")), gate(command, within=1))


if __name__ == "__main__":
    unittest.main()
