"""The probes of a running unit, all at once, each within the time given."""

from __future__ import annotations

import http.client
import queue
import socket
import threading
import time
from dataclasses import dataclass
from typing import Sequence
from urllib.parse import SplitResult, urlsplit

from .command import OverdueError, completed, last_line
from .errors import BrokenCheckError
from .settings import CommandProbe, HttpProbe, Probe, TcpProbe

LONGEST_BODY = 1 << 20
# What a probe may take beyond its own bound before it is given up: a name server that is silent, a thread that waits.
SLACK_SEC = 0.5


@dataclass(frozen=True)
class Verdict:
    """What a probe found. `reason` fits after `healthy:` and after `unhealthy:`."""

    ok: bool
    reason: str


def verdict_of_all(probes: Sequence[Probe], seconds: float, confidential: bool) -> Verdict:
    """
    The verdict of all probes together: the first that failed, else that all are well. Raises BrokenCheckError when none
    failed but one could not be made.
    """
    answers: queue.Queue[tuple[int, object]] = queue.Queue()
    for index, probe in enumerate(probes):
        # A daemon: what hangs for good must not keep the program from its end.
        threading.Thread(target=_answer, args=(answers, index, probe, seconds, confidential), daemon=True).start()
    overdue = f"no answer in {seconds:g} s"
    found: list[object] = [Verdict(False, f"{name_of(probe, confidential)}: {overdue}") for probe in probes]
    deadline = time.monotonic() + seconds + SLACK_SEC
    for _ in probes:
        try:
            index, result = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[index] = result
    verdicts = [result for result in found if isinstance(result, Verdict)]
    for verdict in verdicts:
        if not verdict.ok:
            return verdict
    for result in found:
        if isinstance(result, BaseException):
            raise result
    return Verdict(True, "; ".join(verdict.reason for verdict in verdicts))


def _answer(
    answers: queue.Queue[tuple[int, object]], index: int, probe: Probe, seconds: float, confidential: bool
) -> None:
    try:
        answers.put((index, verdict_of(probe, seconds, confidential)))
    except BaseException as problem:  # noqa: BLE001 it is raised again by the main thread
        answers.put((index, problem))


def verdict_of(probe: Probe, seconds: float, confidential: bool) -> Verdict:
    """The verdict of one probe. `confidential` keeps out of it what the arguments of the probe could have put there."""
    name = name_of(probe, confidential)
    try:
        if isinstance(probe, HttpProbe):
            problem = _http_problem(probe, seconds)
        elif isinstance(probe, TcpProbe):
            problem = _tcp_problem(probe, seconds)
        else:
            problem = _command_problem(probe, seconds)
    except socket.gaierror as failure:
        raise BrokenCheckError(f"{name}: the name of the host has no address: {failure.strerror}") from None
    except (socket.timeout, OverdueError):
        problem = f"no answer in {seconds:g} s"
    except OSError as failure:
        problem = failure.strerror or str(failure) or type(failure).__name__
    except http.client.HTTPException as failure:
        problem = f"the answer is not HTTP ({type(failure).__name__})"
    return Verdict(problem is None, f"{name}: {problem}" if problem else f"{name} is well")


def name_of(probe: Probe, confidential: bool) -> str:
    """How messages call a probe: never with the query of a URL or the arguments of a command."""
    if isinstance(probe, HttpProbe):
        parts = urlsplit(probe.url)
        return f"GET {parts.scheme}://{parts.netloc}{'/...' if confidential else parts.path or '/'}"
    if isinstance(probe, TcpProbe):
        return f"TCP {probe.host}:{probe.port}"
    return probe.command[0]


def _http_problem(probe: HttpProbe, seconds: float) -> str | None:
    parts = urlsplit(probe.url)
    deadline = time.monotonic() + seconds
    connection = _connection(parts, seconds)
    try:
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


def _connection(parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
    if parts.hostname is None:
        raise BrokenCheckError("the URL names no host")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=seconds)


def _tcp_problem(probe: TcpProbe, seconds: float) -> str | None:
    socket.create_connection((probe.host, probe.port), timeout=seconds).close()
    return None


def _command_problem(probe: CommandProbe, seconds: float) -> str | None:
    done = completed(probe.command, seconds)
    if done.code == 0:
        return None
    ending = f"exit status {done.code}" if done.code > 0 else f"killed by signal {-done.code}"
    said = last_line(done.out)
    return f"{ending}: {said}" if said else ending
