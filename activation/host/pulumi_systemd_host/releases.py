"""Releases: archives that the login user uploaded, checked, unpacked safely and kept."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from dataclasses import dataclass
from typing import BinaryIO

from .bundle import Upload
from .errors import HostError
from .files import CHUNK, existing_parent, file_sha256, free_bytes, remove_file, sha256_hex
from .system import System

LINK_DEPTH = 40
BLOCK = 4096
SPARE_BYTES = 8 << 20
SPARE_FILES = 100


@dataclass(frozen=True)
class Checked:
    """An archive whose every member is safe to unpack. `size`: bytes on disk, in whole blocks."""

    members: list[tarfile.TarInfo]
    size: int


def keep_archive(release: Upload, login_home: str | None, kept: str) -> None:
    """
    Have the release's archive at `kept`, from there or from the login user's home, with the digest that was promised.

    The upload is read through directories that are not followed if they are links, copied while it is hashed, and only
    the copy is used: what the login user does to it afterwards does not matter.
    """
    if os.path.isfile(kept):
        if file_sha256(kept) == release.sha256:
            return
        os.unlink(kept)
    if login_home is None:
        raise HostError(f"release {release.name}: no archive on this host, and no login home to take it from")
    shown = f"~/{release.upload}"
    try:
        source = open_beneath(login_home, release.upload)
    except OSError as problem:
        raise HostError(
            f"release {release.name}: its archive {shown} cannot be read ({problem.strerror}); "
            f"`pulumi up --replace '**CopyToRemote::*-{release.name}'` copies it again"
        ) from None
    temporary = f"{kept}.part"
    remove_file(temporary)
    try:
        with os.fdopen(source, "rb") as reader, open(temporary, "xb") as writer:
            info = os.fstat(reader.fileno())
            if not stat.S_ISREG(info.st_mode):
                raise HostError(f"release {release.name}: {shown} is no regular file")
            if info.st_size > free_bytes(os.path.dirname(kept)):
                raise HostError(
                    f"release {release.name}: no room for its {info.st_size} bytes in {os.path.dirname(kept)}"
                )
            state = hashlib.sha256()
            while True:
                chunk = reader.read(CHUNK)
                if not chunk:
                    break
                state.update(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        if state.hexdigest() != release.sha256:
            raise HostError(
                f"release {release.name}: {shown} has SHA-256 {state.hexdigest()}, not {release.sha256}: "
                "it was cut off or changed on its way; run `pulumi up` again"
            )
        os.replace(temporary, kept)
    finally:
        remove_file(temporary)


def remove_upload(release: Upload, login_home: str, begun_ns: int) -> None:
    """
    Remove the upload, following no links on the way. That it is gone already is fine.

    What was uploaded after `begun_ns` is for the next run.
    """
    directory, _, name = release.upload.rpartition("/")
    try:
        parent = (
            open_beneath(login_home, directory, os.O_DIRECTORY) if directory else os.open(login_home, os.O_DIRECTORY)
        )
    except OSError:
        return
    try:
        if os.stat(name, dir_fd=parent, follow_symlinks=False).st_ctime_ns <= begun_ns:
            os.unlink(name, dir_fd=parent)
    except OSError:
        pass
    finally:
        os.close(parent)


def remove_forgotten_uploads(scope: str, login_home: str, begun_ns: int) -> None:
    """Remove the scope's archives that nothing will ask for: those of an update that failed and was given up."""
    for name in os.listdir(login_home):
        path = os.path.join(login_home, name)
        if name.startswith(uploads_beginning(scope)) and name.endswith(".tar") and not uploaded_since(path, begun_ns):
            remove_file(path)


def uploaded_since(path: str, begun_ns: int) -> bool:
    """Whether what lies at `path` came after `begun_ns`. The time of change counts: an upload can set the other one."""
    try:
        return os.lstat(path).st_ctime_ns > begun_ns
    except OSError:
        return False


def uploads_beginning(scope: str) -> str:
    """How the names of all that is uploaded for a scope begin."""
    return f".pulumi-systemd-{sha256_hex(scope.encode('utf-8'))[:16]}-"


def open_beneath(base: str, relative: str, flags: int = 0) -> int:
    """A descriptor for reading what lies below `base`. No link on the way is followed."""
    at = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    parts = relative.split("/")
    try:
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            wanted = flags if last else os.O_DIRECTORY
            # O_NONBLOCK: a pipe that somebody put there must not hang this program.
            further = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | wanted, dir_fd=at)
            os.close(at)
            at = further
    except BaseException:
        os.close(at)
        raise
    return at


def check_archive(release: Upload, path: str) -> Checked:
    """Read the archive's list of members. Raises HostError naming the first member that is not safe to unpack."""
    try:
        with tarfile.open(path, "r:") as archive:
            return checked_members(release.name, list(archive))
    except (tarfile.TarError, EOFError, ValueError) as problem:
        raise HostError(f"release {release.name}: its archive is no readable uncompressed tar ({problem})") from None


def checked_members(name: str, members: list[tarfile.TarInfo]) -> Checked:
    kinds: dict[str, str] = {}
    links: dict[str, str] = {}
    for member in members:
        shown = f"release {name}: member {member.name!r}"
        path = _inside(member.name)
        if path is None or "\0" in member.name:
            raise HostError(f"{shown} has a path that leaves the release; only relative paths without .. are accepted")
        if path == "":
            if not member.isdir():
                raise HostError(f"{shown} stands for the release's own directory but is none")
            continue
        if (
            member.isdev()
            or member.issparse()
            or not (member.isreg() or member.isdir() or member.issym() or member.islnk())
        ):
            raise HostError(f"{shown} is a device, pipe or other special file")
        if member.mode & (stat.S_ISUID | stat.S_ISGID) and not member.issym():
            raise HostError(f"{shown} has a set-uid or set-gid bit")
        kind = "directory" if member.isdir() else "link" if member.issym() else "file"
        if path in kinds and not kinds[path] == kind == "directory":
            raise HostError(f"{shown} is there twice")
        parent = path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if kinds.setdefault(parent, "directory") != "directory":
                raise HostError(f"{shown} lies under {parent!r}, which is no directory")
        if member.islnk():
            target = _inside(member.linkname)
            if target is None or kinds.get(target) != "file":
                raise HostError(
                    f"{shown} is a hard link to {member.linkname!r}, which is no earlier file of the release"
                )
        if member.issym():
            links[path] = member.linkname
        kinds[path] = kind
    for path, target in links.items():
        if not _stays_inside(path, links):
            raise HostError(f"release {name}: member {path!r} is a link to {target!r}, which leaves the release")
    return Checked(members, sum(-(-member.size // BLOCK) * BLOCK for member in members if member.isreg()))


def _inside(path: str) -> str | None:
    """`path` in normal form, or nothing when it is absolute or climbs with `..`."""
    if path.startswith("/"):
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)


def _stays_inside(path: str, links: dict[str, str]) -> bool:
    """Whether following `path` through the archive's own links never leaves the tree. A loop counts as leaving."""
    waiting = path.split("/")[::-1]
    at: list[str] = []
    hops = 0
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not at:
                return False
            at.pop()
            continue
        target = links.get("/".join([*at, part]))
        if target is None:
            at.append(part)
            continue
        hops += 1
        if target.startswith("/") or hops > LINK_DEPTH:
            return False
        waiting.extend(target.split("/")[::-1])
    return True


def check_room(name: str, checked: Checked, parent: str) -> None:
    """Raises HostError when the file system of `parent` has not the bytes or the inodes for an archive."""
    needed = checked.size + len(checked.members) * BLOCK + SPARE_BYTES
    if needed > free_bytes(parent):
        raise HostError(
            f"release {name}: no room on the file system of {parent}: unpacked it needs {needed >> 20} MiB, "
            f"and {free_bytes(parent) >> 20} MiB are free; make room, or keep fewer releases (keepReleases)"
        )
    at = os.statvfs(existing_parent(parent))
    if at.f_files and len(checked.members) + SPARE_FILES > at.f_favail:
        raise HostError(
            f"release {name}: no room on the file system of {parent}: it needs {len(checked.members)} inodes, "
            f"and {at.f_favail} are free; make room, or keep fewer releases (keepReleases)"
        )


def unpack(system: System, release: Upload, archive_path: str, directory: str, seconds: float) -> None:
    """
    Unpack a checked archive into the new directory `directory`: everything root's, nothing writable by others.

    Links are made last, so that no member can be written through one. Files get the time of now: all have the same one
    in the archive, and web servers tell by it whether a browser's copy is old.
    """
    checked = check_archive(release, archive_path)
    check_room(release.name, checked, os.path.dirname(directory))
    os.mkdir(directory, 0o700)
    begin = system.now()
    made = {directory}

    def make_parents(path: str) -> None:
        if path not in made:
            make_parents(os.path.dirname(path))
            os.mkdir(path, 0o700)
            made.add(path)

    with open(archive_path, "rb") as archive:
        for member in checked.members:
            if system.now() - begin > seconds:
                raise HostError(f"release {release.name}: unpacking took longer than {seconds:.0f} s")
            path = os.path.join(directory, _inside(member.name) or "").rstrip("/")
            if member.isdir():
                make_parents(path)
                continue
            make_parents(os.path.dirname(path))
            if member.islnk():
                os.link(os.path.join(directory, _inside(member.linkname) or ""), path)
            elif member.isreg():
                _write_content(release, archive, member, path)
    for path in made:
        # Whatever the umask: services run as users of their own.
        os.chmod(path, 0o755)  # noqa: S103
    for member in checked.members:
        if member.issym():
            os.symlink(member.linkname, os.path.join(directory, _inside(member.name) or ""))
    # One sync of that file system, not one per file: a virtual environment has thousands.
    system.run(["sync", "-f", directory], seconds)


def _write_content(release: Upload, archive: BinaryIO, member: tarfile.TarInfo, path: str) -> None:
    archive.seek(member.offset_data)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        left = member.size
        while left:
            chunk = archive.read(min(left, CHUNK))
            if not chunk:
                raise HostError(f"release {release.name}: its archive ends within {member.name!r}")
            left -= len(chunk)
            data = memoryview(chunk)
            while data:
                data = data[os.write(descriptor, data) :]
        os.fchmod(descriptor, 0o755 if member.mode & 0o111 else 0o644)
    finally:
        os.close(descriptor)
