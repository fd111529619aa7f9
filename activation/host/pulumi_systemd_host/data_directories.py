"""The data directories of units, as their files name them, and which of them other scopes have."""

from __future__ import annotations

import glob
import re

from .files import text_of
from .ledger import other_ledgers
from .system import System

BASES = {"State": "/var/lib", "Cache": "/var/cache", "Logs": "/var/log", "Configuration": "/etc"}
DATA = re.compile(r"^\s*(State|Cache|Logs|Configuration)Directory\s*=(.*)$", re.MULTILINE)


def data_directories(content: str) -> set[str]:
    """Those that a unit file names. A name with a specifier is known to systemd alone, and is not among them."""
    words = [(base, word.partition(":")[0]) for base, line in DATA.findall(content) for word in line.split()]
    return {f"{BASES[base]}/{word}" for base, word in words if "%" not in word}


def used_elsewhere(system: System, scope: str) -> dict[str, str]:
    """What the other scopes on this host have or their units use: path to scope."""
    found: dict[str, str] = {}
    for ledger in other_ledgers(system, scope):
        paths = {*ledger.claims(), *ledger.homes.values()}
        for unit in ledger.units.values():
            path = system.at(unit.path)
            for each in [path, *glob.glob(f"{glob.escape(path)}.d/*.conf")]:
                paths |= data_directories(text_of(each))
        found.update(dict.fromkeys(paths, ledger.scope))
    return found
