"""Events on disk until every channel of their notifier has taken them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Sequence

from .event import Event, event_of, event_text
from .state import save_text
from .strict_json import MalformedError

SUFFIX = ".event"
# More than this wait only when nobody has read for long; the oldest go first, and the journal has them.
MOST_EVENTS = 1000


@dataclass(frozen=True)
class Spooled:
    """One event and the file that it lies in."""

    path: str
    event: Event


def put_event(directory: str, event: Event, most: int = MOST_EVENTS) -> list[Event]:
    """Keep an event so that a power cut does not lose it. Gives those that had to go for it. Raises OSError."""
    os.makedirs(directory, 0o700, exist_ok=True)
    name = f"{int(event.time * 1000):014d}-{event.id}{SUFFIX}"
    save_text(os.path.join(directory, name), event_text(event))
    dropped: list[Event] = []
    names = _names(directory)
    for old in names[: max(0, len(names) - most)]:
        found = _read(os.path.join(directory, old))
        os.unlink(os.path.join(directory, old))
        if found is not None:
            dropped.append(found)
    return dropped


def spooled_events(directory: str) -> tuple[list[Spooled], list[str]]:
    """Every event that waits, oldest first, and the names of files that hold none; these are set aside."""
    events: list[Spooled] = []
    broken: list[str] = []
    for name in _names(directory):
        path = os.path.join(directory, name)
        event = _read(path)
        if event is not None:
            events.append(Spooled(path, event))
        elif os.path.exists(path):
            os.replace(path, f"{path}.broken")
            broken.append(name)
    return events, broken


def keep_left(item: Spooled, left: Sequence[str], tries: int) -> None:
    """Remember through which channels the event is still to go; with none it is done."""
    if not left:
        os.unlink(item.path)
        return
    event = Event(**{**vars(item.event), "left": tuple(left), "tries": tries})
    save_text(item.path, event_text(event))


def is_waiting(directory: str) -> bool:
    """Whether anything waits."""
    return bool(_names(directory))


def _names(directory: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(directory) if name.endswith(SUFFIX))
    except FileNotFoundError:
        return []


def _read(path: str) -> Event | None:
    try:
        with open(path, encoding="utf-8") as source:
            return event_of(source.read(1 << 20))
    except (OSError, UnicodeDecodeError, MalformedError):
        return None
