from __future__ import annotations

import os
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pulumi_systemd_health_under_test  # noqa: F401 it puts the program on the path

from pulumi_systemd_health.errors import BrokenCheckError
from pulumi_systemd_health.probe_settings import (
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    MemoryProbe,
    Probe,
    TcpProbe,
    UnitProbe,
    UnixSocketProbe,
)
from pulumi_systemd_health.probes import Verdict, answers_of, name_of, verdict_of, verdict_of_all


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
            verdict = verdict_of(HttpProbe(5, f"http://127.0.0.1:{port}/", status, contains))
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
            verdict = verdict_of(HttpProbe(5, f"http://localhost:{port}/healthz?deep=1"))
        self.assertEqual(verdict, Verdict(True, f"GET http://localhost:{port}/healthz is well"))
        lines = asked[0].decode().split("\r\n")
        self.assertEqual(lines[0], "GET /healthz?deep=1 HTTP/1.1")
        self.assertIn(f"Host: localhost:{port}", lines)
        self.assertIn("Connection: close", lines)

    def test_nobody_listens(self) -> None:
        port = free_port()
        self.assertEqual(
            verdict_of(HttpProbe(5, f"http://127.0.0.1:{port}/")),
            Verdict(False, f"GET http://127.0.0.1:{port}/: Connection refused"),
        )

    def test_a_server_that_drips_is_not_waited_for(self) -> None:
        with server(response("200 OK") * 50, pause=0.2) as (port, _):
            begin = time.monotonic()
            probe = HttpProbe(0.5, f"http://127.0.0.1:{port}/")
            verdict = verdict_of_all(answers_of([probe]))
            self.assertEqual(verdict, Verdict(False, f"GET http://127.0.0.1:{port}/: no answer in 0.5 s"))
            self.assertLess(time.monotonic() - begin, 3)

    def test_a_server_that_says_nothing(self) -> None:
        with server(response("200 OK"), pause=60) as (port, _):
            verdict = verdict_of(HttpProbe(0.3, f"http://127.0.0.1:{port}/"))
            self.assertEqual(verdict, Verdict(False, f"GET http://127.0.0.1:{port}/: no answer in 0.3 s"))

    def test_an_unknown_host_is_no_fault_of_the_unit(self) -> None:
        with self.assertRaisesRegex(BrokenCheckError, "^GET http://no-such-host.invalid/: the name of the host has no"):
            verdict_of(HttpProbe(5, "http://no-such-host.invalid/"))

    def test_what_may_be_secret_is_not_named(self) -> None:
        probe = HttpProbe(5, "http://127.0.0.1:8000/hook/s3cret?token=s3cret", None, "s3cret")
        self.assertEqual(name_of(probe, True), "GET http://127.0.0.1:8000/...")
        self.assertEqual(name_of(probe, False), "GET http://127.0.0.1:8000/hook/s3cret")


class TcpTest(unittest.TestCase):
    def test_a_port_that_listens(self) -> None:
        with server(b"") as (port, _):
            self.assertEqual(
                verdict_of(TcpProbe(5, "127.0.0.1", port)), Verdict(True, f"TCP 127.0.0.1:{port} is well")
            )

    def test_a_port_that_does_not(self) -> None:
        port = free_port()
        self.assertEqual(
            verdict_of(TcpProbe(5, "127.0.0.1", port)),
            Verdict(False, f"TCP 127.0.0.1:{port}: Connection refused"),
        )


class CommandTest(unittest.TestCase):
    def verdict(self, program: str, seconds: float = 10) -> Verdict:
        return verdict_of(CommandProbe(seconds, (sys.executable, "-c", program)))

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
            verdict_of(CommandProbe(5, ("/no/such/program",)))


class HttpsTest(unittest.TestCase):
    """A certificate of this test alone, which ends in a day."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.certificate, key = os.path.join(holder.name, "cert.pem"), os.path.join(holder.name, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
            + ["-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.certificate],
            check=True,
            capture_output=True,
            timeout=60,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)
        self.port = self.listening.getsockname()[1]

        def serving() -> None:
            while True:
                try:
                    plain, _ = self.listening.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(65536)
                        connection.sendall(response("200 OK"))
                except OSError:
                    plain.close()

        threading.Thread(target=serving, daemon=True).start()

    def verdict(self, **changes: Any) -> tuple[bool, str]:
        verdict = verdict_of(HttpProbe(10, f"https://localhost:{self.port}/", **changes))
        return verdict.ok, verdict.reason.partition("/: ")[2]

    def test_verdicts(self) -> None:
        own = {"ca_file": self.certificate}
        self.assertEqual(self.verdict(**own), (True, ""))
        self.assertEqual(self.verdict(**own, certificate_sec=3600.0), (True, ""))
        self.assertEqual(
            self.verdict(**own, certificate_sec=14 * 86400.0), (False, "its certificate ends in 1.0 days, wanted 14")
        )
        ok, reason = self.verdict()
        self.assertEqual((ok, reason.partition(":")[0]), (False, "the certificate is not valid"))
        with self.assertRaisesRegex(BrokenCheckError, "^/no/such.pem: No such file"):
            self.verdict(ca_file="/no/such.pem")


class FileSystemTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = holder.name

    def written(self, name: str, age_sec: float, size: int = 10) -> str:
        path = os.path.join(self.directory, name)
        with open(path, "wb") as target:
            target.write(b"x" * size)
        os.utime(path, (time.time() - age_sec,) * 2)
        return path

    def test_freshness(self) -> None:
        path = self.written("a.dump", 7200)
        for probe, expected in (
            (FileProbe(5, path, 10_000, 0), Verdict(True, f"file {path} is well")),
            (FileProbe(5, path, 3600, 0), Verdict(False, f"file {path}: it was written 2.0 h ago, wanted at most 1.0 h")),
            (FileProbe(5, path, 10_000, 11), Verdict(False, f"file {path}: it has 10 bytes, wanted 11")),
        ):
            self.assertEqual(verdict_of(probe), expected)
        missing = os.path.join(self.directory, "gone")
        self.assertEqual(
            verdict_of(FileProbe(5, missing, 1, 0)), Verdict(False, f"file {missing}: No such file or directory")
        )

    def test_the_newest_of_several_counts(self) -> None:
        pattern = os.path.join(self.directory, "*.dump")
        self.assertEqual(
            verdict_of(FileProbe(5, pattern, 1, 0)), Verdict(False, f"file {pattern}: no file has such a name")
        )
        self.written("old.dump", 90_000)
        self.written("new.dump", 60)
        self.assertTrue(verdict_of(FileProbe(5, pattern, 3600, 0)).ok)

    def test_room(self) -> None:
        self.assertTrue(verdict_of(DiskProbe(5, self.directory, 1, 0.0001)).ok)
        self.assertRegex(verdict_of(DiskProbe(5, self.directory, 1 << 60, None)).reason, r"MiB are free, wanted 10995116")
        self.assertRegex(verdict_of(DiskProbe(5, self.directory, None, 99.99)).reason, r"% of its room are free, wanted 99.99")

    def test_a_socket(self) -> None:
        path = os.path.join(self.directory, "s")
        self.assertEqual(
            verdict_of(UnixSocketProbe(5, path)), Verdict(False, f"socket {path}: No such file or directory")
        )
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            self.assertEqual(verdict_of(UnixSocketProbe(5, path)), Verdict(False, f"socket {path}: Connection refused"))
            listening.listen()
            self.assertTrue(verdict_of(UnixSocketProbe(5, path)).ok)

    def test_http_over_a_socket(self) -> None:
        path = os.path.join(self.directory, "h")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
            listening.listen()

            def serve() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(response("200 OK", "fine"))

            threading.Thread(target=serve, daemon=True).start()
            probe = HttpProbe(5, "http://app.example/health", None, "fine", unix_socket=path)
            self.assertEqual(verdict_of(probe), Verdict(True, "GET http://app.example/health is well"))


class SystemdTest(unittest.TestCase):
    """What systemctl says, by a script in its place."""

    def verdict(self, probe: Probe, **properties: str) -> Verdict:
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "systemctl")
            with open(path, "w", encoding="utf-8") as script:
                script.write("#!/bin/sh\ncase \"$5\" in\n")
                script.write("".join(f"{name}) echo '{value}';;\n" for name, value in properties.items()))
                script.write("esac\n")
            os.chmod(path, 0o755)  # noqa: S103 a program of this test
            with mock.patch.dict(os.environ, {"PATH": f"{directory}:{os.environ['PATH']}"}):
                return verdict_of(probe)

    def test_memory(self) -> None:
        probe = MemoryProbe(20, "api.service", 512 << 20)
        self.assertTrue(self.verdict(probe, MemoryCurrent=str(100 << 20)).ok)
        self.assertEqual(
            self.verdict(probe, MemoryCurrent=str(600 << 20)),
            Verdict(False, "memory of api.service: 600 MiB are used, wanted at most 512"),
        )
        self.assertEqual(
            self.verdict(probe, MemoryCurrent="[not set]", ActiveState="failed").reason,
            "memory of api.service: it is failed",
        )
        with self.assertRaisesRegex(BrokenCheckError, "set MemoryAccounting=yes"):
            self.verdict(probe, MemoryCurrent="18446744073709551615", ActiveState="active")

    def test_a_unit(self) -> None:
        probe = UnitProbe(20, "db.service")
        self.assertTrue(self.verdict(probe, ActiveState="active").ok)
        self.assertEqual(self.verdict(probe, ActiveState="inactive"), Verdict(False, "db.service: it is inactive"))


class AllTest(unittest.TestCase):
    def test_all_are_well(self) -> None:
        with server(response("200 OK")) as (port, _):
            probes: list[Probe] = [HttpProbe(5, f"http://127.0.0.1:{port}/"), TcpProbe(5, "127.0.0.1", port)]
            self.assertEqual(
                verdict_of_all(answers_of(probes)),
                Verdict(True, f"GET http://127.0.0.1:{port}/ is well; TCP 127.0.0.1:{port} is well"),
            )

    def test_one_that_fails_counts_more_than_one_that_could_not_be_made(self) -> None:
        port = free_port()
        broken, failing = CommandProbe(5, ("/no/such/program",)), TcpProbe(5, "127.0.0.1", port)
        self.assertEqual(
            verdict_of_all(answers_of([broken, failing])),
            Verdict(False, f"TCP 127.0.0.1:{port}: Connection refused"),
        )
        with self.assertRaises(BrokenCheckError):
            verdict_of_all(answers_of([broken]))

    def test_as_many_as_allowed_run_side_by_side(self) -> None:
        gate = threading.Barrier(5)
        with mock.patch("pulumi_systemd_health.probes.verdict_of", lambda *_: (gate.wait(30), Verdict(True, "x"))[1]):
            answers = answers_of([TcpProbe(60, "127.0.0.1", 1)] * 10, at_once=5)
        self.assertEqual(answers, [Verdict(True, "x")] * 10)

    def test_one_that_hangs_keeps_nobody_from_its_turn(self) -> None:
        never = threading.Event()

        def hanging(probe: Probe, *_: object) -> Verdict:
            if probe.timeout_sec < 1:
                never.wait(60)
            return Verdict(True, "x")

        hangs, quick = TcpProbe(0.1, "127.0.0.1", 1), TcpProbe(20, "127.0.0.1", 2)
        with mock.patch("pulumi_systemd_health.probes.verdict_of", hanging):
            answers = answers_of([hangs, hangs, quick], at_once=2)
        never.set()
        overdue = Verdict(False, "TCP 127.0.0.1:1: no answer in 0.1 s")
        self.assertEqual(answers, [overdue, overdue, Verdict(True, "x")])


if __name__ == "__main__":
    unittest.main()
