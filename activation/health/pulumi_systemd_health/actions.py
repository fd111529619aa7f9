"""What is done about a unit that is not well: one systemctl call, bounded, or a way back to the release before."""

from __future__ import annotations

import os

from .command import OverdueError, completed, first_line, last_line
from .errors import BrokenCheckError
from .settings import Step
from .units import ANSWER_SEC

# A unit's own time limits for stop and start are usually 90 s each. The job goes on when this is over.
ACTION_SEC = 200.0
ROLLBACK_SEC = 900.0
HOST_COMMAND = "/usr/local/sbin/pulumi-systemd-host"


def action_problem(step: Step, unit: str) -> str:
    """Do it and wait for its end. Why that failed, or nothing."""
    try:
        if step.verb == "rollback":
            return _rollback_problem(unit)
        if step.verb == "reload":
            return _job_problem("reload", unit)
        target = step.unit if step.verb == "start" else unit
        # It also clears the start limit, which would refuse the start. There is nothing to reset in most cases.
        completed(("systemctl", "reset-failed", "--", target), ANSWER_SEC)
        return _job_problem(step.verb, target)
    except BrokenCheckError as problem:
        return str(problem)


def _job_problem(verb: str, unit: str) -> str:
    try:
        done = completed(("systemctl", verb, "--", unit), ACTION_SEC)
    except OverdueError:
        return f"no end after {ACTION_SEC:.0f} s; systemd goes on with it"
    return "" if done.code == 0 else first_line(done.out) or f"systemctl ended with {done.code}"


def _rollback_problem(unit: str) -> str:
    """
    The host's own transaction back to the generation before. It needs more than this sandbox gives, so systemd runs it.
    """
    if not os.access(HOST_COMMAND, os.X_OK):
        return f"this host has no {HOST_COMMAND}, so the release of {unit} cannot be rolled back"
    options = ("--quiet", "--pipe", "--wait", "--collect", f"--description=Roll back: {unit} is not well")
    try:
        done = completed(("systemd-run", *options, "--", HOST_COMMAND, "rollback", "--unit", unit), ROLLBACK_SEC)
    except OverdueError:
        return f"no end after {ROLLBACK_SEC:.0f} s"
    return "" if done.code == 0 else last_line(done.out) or f"it ended with {done.code}"
