from __future__ import annotations

import os
import select
import socket
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager

import pulumi_systemd_health_under_test  # noqa: F401 it puts the program on the path

from pulumi_systemd_health.errors import BrokenCheckError
from pulumi_systemd_health.probes import Verdict, name_of, verdict_of, verdict_of_all
from pulumi_systemd_health.settings import CommandProbe, HttpProbe, Probe, TcpProbe


@contextmanager
def server(answer: bytes, pause: float = 0.0) -> Iterator[tuple[int, list[bytes]]]:
    """A server that gives every connection the same bytes, `pause` seconds apart; its port, and what it was asked."""
    asked: list[bytes] = []
    end = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def served(connection: socket.socket) -> None:
        with connection:
            asked.append(connection.recv(65536))
            try:
                for byte in [answer] if pause == 0 else [answer[at : at + 1] for at in range(len(answer))]:
                    connection.sendall(byte)
                    if end.wait(pause):
                        return
            except OSError:
                return

    def accepting() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=served, args=(connection,), daemon=True).start()

    threading.Thread(target=accepting, daemon=True).start()
    try:
        yield listening.getsockname()[1], asked
    finally:
        end.set()
        # close() alone leaves a thread in accept(), and the port open with it.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def response(status: str, body: str = "", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


class HttpTest(unittest.TestCase):
    def verdict(self, answer: bytes, status: int | None = None, contains: str | None = None) -> tuple[bool, str]:
        with server(answer) as (port, _):
            verdict = verdict_of(HttpProbe(f"http://127.0.0.1:{port}/", status, contains), 5, False)
            return verdict.ok, verdict.reason.partition("/: ")[2]

    def test_verdicts(self) -> None:
        moved = response("302 Found", headers="Location: http://192.0.2.1/\r\n")
        for answer, status, contains, expected in (
            (response("200 OK"), None, None, (True, "")),
            (response("204 No Content"), None, None, (True, "")),
            (moved, None, None, (True, "")),
            (moved, 200, None, (False, "status 302, wanted 200")),
            (response("404 Not Found"), None, None, (False, "status 404, wanted 200 to 399")),
            (response("404 Not Found"), 404, None, (True, "")),
            (response("503 Busy"), None, None, (False, "status 503, wanted 200 to 399")),
            (response("200 OK", '{"db": "ok"}'), None, '"db": "ok"', (True, "")),
            (response("200 OK", "db down"), None, '"ok"', (False, "the answer does not hold the wanted text")),
            (response("200 OK", ""), None, "ok", (False, "the answer does not hold the wanted text")),
            (b"SSH-2.0-OpenSSH\r\n", None, None, (False, "the answer is not HTTP (BadStatusLine)")),
            (b"", None, None, (False, "Remote end closed connection without response")),
        ):
            with self.subTest(expected=expected, answer=answer[:30]):
                self.assertEqual(self.verdict(answer, status, contains), expected)

    def test_the_request(self) -> None:
        with server(response("200 OK")) as (port, asked):
            verdict = verdict_of(HttpProbe(f"http://localhost:{port}/healthz?deep=1", None, None), 5, False)
        self.assertEqual(verdict, Verdict(True, f"GET http://localhost:{port}/healthz is well"))
        lines = asked[0].decode().split("\r\n")
        self.assertEqual(lines[0], "GET /healthz?deep=1 HTTP/1.1")
        self.assertIn(f"Host: localhost:{port}", lines)
        self.assertIn("Connection: close", lines)

    def test_nobody_listens(self) -> None:
        port = free_port()
        self.assertEqual(
            verdict_of(HttpProbe(f"http://127.0.0.1:{port}/", None, None), 5, False),
            Verdict(False, f"GET http://127.0.0.1:{port}/: Connection refused"),
        )

    def test_a_server_that_drips_is_not_waited_for(self) -> None:
        with server(response("200 OK") * 50, pause=0.2) as (port, _):
            begin = time.monotonic()
            probe = HttpProbe(f"http://127.0.0.1:{port}/", None, None)
            verdict = verdict_of_all([probe], 0.5, False)
            self.assertEqual(verdict, Verdict(False, f"GET http://127.0.0.1:{port}/: no answer in 0.5 s"))
            self.assertLess(time.monotonic() - begin, 3)

    def test_a_server_that_says_nothing(self) -> None:
        with server(response("200 OK"), pause=60) as (port, _):
            verdict = verdict_of(HttpProbe(f"http://127.0.0.1:{port}/", None, None), 0.3, False)
            self.assertEqual(verdict, Verdict(False, f"GET http://127.0.0.1:{port}/: no answer in 0.3 s"))

    def test_an_unknown_host_is_no_fault_of_the_unit(self) -> None:
        with self.assertRaisesRegex(BrokenCheckError, "^GET http://no-such-host.invalid/: the name of the host has no"):
            verdict_of(HttpProbe("http://no-such-host.invalid/", None, None), 5, False)

    def test_what_may_be_secret_is_not_named(self) -> None:
        probe = HttpProbe("http://127.0.0.1:8000/hook/s3cret?token=s3cret", None, "s3cret")
        self.assertEqual(name_of(probe, True), "GET http://127.0.0.1:8000/...")
        self.assertEqual(name_of(probe, False), "GET http://127.0.0.1:8000/hook/s3cret")


class TcpTest(unittest.TestCase):
    def test_a_port_that_listens(self) -> None:
        with server(b"") as (port, _):
            self.assertEqual(
                verdict_of(TcpProbe("127.0.0.1", port), 5, False), Verdict(True, f"TCP 127.0.0.1:{port} is well")
            )

    def test_a_port_that_does_not(self) -> None:
        port = free_port()
        self.assertEqual(
            verdict_of(TcpProbe("127.0.0.1", port), 5, False),
            Verdict(False, f"TCP 127.0.0.1:{port}: Connection refused"),
        )


class CommandTest(unittest.TestCase):
    def verdict(self, program: str, seconds: float = 10) -> Verdict:
        return verdict_of(CommandProbe((sys.executable, "-c", program)), seconds, False)

    def test_verdicts(self) -> None:
        for program, expected in (
            ("", Verdict(True, f"{sys.executable} is well")),
            ("import sys; sys.exit(3)", Verdict(False, f"{sys.executable}: exit status 3")),
            (
                "import sys; print('CRITICAL: \\x1b[31mno disk\\n\\n'); sys.exit(2)",
                Verdict(False, f"{sys.executable}: exit status 2: CRITICAL:  [31mno disk"),
            ),
            ("import os; os.kill(os.getpid(), 9)", Verdict(False, f"{sys.executable}: killed by signal 9")),
            ("print('y' * 300); exit(1)", Verdict(False, f"{sys.executable}: exit status 1: {'y' * 197}...")),
        ):
            with self.subTest(program):
                self.assertEqual(self.verdict(program), expected)

    def test_a_command_that_hangs_is_killed_with_its_children(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            fifo = os.path.join(directory, "held")
            os.mkfifo(fifo)
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            try:
                program = f"import os, time; held = open({fifo!r}, 'w'); os.fork(); print('late'); time.sleep(60)"
                self.assertEqual(self.verdict(program, 1), Verdict(False, f"{sys.executable}: no answer in 1 s"))
                # The reader is told the end when no process has it open for writing any more.
                poll = select.poll()
                poll.register(reader, select.POLLIN)
                self.assertEqual(poll.poll(10_000), [(reader, select.POLLHUP)])
            finally:
                os.close(reader)

    def test_a_program_that_is_not_there_is_no_fault_of_the_unit(self) -> None:
        with self.assertRaisesRegex(BrokenCheckError, "^/no/such/program cannot be run: No such file or directory$"):
            verdict_of(CommandProbe(("/no/such/program",)), 5, False)


class AllTest(unittest.TestCase):
    def test_all_are_well(self) -> None:
        with server(response("200 OK")) as (port, _):
            probes: list[Probe] = [HttpProbe(f"http://127.0.0.1:{port}/", None, None), TcpProbe("127.0.0.1", port)]
            self.assertEqual(
                verdict_of_all(probes, 5, False),
                Verdict(True, f"GET http://127.0.0.1:{port}/ is well; TCP 127.0.0.1:{port} is well"),
            )

    def test_one_that_fails_counts_more_than_one_that_could_not_be_made(self) -> None:
        port = free_port()
        broken, failing = CommandProbe(("/no/such/program",)), TcpProbe("127.0.0.1", port)
        self.assertEqual(
            verdict_of_all([broken, failing], 5, False), Verdict(False, f"TCP 127.0.0.1:{port}: Connection refused")
        )
        with self.assertRaises(BrokenCheckError):
            verdict_of_all([broken], 5, False)

    def test_they_run_side_by_side(self) -> None:
        probe = CommandProbe((sys.executable, "-c", "import time; time.sleep(0.6)"))
        begin = time.monotonic()
        self.assertTrue(verdict_of_all([probe] * 5, 30, False).ok)
        self.assertLess(time.monotonic() - begin, 2.9)


if __name__ == "__main__":
    unittest.main()
