"""What lay at a path, kept so that it can be put back: content, mode, owner, time of change, extended attributes."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass

from .errors import HostError
from .files import (
    CHUNK,
    Found,
    file_sha256,
    found_at,
    link_atomically,
    make_directories,
    remove_file,
    sync_directory,
    write_atomically,
)
from .record import Signed
from .system import System

# Beside the copy of a content: the file or link itself, by a second name.
ITSELF = "-itself"
ACCESS = "system.posix_acl_access"
CAPABILITY = "security.capability"


@dataclass
class SavedPath:
    """
    What lay at a path. A file's content is kept in a directory of its own, there under the name `backup`, and so are
    its extended attributes.

    The file or link itself may be there too, as BACKUP-itself.
    """

    path: str
    kind: str
    backup: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: Signed = 0
    target: str = ""
    digest: str = ""


def save_path(system: System, directory: str, name: str, path: str, itself: bool = False) -> SavedPath:
    """
    Note what lies at `path`, and keep a copy of a file's content in `directory`, there as `name`.

    `itself`: keep it by a second name as well, so that it can be put back on a full disk. Not every file system and
    not every file can have one, and another file system cannot hold it: the copy must do then.
    """
    found = found_at(system.at(path))
    saved = SavedPath(
        path, found.kind, "", found.mode, found.uid, found.gid, found.mtime_ns, found.target, found.digest
    )
    if found.kind == "file":
        saved.backup = name
        copy = os.path.join(directory, saved.backup)
        shutil.copyfile(system.at(path), copy)
        os.chmod(copy, 0o600)
        _keep_attributes(system.at(path), copy)
        descriptor = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if itself and found.kind in ("file", "link"):
        saved.backup = name
        with contextlib.suppress(OSError):
            os.link(system.at(path), os.path.join(directory, name + ITSELF), follow_symlinks=False)
    return saved


def _keep_attributes(path: str, copy: str) -> None:
    attributes = _attributes(path)
    for name, value in attributes.items():
        with contextlib.suppress(OSError):
            os.setxattr(copy, name, value)
    if ACCESS in set(attributes) - set(_attributes(copy)):
        # Without it others could read the file once it is put back.
        raise HostError(
            f"the access control list of {path} cannot be kept: the file system of {os.path.dirname(copy)} has none; "
            "remove it (`setfacl -b`), or leave the file out of the program"
        )


def _attributes(path: str) -> dict[str, bytes]:
    """The extended attributes of a file, but for labels that the system gives anew."""
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError:
        return {}
    kept = [name for name in names if name == CAPABILITY or not name.startswith("security.")]
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in kept}


def restore_path(system: System, directory: str, saved: SavedPath, tag: str) -> bool:
    """Put back what `saved` says, its content from `directory`; whether anything differed."""
    path = system.at(saved.path)
    now = found_at(path)
    if saved.kind == "absent":
        return now.kind in ("file", "link") and remove_file(path)
    if saved.kind not in ("file", "link"):
        return False
    backup = os.path.join(directory, saved.backup)
    content = file_sha256(backup) if saved.kind == "file" else ""
    if _is_back(now, saved, content):
        return False
    make_directories(os.path.dirname(path))
    itself = backup + ITSELF
    # One that somebody wrote to meanwhile is not what was saved.
    if saved.backup and _is_back(found_at(itself), saved, content):
        with contextlib.suppress(OSError):
            os.replace(itself, path)
            sync_directory(os.path.dirname(path))
            return True
    if saved.kind == "link":
        link_atomically(path, saved.target, tag)
        return True
    with open(backup, "rb") as source:
        chunks = iter(lambda: source.read(CHUNK), b"")
        attributes = _attributes(backup)
        write_atomically(path, chunks, saved.mode, tag, saved.uid, saved.gid, saved.mtime_ns, attributes)
    return True


def _is_back(now: Found, saved: SavedPath, content: str) -> bool:
    if saved.kind == "link":
        return (now.kind, now.target) == ("link", saved.target)
    wanted = ("file", content, saved.mode, saved.uid, saved.gid, saved.mtime_ns)
    return (now.kind, now.digest, now.mode, now.uid, now.gid, now.mtime_ns) == wanted
