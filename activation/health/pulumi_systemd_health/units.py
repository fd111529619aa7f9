"""The watched units as systemd sees them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Iterable

from .command import OverdueError, completed, first_line
from .decision import Condition
from .errors import BrokenCheckError

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "Job",
    "InvocationID",
    "NRestarts",
    "InactiveExitTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
)
ANSWER_SEC = 20.0


@dataclass(frozen=True)
class UnitView:
    """What `systemctl show` says of a unit. `condition` is None where only a probe can tell: the unit is active."""

    condition: Condition | None
    reason: str
    since_start: float | None
    hopeless: str
    invocation: str
    # Restarts that systemd made by itself since a person or an update last started it.
    restarts: int = 0


def unit_views(units: Iterable[str]) -> dict[str, UnitView]:
    """The units now, by the names given, from one question. Raises BrokenCheckError when systemd does not answer."""
    names = list(dict.fromkeys(units))
    if not names:
        return {}
    out = systemctl_output("show", "--no-pager", "-p", ",".join(PROPERTIES), "--", *names)
    blocks = [block for block in out.split("\n\n") if block.strip()]
    if len(blocks) != len(names):
        raise BrokenCheckError(f"systemctl show says something of {len(blocks)} units, asked were {len(names)}")
    now = time.monotonic()
    return {name: view_of(name, block, now) for name, block in zip(names, blocks)}


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
    restarts = properties.get("NRestarts", "")
    count = int(restarts) if restarts.isdigit() else 0
    return UnitView(condition, reason, since_start, hopeless, properties.get("InvocationID", ""), count)


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


def systemctl_output(verb: str, *arguments: str) -> str:
    """What systemctl prints. Raises BrokenCheckError when it fails or does not answer."""
    try:
        done = completed(("systemctl", verb, *arguments), ANSWER_SEC)
    except OverdueError:
        raise BrokenCheckError(f"systemctl {verb}: no answer after {ANSWER_SEC:.0f} s") from None
    if done.code != 0:
        raise BrokenCheckError(f"systemctl {verb} failed: {first_line(done.out) or done.code}")
    return done.out
