"""The journal of one invocation of a unit."""

from __future__ import annotations

from .errors import HostError
from .system import System
from .systemctl import UnitState

LINES = 15
SECONDS = 10


def journal_lines(system: System, state: UnitState, invocation: str = "") -> list[str]:
    """The last lines of one invocation, or of the unit's latest: its own output and what systemd said about it."""
    run = invocation or state.invocation
    of_run = [f"_SYSTEMD_INVOCATION_ID={run}", "+", f"INVOCATION_ID={run}"]
    chosen = of_run if run else ["--boot", "--unit", state.name]
    try:
        # Without a sync the last lines of a process that just died may be missing.
        system.run(["journalctl", "--sync"], SECONDS)
        done = system.run(
            ["journalctl", "--no-pager", "--quiet", "--no-hostname", "-o", "short-iso", "-n", str(LINES), *chosen],
            SECONDS,
        )
    except HostError as problem:
        return [f"(the journal cannot be read: {problem})"]
    lines = [line.rstrip() for line in done.out.splitlines() if line.strip() and not line.startswith("-- ")]
    return lines or ["(the journal has nothing on it)"]
