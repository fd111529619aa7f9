"""What one unit needs: the table in docs/transaction.md. activation/plan-units.ts mirrors it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from .bundle import Unit
from .ledger import LedgerUnit
from .systemctl import UnitState

APPLIED_BY_DAEMON_RELOAD = (".slice", ".target")
# A daemon-reload closes an address that left a socket's file, and sets a timer's next run and a path's watch.
FOLLOWS_ITS_FILE = (".socket", ".timer", ".path")
NOT_APPLIED = "not applied: onChange is none"


@dataclass(frozen=True)
class Decision:
    """What one unit needs. `verb` is none, start, restart, reload or stop."""

    verb: str
    reasons: list[str]
    warning: str | None = None


def decide(
    unit: Unit,
    old: LedgerUnit | None,
    state: UnitState,
    drifted: bool,
    beside: list[str],
    booted: bool,
    reread: Sequence[str] = (),
) -> Decision:
    """
    What one unit needs, given the ledger's `old` entry and its `state`.

    `drifted`: its file on disk is not what the ledger says; `beside`: reasons from its restartOn list; `booted`: the
    host has booted since the ledger was written; `reread`: reasons from its reloadOn list.
    """
    if old is None:
        return _decide_new(unit, state)
    restart = restart_reasons(unit, old) + beside
    reload = ["reload digest differs"] if unit.digests.reload != old.reload and unit.digests.file != old.file else []
    reload += reread
    if drifted:
        restart.append("its file differed on the host")
    reasons = restart + reload
    if old.activation == "on-demand" and unit.activation == "started" and not state.running:
        return Decision("start", ["the transaction starts it from now on", *reasons])
    if not reasons:
        return _decide_unchanged(unit, state, booted)
    if unit.on_change == "none" and not unit.name.endswith(FOLLOWS_ITS_FILE):
        return Decision(
            "none",
            [*reasons, NOT_APPLIED],
            f"{unit.name}: {', '.join(reasons)}; not applied to the running unit because onChange is none",
        )
    if unit.name.endswith(APPLIED_BY_DAEMON_RELOAD) and state.running:
        return Decision("none", [*reasons, "applied by daemon-reload"])
    if not state.running:
        return _decide_changed_but_down(unit, state, reasons, booted)
    if unit.activation == "on-demand" and state.is_job and unit.on_change == "auto":
        note = "is at work: its next run takes the change"
        return Decision("none", [*reasons, note], f"{unit.name} {note}")
    if unit.name.endswith(".timer") and unit.counts_from_the_past:
        late = f"{unit.name} has run out: its change counts from the next boot on" if state.sub == "elapsed" else None
        return Decision("none", [*reasons, "applied by daemon-reload: a restart could make it fire"], late)
    if unit.is_job and unit.activation == "on-demand" and not state.is_job:
        return Decision("stop", [*reasons, "it is a job from now on, which something else starts"])
    wants_reload = unit.on_change == "reload" or (unit.on_change == "auto" and not restart)
    if wants_reload and state.get("CanReload") == "yes" and unit.can_reload:
        return Decision("reload", reasons)
    if wants_reload:
        reasons.append("it cannot reload")
    return Decision("restart", reasons)


def restart_reasons(unit: Unit, old: LedgerUnit) -> list[str]:
    """Why its own definition needs a restart. Digests of an equal file do not count: another release made them."""
    if unit.digests.file == old.file:
        return []
    reasons = ["restart digest differs"] if unit.digests.restart != old.restart else []
    if unit.memory_max is not None and (old.memory_max is None or unit.memory_max < old.memory_max):
        reasons.append("MemoryMax= goes down: the kernel would kill it if it uses more")
    others = (("manager", old.manager), ("limits", old.limits))
    if unit.on_change == "restart" and any(getattr(unit.digests, name) != digest for name, digest in others):
        reasons.append("onChange is restart")
    return reasons


def _decide_new(unit: Unit, state: UnitState) -> Decision:
    if unit.activation == "on-demand" or state.running:
        return Decision("none", ["new"])
    return Decision("start", ["new"])


def _decide_unchanged(unit: Unit, state: UnitState, booted: bool) -> Decision:
    if unit.activation != "started" or state.running:
        return Decision("none", [])
    if state.in_restart_loop:
        return Decision("start", ["it kept failing and being restarted"])
    if state.failed:
        return Decision("start", [f"it had failed ({state.result})"])
    if state.condition_failed:
        return Decision("none", [], f"{unit.name} is not running: a Condition of it is not met")
    if booted and not state.ran_since_boot:
        return Decision("start", ["it was not started since the host booted"])
    if state.is_job:
        return Decision("none", [])
    return Decision("none", [], _stopped(unit))


def _decide_changed_but_down(unit: Unit, state: UnitState, reasons: list[str], booted: bool) -> Decision:
    if unit.activation == "on-demand":
        if state.in_restart_loop:
            return Decision("restart", reasons)
        return Decision("none", [*reasons, "not running: its next start takes the change"])
    if state.failed:
        return Decision("start", [*reasons, f"it had failed ({state.result})"])
    if state.is_job or state.condition_failed or (booted and not state.ran_since_boot):
        return Decision("start", reasons)
    return Decision("none", [*reasons, "left stopped"], _stopped(unit))


def _stopped(unit: Unit) -> str:
    return (
        f"{unit.name} is not running: it was stopped by hand or ended by itself, and was left so; "
        f"`systemctl start {unit.name}` starts it"
    )
