"""The host program as it travels: uploaded to the login user's home, and kept where every login user can read it."""

from __future__ import annotations

import hashlib
import os
import stat

from .files import make_directories, remove_empty_directory, remove_file, write_atomically
from .releases import open_beneath, uploaded_since, uploads_beginning
from .sent import unpacked
from .system import System

# Apart from the ledgers, which only root may enter. The shell line that runs an operation looks here (host-command.ts).
STORE = "/var/lib/pulumi-systemd-programs"
ENDING = ".program"
TAG = "programs"
MOST_BYTES = 8 << 20


def keep_program(system: System, scope: str, program: str, login_home: str) -> None:
    """
    Keep the scope's program from the login user's home, if it is the one with SHA-256 `program`, which runs this: the
    next transaction is run by it as well. Older ones go. One that was uploaded since stays: it is for the next run.
    """
    beginning = uploads_beginning(scope)
    name = f"{beginning}{program}{ENDING}"
    kept = os.path.join(system.at(STORE), name)
    uploaded = _uploaded(login_home, name, program)
    if uploaded is not None:
        packed, mtime_ns = uploaded
        make_directories(os.path.dirname(kept))
        write_atomically(kept, packed, 0o644, TAG, mtime_ns=mtime_ns)
        remove_file(os.path.join(login_home, name))
    if not os.path.isfile(kept):
        return
    for directory in (login_home, os.path.dirname(kept)):
        for other in _programs(directory, beginning):
            if other != kept and _mtime(other) <= _mtime(kept):
                remove_file(other)


def drop_programs(system: System, scope: str, login_home: str, begun_ns: int) -> None:
    """Remove all programs of the scope. One that was uploaded after `begun_ns` stays: it is for the next run."""
    uploads = _programs(login_home, uploads_beginning(scope))
    for path in [path for path in uploads if not uploaded_since(path, begun_ns)]:
        remove_file(path)
    for path in _programs(system.at(STORE), uploads_beginning(scope)):
        remove_file(path)
    remove_empty_directory(system.at(STORE))


def remove_unfinished(system: System) -> None:
    """Remove what a write that was cut off left. The host's lock must be held."""
    store = system.at(STORE)
    for name in os.listdir(store) if os.path.isdir(store) else []:
        # Of a file whose own name begins with a dot.
        if name.startswith(".."):
            remove_file(os.path.join(store, name))


def _programs(directory: str, beginning: str) -> list[str]:
    """Those of a scope, and what a write of one left that was cut off."""
    if not os.path.isdir(directory):
        return []
    names = [name for name in os.listdir(directory) if beginning in name and ENDING in name]
    return [os.path.join(directory, name) for name in sorted(names)]


def _uploaded(login_home: str, name: str, program: str) -> tuple[bytes, int] | None:
    """The upload, and when it was made; None where it is not that program."""
    try:
        with os.fdopen(open_beneath(login_home, name), "rb") as source:
            info = os.fstat(source.fileno())
            packed = source.read(MOST_BYTES) if stat.S_ISREG(info.st_mode) else b""
    except OSError:
        return None
    text = unpacked(packed, MOST_BYTES)
    return (packed, info.st_mtime_ns) if text is not None and hashlib.sha256(text).hexdigest() == program else None


def _mtime(path: str) -> int:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return 0
