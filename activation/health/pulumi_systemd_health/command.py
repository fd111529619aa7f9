"""Programs run with a bound."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from typing import Sequence

from .errors import BrokenCheckError

LONGEST_OUTPUT = 1 << 20
# They are for this process: systemd would complain about a child that uses them.
OWN_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


class OverdueError(Exception):
    """A program did not end in time and was killed."""


@dataclass(frozen=True)
class Completed:
    """How a program ended. `code` is negative for a signal; `out` holds both its outputs."""

    code: int
    out: str


def completed(argv: Sequence[str], seconds: float, given: bytes | None = None) -> Completed:
    """
    Run a program to its end, with `given` on its standard input. Raises OverdueError after `seconds`, with everything
    killed that the program left in its process group, and BrokenCheckError when it cannot be run at all.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**inherited, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
            cwd="/",
            start_new_session=True,
        )
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "its words are not valid"
        raise BrokenCheckError(f"{argv[0]} cannot be run: {reason}") from None
    try:
        out, _ = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise OverdueError from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream and not stream.closed:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
    return Completed(process.returncode, out[-LONGEST_OUTPUT:].decode("utf-8", "replace"))


def first_line(out: str) -> str:
    """The first line of a program's output that says something, short enough for a message."""
    return _shown(_lines(out)[:1])


def last_line(out: str) -> str:
    """The last line of a program's output that says something, short enough for a message."""
    return _shown(_lines(out)[-1:])


def _lines(out: str) -> list[str]:
    return [line.strip() for line in out.splitlines() if line.strip()]


def _shown(lines: list[str]) -> str:
    shown = "".join(character if character.isprintable() else " " for character in "".join(lines))
    return shown if len(shown) <= 200 else f"{shown[:197]}..."
