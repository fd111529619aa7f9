"""The probes, many at once, each within its own time."""

from __future__ import annotations

import collections
import glob
import http.client
import os
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Sequence, Union
from urllib.parse import SplitResult, urlsplit

from .command import OverdueError, completed, last_line
from .errors import BrokenCheckError
from .probe_settings import (
    CommandProbe,
    DiskProbe,
    FileProbe,
    HttpProbe,
    MemoryProbe,
    Probe,
    TcpProbe,
    TimerProbe,
    UnitProbe,
    UnixSocketProbe,
)
from .timer_runs import timer_problem

LONGEST_BODY = 1 << 20
# What a probe may take beyond its own bound before it is given up: a name server that is silent, a thread that waits.
SLACK_SEC = 0.5
MOST_AT_ONCE = 32


@dataclass(frozen=True)
class Verdict:
    """What a probe found. `reason` fits after `healthy:` and after `unhealthy:`."""

    ok: bool
    reason: str


# A probe that could not be made says nothing about what it looks at.
Answer = Union[Verdict, BrokenCheckError]


def answers_of(probes: Sequence[Probe], confidential: bool = False, at_once: int = MOST_AT_ONCE) -> list[Answer]:
    """
    What each probe found, in their order. At most `at_once` run at a time; one that hangs is given up at its own bound
    and makes room for the next.
    """
    arrived: queue.Queue[tuple[int, Answer]] = queue.Queue()
    waiting = collections.deque(enumerate(probes))
    deadlines: dict[int, float] = {}
    found: dict[int, Answer] = {}
    while waiting or deadlines:
        while waiting and len(deadlines) < at_once:
            index, probe = waiting.popleft()
            deadlines[index] = time.monotonic() + probe.timeout_sec + SLACK_SEC
            # A daemon: what hangs for good must not keep the program from its end.
            threading.Thread(target=_answer, args=(arrived, index, probe, confidential), daemon=True).start()
        try:
            index, answer = arrived.get(timeout=max(0.0, min(deadlines.values()) - time.monotonic()))
        except queue.Empty:
            now = time.monotonic()
            for index in [each for each, deadline in deadlines.items() if deadline <= now]:
                del deadlines[index]
                probe = probes[index]
                found[index] = Verdict(False, f"{name_of(probe, confidential)}: no answer in {probe.timeout_sec:g} s")
            continue
        if deadlines.pop(index, None) is not None:
            found[index] = answer
    return [found[index] for index in range(len(probes))]


def verdict_of_all(answers: Sequence[Answer]) -> Verdict:
    """
    The verdict of several probes together: the first that failed, else that all are well. Raises BrokenCheckError when
    none failed but one could not be made.
    """
    for answer in answers:
        if isinstance(answer, Verdict) and not answer.ok:
            return answer
    for answer in answers:
        if isinstance(answer, BrokenCheckError):
            raise answer
    return Verdict(True, "; ".join(answer.reason for answer in answers if isinstance(answer, Verdict)))


def _answer(arrived: queue.Queue[tuple[int, Answer]], index: int, probe: Probe, confidential: bool) -> None:
    try:
        arrived.put((index, verdict_of(probe, confidential)))
    except BrokenCheckError as problem:
        arrived.put((index, problem))
    except BaseException as problem:  # noqa: BLE001 a defect of one probe must not stop the others
        name = name_of(probe, confidential)
        arrived.put((index, BrokenCheckError(f"{name}: a fault of the probe itself ({type(problem).__name__})")))


def verdict_of(probe: Probe, confidential: bool = False) -> Verdict:
    """The verdict of one probe. `confidential` keeps out of it what the arguments of the probe could have put there."""
    name = name_of(probe, confidential)
    try:
        problem = problem_of(probe)
    except socket.gaierror as failure:
        raise BrokenCheckError(f"{name}: the name of the host has no address: {failure.strerror}") from None
    except PermissionError as failure:
        raise BrokenCheckError(f"{name}: {failure.strerror}: checks run as root without capabilities") from None
    except (socket.timeout, OverdueError):
        problem = f"no answer in {probe.timeout_sec:g} s"
    except ssl.SSLCertVerificationError as failure:
        problem = f"the certificate is not valid: {failure.verify_message}"
    except OSError as failure:
        problem = failure.strerror or str(failure) or type(failure).__name__
    except http.client.HTTPException as failure:
        problem = f"the answer is not HTTP ({type(failure).__name__})"
    return Verdict(problem is None, f"{name}: {problem}" if problem else f"{name} is well")


def problem_of(probe: Probe) -> str | None:
    """What is wrong with what it looks at, None for nothing. Raises what verdict_of puts into words."""
    if isinstance(probe, HttpProbe):
        return _http_problem(probe)
    if isinstance(probe, TcpProbe):
        socket.create_connection((probe.host, probe.port), timeout=probe.timeout_sec).close()
        return None
    if isinstance(probe, UnixSocketProbe):
        _unix_connection(probe.path, probe.timeout_sec).close()
        return None
    if isinstance(probe, CommandProbe):
        return _command_problem(probe)
    if isinstance(probe, FileProbe):
        return _file_problem(probe)
    if isinstance(probe, DiskProbe):
        return _disk_problem(probe)
    if isinstance(probe, MemoryProbe):
        return _memory_problem(probe)
    if isinstance(probe, TimerProbe):
        return timer_problem(probe)
    return _unit_problem(probe)


def name_of(probe: Probe, confidential: bool = False) -> str:
    """How messages call a probe: never with the query of a URL or the arguments of a command."""
    if isinstance(probe, HttpProbe):
        parts = urlsplit(probe.url)
        return f"GET {parts.scheme}://{parts.netloc}{'/...' if confidential else parts.path or '/'}"
    if isinstance(probe, TcpProbe):
        return f"TCP {probe.host}:{probe.port}"
    if isinstance(probe, UnixSocketProbe):
        return f"socket {probe.path}"
    if isinstance(probe, CommandProbe):
        return probe.command[0]
    if isinstance(probe, FileProbe):
        return f"file {probe.path}"
    if isinstance(probe, DiskProbe):
        return f"disk {probe.path}"
    if isinstance(probe, TimerProbe):
        return probe.timer
    return f"memory of {probe.unit}" if isinstance(probe, MemoryProbe) else probe.unit


def _http_problem(probe: HttpProbe) -> str | None:
    parts = urlsplit(probe.url)
    deadline = time.monotonic() + probe.timeout_sec
    connection = _connection(parts, probe)
    try:
        connection.connect()
        if isinstance(connection.sock, ssl.SSLSocket) and probe.certificate_sec is not None:
            left = _certificate_left(connection.sock)
            if left < probe.certificate_sec:
                return f"its certificate ends in {left / 86400:.1f} days, wanted {probe.certificate_sec / 86400:g}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"User-Agent": "pulumi-systemd-health", "Connection": "close"})
        response = connection.getresponse()
        if probe.status is not None and response.status != probe.status:
            return f"status {response.status}, wanted {probe.status}"
        if probe.status is None and not 200 <= response.status < 400:
            return f"status {response.status}, wanted 200 to 399"
        if probe.contains is None:
            return None
        body = b""
        while len(body) < LONGEST_BODY and time.monotonic() < deadline:
            part = response.read1(1 << 16)
            if not part:
                break
            body += part
        return None if probe.contains.encode("utf-8") in body else "the answer does not hold the wanted text"
    finally:
        connection.close()


def _connection(parts: SplitResult, probe: HttpProbe) -> http.client.HTTPConnection:
    if parts.hostname is None:
        raise BrokenCheckError("the URL names no host")
    if parts.scheme != "https":
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=probe.timeout_sec)
        if probe.unix_socket is not None:
            # `connect` leaves a socket alone that is there.
            path = probe.unix_socket
            connection.connect = lambda: _give_socket(connection, path, probe.timeout_sec)  # type: ignore[method-assign]
        return connection
    try:
        context = ssl.create_default_context(cafile=probe.ca_file)
    except OSError as problem:
        raise BrokenCheckError(f"{probe.ca_file}: {problem.strerror or 'holds no certificate'}") from None
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=probe.timeout_sec, context=context)


def _give_socket(connection: http.client.HTTPConnection, path: str, seconds: float) -> None:
    connection.sock = _unix_connection(path, seconds)


def _unix_connection(path: str, seconds: float) -> socket.socket:
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connected.settimeout(seconds)
        connected.connect(path)
    except BaseException:
        connected.close()
        raise
    return connected


def _certificate_left(connected: ssl.SSLSocket) -> float:
    """Seconds for which the peer's certificate is still valid."""
    certificate = connected.getpeercert() or {}
    ends = certificate.get("notAfter")
    if not isinstance(ends, str):
        raise BrokenCheckError("the certificate has no end")
    return ssl.cert_time_to_seconds(ends) - time.time()


def _command_problem(probe: CommandProbe) -> str | None:
    argv = (*probe.run_by, *probe.command)
    if probe.user is not None:
        # The check itself may not become another user; systemd makes the process for it.
        options = ("--quiet", "--pipe", "--wait", "--collect", f"--uid={probe.user}", "--property=NoNewPrivileges=yes")
        bound = f"--property=RuntimeMaxSec={probe.timeout_sec + SLACK_SEC:g}"
        argv = ("systemd-run", *options, bound, "--property=LogLevelMax=notice", "--", *probe.command)
    done = completed(argv, probe.timeout_sec)
    if done.code == 0:
        return None
    ending = f"exit status {done.code}" if done.code > 0 else f"killed by signal {-done.code}"
    said = last_line(done.out)
    return f"{ending}: {said}" if said else ending


def _file_problem(probe: FileProbe) -> str | None:
    paths = glob.glob(probe.path) if glob.has_magic(probe.path) else [probe.path]
    if not paths:
        return "no file has such a name"
    newest = max((os.stat(path) for path in paths), key=lambda each: each.st_mtime)
    age = time.time() - newest.st_mtime
    if age > probe.max_age_sec:
        return f"it was written {_hours(age)} ago, wanted at most {_hours(probe.max_age_sec)}"
    if newest.st_size < probe.min_bytes:
        return f"it has {newest.st_size} bytes, wanted {probe.min_bytes}"
    return None


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"


def _disk_problem(probe: DiskProbe) -> str | None:
    room = os.statvfs(probe.path)
    free = room.f_bavail * room.f_frsize
    if probe.min_free_bytes is not None and free < probe.min_free_bytes:
        return f"{free >> 20} MiB are free, wanted {probe.min_free_bytes >> 20}"
    if probe.min_free_percent is None:
        return None
    for what, part, whole in (("its room", room.f_bavail, room.f_blocks), ("its inodes", room.f_favail, room.f_files)):
        if whole and 100 * part / whole < probe.min_free_percent:
            return f"{100 * part / whole:.1f} % of {what} are free, wanted {probe.min_free_percent:g} %"
    return None


def _memory_problem(probe: MemoryProbe) -> str | None:
    used = _property(probe.unit, "MemoryCurrent", probe.timeout_sec)
    if not used.isdigit() or int(used) >= 1 << 63:
        active = _property(probe.unit, "ActiveState", probe.timeout_sec)
        if active != "active":
            return f"it is {active}"
        raise BrokenCheckError(f"systemd does not account the memory of {probe.unit}: set MemoryAccounting=yes")
    if int(used) <= probe.max_bytes:
        return None
    return f"{int(used) >> 20} MiB are used, wanted at most {probe.max_bytes >> 20}"


def _unit_problem(probe: UnitProbe) -> str | None:
    active = _property(probe.unit, "ActiveState", probe.timeout_sec)
    return None if active in ("active", "reloading", "refreshing") else f"it is {active or 'unknown to systemd'}"


def _property(unit: str, name: str, seconds: float) -> str:
    done = completed(("systemctl", "show", "--no-pager", "--value", "-p", name, "--", unit), seconds)
    if done.code != 0:
        raise BrokenCheckError(f"systemctl show {unit} failed: {last_line(done.out) or done.code}")
    return done.out.strip()
