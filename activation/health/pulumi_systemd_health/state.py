"""What a check remembers from one run to the next, over restarts and reboots."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from .strict_json import Fields, MalformedError, number, parsed_json

STATE_FORMAT = 1
STATE_FILE = "state.json"
LONGEST_STATE = 1 << 20


@dataclass(frozen=True)
class Outage:
    """A time in which the unit is not well, from the check that told it on. `since` is Unix time in seconds."""

    since: float
    reason: str
    restarts: int


@dataclass(frozen=True)
class State:
    """`restarts` are Unix times in seconds, oldest first: what is used of the budget."""

    unit: str
    failures: int = 0
    restarts: tuple[float, ...] = ()
    outage: Outage | None = None
    # Whether it was told that the budget is used up; a further restart makes that worth telling again.
    told_used_up: bool = False


def state_of(text: str) -> State:
    """The state in a file's text. Raises MalformedError."""
    fields = Fields(parsed_json(text), "", ("format", "unit", "failures", "restarts", "outage", "told_used_up"))
    fields.integer("format", STATE_FORMAT, STATE_FORMAT)
    restarts = tuple(number(item, f"restarts[{index}]") for index, item in enumerate(fields.items("restarts")))
    if list(restarts) != sorted(restarts):
        raise MalformedError("restarts are not in the order of time")
    return State(
        unit=fields.text("unit"),
        failures=fields.integer("failures", 0, 1 << 31),
        restarts=restarts,
        outage=None if fields.raw("outage") is None else _outage(fields.raw("outage")),
        told_used_up=fields.flag("told_used_up"),
    )


def _outage(value: object) -> Outage:
    fields = Fields(value, "outage", ("since", "reason", "restarts"))
    return Outage(fields.number("since"), fields.text("reason"), fields.integer("restarts", 0, 1 << 31))


def state_text(state: State) -> str:
    """The text of which `state_of` makes the same state again."""
    return json.dumps({"format": STATE_FORMAT, **asdict(state)}, indent=1) + "\n"


def loaded_state(directory: str) -> State | None:
    """The state of the last run, or None before the first. Raises MalformedError for a file that is none."""
    try:
        with open(os.path.join(directory, STATE_FILE), "rb") as source:
            data = source.read(LONGEST_STATE)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise MalformedError(f"the file cannot be read: {problem.strerror}") from None
    try:
        return state_of(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedError("the text is not UTF-8") from None


def save_state(directory: str, state: State) -> None:
    """Write the state so that it is wholly there or not at all, also after a power cut. Raises OSError."""
    path = os.path.join(directory, STATE_FILE)
    draft = f"{path}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as target:
        target.write(state_text(state))
        target.flush()
        os.fsync(target.fileno())
    os.replace(draft, path)
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
