"""What is done about a unit that is not well: one call of systemctl, or a rollback, bounded."""

from __future__ import annotations

import re
import sys
from typing import Sequence

from .command import OverdueError, completed, first_line
from .errors import BrokenCheckError
from .settings import Step
from .state import State
from .units import ANSWER_SEC

# A unit's own time limits for stop and start are usually 90 s each. The job goes on when this is over.
ACTION_SEC = 200.0
# The kept copy of the host program: activation/host writes it. `pulumi-systemd-host` runs it as well.
HOST_PROGRAM = "/var/lib/pulumi-systemd/.program.py"


def action_problem(step: Step, unit: str, check: str, state: State) -> str:
    """Do it for the check of that name and state and wait for its end. Why that failed, or nothing."""
    try:
        if step.is_rollback:
            return _rollback_problem(step, unit, check, state)
        if step.verb == "reload":
            return _job_problem(("systemctl", "reload", "--", unit))
        target = step.unit if step.verb == "start" else unit
        # It also clears the start limit, which would refuse the start. There is nothing to reset in most cases.
        completed(("systemctl", "reset-failed", "--", target), ANSWER_SEC)
        return _job_problem(("systemctl", step.verb, "--", target))
    except BrokenCheckError as problem:
        return str(problem)


def _rollback_problem(step: Step, unit: str, check: str, state: State) -> str:
    """
    Go back as a person would on this host, in a unit of its own: this process may not write what that must. A oneshot
    has ended when its start has, so that systemd-run need not wait by the message bus, which may not be there.
    """
    name = f"pulumi-systemd-rollback-{re.sub('[^A-Za-z0-9_.-]', '-', check)}.service"
    completed(("systemctl", "reset-failed", "--", name), ANSWER_SEC)
    back = ["rollback", f"--unit={unit}", f"--newer={step.newer_sec}s", f"--by=health check {check}"]
    # What was ill before the update is not the update's fault.
    back += [f"--ill={since:.3f}..{last:.3f}" for since, last in state.ill]
    problem = _job_problem(
        (
            *("systemd-run", "--quiet", "--collect", f"--unit={name}", "--service-type=oneshot"),
            *(f"--description=Rollback by the health check {check}", "--"),
            *(sys.executable, "-I", HOST_PROGRAM, "command", *back),
        )
    )
    return f"{problem}; `journalctl -u {name}` says why" if problem else ""


def _job_problem(argv: Sequence[str]) -> str:
    try:
        done = completed(argv, ACTION_SEC)
    except OverdueError:
        return f"no end after {ACTION_SEC:.0f} s; systemd goes on with it"
    return "" if done.code == 0 else first_line(done.out) or f"{argv[0]} ended with {done.code}"
