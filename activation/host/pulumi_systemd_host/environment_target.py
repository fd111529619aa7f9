"""Which environment a release needs on this host: what was asked for, and the host's interpreter."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .bundle import Environment, Release
from .errors import HostError
from .files import sha256_hex
from .interpreters import Interpreter, interpreter, program
from .system import System

# The link in a release to its environment.
LINK = ".venv"


@dataclass(frozen=True)
class Target:
    """The environment of a release on this host. `uv` is where uv is, `-` where the build fetches it, empty for pip."""

    directory: str
    python: Interpreter
    uv: str


def environment_target(system: System, release: Release) -> Target | None:
    """Which environment the release needs on this host. Raises HostError when the host lacks what that takes."""
    wanted = release.environment
    if wanted is None:
        return None
    try:
        python = interpreter(system, wanted.python)
        uv = _installer(system, wanted, python)
    except HostError as problem:
        raise HostError(f"release {release.name}: {problem}; nothing was changed on the host") from None
    identity = f"{wanted.digest}\n{python.path}\n{python.tag}".encode()
    return Target(f"{wanted.directory}/{sha256_hex(identity)[:16]}", python, uv)


def _installer(system: System, wanted: Environment, python: Interpreter) -> str:
    uv = "" if wanted.installer == "pip" else program(system, "uv") or ("-" if wanted.uv else "")
    if not uv and (wanted.installer == "uv" or wanted.lock_kind == "uv"):
        why = "a uv.lock is read by uv alone" if wanted.lock_kind == "uv" else "installer is uv"
        raise HostError(f"{why}, and this host has no uv: install it there, or give `uvVersion`")
    if uv in ("", "-") and not python.has_pip:
        raise HostError(
            f"{python.path} on this host lacks venv or ensurepip: `apt install python{python.version}-venv`, "
            "or install uv"
        )
    return uv


def link_target(release: Release, target: Target) -> str:
    """What the link in a release to its environment holds."""
    return os.path.relpath(target.directory, release.directory)
