"""What is done about a unit that is not well: one systemctl call, bounded."""

from __future__ import annotations

from .command import OverdueError, completed, first_line
from .errors import BrokenCheckError
from .settings import Step
from .units import ANSWER_SEC

# A unit's own time limits for stop and start are usually 90 s each. The job goes on when this is over.
ACTION_SEC = 200.0


def action_problem(step: Step, unit: str) -> str:
    """Do it and wait for its end. Why that failed, or nothing."""
    try:
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
