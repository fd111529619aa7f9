"""The links of `systemctl enable`: what is there, which unit each is for, and putting a unit's own back."""

from __future__ import annotations

import os
import re
from typing import Iterable

from .files import link_atomically, make_directories, remove_empty_directory, remove_file
from .system import System

UNITS = "/etc/systemd/system"
# systemctl enables the init script of a service as well where there is one (systemd-sysv-install).
RUNLEVEL = re.compile(r"rc[0-6S]\.d")
SCRIPT = re.compile(r"[SK]\d\d(.+)")


def enablement_links(system: System) -> dict[str, str]:
    """Every link that `systemctl enable` could make or remove: path to target."""
    links: dict[str, str] = {}
    base = system.at(UNITS)
    for directory in [base, *enablement_directories(system), *_runlevels(system)]:
        for name in _names(directory):
            path = os.path.join(directory, name)
            if os.path.islink(path):
                links[path] = os.readlink(path)
    return links


def enablement_directories(system: System) -> list[str]:
    """The directories of systemd that hold such links."""
    base = system.at(UNITS)
    paths = [os.path.join(base, name) for name in _names(base) if name.endswith((".wants", ".requires", ".upholds"))]
    return [path for path in paths if os.path.isdir(path) and not os.path.islink(path)]


def concerns(path: str, target: str, names: Iterable[str]) -> bool:
    """Whether the link at `path` enables, or is another name of, one of the units `names`."""
    found = {os.path.basename(path), os.path.basename(target)}
    match = SCRIPT.fullmatch(os.path.basename(path))
    if match and RUNLEVEL.fullmatch(os.path.basename(os.path.dirname(path))):
        found.add(f"{match.group(1)}.service")
    return not found.isdisjoint(names)


def links_of(links: dict[str, str], name: str, own: str) -> dict[str, str]:
    """Those of `links` that concern the unit `name`, but for what lies at its `own` path."""
    return {path: target for path, target in links.items() if path != own and concerns(path, target, [name])}


def set_links(system: System, name: str, own: str, wanted: dict[str, str], tag: str) -> None:
    """Have exactly the links `wanted` for the unit `name`, without systemctl: these may be of another definition."""
    now = links_of(enablement_links(system), name, system.at(own))
    at = {system.at(path): target for path, target in wanted.items()}
    for path in now:
        if path not in at:
            remove_file(path)
            if path.rpartition("/")[0] in enablement_directories(system):
                remove_empty_directory(os.path.dirname(path))
    for path, target in at.items():
        if now.get(path) != target:
            make_directories(os.path.dirname(path))
            link_atomically(path, target, tag)


def put_back_links(system: System, before: dict[str, str], names: Iterable[str], tag: str) -> None:
    """Put back those of the links `before` that are gone and concern none of the units `names`."""
    now = enablement_links(system)
    for path, target in before.items():
        if path not in now and not concerns(path, target, names):
            make_directories(os.path.dirname(path))
            link_atomically(path, target, tag)


def _runlevels(system: System) -> list[str]:
    etc = system.at("/etc")
    return [os.path.join(etc, name) for name in _names(etc) if RUNLEVEL.fullmatch(name)]


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
