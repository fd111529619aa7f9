"""The Python interpreters of this host: which one an environment gets, and what makes it differ from another."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from .errors import HostError
from .system import ENVIRONMENT, System
from .systemctl import first_line

SECONDS = 30.0
USUAL = "/usr/bin/python3"
NAME = re.compile(r"python3\.\d{1,2}")
# An environment that was built by one interpreter works with another one that answers the same.
QUESTION = (
    "import importlib.util as u,json,sys,sysconfig as c;"
    "print(json.dumps({'version':'%d.%d'%sys.version_info[:2],'tag':'%s %s %s'%(sys.implementation.name,"
    "c.get_config_var('SOABI'),c.get_platform()),'pip':bool(u.find_spec('venv') and u.find_spec('ensurepip'))}))"
)


@dataclass(frozen=True)
class Interpreter:
    """A Python on this host. `tag` stands for what compiled packages depend on."""

    path: str
    version: str
    tag: str
    has_pip: bool


def interpreter(system: System, wanted: str | None) -> Interpreter:
    """The interpreter that is wanted. Raises HostError naming those that the host has."""
    if wanted is None or wanted.startswith("/"):
        path = wanted or USUAL
        if not os.access(system.at(path), os.X_OK):
            raise HostError(f"this host has no {path}; it has {listed(system)}")
        return _asked(system, path)
    for path in _paths(system):
        if os.path.basename(path) == f"python{wanted}":
            return _asked(system, path)
    if os.access(system.at(USUAL), os.X_OK):
        usual = _asked(system, USUAL)
        if usual.version == wanted:
            return usual
    raise HostError(f"this host has no Python {wanted}; it has {listed(system)}")


def listed(system: System) -> str:
    """The interpreters of this host, for a message."""
    paths = _paths(system)
    return ", ".join(f"{os.path.basename(path)[6:]} ({path})" for path in paths) or "none with a version in its name"


def program(system: System, name: str) -> str | None:
    """Where a program is that systemd, too, would find by its name."""
    for directory in ENVIRONMENT["PATH"].split(":"):
        path = os.path.join(directory, name)
        if os.access(system.at(path), os.X_OK) and os.path.isfile(system.at(path)):
            return path
    return None


def _paths(system: System) -> list[str]:
    found: dict[str, str] = {}
    for directory in ENVIRONMENT["PATH"].split(":"):
        try:
            names = os.listdir(system.at(directory))
        except OSError:
            continue
        for name in names:
            if NAME.fullmatch(name) and os.access(system.at(f"{directory}/{name}"), os.X_OK):
                found.setdefault(name, f"{directory}/{name}")
    return [found[name] for name in sorted(found, key=lambda name: int(name.rpartition(".")[2]))]


def _asked(system: System, path: str) -> Interpreter:
    done = system.run([path, "-IBSc", QUESTION], SECONDS)
    try:
        facts = json.loads(done.out)
        return Interpreter(path, str(facts["version"]), str(facts["tag"]), bool(facts["pip"]))
    except (ValueError, KeyError, TypeError):
        raise HostError(f"{path} on this host is no Python 3 that works: {first_line(done)}") from None
