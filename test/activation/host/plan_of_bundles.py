"""
The host program's plan for pairs of bundles, without a host: one JSON line in, one out. test/activation/plan.test.ts
compares it with the plan that TypeScript makes.

In: {"old": bundle or null, "new": bundle, "onDemand": "idle" or "running"}. The host is at `old`, everything on it runs as
it should, and of each template there is one instance, which runs as on-demand units do.
Out: {"units": {name: {"action", "enablement"}}, "hooks": [...], "daemonReloads": n, "conflicts": [...]}
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pulumi_systemd_host_under_test  # noqa: F401  puts the modules on the path

from pulumi_systemd_host.bundle import Bundle, Unit
from pulumi_systemd_host.bundle_reader import parse_bundle
from pulumi_systemd_host.files import Found, sha256_hex
from pulumi_systemd_host.ledger import Ledger, LedgerFile, LedgerRelease, LedgerUnit
from pulumi_systemd_host.plan import UNIT_MODE, plan
from pulumi_systemd_host.plan_shape import Observation, Plan
from pulumi_systemd_host.systemctl import UnitState


def ledger_of(bundle: Bundle) -> Ledger:
    """The ledger after `bundle` was applied to an empty host."""
    return Ledger(
        scope=bundle.scope,
        generation=1,
        boot="boot",
        users={user.name: True for user in bundle.users},
        groups={user.group: True for user in bundle.users},
        files={each.path: LedgerFile(sha256_hex(each.data), each.mode, each.secret) for each in bundle.files},
        units={
            unit.name: LedgerUnit(
                unit.path,
                unit.digests.file,
                unit.digests.restart,
                unit.digests.reload,
                unit.digests.install,
                unit.enabled,
                unit.activation,
                limits=unit.digests.limits,
                manager=unit.digests.manager,
                memory_max=unit.memory_max,
                restart_on=unit.restart_on_files,
                reload_on=unit.reload_on_files,
            )
            for unit in bundle.units
        },
        releases=[
            LedgerRelease(
                *(each.name, each.sha256, each.directory, each.link, True),
                hooks={f"{hook.kind} {hook.unit}": hook.digest for hook in bundle.hooks if hook.release == each.name},
            )
            for each in bundle.releases
        ],
    )


def instance_of(unit: Unit) -> str:
    return unit.name.replace("@.", "@1.") if unit.is_template else unit.name


def accepts(unit: Unit) -> bool:
    return bool(re.search(r"^Accept=yes$", unit.content, re.MULTILINE))


def state_of(unit: Unit, units: list[Unit], on_demand: str) -> UnitState:
    """A unit as systemd shows it where everything is as it should be."""
    job = unit.is_job
    kind = unit.name.rpartition(".")[2]
    waits = unit.activation == "on-demand" and on_demand == "idle"
    up = not waits and not (job and kind == "service")
    name = instance_of(unit)
    takes = [instance_of(other) for other in units if unit.name in other.stops_with]
    return UnitState(
        name,
        {
            "Id": name,
            "LoadState": "loaded",
            "ActiveState": "active" if up else "inactive",
            "SubState": {"timer": "waiting", "socket": "listening"}.get(kind, "running") if up else "dead",
            "Result": "success",
            "Type": "oneshot" if job else "simple",
            "RemainAfterExit": "no",
            "CanReload": "yes" if unit.can_reload else "no",
            "UnitFileState": "enabled" if unit.enabled else "static",
            "FragmentPath": unit.path,
            "InvocationID": "1" * 32,
            "ActiveEnterTimestampMonotonic": "1",
            "Slice": "system.slice",
            "Triggers": " ".join(other.name for other in units if unit.name in other.triggered_by),
            "TriggeredBy": " ".join(unit.triggered_by),
            "Accept": "yes" if accepts(unit) else "no",
            "ConsistsOf": " ".join(takes),
            "PropagatesStopTo": " ".join(instance_of(other) for other in units if unit.name in other.stop_propagated_from),
            "BoundBy": " ".join(instance_of(other) for other in units if unit.name in other.binds_to),
        },
    )


def observed(old: Bundle | None, on_demand: str) -> Observation:
    if old is None:
        return Observation({}, {}, "boot")
    disk = {unit.path: Found("file", unit.digests.file, UNIT_MODE) for unit in old.units}
    disk.update({each.path: Found("file", sha256_hex(each.data), each.mode) for each in old.files})
    disk.update({each.directory: Found("directory") for each in old.releases})
    disk.update({each.link: Found("link", target=each.directory) for each in old.releases})
    sockets = [unit.name for unit in old.units if accepts(unit)]
    serving = {name.replace(".socket", "@.service") for name in sockets}
    states = {unit.name: state_of(unit, old.units, on_demand) for unit in old.units}
    return Observation(
        states={state.name: state for name, state in states.items() if name not in serving},
        connections={name: [states[name].name] if states[name].running else [] for name in serving & set(states)},
        disk=disk,
        boot="boot",
        accounts={user.name for user in old.users},
        groups={user.group for user in old.users},
        instances={unit.name: [instance_of(unit)] for unit in old.units if unit.is_template and unit.name not in serving},
    )


def action_of(made: Plan, unit: Unit | None, name: str) -> str:
    names = [name] if unit is None else [instance_of(unit)]
    for each in names:
        stopped = each in made.stop or each in made.hold or each in made.late
        if stopped and each in made.start:
            return "stop+start"
        if stopped:
            return "stop"
        for verb, listed in (
            ("restart", [*made.restart, *made.follow]),
            ("reload", made.reload),
            ("start", made.start),
        ):
            if each in listed:
                return verb
    written = unit is not None and any(write.path == unit.path for write in made.writes)
    return "reload-manager" if written else "none"


def enablement_of(made: Plan, name: str) -> str:
    for verb in ("enable", "disable", "reenable"):
        if name in getattr(made, verb):
            return verb
    return "none"


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    old = parse_bundle(json.dumps(asked["old"]).encode()) if asked["old"] else None
    new = parse_bundle(json.dumps(asked["new"]).encode())
    made = plan(ledger_of(old) if old else Ledger(new.scope), new, observed(old, asked["onDemand"]))
    units = {unit.name: unit for unit in [*(old.units if old else []), *new.units]}
    return {
        "units": {
            name: {"action": action_of(made, unit, name), "enablement": enablement_of(made, name)}
            for name, unit in sorted(units.items())
        },
        "hooks": sorted(f"{hook.kind} {hook.unit}" for hook in made.hooks),
        "daemonReloads": int(made.daemon_reload) + int(bool(made.late)),
        "conflicts": made.conflicts,
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))))
