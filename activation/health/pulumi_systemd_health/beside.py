"""Readiness and a watchdog for a program that cannot speak of itself: probes beside it do, by sd_notify(3)."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import Sequence

from .command import OWN_VARIABLES
from .errors import BrokenCheckError
from .journal import say
from .probe_settings import Probe, probe_of
from .probes import answers_of, verdict_of_all
from .strict_json import Fields, MalformedError, parsed_json

# How often a program is asked until it is ready.
STARTING_SEC = 0.25
# What systemd says of a program that cannot be executed, and of settings that are wrong.
EXIT_EXEC = 203
EXIT_CONFIG = 78
LONGEST_STATUS = 300


@dataclass(frozen=True)
class Beside:
    """What is asked of the program, and how often once it is ready. Times are in seconds."""

    probes: tuple[Probe, ...]
    every_sec: float


def beside_at(path: str) -> Beside:
    """The settings in a file. Raises MalformedError."""
    try:
        with open(path, encoding="utf-8") as source:
            fields = Fields(parsed_json(source.read()), "", ("probes", "everySec"))
    except (OSError, UnicodeDecodeError):
        raise MalformedError("it cannot be read") from None
    probes = [probe_of(each, f"probes[{index}]") for index, each in enumerate(fields.items("probes"))]
    if not probes:
        raise MalformedError("probes is empty")
    return Beside(tuple(probes), fields.number("everySec", 0.1))


def run_beside(path: str, program: Sequence[str]) -> int:
    """
    Become `program`, with a process beside it that tells systemd how it is. It stays the main process of its unit, with
    its sockets, signals and exit status its own; the process beside it is adopted by systemd and no child of it.
    """
    try:
        settings = beside_at(path)
    except MalformedError as problem:
        say(3, f"{path}: {problem}")
        return EXIT_CONFIG
    main = os.getpid()
    first = os.fork()
    if first == 0:
        if os.fork() == 0:
            _tell(settings, main)
        os._exit(0)
    os.waitpid(first, 0)
    for name in OWN_VARIABLES:
        # What the program said there would be taken for more than it can know.
        os.environ.pop(name, None)
    try:
        # Python ignores it, and what is ignored stays so in the program.
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(program[0], list(program))  # noqa: S606 it becomes the program
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        say(3, f"{program[0]} cannot be run: {reason}")
    return EXIT_EXEC


def _tell(settings: Beside, main: int) -> None:
    """Never returns."""
    code = 1
    try:
        # Sockets that systemd handed over are the program's: here they would stay open after it.
        os.closerange(3, min(1 << 16, os.sysconf("SC_OPEN_MAX")))
        watch(settings, main)
        code = 0
    except BaseException as problem:  # noqa: BLE001 without it the watchdog ends the program: say why
        say(3, f"the process beside the program ended: {problem!r}")
    finally:
        sys.stderr.flush()
        os._exit(code)


def watch(settings: Beside, main: int) -> None:
    """Ask until the program ends: `READY=1` at the first good answer, `WATCHDOG=1` at each from then on."""
    watchdog = int(os.environ.get("WATCHDOG_USEC") or "0") / 1e6
    every = min(settings.every_sec, watchdog / 3) if watchdog else settings.every_sec
    ready, last = False, ""
    while _lives(main):
        begin = time.monotonic()
        well, reason = _answer_of(settings.probes)
        state = "well" if well else "unwell" if ready else "not ready"
        status = f"{state}: {reason}"[:LONGEST_STATUS].replace("\n", " ")
        lines = [f"STATUS={status}"]
        if well:
            lines += ["WATCHDOG=1"] if ready else ["READY=1", "WATCHDOG=1"]
        tell(lines)
        if well != (last == "well") and (ready or well):
            say(6 if well else 4, status)
        ready, last = ready or well, "well" if well else "unwell"
        pause = every if ready else min(every, STARTING_SEC)
        time.sleep(max(pause - (time.monotonic() - begin), 0.05))


def _answer_of(probes: Sequence[Probe]) -> tuple[bool, str]:
    try:
        verdict = verdict_of_all(answers_of(probes))
    except BrokenCheckError as problem:
        return False, f"the probe could not be made: {problem}"
    return verdict.ok, verdict.reason


def _lives(process: int) -> bool:
    """Whether a process of ours is there and has not ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as source:
            # PID (name) state: the name may hold anything.
            return source.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def tell(lines: Sequence[str]) -> None:
    """One datagram to systemd, sd_notify(3). A name that begins with @ is of an abstract socket."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.settimeout(5)
        sender.connect(address)
        sender.sendall("\n".join(lines).encode("utf-8", "replace"))
