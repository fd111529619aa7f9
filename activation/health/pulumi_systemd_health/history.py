"""What was told of the checks of a group, the last of it."""

from __future__ import annotations

import json
import os
import time
from typing import Sequence

from .strict_json import Fields, MalformedError, parsed_json

MOST_LINES = 200


class HistoryEntry:
    """One thing that was told, at a Unix time in seconds."""

    def __init__(self, at: float, check: str, event: str, text: str) -> None:
        self.at, self.check, self.event, self.text = at, check, event, text


def add_to_history(path: str, entries: Sequence[HistoryEntry]) -> None:
    """Write entries at the end. When there are twice as many as wanted, the older half goes. Raises OSError."""
    if not entries:
        return
    lines = [
        json.dumps({"at": each.at, "check": each.check, "event": each.event, "text": each.text}) for each in entries
    ]
    known = _history_lines(path)
    if len(known) + len(lines) > 2 * MOST_LINES:
        draft = f"{path}.new"
        with open(draft, "w", encoding="utf-8") as target:
            target.write("".join(f"{line}\n" for line in [*known, *lines][-MOST_LINES:]))
        os.replace(draft, path)
        return
    with open(path, "a", encoding="utf-8") as target:
        target.write("".join(f"{line}\n" for line in lines))


def loaded_history(path: str) -> list[HistoryEntry]:
    """The entries, oldest first. A line that a power cut left half is left out."""
    entries = [_history_entry(line) for line in _history_lines(path)]
    return [entry for entry in entries if entry is not None]


def _history_entry(line: str) -> HistoryEntry | None:
    try:
        fields = Fields(parsed_json(line), "", ("at", "check", "event", "text"), others=True)
        return HistoryEntry(fields.number("at"), fields.text("check"), fields.text("event"), fields.text("text"))
    except MalformedError:
        return None


def _history_lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read().splitlines()
    except FileNotFoundError:
        return []


def add_to_log(path: str, entries: Sequence[HistoryEntry]) -> None:
    """The same for a file that people read. logrotate turns it over. Raises OSError."""
    if not entries:
        return
    with open(path, "a", encoding="utf-8") as target:
        for each in entries:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each.at))
            target.write(f"{stamp} {each.check} {each.event}: {each.text}\n")
