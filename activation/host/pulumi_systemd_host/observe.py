"""Looks at the host: everything that the plan needs, and nothing is changed."""

from __future__ import annotations

import os
import re
from typing import Iterable

from .bundle import Bundle, Unit, is_template
from .bundle_values import UNIT_NAME
from .enablement import UNITS, enablement_links
from .environment_target import LINK, Target, environment_target
from .files import Found, found_at
from .install_section import install_words
from .ledger import Ledger
from .plan_neighbours import TAKES_ALONG
from .plan_shape import Observation
from .pulled_up import pulled_names
from .system import System
from .systemctl import UnitState, instances_of, show
from .users import known_accounts, known_groups

BOOT_ID = "/proc/sys/kernel/random/boot_id"
# Where systemd finds unit files besides /etc/systemd/system; the first that has one counts.
ELSEWHERE = (
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
READ_BYTES = 1 << 20
# Targets require many things and are never restarted for one of them.
UNRESTARTED = (".target", ".slice", ".scope")
CONFLICTS = re.compile(r"^\s*Conflicts\s*=(.*)$", re.MULTILINE)
STAMPS = "/var/lib/systemd/timers"


def observe(system: System, old: Ledger, bundle: Bundle, others: list[Ledger], seconds: float) -> Observation:
    """The host as it is. `others` are the ledgers of the other scopes."""
    names = {unit.name for unit in bundle.units} | set(old.units)
    templates = sorted(name for name in names if is_template(name))
    instances = {name: instances_of(system, name, seconds) for name in templates}
    asked = {name for name in names if not is_template(name)}
    asked |= {name for found in instances.values() for name in found}
    asked |= {trigger for unit in bundle.units for trigger in unit.triggered_by if not is_template(trigger)}
    asked |= {name for unit in bundle.units for name in unit.binds_to if not is_template(name)}
    asked |= conflicting(bundle.units)
    states = show(system, asked, seconds)
    states.update(_neighbours(system, states, pulled_names(bundle.units), seconds))
    connections = {name: found for name, found in instances.items() if _serves_connections(name, states)}
    for name in {name for found in connections.values() for name in found}:
        states.pop(name, None)
    users = {user.name for user in bundle.users} | set(old.users)
    groups = {user.group for user in bundle.users} | set(old.groups)
    claims: dict[str, str] = {}
    accounts_elsewhere: set[str] = set()
    made_elsewhere: set[str] = set()
    homes_elsewhere: dict[str, tuple[str, str]] = {}
    for ledger in others:
        paths = set(ledger.claims())
        claims.update(dict.fromkeys([*paths, *_real_paths(system, paths).values()], ledger.scope))
        accounts_elsewhere |= {*ledger.users, *ledger.groups}
        made_elsewhere |= {name for name, ours in (*ledger.users.items(), *ledger.groups.items()) if ours}
        made_elsewhere |= set(ledger.directories)
        homes_elsewhere.update({home: (user, ledger.scope) for user, home in ledger.homes.items()})
    new = [unit for unit in bundle.units if unit.name not in old.units]
    found = {unit.name: _elsewhere(system, unit.name) for unit in new if unit.is_template}
    known_templates = {name: path for name, path in found.items() if path}
    environments = {release.name: environment_target(system, release) for release in bundle.releases}
    wanted = {name: target for name, target in environments.items() if target}
    disk = _disk(system, old, bundle, states, known_templates)
    disk.update(_environments_on_disk(system, bundle, wanted))
    aliases = {alias for unit in bundle.units for alias in install_words(unit.content, "Alias")}
    having = {alias: _anywhere(system, alias) for alias in sorted(aliases)}
    alias_files = {alias: path for alias, path in having.items() if path}
    disk.update({path: found_at(system.at(path)) for path in alias_files.values()})
    root = system.at("/").rstrip("/")
    return Observation(
        states=states,
        environments=wanted,
        disk=disk,
        templates=known_templates,
        alias_files=alias_files,
        foreign=_foreign(system, old, bundle, disk),
        links={path[len(root) :]: target for path, target in enablement_links(system).items()},
        stamps={name for name in names if os.path.lexists(system.at(stamp_path(name)))},
        made_elsewhere=made_elsewhere,
        homes_elsewhere=homes_elsewhere,
        boot=boot_id(system),
        accounts=known_accounts(system, users, seconds),
        groups=known_groups(system, groups, seconds),
        instances={name: found for name, found in instances.items() if name not in connections},
        connections=connections,
        claims=claims,
        real=_real_paths(system, set(disk)),
        accounts_elsewhere=accounts_elsewhere,
        owner=(os.geteuid(), os.getegid()),
    )


def boot_id(system: System) -> str:
    try:
        with open(system.at(BOOT_ID), encoding="ascii") as source:
            return source.read().strip()
    except OSError:
        return ""


def conflicting(units: Iterable[Unit]) -> set[str]:
    """Units of others that the start of ours stops (Conflicts=): the way back starts them again."""
    words = {word for unit in units for line in CONFLICTS.findall(unit.content) for word in line.split()}
    return {word for word in words if UNIT_NAME.fullmatch(word) and not word.endswith(UNRESTARTED)}


def _serves_connections(template: str, states: dict[str, UnitState]) -> bool:
    """Whether a socket has systemd make an instance for each connection (systemd.socket(5), Accept=)."""
    socket = states.get(f"{template.rpartition('@')[0]}.socket")
    return template.endswith(".service") and socket is not None and socket.get("Accept") == "yes"


def _neighbours(system: System, states: dict[str, UnitState], pulled: set[str], seconds: float) -> dict[str, UnitState]:
    """Units of others that trigger ours, stop when ours stop, or are `pulled` up by them."""
    keys = ("Triggers", "TriggeredBy", *TAKES_ALONG)
    further = {name for state in states.values() for key in keys for name in state.words(key)} | pulled
    return show(system, {name for name in further - set(states) if not name.endswith(UNRESTARTED)}, seconds)


def _environments_on_disk(system: System, bundle: Bundle, wanted: dict[str, Target]) -> dict[str, Found]:
    paths = {f"{release.directory}/{LINK}" for release in bundle.releases}
    paths |= {target.directory for target in wanted.values()}
    return {path: found_at(system.at(path)) for path in sorted(paths)}


def _elsewhere(system: System, name: str) -> str:
    return next((path for path in (f"{each}/{name}" for each in ELSEWHERE) if os.path.isfile(system.at(path))), "")


def _anywhere(system: System, name: str) -> str:
    own = f"{UNITS}/{name}"
    return own if os.path.lexists(system.at(own)) else _elsewhere(system, name)


def _foreign(system: System, old: Ledger, bundle: Bundle, disk: dict[str, Found]) -> dict[str, bytes]:
    """The content of files that are in our way, to say in what they differ."""
    wanted = [unit.path for unit in bundle.units] + [file.path for file in bundle.files if not file.secret]
    ours = {*old.files, *(unit.path for unit in old.units.values())}
    contents = {}
    for path in wanted:
        if path not in ours and disk[path].kind == "file":
            with open(system.at(path), "rb") as source:
                contents[path] = source.read(READ_BYTES)
    return contents


def _disk(
    system: System, old: Ledger, bundle: Bundle, states: dict[str, UnitState], templates: dict[str, str]
) -> dict[str, Found]:
    paths = {*old.claims(), *(file.path for file in bundle.files), *(unit.path for unit in bundle.units)}
    paths |= {path for release in bundle.releases for path in (release.directory, release.link)}
    paths |= {states[unit.name].get("FragmentPath") for unit in bundle.units if unit.name in states} - {""}
    paths |= set(templates.values())
    return {path: found_at(system.at(path)) for path in sorted(paths)}


def _real_paths(system: System, paths: set[str]) -> dict[str, str]:
    """Where each path lies once the links on the way to its directory are followed, if that is elsewhere."""
    root = os.path.realpath(system.at("/")).rstrip("/")
    directories = {os.path.dirname(path) for path in paths}
    real = {each: os.path.realpath(system.at(each))[len(root) :] for each in directories}
    return {
        path: os.path.join(real[os.path.dirname(path)] or "/", os.path.basename(path))
        for path in paths
        if real[os.path.dirname(path)].rstrip("/") != os.path.dirname(path).rstrip("/")
    }


def stamp_path(timer: str) -> str:
    """Where systemd keeps the time of a persistent timer's last run (systemd.timer(5), Persistent=)."""
    return f"{STAMPS}/stamp-{timer}"
