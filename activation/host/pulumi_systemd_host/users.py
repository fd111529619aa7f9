"""System accounts: created when absent, never altered, removed only when this program made them."""

from __future__ import annotations

import os
from typing import Iterable

from .bundle import User
from .errors import HostError
from .files import remove_file, stage_file
from .system import System
from .systemctl import first_line

ABSENT_KEY = 2


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


def create_users(system: System, users: list[User], directory: str, seconds: float) -> None:
    """Create each account, and its group when that is absent, as a system account that cannot log in."""
    if not users:
        return
    path = os.path.join(directory, "sysusers.conf")
    remove_file(path)
    stage_file(path, sysusers_text(users).encode("utf-8"), 0o600)
    done = system.run(["systemd-sysusers", path], seconds)
    there = known_accounts(system, [user.name for user in users], seconds)
    absent = [user.name for user in users if user.name not in there]
    if done.code != 0 or absent:
        raise HostError(f"systemd-sysusers did not create {', '.join(absent) or 'the users'}: {first_line(done)}")


def sysusers_text(users: list[User]) -> str:
    """The sysusers.d lines for `users` (sysusers.d(5))."""
    lines = []
    for user in users:
        if user.group == user.name:
            lines.append(f'u {user.name} - "pulumi-systemd" {user.home} -')
        else:
            lines.append(f"g {user.group} -")
            lines.append(f'u {user.name} -:{user.group} "pulumi-systemd" {user.home} -')
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))


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
