"""The journal of one invocation of a unit."""

from __future__ import annotations

import json
import time
from typing import Any, Iterator

from .errors import HostError
from .system import System
from .systemctl import UnitState

LINES = 15
# Of all runs of the unit: others may have come since.
LOOKED_AT = 300
SECONDS = 10
NONE = "(the journal has nothing on it)"
RUN_FIELDS = ("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID")
WHO_FIELDS = ("SYSLOG_IDENTIFIER", "_COMM")
PID_FIELDS = ("_PID", "SYSLOG_PID")
FIELDS = ("MESSAGE", *RUN_FIELDS, *WHO_FIELDS, *PID_FIELDS)


def journal_lines(system: System, state: UnitState, invocation: str = "") -> list[str]:
    """The last lines of one invocation, or of the unit's latest: its own output and what systemd said about it."""
    run = invocation or state.invocation
    of_run = [word for field in RUN_FIELDS for word in ("+", f"{field}={run}")][1:]
    try:
        # Without a sync the last lines of a process that just died may be missing.
        system.run(["journalctl", "--sync"], SECONDS)
        lines = _of_run(_entries(system, LOOKED_AT, ["--boot", "--unit", state.name]), run)
        if run and not lines:
            lines = _of_run(_entries(system, LINES, of_run), run)
    except HostError as problem:
        return [f"(the journal cannot be read: {problem})"]
    return lines[-LINES:] or [NONE]


def _of_run(entries: Iterator[dict[str, Any]], run: str) -> list[str]:
    """
    Lines of one run; of all without one.

    The last words of a process that ends at once may come with the name of its unit alone, since journald looks for the
    rest when the process is gone: they are of the run that is told around them.
    """
    lines: list[str] = []
    at = ""
    for entry in entries:
        at = _first(entry, RUN_FIELDS) or at
        if not run or at == run:
            lines += _texts(entry)
    return lines


def _entries(system: System, count: int, matches: list[str]) -> Iterator[dict[str, Any]]:
    form = ["--no-pager", "--quiet", "-o", "json", f"--output-fields={','.join(FIELDS)}", "-n", str(count)]
    for line in system.run(["journalctl", *form, *matches], SECONDS).out.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _texts(entry: dict[str, Any]) -> list[str]:
    """As `journalctl -o short-iso --no-hostname` shows it, each line of a message by itself."""
    stamp = entry.get("__REALTIME_TIMESTAMP", "")
    when = time.localtime(int(stamp) / 1e6) if isinstance(stamp, str) and stamp.isdigit() else time.localtime(0)
    who = f"{_first(entry, WHO_FIELDS) or 'unknown'}[{_first(entry, PID_FIELDS) or '?'}]"
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        # It is not all UTF-8, or not printable.
        data = bytes(each for each in message if isinstance(each, int) and 0 <= each < 256)
        message = data.decode("utf-8", "replace")
    said = str(message or "").splitlines()
    return [f"{time.strftime('%Y-%m-%dT%H:%M:%S%z', when)} {who}: {line.rstrip()}" for line in said if line.strip()]


def _first(entry: dict[str, Any], fields: tuple[str, ...]) -> str:
    values = (entry.get(field) for field in fields)
    return next((value for value in values if isinstance(value, str) and value), "")
