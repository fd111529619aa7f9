from __future__ import annotations

import http.server
import os
import socket
import tempfile
import threading
import time
import unittest
from unittest import mock

from pulumi_systemd_host_under_test import ScriptedSystem, state, unit

from pulumi_systemd_health.probe_settings import HttpProbe, TcpProbe
from pulumi_systemd_host import swap_meter
from pulumi_systemd_host.bundle import Bundle, Gate, Unit
from pulumi_systemd_host.plan_shape import Observation, Plan
from pulumi_systemd_host.swap_meter import Swap, SwapMeter, Target
from pulumi_systemd_host.swap_targets import connectable, swap_targets
from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.systemctl import UnitState
from pulumi_systemd_host.units import Units
from pulumi_systemd_host.work import Work

API = "api.service"


class Handler(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Meter(unittest.TestCase):
    def setUp(self) -> None:
        self.answers: list[Exception | None] = []
        self.asked = 0
        self.meter = SwapMeter()
        patch = mock.patch.object(swap_meter, "OFTEN_SEC", 0.01)
        patch.start()
        self.addCleanup(patch.stop)

    def ask(self, _seconds: float) -> None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer:
            raise answer

    def test_what_probes_meet_is_counted_by_its_kind(self) -> None:
        self.answers = [
            None,
            ConnectionRefusedError(),
            FileNotFoundError(),
            ConnectionResetError(104, "reset"),
        ]
        self.answers += [
            OSError("status 500, wanted 200 to 399"),
            socket.timeout(),
            socket.timeout(),
        ]
        self.meter.begin([Target(API, "there", "request", self.ask)])
        while self.asked < 20:
            time.sleep(0.01)
        (swap,) = self.meter.end()
        self.assertEqual(
            (swap.unit, swap.address, swap.kind), (API, "there", "request")
        )
        # The first one decides whether there is something to look at.
        self.assertEqual((swap.made, swap.refused, swap.failed), (self.asked - 1, 2, 4))
        self.assertEqual(
            swap.problems,
            ["reset", "status 500, wanted 200 to 399", "no answer in 10 s"],
        )
        self.assertEqual(self.meter.end(), [])

    def test_what_does_not_answer_before_is_not_looked_at(self) -> None:
        self.answers = [ConnectionRefusedError()]
        self.meter.begin([Target(API, "there", "request", self.ask)])
        self.assertEqual(self.meter.end(), [])

    def test_a_host_without_a_thread_to_spare_is_no_reason_to_fail(self) -> None:
        start = threading.Thread.start
        for spare in range(3):
            with self.subTest(spare):
                left = [None] * spare

                def begun(thread: threading.Thread) -> None:
                    if not left:
                        raise RuntimeError("can't start new thread")
                    left.pop()
                    start(thread)

                meter = SwapMeter()
                with mock.patch.object(threading.Thread, "start", begun):
                    warnings = meter.begin([Target(API, "there", "request", self.ask)])
                    time.sleep(0.03)
                    swaps = meter.end()
                self.assertEqual(([swap.made for swap in swaps], len(warnings)), ([0], 0) if spare == 2 else ([], 1))
                self.assertTrue(all(each.endswith("looked at: can't start new thread") for each in warnings))

    def test_the_first_that_answers_is_looked_at(self) -> None:
        def refused(_seconds: float) -> None:
            raise ConnectionRefusedError

        self.meter.begin(
            [
                Target(API, there, "request", refused if there == "a" else self.ask)
                for there in "abc"
            ]
        )
        self.assertEqual([swap.address for swap in self.meter.end()], ["b"])

    def test_a_silent_service_is_asked_by_a_few_at_a_time(self) -> None:
        let_go = threading.Event()

        def wait(_seconds: float) -> None:
            self.asked += 1
            if self.asked > 1:
                let_go.wait(5)

        self.meter.begin([Target(API, "there", "connection", wait)])
        time.sleep(0.5)
        self.assertEqual(self.asked, 1 + swap_meter.MOST_AT_ONCE)
        let_go.set()
        (swap,) = self.meter.end()
        self.assertGreater(swap.worst_ms, 300)

    def test_it_is_told_in_one_line(self) -> None:
        self.assertEqual(
            Swap(API, "[::]:80", "connection", 40, 1, 2, 300, ["reset"]).told,
            "api.service changed over: of 40 connections to [::]:80, 1 refused, 2 failed (reset); "
            "the slowest answer after 300 ms",
        )


class Targets(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "socket")
        self.system = ScriptedSystem(folder.name)
        self.states = {
            API: state(TriggeredBy="api.socket x.timer"),
            "api.socket": state("api.socket", sub="running"),
        }

    def targets(self, own: Unit, listen: str = "", accept: str = "no") -> list[Target]:
        shown = (
            f"Id=api.socket\nAccept={accept}\nListen={listen}\nBindIPv6Only=default\n"
        )
        self.system.answers["systemctl show"] = Completed(0, shown, "")
        bundle = Bundle("a/b/c", [], [], [], [own], 100, 10)
        work = Work(
            self.system,
            Units(self.system, 10, 100),
            bundle,
            bundle,
            "t",
            "/run/t",
            None,
        )
        return swap_targets(
            work, Plan(restart=[API]), Observation(self.states, {}, "boot")
        )

    def test_a_connection_to_the_socket_waits_for_the_service(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
            server.bind(self.path)
            server.listen()
            (target,) = self.targets(unit(), f"{self.path} (Stream)")
            self.assertEqual(
                (target.unit, target.address, target.kind),
                (API, self.path, "connection"),
            )
            with self.assertRaises(socket.timeout):
                target.ask(0.05)
            server.accept()[0].close()
            threading.Thread(target=lambda: server.accept()[0].close()).start()
            target.ask(5)
        with self.assertRaises(ConnectionRefusedError):
            target.ask(5)

    def test_a_gate_is_asked_in_whole_requests(self) -> None:
        with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.shutdown)
            url = f"http://127.0.0.1:{server.server_port}"
            gate = Gate(
                (TcpProbe(1, "127.0.0.1", 1), HttpProbe(1, f"{url}/health?key=x")),
                1,
                2,
                False,
            )
            request, connection = self.targets(unit(gate=gate), f"{self.path} (Stream)")
            self.assertEqual(
                (request.kind, request.address, connection.kind),
                ("request", f"GET {url}/health", "connection"),
            )
            request.ask(5)
            with (
                mock.patch.object(Handler, "status", 500),
                self.assertRaisesRegex(OSError, "status 500"),
            ):
                request.ask(5)

    def test_other_machines_and_other_kinds_of_sockets_are_left_alone(self) -> None:
        gate = Gate((HttpProbe(1, "https://shop.example.com/health"),), 1, 2, False)
        self.assertEqual(self.targets(unit(gate=gate), "/run/x (Datagram)"), [])
        self.assertEqual(self.targets(unit(), "[::]:80 (Stream)", accept="yes"), [])

    def test_what_does_not_run_is_not_started_by_it(self) -> None:
        for states in (
            {API: state(active="inactive")},
            {**self.states, "api.socket": state(active="inactive")},
        ):
            self.states: dict[str, UnitState] = states
            self.assertEqual(self.targets(unit(), "[::]:80 (Stream)"), [])

    def test_where_a_socket_is_reached(self) -> None:
        for listen, only, wanted in (
            ("[::]:80", "default", (socket.AF_INET, ("127.0.0.1", 80))),
            ("[::]:80", "ipv6-only", (socket.AF_INET6, ("::1", 80))),
            ("0.0.0.0:80", "default", (socket.AF_INET, ("127.0.0.1", 80))),
            ("10.1.2.3:80", "default", (socket.AF_INET, ("10.1.2.3", 80))),
            ("[fd00::1]:80", "default", (socket.AF_INET6, ("fd00::1", 80))),
            ("/run/x.sock", "default", (socket.AF_UNIX, "/run/x.sock")),
            ("@x", "default", (socket.AF_UNIX, "\0x")),
            ("vsock:2:80", "default", None),
            ("", "", None),
        ):
            self.assertEqual(connectable(listen, only), wanted, listen)
