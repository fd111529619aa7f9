"""The ledger: what this program made on the host, per scope. It is the only authority on what is ours."""

from __future__ import annotations

import glob
import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any

from .errors import HostError
from .files import make_directories, remove_empty_directory, remove_tree, write_atomically
from .record import UNREADABLE, NewerRecordError, check_paths, check_readable, record
from .saved import SavedPath
from .system import System

ROOT = "/var/lib/pulumi-systemd"
# Generations that are kept where nothing else is said, the present one included.
KEPT = 5


@dataclass
class LedgerFile:
    """A file that we wrote. `digest` is of its content and stays in this root-only ledger."""

    digest: str
    mode: int
    secret: bool
    adopted: bool = False
    # The name of the credential that it holds encrypted; empty for a file as it is.
    seal: str = ""


@dataclass
class LedgerUnit:
    """A unit that we wrote, with the digests that were applied last."""

    path: str
    file: str
    restart: str
    reload: str
    install: str
    enabled: bool
    activation: str
    adopted: bool = False
    # Seconds since the boot in `boot`: a process that began before has an older definition, secret or release.
    fresh: float = 0.0
    # Directories that go with it.
    purge: list[str] = field(default_factory=list)
    limits: str = ""
    manager: str = ""
    memory_max: float | None = None
    # Files that it followed: once they go, it follows that too.
    restart_on: list[str] = field(default_factory=list)
    reload_on: list[str] = field(default_factory=list)


@dataclass
class LedgerRelease:
    """A release that lies unpacked on the host. Only the current one is linked."""

    name: str
    sha256: str
    directory: str
    link: str
    current: bool
    # Its environment's directory, and the digest of what that was asked to hold.
    environment: str = ""
    lock: str = ""
    # SHA-256 of the archive of its wheels.
    wheelhouse: str = ""
    # The hooks that it has run, with the digests of their commands.
    hooks: dict[str, str] = field(default_factory=dict)


@dataclass
class OriginalUnit:
    """How a unit was before this scope took it over: given back, it is so again."""

    running: bool
    # Where systemd had its definition from; empty when it was masked or had none.
    fragment: str = ""
    # Its links of `systemctl enable`: path to target.
    links: dict[str, str] = field(default_factory=dict)
    # Whether a timer had a stamp of its last run.
    stamp: bool = False


@dataclass
class Hold:
    """A person keeps updates off until a time, in seconds since 1970."""

    who: str
    at: float
    until: float
    reason: str = ""


@dataclass
class RolledBack:
    """A person went back on the host, from the generation `left` to `to`, and no update came since."""

    to: int
    left: int
    # Digest of what the last update asked for: to ask for it once more is no answer to the rollback.
    asked: str
    at: float
    who: str
    reason: str = ""


@dataclass
class Leaving:
    """What a committed transaction has still to remove."""

    trees: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """One scope's part of the host."""

    scope: str
    generation: int = 0
    transaction: str = ""
    boot: str = ""
    # Accounts that the scope uses; true for those that it made.
    users: dict[str, bool] = field(default_factory=dict)
    groups: dict[str, bool] = field(default_factory=dict)
    files: dict[str, LedgerFile] = field(default_factory=dict)
    units: dict[str, LedgerUnit] = field(default_factory=dict)
    releases: list[LedgerRelease] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    leaving: Leaving = field(default_factory=Leaving)
    # What lay where this scope has a file now; its content is kept in `originals/` beside the ledger.
    originals: dict[str, SavedPath] = field(default_factory=dict)
    original_units: dict[str, OriginalUnit] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    # systemd's major version when it was applied; 0 where that was not kept.
    systemd: int = 0
    # When this generation came to be, in seconds since 1970, and how many are kept.
    at: float = 0.0
    keep: int = KEPT
    hold: Hold | None = None
    rolled_back: RolledBack | None = None

    def current_release(self, name: str) -> LedgerRelease | None:
        return next((release for release in self.releases if release.current and release.name == name), None)

    def claims(self) -> list[str]:
        """Every path that this scope owns."""
        found = [*self.files, *(unit.path for unit in self.units.values())]
        found += [path for release in self.releases for path in (release.directory, release.link)]
        found += [release.environment for release in self.releases if release.environment]
        return found


def scope_directory(system: System, scope: str) -> str:
    return system.at(os.path.join(ROOT, *scope.split("/")))


def read_ledger(system: System, scope: str) -> Ledger | None:
    """The scope's ledger, or nothing when this scope never was on this host."""
    return _read(os.path.join(scope_directory(system, scope), "ledger.json"), scope)


def other_ledgers(system: System, scope: str) -> list[Ledger]:
    """The ledgers of every other scope on this host."""
    return all_ledgers(system, but=scope)


def all_ledgers(system: System, but: str = "") -> list[Ledger]:
    """
    The ledgers of every scope on this host except `but`. What a newer version keeps in one besides is left out, so none
    of these may be written again.
    """
    base = system.at(ROOT)
    found = []
    for path in sorted(glob.glob(os.path.join(glob.escape(base), "*", "*", "*", "ledger.json"))):
        other = os.path.relpath(os.path.dirname(path), base)
        if other != but:
            ledger = _read(path, other, pass_over=True)
            if ledger:
                found.append(ledger)
    return found


def write_ledger(system: System, ledger: Ledger) -> None:
    directory = scope_directory(system, ledger.scope)
    make_directories(directory, 0o700)
    path = os.path.join(directory, "ledger.json")
    data = (json.dumps({"format": 1, **asdict(ledger)}, indent=1, sort_keys=True) + "\n").encode("utf-8")
    check_readable(path, lambda: _parsed(data, path, ledger.scope))
    write_atomically(path, data, 0o600, "ledger")


def remove_ledger(system: System, scope: str) -> None:
    """Remove everything that is kept about a scope, and the directories above it that are then empty."""
    directory = scope_directory(system, scope)
    remove_tree(directory)
    base = system.at(ROOT)
    while directory != base:
        directory = os.path.dirname(directory)
        if not remove_empty_directory(directory):
            return


def _read(path: str, scope: str, pass_over: bool = False) -> Ledger | None:
    try:
        with open(path, "rb") as source:
            data = source.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _parsed(data, path, scope, pass_over)


def _parsed(data: bytes, path: str, scope: str, pass_over: bool = False) -> Ledger:
    try:
        value: dict[str, Any] = json.loads(data.decode("utf-8"))
        if value.pop("format") != 1:
            raise NewerRecordError
        # What came later has a default; without these it is no ledger.
        if not {"files", "units", "releases", "leaving"} <= set(value):
            raise KeyError
        ledger = record(Ledger, value, pass_over)
        check_paths([*ledger.claims(), *ledger.directories, *ledger.leaving.trees, *ledger.originals])
    except NewerRecordError:
        raise HostError(f"{path} was written by a newer pulumi-systemd: use that one, or a newer one still") from None
    except UNREADABLE:
        raise HostError(f"{path} is damaged: restore it from a backup, or remove what it lists by hand") from None
    if ledger.scope != scope:
        raise HostError(f"{path} is the ledger of another scope: it was moved there by hand")
    return ledger
