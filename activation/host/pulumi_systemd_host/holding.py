"""Holding updates off: a person at work on the host says until when, and why."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import asdict

from .errors import HostError
from .files import make_directories, remove_file, write_atomically
from .ledger import ROOT, Hold, Ledger
from .system import System

# Of the whole host. No scope begins with a dot.
FILE = f"{ROOT}/.hold.json"
UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600}
UNITS.update({"d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800})
SPAN = re.compile(r"\s*(\d{1,6})\s*([a-z]+?)s?(?![a-z])")
LONGEST_SEC = 60 * 86_400
COMMAND = "pulumi-systemd-host"


def span_sec(text: str) -> int:
    """The seconds of a time span such as `90min`, `12h` or `1d 12h`. Raises ValueError with what is accepted."""
    rest, total = text.strip().lower(), 0
    while rest:
        match = SPAN.match(rest)
        if not match or match.group(2) not in UNITS:
            raise ValueError(f"{text!r} is no duration; write for example 90min, 12h or 2d")
        total += int(match.group(1)) * UNITS[match.group(2)]
        rest = rest[match.end() :].strip()
    if not 0 < total <= LONGEST_SEC:
        raise ValueError(f"{text!r} is not between 1s and {LONGEST_SEC // 86_400}d")
    return total


def moment(at: float) -> str:
    """A time for a person: `2026-01-31 03:04 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def read_hold(system: System) -> Hold | None:
    """The hold of the whole host, ended or not."""
    try:
        with open(system.at(FILE), encoding="utf-8") as source:
            return Hold(**json.load(source))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise HostError(f"{FILE} is damaged: `{COMMAND} resume` removes it") from None


def write_hold(system: System, hold: Hold | None) -> None:
    path = system.at(FILE)
    if hold is None:
        remove_file(path)
        return
    make_directories(os.path.dirname(path), 0o700)
    write_atomically(path, json.dumps(asdict(hold)).encode("utf-8"), 0o600, "hold")


def valid(hold: Hold | None, now: float) -> Hold | None:
    return hold if hold and now < hold.until else None


def told(hold: Hold) -> str:
    """Who holds, since when, until when and why."""
    why = f': "{hold.reason}"' if hold.reason else ""
    return f"held by {hold.who} since {moment(hold.at)} until {moment(hold.until)}{why}"


def refuse_if_held(system: System, ledger: Ledger | None, scope: str, now: float) -> None:
    """Raises HostError where a person holds updates off. What is left of a hold that has ended is removed."""
    of_host = read_hold(system)
    if of_host and not valid(of_host, now):
        write_hold(system, None)
    for what, hold in (("this host", of_host), (scope, ledger.hold if ledger else None)):
        found = valid(hold, now)
        if found:
            raise HostError(
                f"{what} is {told(found)}. Nothing was changed on the host.\n"
                f"Next: wait for its end, or run `sudo {COMMAND} resume` on the host; then run `pulumi up` again."
            )


def rollback_refusal(ledger: Ledger) -> str:
    """Why the same state that a person went back from is not brought back unasked."""
    back = ledger.rolled_back
    if back is None:
        return ""
    return (
        f"{rollback_told(ledger)}. This update asks for generation {back.left} again, unchanged, so it was refused; "
        "nothing was changed on the host.\n"
        f"Next: change the program and run `pulumi up`; or, to have it back as it is, `sudo {COMMAND} resume` on the "
        "host and then `pulumi up` again."
    )


def rollback_told(ledger: Ledger) -> str:
    """That a person went back on this host: from where, to where, who, when and why."""
    back = ledger.rolled_back
    if back is None:
        return ""
    why = f': "{back.reason}"' if back.reason else ""
    return (
        f"{ledger.scope} was rolled back on the host from generation {back.left} to {back.to} by {back.who} "
        f"on {moment(back.at)}{why}"
    )
