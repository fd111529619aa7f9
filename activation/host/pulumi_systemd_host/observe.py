"""Looks at the host: everything that the plan needs, and nothing is changed."""

from __future__ import annotations

import os

from .bundle import Bundle, is_template
from .files import Found, found_at
from .ledger import Ledger
from .plan_shape import Observation
from .system import System
from .systemctl import UnitState, instances_of, show
from .users import known_accounts, known_groups

BOOT_ID = "/proc/sys/kernel/random/boot_id"
ENABLEMENT = "/etc/systemd/system"
STAMPS = "/var/lib/systemd/timers"


def observe(system: System, old: Ledger, bundle: Bundle, others: list[Ledger], seconds: float) -> Observation:
    """The host as it is. `others` are the ledgers of the other scopes."""
    names = {unit.name for unit in bundle.units} | set(old.units)
    templates = sorted(name for name in names if is_template(name))
    instances = {name: instances_of(system, name, seconds) for name in templates}
    asked = {name for name in names if not is_template(name)}
    asked |= {name for found in instances.values() for name in found}
    asked |= {trigger for unit in bundle.units for trigger in unit.triggered_by if not is_template(trigger)}
    states = show(system, asked, seconds)
    states.update(_neighbours(system, states, seconds))
    users = {user.name for user in bundle.users} | set(old.users)
    groups = {user.group for user in bundle.users} | set(old.groups)
    claims: dict[str, str] = {}
    accounts_elsewhere: set[str] = set()
    for ledger in others:
        claims.update(dict.fromkeys(ledger.claims(), ledger.scope))
        accounts_elsewhere |= {*ledger.users, *ledger.groups}
    return Observation(
        states=states,
        disk=_disk(system, old, bundle, states),
        boot=boot_id(system),
        accounts=known_accounts(system, users, seconds),
        groups=known_groups(system, groups, seconds),
        instances=instances,
        claims=claims,
        accounts_elsewhere=accounts_elsewhere,
        owner=(os.geteuid(), os.getegid()),
    )


def boot_id(system: System) -> str:
    try:
        with open(system.at(BOOT_ID), encoding="ascii") as source:
            return source.read().strip()
    except OSError:
        return ""


def _neighbours(system: System, states: dict[str, UnitState], seconds: float) -> dict[str, UnitState]:
    """Units of others that trigger ours, or stop when ours stop."""
    keys = ("Triggers", "TriggeredBy", "RequiredBy", "BoundBy", "ConsistsOf")
    further = {name for state in states.values() for key in keys for name in state.words(key)} - set(states)
    # Targets require many things and are never restarted for one of them.
    return show(system, {name for name in further if not name.endswith((".target", ".slice", ".scope"))}, seconds)


def _disk(system: System, old: Ledger, bundle: Bundle, states: dict[str, UnitState]) -> dict[str, Found]:
    paths = {*old.claims(), *(file.path for file in bundle.files), *(unit.path for unit in bundle.units)}
    paths |= {path for release in bundle.releases for path in (release.directory, release.link)}
    paths |= {states[unit.name].get("FragmentPath") for unit in bundle.units if unit.name in states} - {""}
    return {path: found_at(system.at(path)) for path in sorted(paths)}


def enablement_links(system: System) -> dict[str, str]:
    """Every link that `systemctl enable` could make or remove: path to target."""
    links: dict[str, str] = {}
    base = system.at(ENABLEMENT)
    for directory in [base, *_enablement_directories(base)]:
        try:
            names = sorted(os.listdir(directory))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path):
                links[path] = os.readlink(path)
    return links


def enablement_directories(system: System) -> list[str]:
    """The directories that hold such links."""
    return _enablement_directories(system.at(ENABLEMENT))


def _enablement_directories(base: str) -> list[str]:
    try:
        names = sorted(os.listdir(base))
    except (FileNotFoundError, NotADirectoryError):
        return []
    paths = [os.path.join(base, name) for name in names if name.endswith((".wants", ".requires", ".upholds"))]
    return [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]


def stamp_path(timer: str) -> str:
    """Where systemd keeps the time of a persistent timer's last run (systemd.timer(5), Persistent=)."""
    return f"{STAMPS}/stamp-{timer}"
