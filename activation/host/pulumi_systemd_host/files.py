"""Files on disk: what is there, and changes that are either wholly there or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from typing import Iterable

from .errors import HostError

CHUNK = 1 << 20
# Of a name, in bytes, in that of its next content, which has at most 255. A digest stands for the rest of a longer one.
LONGEST_KEPT = 150
DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class Found:
    """What lies at a path. `digest` is set for a file, `target` for a link."""

    kind: str  # absent, file, link, directory, other
    digest: str = ""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    target: str = ""

    @property
    def exists(self) -> bool:
        return self.kind != "absent"


ABSENT = Found("absent")


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: str) -> str:
    """The digest of a file's content."""
    state = hashlib.sha256()
    with open(path, "rb") as source:
        while True:
            chunk = source.read(CHUNK)
            if not chunk:
                return state.hexdigest()
            state.update(chunk)


def content_of(path: str, most: int = -1) -> bytes | None:
    """Up to `most` bytes of the file at `path`. Nothing where there is none, or a FIFO, which would not end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as source:
            return source.read(most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None


def text_of(path: str) -> str:
    """The text of the file at `path`. Empty where there is none."""
    return (content_of(path) or b"").decode("utf-8", "replace")


def found_at(path: str) -> Found:
    """What lies at `path`, which is not followed if it is a link."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as problem:
        raise HostError(f"{path} cannot be looked at: {problem.strerror}") from None
    if stat.S_ISLNK(info.st_mode):
        return Found("link", target=os.readlink(path), uid=info.st_uid, gid=info.st_gid, mtime_ns=info.st_mtime_ns)
    kind = "file" if stat.S_ISREG(info.st_mode) else "directory" if stat.S_ISDIR(info.st_mode) else "other"
    return Found(
        kind,
        digest=file_sha256(path) if kind == "file" else "",
        mode=stat.S_IMODE(info.st_mode),
        uid=info.st_uid,
        gid=info.st_gid,
        mtime_ns=info.st_mtime_ns,
    )


def temporary_name(path: str, transaction: str) -> str:
    """The name beside `path` under which its next content waits; no unit suffix, so systemd never reads it."""
    directory, name = os.path.split(path)
    whole = os.fsencode(name)
    if len(whole) > LONGEST_KEPT:
        # It may be cut within a character: what is left of that is dropped.
        start = whole[: LONGEST_KEPT - DIGEST_CHARACTERS].decode("utf-8", "ignore")
        name = f"{start}{sha256_hex(whole)[:DIGEST_CHARACTERS]}"
    return os.path.join(directory, f".{name}.pulumi-systemd-{transaction}")


def remove_temporaries(directory: str) -> None:
    """Remove what writes that were cut off left in a directory of ours. No other write may be under way there."""
    if not os.path.isdir(directory):
        return
    for name in os.listdir(directory):
        if name.startswith(".") and ".pulumi-systemd-" in name:
            remove_file(os.path.join(directory, name))


def stage_file(
    path: str,
    data: bytes | Iterable[bytes],
    mode: int,
    uid: int = 0,
    gid: int = 0,
    mtime_ns: int | None = None,
    attributes: dict[str, bytes] | None = None,
) -> None:
    """
    Write a complete, synced file at `path`, which must not be there yet. Mode and owner come before content.

    `attributes` are extended ones. Until they are set it is its owner's alone: beside an access control list the mode
    says little.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, 0o600 if attributes else mode)
        for chunk in [data] if isinstance(data, bytes) else data:
            left = memoryview(chunk)
            while left:
                left = left[os.write(descriptor, left) :]
        for name, value in (attributes or {}).items():
            os.setxattr(descriptor, name, value)
        if attributes:
            os.fchmod(descriptor, mode)
        if mtime_ns is not None:
            os.utime(descriptor, ns=(mtime_ns, mtime_ns))
        os.fsync(descriptor)
    except OSError as problem:
        raise _named(problem, path) from None
    finally:
        os.close(descriptor)


def write_atomically(
    path: str,
    data: bytes | Iterable[bytes],
    mode: int,
    tag: str,
    uid: int = 0,
    gid: int = 0,
    mtime_ns: int | None = None,
    attributes: dict[str, bytes] | None = None,
) -> None:
    """Replace `path` by `data` so that a reader, or a power cut, finds the old content or the new one."""
    temporary = temporary_name(path, tag)
    remove_file(temporary)
    try:
        stage_file(temporary, data, mode, uid, gid, mtime_ns, attributes)
        os.replace(temporary, path)
    except BaseException:
        remove_file(temporary)
        raise
    sync_directory(os.path.dirname(path))


def link_atomically(path: str, target: str, tag: str) -> None:
    """Make `path` a symbolic link to `target`, replacing a link or file that is there."""
    temporary = temporary_name(path, tag)
    remove_file(temporary)
    os.symlink(target, temporary)
    os.replace(temporary, path)
    sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    descriptor = os.open(path or "/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as problem:
        raise _named(problem, path) from None
    finally:
        os.close(descriptor)


def _named(problem: OSError, path: str) -> OSError:
    """The system says no path where it had only a descriptor."""
    problem.filename = problem.filename or path
    return problem


def make_directories(path: str, mode: int = 0o755) -> list[str]:
    """Create `path` and its missing parents; the ones that were created, outermost first."""
    missing: list[str] = []
    at = path
    while at not in ("", "/") and not os.path.isdir(at):
        if os.path.lexists(at):
            raise HostError(f"{at} exists and is not a directory, so {path} cannot be made")
        missing.append(at)
        at = os.path.dirname(at)
    missing.reverse()
    for each in missing:
        os.mkdir(each, 0o700)
        os.chmod(each, mode)
        sync_directory(os.path.dirname(each))
    return missing


def missing_directories(path: str) -> list[str]:
    """The parents of `path` that are not there, outermost first."""
    missing: list[str] = []
    at = os.path.dirname(path)
    while at not in ("", "/") and not os.path.lexists(at):
        missing.append(at)
        at = os.path.dirname(at)
    return missing[::-1]


def remove_file(path: str) -> bool:
    """Remove a file or link; whether there was one."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as problem:
        # A read-only file system says so of what is not there, too.
        if problem.errno == errno.EROFS and not os.path.lexists(path):
            return False
        raise
    return True


def remove_tree(path: str) -> None:
    """Remove a directory and everything in it, following no links. Nothing there is fine."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as problem:
        # No file can have such a name. An earlier version of this program has listed some for its way back.
        if problem.errno != errno.ENAMETOOLONG:
            raise
        return
    if not stat.S_ISDIR(info.st_mode):
        os.unlink(path)
        return
    for directory, names, files in os.walk(path, topdown=False):
        for name in files:
            os.unlink(os.path.join(directory, name))
        for name in names:
            child = os.path.join(directory, name)
            if os.path.islink(child):
                os.unlink(child)
            else:
                os.rmdir(child)
    os.rmdir(path)


def remove_empty_directory(path: str) -> bool:
    """Remove a directory if nothing is in it; whether it is gone."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def free_bytes(path: str) -> int:
    """Bytes that can still be written on the file system of `path` or its nearest existing parent."""
    info = os.statvfs(existing_parent(path))
    return info.f_bavail * info.f_frsize


def existing_parent(path: str) -> str:
    """`path`, or the nearest directory above it that is there."""
    at = path
    while at not in ("", "/") and not os.path.isdir(at):
        at = os.path.dirname(at)
    return at or "/"
