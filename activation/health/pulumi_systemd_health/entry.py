"""The commands of the program: those that systemd's units run, and those for a person at the machine."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from typing import Sequence

from .beside import run_beside
from .command import OverdueError, completed
from .decision import span
from .delivery import deliver_all
from .errors import BrokenCheckError
from .failed import tell_failure
from .group import group_at, group_names, notifier_at
from .hold import EVERY_CHECK, LONGEST_LEASE_SEC, holds_at, set_hold
from .journal import say
from .overview import overview_of, table_of
from .places import Places
from .run import ASKED, Run
from .time_span import seconds_of_span

USAGE = """usage: python3 {program} COMMAND

  status [--json] [CHECK...]   every check, its state, its history, its budget, when it will act
  hold DURATION [CHECK...]     do nothing about these checks, or any, for a time such as 30m, 2h; checks go on
  resume [CHECK...]            end a hold
  check [CHECK...]             check now, then show the status

For the units: run SERVICE, deliver NOTIFIER, failed NOTIFIER UNIT, beside SETTINGS PROGRAM..."""

CHECK_SEC = 600.0
ASKED_TIMES = 5
SHORT_SPAN = re.compile(r"\s*(\d+)\s*(s|m|h|d)?\s*")
SHORT_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, None: 1.0}


class UsageError(Exception):
    """What a person asked for is not understood. The text is the whole message."""


def main(arguments: Sequence[str], program: str) -> int:
    """Run one command. The exit status is 0 when it was done, 1 when it could not be, 2 when it was not understood."""
    words = list(arguments)
    root, scope = "/", os.path.splitext(os.path.basename(program))[0]
    while words and words[0].startswith("--") and "=" in words[0]:
        name, value = words.pop(0)[2:].split("=", 1)
        root, scope = (value, scope) if name == "root" else (root, value) if name == "scope" else (root, scope)
    places = Places(root, scope)
    try:
        return _command(words, places, program)
    except UsageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except BrokenCheckError as problem:
        say(3, str(problem))
        return 1
    except PermissionError as problem:
        sys.stderr.write(f"{problem.filename}: {problem.strerror}; run it as root\n")
        return 1


def _command(words: list[str], places: Places, program: str) -> int:
    verb, rest = (words[0], words[1:]) if words else ("status", [])
    if verb == "run" and len(rest) == 1:
        return Run(places, rest[0]).run()
    if verb == "deliver" and len(rest) == 1:
        deliver_all(notifier_at(places, rest[0]), places.spool(rest[0]))
        return 0
    if verb == "failed" and len(rest) == 2:
        return tell_failure(places, notifier_at(places, rest[0]), rest[1])
    if verb == "beside" and len(rest) > 1:
        return run_beside(rest[0], rest[1:])
    if verb == "status":
        return _show_status(places, [word for word in rest if word != "--json"], "--json" in rest)
    if verb == "hold" and rest:
        return _hold(places, rest[0], rest[1:])
    if verb == "resume":
        return _resume(places, rest)
    if verb == "check":
        return _check_now(places, rest)
    raise UsageError(USAGE.format(program=program))


def _show_status(places: Places, only: Sequence[str], as_json: bool) -> int:
    now = time.time()
    _known(places, only)
    overview = overview_of(places, only, now)
    text = json.dumps(overview, indent=2) if as_json else "\n".join(table_of(overview, now))
    sys.stdout.write(f"{text}\n")
    return 0


def _known(places: Places, names: Sequence[str]) -> dict[str, str]:
    """The group of every check and of every group by its name. Raises UsageError for names that are none of these."""
    groups: dict[str, str] = {}
    for name in group_names(places):
        groups[name] = name
        groups.update({check.name: name for check in group_at(places, name).checks})
    for name in names:
        if name not in groups:
            raise UsageError(f"{name} is no check on this host; there are {', '.join(groups) or 'none'}")
    return groups


def _checks_named(places: Places, names: Sequence[str]) -> list[str]:
    groups = _known(places, names)
    return [check for check, group in groups.items() if check in names or group in names]


def _hold(places: Places, duration: str, names: Sequence[str]) -> int:
    match = SHORT_SPAN.fullmatch(duration)
    seconds = float(match.group(1)) * SHORT_UNITS[match.group(2)] if match else seconds_of_span(duration)
    if seconds is None or not 0 < seconds <= LONGEST_LEASE_SEC:
        raise UsageError(f"{duration!r} is no time from 1s to 24h; write e.g. 30m or 2h")
    now = time.time()
    for name in _checks_named(places, names) if names else [EVERY_CHECK]:
        set_hold(places.reports, name, now + seconds, now)
    sys.stdout.write(f"held for {span(seconds)}: {', '.join(names) or 'every check'}\n")
    return 0


def _resume(places: Places, names: Sequence[str]) -> int:
    now = time.time()
    changed = [set_hold(places.reports, name, None, now) for name in (_checks_named(places, names) or [EVERY_CHECK])]
    what = ", ".join(names) or "every check"
    sys.stdout.write(f"no longer held: {what}\n" if any(changed) else f"was not held: {what}\n")
    left = holds_at(places.reports, now).get(EVERY_CHECK, now) - now
    if names and left > 0:
        sys.stdout.write(f"but every check is held for {span(left)} more: `resume` without a name ends that\n")
    return 0


def _check_now(places: Places, names: Sequence[str]) -> int:
    groups = _known(places, names)
    wanted = sorted({groups[name] for name in names} or set(groups.values()))
    os.makedirs(places.reports, 0o700, exist_ok=True)
    marks = {os.path.join(places.reports, f"{group}.{ASKED}"): group_at(places, group).service for group in wanted}
    for mark in marks:
        with open(mark, "w", encoding="ascii"):
            pass
    # The first start waits for a run that took the wish up and is still at it. One that is about to end takes the start
    # for its own and looks no more: then it is started again.
    services = sorted(set(marks.values()))
    for _ in range(ASKED_TIMES):
        _run_services(services)
        services = sorted({service for mark, service in marks.items() if os.path.exists(mark)})
        if not services:
            break
    return _show_status(places, names, False)


def _run_services(services: Sequence[str]) -> None:
    try:
        done = completed(("systemctl", "start", "--", *services), CHECK_SEC)
    except OverdueError:
        raise BrokenCheckError(f"{', '.join(services)}: no end in {CHECK_SEC:.0f} s") from None
    # It fails when a check could not be made, which the status tells; a refused start is worth a word.
    if done.code != 0:
        sys.stderr.write(f"{done.out.strip()}\n")


def ended(arguments: list[str] | None = None) -> None:
    """Run `main` and end the process at once, whatever probe still hangs."""
    code = main(sys.argv[1:] if arguments is None else arguments, sys.argv[0])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
