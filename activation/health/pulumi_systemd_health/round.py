"""One round of checks: look at everything that is due, decide, remember, tell, act."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Callable, Mapping, Sequence

from .command import OverdueError
from .decision import WARNING, Condition, Decision, Sight, decide, span
from .errors import BrokenCheckError
from .hold import EVERY_CHECK, holds_at, lease_left
from .journal import say
from .places import Places
from .probe_settings import Probe, TimerProbe
from .probes import Answer, answers_of, verdict_of_all
from .settings import Check, Group
from .state import State
from .timer_runs import runs_path, service_of
from .units import UnitView, system_stopping, unit_views


@dataclass(frozen=True)
class Seen:
    """One check of a round, and what it saw first."""

    group: Group
    check: Check
    view: UnitView | None
    sight: Sight


def seen_of(groups: Sequence[Group], states: str, dealing_with: frozenset[str] = frozenset()) -> list[Seen]:
    """
    What every check of these groups sees: one question to systemd for all units, then all probes side by side.
    `states` is the directory of what is remembered; `dealing_with` are units that an earlier action is still at work
    on. Raises BrokenCheckError when systemd is silent.
    """
    checks = [(group, check) for group in groups for check in group.checks]
    views = unit_views(check.unit for _, check in checks if check.unit is not None)
    asked: list[tuple[int, Check, list[Probe]]] = []
    sights: dict[int, Sight] = {}
    for index, (group, check) in enumerate(checks):
        view = views.get(check.unit) if check.unit is not None else None
        if check.unit in dealing_with:
            sights[index] = Sight(Condition.BUSY, "an action of ours is under way")
        elif view is not None and view.condition is not None:
            sights[index] = sight_of(view)
        elif not check.probes:
            sights[index] = (
                replace(sight_of(view), reason=f"active ({view.reason})")
                if view is not None
                else Sight(Condition.HEALTHY, "nothing to probe")
            )
        else:
            asked.append((index, check, [_with_memory(probe, states, group.name) for probe in check.probes]))
    for index, check, answers in _answers(asked):
        sights[index] = _probed(views.get(check.unit or ""), answers)
    seen = [
        Seen(group, check, views.get(check.unit or ""), sights[index]) for index, (group, check) in enumerate(checks)
    ]
    return blocked(seen)


def _with_memory(probe: Probe, states: str, group: str) -> Probe:
    return replace(probe, memory=runs_path(states, group, probe.timer)) if isinstance(probe, TimerProbe) else probe


def _answers(asked: Sequence[tuple[int, Check, list[Probe]]]) -> list[tuple[int, Check, list[Answer]]]:
    found: list[tuple[int, Check, list[Answer]]] = []
    # What is confidential in one check is no reason to say less of another.
    for confidential in (False, True):
        some = [each for each in asked if each[1].confidential is confidential]
        answers = iter(answers_of([probe for _, _, probes in some for probe in probes], confidential))
        found += [(index, check, [next(answers) for _ in probes]) for index, check, probes in some]
    return found


def _probed(view: UnitView | None, answers: Sequence[Answer]) -> Sight:
    since, hopeless, restarts = (view.since_start, view.hopeless, view.restarts) if view else (None, "", None)
    try:
        verdict = verdict_of_all(answers)
    except BrokenCheckError as problem:
        return Sight(Condition.UNKNOWN, str(problem), since, "", hopeless, restarts)
    condition = Condition.HEALTHY if verdict.ok else Condition.UNHEALTHY
    return Sight(condition, verdict.reason, since, "", hopeless, restarts)


def sight_of(view: UnitView, held: str = "") -> Sight:
    """What a view says by itself, without a probe."""
    condition = view.condition or Condition.HEALTHY
    return Sight(condition, view.reason, view.since_start, held, view.hopeless, view.restarts)


def blocked(seen: Sequence[Seen]) -> list[Seen]:
    """The same, but for checks that fail because of what they depend on: those are left alone until that is well."""
    ill: dict[tuple[str, str], str] = {}
    found: list[Seen] = []
    for each in seen:  # dependencies come first in each group
        root = next((ill[key] for name in each.check.depends_on if (key := (each.group.name, name)) in ill), None)
        sight = each.sight
        if root is not None and sight.condition is Condition.UNHEALTHY:
            sight = Sight(Condition.BLOCKED, f"{root} is not well and comes first: {sight.reason}", sight.since_start)
        if sight.condition not in (Condition.HEALTHY, Condition.UNKNOWN):
            ill[(each.group.name, each.check.name)] = root or each.check.name
        found.append(Seen(each.group, each.check, each.view, sight))
    return found


def victims_of(seen: Sequence[Seen]) -> dict[tuple[str, str], list[str]]:
    """For each check that others wait for, by group and name, the names of those that are left alone because of it."""
    victims: dict[tuple[str, str], list[str]] = {}
    for each in seen:
        if each.sight.condition is Condition.BLOCKED:
            root = each.sight.reason.split(" is not well and comes first", 1)[0]
            victims.setdefault((each.group.name, root), []).append(each.check.name)
    return victims


def confirmed(first: Sight, before: UnitView, after: UnitView, held: str) -> Sight:
    """
    The sight that is acted on. A person or systemd may have stopped or restarted the unit while the probes ran: what
    they found is then not true of what runs now.
    """
    if after.condition is not None:
        return sight_of(after, held)
    if before.condition is not None or after.invocation != before.invocation:
        return Sight(Condition.BUSY, "it was restarted during the check", None, held, "", after.restarts)
    return Sight(first.condition, first.reason, after.since_start, held, after.hopeless, after.restarts)


def held_by(places: Places, free: bool, now: float) -> str:
    """Why nothing may be done now about anything, or nothing."""
    if not free:
        return "a deploy is under way"
    if system_stopping():
        return "the system is going down"
    try:
        left = lease_left(places.transactions, now)
    except ValueError as problem:
        say(WARNING, str(problem))
        return ""
    return f"held for {span(left)} by a lease" if left > 0 else ""


def decisions_of(
    seen: Sequence[Seen],
    states: Mapping[tuple[str, str], State],
    places: Places,
    free: bool,
    now: float,
    dice: Callable[[], float] = random.random,
) -> list[Decision]:
    """
    What follows for each check. Those that are not well are looked at once more before anything is done; `free` tells
    whether deploys are kept out meanwhile.
    """
    ill = [each for each in seen if each.sight.condition is Condition.UNHEALTHY]
    views = unit_views(each.check.unit for each in ill if each.check.unit is not None)
    # What systemd restarts again and again is told as well, so it is held as well.
    busy = any(each.sight.condition is Condition.BUSY for each in seen)
    held = held_by(places, free, now) if ill or busy else ""
    holds = holds_at(places.reports, now)
    decisions = []
    for each in seen:
        until = max(holds.get(each.check.name, 0.0), holds.get(EVERY_CHECK, 0.0))
        why = held or (f"held for {span(until - now)} by a person" if until > now else "")
        sight = replace(each.sight, held=why)
        if sight.condition is Condition.UNHEALTHY and each.view is not None and each.check.unit is not None:
            sight = confirmed(sight, each.view, views[each.check.unit], why)
        state = states.get((each.group.name, each.check.name))
        if state is None or state.unit != each.check.unit:
            state = State(each.check.unit)
        decisions.append(decide(state, sight, now, each.check, dice()))
    return decisions


def told_unit(check: Check) -> str | None:
    """The unit whose journal says more: the one that is checked, or the one whose runs are."""
    timer = next((probe.timer for probe in check.probes if isinstance(probe, TimerProbe)), None)
    if check.unit is not None or timer is None:
        return check.unit
    try:
        return service_of(timer)
    except (BrokenCheckError, OverdueError):
        return None
