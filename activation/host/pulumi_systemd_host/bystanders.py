"""What became of the units that a change did not touch: whoever made it should hear if one of them fell meanwhile."""

from __future__ import annotations

from .bundle import Unit
from .plan_shape import Observation, Plan
from .systemctl import UnitState
from .work import Work


def fallen_bystanders(work: Work, made: Plan, seen: Observation, states: dict[str, UnitState]) -> list[str]:
    """
    A line for each unit that the change did not touch, that ran before it and has failed, ended or been started anew
    since. What a warning has told already is not told again.
    """
    told = {warning.partition(" ")[0] for warning in work.warnings}
    others = [unit for unit in work.bundle.units if unit.name not in {*told, *made.touched, *made.gone}]
    fates = ((unit.name, _fate(unit, seen.state(unit.name), states[unit.name])) for unit in others)
    return [f"{name} {fate} during this update, which did not touch it" for name, fate in fates if fate]


def _fate(unit: Unit, before: UnitState, now: UnitState) -> str:
    if not before.running or before.is_job:
        return ""
    if now.failed:
        return f"failed ({now.result})"
    if now.running:
        return "was started anew" if now.invocation != before.invocation else ""
    # One that something else starts may have done its work.
    return "ended" if unit.activation == "started" else ""
