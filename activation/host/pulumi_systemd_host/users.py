"""System accounts: created when absent, never altered, removed only when this program made them."""

from __future__ import annotations

import fcntl
import os
import re
from typing import Iterable

from .bundle import User
from .errors import HostError
from .files import remove_file, stage_file
from .system import System
from .systemctl import first_line

ABSENT_KEY = 2
COPY = re.compile(
    r"\.#(passwd|shadow|group|gshadow)[0-9A-Za-z]{6,16}|(passwd|shadow|group|gshadow|subuid|subgid)(\.[0-9]+|\+)"
)
LOCKS = tuple(f"/etc/{name}.lock" for name in ("passwd", "shadow", "group", "gshadow", "subuid", "subgid"))


def known_accounts(system: System, names: Iterable[str], seconds: float) -> set[str]:
    """Which of `names` are accounts on this host, wherever they come from (files, LDAP, ...)."""
    asked = sorted(set(names))
    if not asked:
        return set()
    done = system.run(["getent", "passwd", "--", *asked], seconds)
    if done.code not in (0, ABSENT_KEY):
        raise HostError(f"getent passwd failed: {first_line(done)}")
    return {line.split(":", 1)[0] for line in done.out.splitlines() if ":" in line} & set(asked)


def known_groups(system: System, names: Iterable[str], seconds: float) -> set[str]:
    """Which of `names` are groups on this host."""
    asked = sorted(set(names))
    if not asked:
        return set()
    done = system.run(["getent", "group", "--", *asked], seconds)
    if done.code not in (0, ABSENT_KEY):
        raise HostError(f"getent group failed: {first_line(done)}")
    return {line.split(":", 1)[0] for line in done.out.splitlines() if ":" in line} & set(asked)


def create_users(system: System, users: list[User], groups: list[str], directory: str, seconds: float) -> None:
    """
    Create each account, and its group when that is absent, as a system account that cannot log in; and further groups.
    """
    if not users and not groups:
        return
    path = os.path.join(directory, "sysusers.conf")
    remove_file(path)
    stage_file(path, sysusers_text(users, groups).encode("utf-8"), 0o600)
    done = system.run(["systemd-sysusers", path], seconds)
    there = known_accounts(system, [user.name for user in users], seconds)
    absent = [user.name for user in users if user.name not in there]
    absent += sorted(set(groups) - known_groups(system, groups, seconds))
    if done.code != 0 or absent:
        raise HostError(f"systemd-sysusers did not create {', '.join(absent) or 'the users'}: {first_line(done)}")


def sysusers_text(users: list[User], groups: list[str]) -> str:
    """The sysusers.d lines for `users` and further `groups` (sysusers.d(5))."""
    lines = [f"g {group} -" for group in groups]
    for user in users:
        if user.group == user.name:
            lines.append(f'u {user.name} - "pulumi-systemd" {user.home} -')
        else:
            lines.append(f"g {user.group} -")
            lines.append(f'u {user.name} -:{user.group} "pulumi-systemd" {user.home} -')
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))


def remove_halves(system: System, names: Iterable[str], groups: Iterable[str], seconds: float) -> None:
    """
    Remove what is left of accounts and groups whose removal was cut off: lines of shadow and gshadow alone, and the
    locks of the tool that was killed. Made whole again they can be removed as any other.
    """
    there = known_groups(system, {*groups, *names}, seconds)
    for name in sorted({*groups, *names} - there):
        if _has_line(system, "/etc/gshadow", name):
            system.run(["groupadd", "--system", "--", name], seconds)
            system.run(["groupdel", "--", name], seconds)
    there = known_accounts(system, names, seconds)
    for name in sorted(set(names) - there):
        if _has_line(system, "/etc/shadow", name):
            system.run(["useradd", "--system", "--no-create-home", "--no-user-group", "--", name], seconds)
            system.run(["userdel", "--", name], seconds)
    for path in LOCKS:
        _remove_stale_lock(system.at(path))


def remove_copies(system: System, since: float) -> None:
    """
    Remove the unfinished copies of account files that a killed systemd-sysusers or useradd left since then.

    Both hold the lock of /etc/.pwd.lock while they work: with it no copy is in use.
    """
    try:
        descriptor = os.open(system.at("/etc/.pwd.lock"), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for name in os.listdir(system.at("/etc")):
            path = system.at(f"/etc/{name}")
            if COPY.fullmatch(name) and os.lstat(path).st_ctime >= since:
                remove_file(path)
    except BlockingIOError:
        # Somebody else changes accounts: a copy may be theirs.
        return
    finally:
        os.close(descriptor)


def _has_line(system: System, path: str, name: str) -> bool:
    try:
        with open(system.at(path), encoding="utf-8", errors="replace") as source:
            return any(line.startswith(f"{name}:") for line in source)
    except OSError:
        return False


def _remove_stale_lock(path: str) -> None:
    """The lock holds the number of the process that made it, as shadow-utils does; one that is gone holds nothing."""
    try:
        with open(path, "rb") as source:
            process = int(source.read(20).strip(b"\0\n ") or b"0")
    except (OSError, ValueError):
        return
    if process > 0 and not os.path.exists(f"/proc/{process}"):
        remove_file(path)


def remove_users(system: System, names: Iterable[str], groups: Iterable[str], seconds: float) -> list[str]:
    """Remove accounts and groups; what could not be removed, in words."""
    problems = []
    for name in names:
        done = system.run(["userdel", "--", name], seconds)
        if done.code != 0 and known_accounts(system, [name], seconds):
            problems.append(f"user {name} could not be removed: {first_line(done)}")
    for group in known_groups(system, groups, seconds):
        done = system.run(["groupdel", "--", group], seconds)
        if done.code != 0:
            problems.append(f"group {group} could not be removed: {first_line(done)}")
    return problems
