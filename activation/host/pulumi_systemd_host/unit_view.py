"""How the units of a scope are, for people: the same facts on the host and from afar."""

from __future__ import annotations

import calendar
import time
from typing import Any

from pulumi_systemd_health.time_span import seconds_of_span

from .exit_status import EXITED, signal_name, status_short, told
from .ledger import Ledger
from .order import is_trigger
from .system import System
from .systemctl import PROPERTIES, UnitState, instances_of, show

SHOW_SEC = 30.0
FURTHER = (
    "ActiveEnterTimestamp",
    "ActiveExitTimestamp",
    "InactiveEnterTimestamp",
    "InactiveExitTimestamp",
    "MemoryCurrent",
    "NextElapseUSecRealtime",
    "NextElapseUSecMonotonic",
    "LastTriggerUSec",
)
# What `systemctl status` calls `since`, by ActiveState.
SINCE = {
    "active": "ActiveEnterTimestamp",
    "reloading": "ActiveEnterTimestamp",
    "refreshing": "ActiveEnterTimestamp",
    "activating": "InactiveExitTimestamp",
    "deactivating": "ActiveExitTimestamp",
}
# systemctl prints times of the host's own zone otherwise.
IN_UTC = {"TZ": "UTC"}
UNSET_MEMORY = 1 << 63
# What a person at night wants to see first.
STATE_ORDER = ("failed", "activating", "deactivating", "inactive")


def unit_views(system: System, ledger: Ledger, now: float, monotonic: float) -> list[dict[str, Any]]:
    """
    Every unit of the ledger, of a template its instances, what is down first. Times are Unix times in seconds.

    `monotonic`: seconds since the boot at `now`.
    """
    of: dict[str, str] = {}
    for name in ledger.units:
        is_template = name.rpartition(".")[0].endswith("@")
        of.update(dict.fromkeys(instances_of(system, name, SHOW_SEC) if is_template else [name], name))
    states = show(system, of, SHOW_SEC, (*PROPERTIES, *FURTHER), IN_UTC)
    views = [_view(state, ledger.units[of[name]].activation, now, monotonic) for name, state in states.items()]
    views.sort(key=lambda view: (view["well"], _rank(str(view["activeState"])), is_trigger(view["name"]), view["name"]))
    return views


def _view(state: UnitState, activation: str, now: float, monotonic: float) -> dict[str, Any]:
    is_timer = state.name.endswith(".timer")
    restarts, memory = state.get("NRestarts"), state.get("MemoryCurrent")
    return {
        "name": state.name,
        "activeState": state.active,
        "subState": state.sub,
        "since": unix_time(state.get(SINCE.get(state.active, "InactiveEnterTimestamp"))),
        "result": state.result,
        "exit": _exit(state),
        "why": "" if state.result == "success" else told(state),
        "well": _is_well(state, activation),
        "unitFileState": state.get("UnitFileState"),
        "activation": activation,
        "restarts": int(restarts) if restarts.isdigit() else None,
        "memoryBytes": int(memory) if memory.isdigit() and int(memory) < UNSET_MEMORY else None,
        "nextRun": _next_run(state, now, monotonic) if is_timer else None,
        "lastRun": unix_time(state.get("LastTriggerUSec")) if is_timer else None,
        "invocationId": state.invocation,
    }


def _is_well(state: UnitState, activation: str) -> bool:
    if state.failed:
        return False
    return activation != "started" or state.running or state.is_job or state.condition_failed


def _exit(state: UnitState) -> str:
    """`203/EXEC`, `1`, `SIGKILL`: how the main process ended, where that was no success."""
    status = state.get("ExecMainStatus")
    if state.result == "success" or not status.isdigit() or status == "0":
        return ""
    return status_short(int(status)) if state.get("ExecMainCode") == EXITED else signal_name(int(status))


def _next_run(state: UnitState, now: float, monotonic: float) -> float | None:
    since_boot = seconds_of_span(state.get("NextElapseUSecMonotonic"))
    moments = [unix_time(state.get("NextElapseUSecRealtime"))]
    moments.append(now - monotonic + since_boot if since_boot else None)
    return min((moment for moment in moments if moment is not None), default=None)


def unix_time(text: str) -> float | None:
    """A time as systemctl prints it in UTC, `Sat 2026-11-21 19:40:08 UTC`; none for `n/a` and the like."""
    try:
        return float(calendar.timegm(time.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC")))
    except ValueError:
        return None


def _rank(active: str) -> int:
    return STATE_ORDER.index(active) if active in STATE_ORDER else len(STATE_ORDER)
