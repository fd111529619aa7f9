"""The health gate: a unit that was changed must be well, and stay well, or the transaction goes back."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Mapping

from pulumi_systemd_health.errors import BrokenCheckError
from pulumi_systemd_health.probe_settings import CommandProbe, Probe
from pulumi_systemd_health.probes import answers_of, verdict_of_all

from .bundle import Gate
from .errors import UnitsDownError
from .systemctl import UnitState
from .units import Units, restarted_between, settled

LOOK_SEC = 0.5
PROC = "/proc"


@dataclass
class _Watch:
    gate: Gate
    first: UnitState
    begin: float
    # Since when every probe passes, None while one does not.
    well_since: float | None = None
    last: str = "no probe has answered yet"


def pass_gates(units: Units, gates: Mapping[str, Gate]) -> None:
    """
    Wait until each unit is well by its gate, and has stayed so: the same run of it, without a restart.

    Units that are not up are left out: a Condition, or a job that is done. Raises UnitsDownError at the first that
    falls, or is not well in time; its message has the last answer.
    """
    begin = units.system.now()
    states = units.show(gates)
    watched = {
        name: _Watch(gates[name], state, begin)
        for name, state in states.items()
        if state.active in ("active", "reloading", "refreshing")
    }
    while watched:
        states = units.show(watched)
        for name, watch in watched.items():
            _check_run(name, watch, states[name])
        answers = _answers(watched, states)
        now = units.system.now()
        for name, watch in list(watched.items()):
            problem, reason = answers[name]
            watch.last = reason
            watch.well_since = None if problem else now if watch.well_since is None else watch.well_since
            if watch.well_since is not None and now - watch.well_since >= watch.gate.stable_sec:
                # What passed may have been the last breath of a process that is gone.
                _check_run(name, watch, units.show([name])[name])
                del watched[name]
            elif now - watch.begin >= watch.gate.within_sec:
                raise UnitsDownError(_overdue(name, watch, now), [name])
        if watched:
            units.left()
            units.system.sleep(LOOK_SEC)


def _check_run(name: str, watch: _Watch, state: UnitState) -> None:
    if settled(state) and not restarted_between(watch.first, state):
        return
    text = f"{name} did not stay up while its health gate watched it; its last answer: {watch.last}"
    raise UnitsDownError(text, [name], {name: watch.first.invocation})


def _overdue(name: str, watch: _Watch, now: float) -> str:
    if watch.well_since is None:
        return f"{name} did not pass its health gate within {watch.gate.within_sec:g} s: {watch.last}"
    return (
        f"{name} was well for only {now - watch.well_since:.1f} s when the {watch.gate.within_sec:g} s of its health "
        f"gate were over; {watch.gate.stable_sec:g} s were asked for"
    )


def _answers(watched: Mapping[str, _Watch], states: Mapping[str, UnitState]) -> dict[str, tuple[bool, str]]:
    """For each unit whether something is wrong with it, and the words for it."""
    return {name: _answer(watch.gate, states[name]) for name, watch in watched.items()}


def _answer(gate: Gate, state: UnitState) -> tuple[bool, str]:
    """The same for one unit. Its probes are made at the same time."""
    try:
        verdict = verdict_of_all(answers_of(_as_unit(gate.probes, state), gate.confidential))
    except BrokenCheckError as problem:
        return True, f"the probe could not be made: {problem}"
    return not verdict.ok, verdict.reason


def _as_unit(probes: tuple[Probe, ...], state: UnitState) -> list[Probe]:
    """The probes, commands that name no user among them as that of the unit's main process."""
    words = become(state.get("MainPID"))
    return [
        replace(probe, run_by=words) if isinstance(probe, CommandProbe) and probe.user is None else probe
        for probe in probes
    ]


def become(pid: str) -> tuple[str, ...]:
    """Words of setpriv(1) that run a program as the user of a process; none for root, or where there is no process."""
    try:
        with open(os.path.join(PROC, str(int(pid or "0")), "status"), encoding="utf-8", errors="replace") as source:
            lines = dict(line.rstrip("\n").split(":", 1) for line in source if ":" in line)
        uid, gid, groups = lines["Uid"].split()[1], lines["Gid"].split()[1], lines["Groups"].split()
    except (OSError, ValueError, KeyError, IndexError):
        return ()
    if uid == "0":
        return ()
    others = f"--groups={','.join(groups)}" if groups else "--clear-groups"
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", others, "--inh-caps=-all", "--")
