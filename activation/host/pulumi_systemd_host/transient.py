"""Units that exist for one run: builds and hooks. systemd bounds and contains them, and ends all that they started."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

from .errors import HostError, OverdueError
from .files import make_directories, remove_file, stage_file
from .system import System
from .systemctl import UnitState, first_line, show

DIRECTORY = "/run/systemd/system"
# What systemd needs beside the run's own bound: to start the unit, and to end it.
SPARE_SEC = 30.0
END_SEC = 30.0


@dataclass(frozen=True)
class Ended:
    """How a run ended. `problem` is empty when it went well."""

    problem: str
    state: UnitState | None = None


def transient_name(transaction: str, what: str) -> str:
    """Name of a unit that a transaction runs once."""
    return f"pulumi-systemd-{transaction}-{what}.service"


def run_once(system: System, name: str, content: str, seconds: float, waiting: str) -> Ended:
    """
    Run a oneshot unit to its end. systemd reads the file of a unit that it does not know, so it needs no daemon-reload.

    `seconds` is the unit's own bound; this function has some more.
    """
    path = system.at(f"{DIRECTORY}/{name}")
    make_directories(os.path.dirname(path))
    remove_file(path)
    stage_file(path, content.encode("utf-8"), 0o644)
    try:
        done = system.run(["systemctl", "start", "--", name], seconds + SPARE_SEC, waiting)
        if done.code == 0:
            return Ended("")
        state = show(system, [name], END_SEC)[name]
        return Ended(_problem(state, seconds) or first_line(done), state)
    except OverdueError:
        return Ended(f"it did not end within {seconds:.0f} s")
    finally:
        end(system, [name])


def end_left_behind(system: System, transaction: str) -> None:
    """End what a transaction that was cut off still runs, and remove it."""
    pattern = glob.escape(system.at(DIRECTORY)) + "/" + transient_name(transaction, "*")
    names = [os.path.basename(path) for path in sorted(glob.glob(pattern))]
    if names:
        end(system, names)


def end(system: System, names: list[str]) -> None:
    """Stop units of this kind, and forget them."""
    try:
        system.run(["systemctl", "stop", "--", *names], END_SEC)
    except OverdueError:
        system.run(["systemctl", "kill", "--signal=SIGKILL", "--", *names], END_SEC)
    finally:
        for name in names:
            remove_file(system.at(f"{DIRECTORY}/{name}"))
        system.run(["systemctl", "reset-failed", "--", *names], END_SEC)


def _problem(state: UnitState, seconds: float) -> str:
    if state.result == "timeout":
        return f"it did not end within {seconds:.0f} s and was killed"
    if state.get("LoadState") not in ("loaded", ""):
        return f"systemd does not accept its unit ({state.get('LoadState')})"
    return ""


def last_lines(path: str, lines: int, size: int = 16384) -> list[str]:
    """The end of a file of text."""
    try:
        with open(path, "rb") as source:
            source.seek(max(0, os.fstat(source.fileno()).st_size - size))
            text = source.read().decode("utf-8", "replace")
    except OSError as problem:
        raise HostError(f"{path} cannot be read: {problem.strerror}") from None
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
