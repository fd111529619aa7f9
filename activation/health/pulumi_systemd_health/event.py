"""What is told to people: one event, as it lies in a spool and as it is sent."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass

from .strict_json import Fields, parsed_json

EVENT_FORMAT = 1
EVENT_KEYS = ("format", "id", "time", "host", "subject", "unit", "event", "priority", "text", "lines", "left", "tries")


@dataclass(frozen=True)
class Event:
    """`subject` is the check or unit that it is about; `lines` are the end of the unit's journal, without secrets."""

    id: str
    time: float
    host: str
    subject: str
    unit: str | None
    event: str
    priority: int
    text: str
    lines: tuple[str, ...] = ()
    # Channels that it is still to be sent through; None: all of the notifier's.
    left: tuple[str, ...] | None = None
    tries: int = 0

    @property
    def summary(self) -> str:
        """One line that says all in short."""
        return f"{self.host}: {self.subject}: {self.text}"

    @property
    def when(self) -> str:
        """Its time in UTC, as ISO 8601 has it."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.time))


def new_id() -> str:
    return os.urandom(8).hex()


def event_text(event: Event) -> str:
    return json.dumps({"format": EVENT_FORMAT, **asdict(event)}) + "\n"


def event_of(text: str) -> Event:
    """The event in a file's text. Raises MalformedError."""
    fields = Fields(parsed_json(text), "", EVENT_KEYS, others=True)
    fields.integer("format", EVENT_FORMAT, EVENT_FORMAT)
    left = None if fields.raw("left") is None else tuple(fields.texts("left"))
    return Event(
        id=fields.text("id"),
        time=fields.number("time"),
        host=fields.text("host"),
        subject=fields.text("subject"),
        unit=fields.optional_text("unit"),
        event=fields.text("event"),
        priority=fields.integer("priority", 0, 7),
        text=fields.text("text"),
        lines=tuple(fields.texts("lines")),
        left=left,
        tries=fields.integer("tries", 0, 1 << 31),
    )
