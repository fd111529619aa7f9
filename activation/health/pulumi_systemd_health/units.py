"""The watched unit as systemd sees it, and its restart."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .command import OverdueError, completed, first_line
from .decision import Condition
from .errors import BrokenCheckError

PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Job",
    "InvocationID",
    "InactiveExitTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
)
ANSWER_SEC = 20.0
# A unit's own time limits for stop and start are usually 90 s each. The job goes on when this is over.
RESTART_SEC = 200.0


@dataclass(frozen=True)
class UnitView:
    """What `systemctl show` says of a unit. `condition` is None where only a probe can tell: the unit is active."""

    condition: Condition | None
    reason: str
    since_start: float | None
    hopeless: str
    invocation: str


def unit_view(unit: str) -> UnitView:
    """The unit now. Raises BrokenCheckError when systemd does not answer."""
    out = _systemctl_output("show", "--no-pager", "-p", ",".join(PROPERTIES), "--", unit)
    return view_of(unit, out, time.monotonic())


def view_of(unit: str, shown: str, monotonic: float) -> UnitView:
    """The view that the output of `systemctl show` gives. `monotonic` is CLOCK_MONOTONIC in seconds."""
    properties = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    active, sub = properties.get("ActiveState", ""), properties.get("SubState", "")
    if not active:
        raise BrokenCheckError(f"systemctl show says nothing of {unit}")
    load = properties.get("LoadState", "loaded")
    hopeless = "" if load == "loaded" else f"its unit file is {load}"
    since_start = _since_start(properties, monotonic)
    condition, reason = _condition(properties, active, sub)
    return UnitView(condition, reason, since_start, hopeless, properties.get("InvocationID", ""))


def _condition(properties: dict[str, str], active: str, sub: str) -> tuple[Condition | None, str]:
    load, result = properties.get("LoadState", "loaded"), properties.get("Result", "success")
    if sub.startswith("auto-restart"):
        return Condition.BUSY, "systemd is about to restart it"
    if properties.get("Job", "") not in ("", "0"):
        return Condition.BUSY, f"a job of systemd is under way ({active}, {sub})"
    if active == "active":
        return None, sub
    if active in ("activating", "deactivating", "reloading", "refreshing"):
        return Condition.BUSY, f"it is {active} ({sub})"
    if active == "inactive" and load == "masked":
        return Condition.STOPPED, "it is masked"
    if active == "inactive" and load != "loaded":
        return Condition.UNHEALTHY, "it does not run"
    if active == "inactive" and result == "success":
        return Condition.STOPPED, "it was stopped, or ended in order"
    return Condition.UNHEALTHY, f"it is {active} ({result})"


def _since_start(properties: dict[str, str], monotonic: float) -> float | None:
    stamps = [properties.get(f"{name}TimestampMonotonic", "0") for name in ("InactiveExit", "ActiveEnter")]
    latest = max((int(stamp) for stamp in stamps if stamp.isdigit()), default=0)
    return max(0.0, monotonic - latest / 1e6) if latest else None


def system_stopping() -> bool:
    """Whether the system is on its way down. Raises BrokenCheckError when systemd does not answer."""
    try:
        return completed(("systemctl", "is-system-running"), ANSWER_SEC).out.strip() == "stopping"
    except OverdueError:
        raise BrokenCheckError(f"systemctl is-system-running: no answer after {ANSWER_SEC:.0f} s") from None


def restart_problem(unit: str) -> str:
    """Restart the unit, also from the state `failed`, and wait. Why that failed, or nothing."""
    try:
        # It also clears the start limit, which would refuse the start. There is nothing to reset in most cases.
        completed(("systemctl", "reset-failed", "--", unit), ANSWER_SEC)
        done = completed(("systemctl", "restart", "--", unit), RESTART_SEC)
    except OverdueError:
        return f"no end after {RESTART_SEC:.0f} s; systemd goes on with it"
    return "" if done.code == 0 else first_line(done.out) or f"systemctl ended with {done.code}"


def _systemctl_output(verb: str, *arguments: str) -> str:
    try:
        done = completed(("systemctl", verb, *arguments), ANSWER_SEC)
    except OverdueError:
        raise BrokenCheckError(f"systemctl {verb}: no answer after {ANSWER_SEC:.0f} s") from None
    if done.code != 0:
        raise BrokenCheckError(f"systemctl {verb} failed: {first_line(done.out) or done.code}")
    return done.out
