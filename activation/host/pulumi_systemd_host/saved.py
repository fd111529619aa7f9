"""What lay at a path, kept so that it can be put back: content, mode, owner, time of change."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from .files import CHUNK, file_sha256, found_at, link_atomically, make_directories, remove_file, write_atomically
from .system import System


@dataclass
class SavedPath:
    """What lay at a path. A file's content is kept in a directory of its own, there under the name `backup`."""

    path: str
    kind: str
    backup: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    target: str = ""
    digest: str = ""


def save_path(system: System, directory: str, name: str, path: str) -> SavedPath:
    """Note what lies at `path`, and keep a copy of a file's content in `directory`, there as `name`."""
    found = found_at(system.at(path))
    saved = SavedPath(
        path, found.kind, "", found.mode, found.uid, found.gid, found.mtime_ns, found.target, found.digest
    )
    if found.kind == "file":
        saved.backup = name
        copy = os.path.join(directory, saved.backup)
        shutil.copyfile(system.at(path), copy)
        os.chmod(copy, 0o600)
        descriptor = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return saved


def restore_path(system: System, directory: str, saved: SavedPath, tag: str) -> bool:
    """Put back what `saved` says, its content from `directory`; whether anything differed."""
    path = system.at(saved.path)
    now = found_at(path)
    if saved.kind == "absent":
        return now.kind in ("file", "link") and remove_file(path)
    if saved.kind == "link":
        if (now.kind, now.target) == ("link", saved.target):
            return False
        make_directories(os.path.dirname(path))
        link_atomically(path, saved.target, tag)
        return True
    if saved.kind != "file":
        return False
    backup = os.path.join(directory, saved.backup)
    wanted = (file_sha256(backup), saved.mode, saved.uid, saved.gid, saved.mtime_ns)
    if (now.digest, now.mode, now.uid, now.gid, now.mtime_ns) == wanted:
        return False
    make_directories(os.path.dirname(path))
    with open(backup, "rb") as source:
        chunks = iter(lambda: source.read(CHUNK), b"")
        write_atomically(path, chunks, saved.mode, tag, saved.uid, saved.gid, saved.mtime_ns)
    return True
