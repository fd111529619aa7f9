"""What checks remember from one run to the next, over restarts and reboots."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Mapping

from .strict_json import Fields, MalformedError, number, parsed_json

STATE_FORMAT = 2
LONGEST_STATE = 8 << 20


@dataclass(frozen=True)
class Outage:
    """A time in which something is not well, from when it was told on. Times are Unix times in seconds."""

    since: float
    reason: str
    actions: int
    # When it was last spoken of, so that a reminder comes in its turn.
    told: float
    # Whether a rollback was tried: an outage has one at most.
    rolled_back: bool = False


@dataclass(frozen=True)
class State:
    """All that is remembered of one check."""

    unit: str | None
    # Whether each of the last checks failed, newest last, without those that can no longer matter.
    recent: tuple[bool, ...] = ()
    # Unix times of the actions that still count, oldest first: what is used of the budget.
    actions: tuple[float, ...] = ()
    # Actions since the unit was last well for long: the rung of the ladder, and the exponent of the pause.
    tries: int = 0
    next_allowed: float = 0.0
    well_since: float | None = None
    outage: Outage | None = None
    # Since when nothing more is done, but for one action each time a part of the window is over.
    opened: float | None = None
    # Since when the check itself cannot be made.
    blind: float | None = None
    # Restarts by systemd itself that the last check found, and how many checks in a row found more of them.
    restarts: int = 0
    loops: int = 0
    # When it was last left alone because of what it depends on, until it is well.
    blocked: float | None = None
    # The outages, where updates can be taken back: each from when it was told to when it was last ill, oldest first.
    # What was ill before an update is not its fault.
    ill: tuple[tuple[float, float], ...] = ()


STATE_KEYS = (
    *("unit", "recent", "actions", "tries", "next_allowed", "well_since", "outage", "opened", "blind"),
    *("restarts", "loops", "blocked", "ill"),
)


def states_of(text: str) -> dict[str, State]:
    """The states in a file's text, by the name of their check. Raises MalformedError."""
    fields = Fields(parsed_json(text), "", ("format", "checks"), others=True)
    fields.integer("format", STATE_FORMAT, STATE_FORMAT)
    checks = fields.raw("checks")
    if not isinstance(checks, dict):
        raise MalformedError("checks is not an object")
    return {name: _state(value, f"checks.{name}") for name, value in checks.items()}


def _state(value: object, path: str) -> State:
    # A state that was written before these were counted is no reason to forget what is used of the budget.
    later: dict[str, object] = {"restarts": 0, "loops": 0, "blocked": None, "ill": []}
    fields = Fields(value, path, STATE_KEYS, others=True, later=later)

    def moment(key: str) -> float | None:
        return None if fields.raw(key) is None else fields.number(key)

    actions = tuple(number(item, f"{path}.actions[{index}]") for index, item in enumerate(fields.items("actions")))
    if list(actions) != sorted(actions):
        raise MalformedError(f"{path}.actions are not in the order of time")
    recent = fields.items("recent")
    if not all(isinstance(item, bool) for item in recent):
        raise MalformedError(f"{path}.recent holds something that is neither true nor false")
    return State(
        unit=fields.optional_text("unit"),
        recent=tuple(bool(item) for item in recent),
        actions=actions,
        tries=fields.integer("tries", 0, 1 << 31),
        next_allowed=fields.number("next_allowed"),
        well_since=moment("well_since"),
        outage=None if fields.raw("outage") is None else _outage(fields.raw("outage"), f"{path}.outage"),
        opened=moment("opened"),
        blind=moment("blind"),
        restarts=fields.integer("restarts", 0, 1 << 62),
        loops=fields.integer("loops", 0, 1 << 31),
        blocked=moment("blocked"),
        ill=tuple(_times_ill(item, f"{path}.ill[{index}]") for index, item in enumerate(fields.items("ill"))),
    )


def _times_ill(value: object, path: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedError(f"{path} is not a list of two times")
    return number(value[0], path), number(value[1], path)


def _outage(value: object, path: str) -> Outage:
    later = {"rolled_back": False}
    keys = ("since", "reason", "actions", "told", *later)
    fields = Fields(value, path, keys, others=True, later=later)
    return Outage(
        since=fields.number("since"),
        reason=fields.text("reason"),
        actions=fields.integer("actions", 0, 1 << 31),
        told=fields.number("told"),
        rolled_back=fields.flag("rolled_back"),
    )


def states_text(states: Mapping[str, State]) -> str:
    """The text of which `states_of` makes the same states again."""
    checks = {name: asdict(state) for name, state in sorted(states.items())}
    return json.dumps({"format": STATE_FORMAT, "checks": checks}, indent=1) + "\n"


def loaded_states(path: str) -> dict[str, State]:
    """The states of the last run, none before the first. Raises MalformedError for a file that holds none."""
    try:
        with open(path, "rb") as source:
            data = source.read(LONGEST_STATE)
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise MalformedError(f"the file cannot be read: {problem.strerror}") from None
    try:
        return states_of(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise MalformedError("the text is not UTF-8") from None


def save_text(path: str, text: str, mode: int = 0o600) -> None:
    """Write a file so that it is wholly there or not at all, also after a power cut. Raises OSError."""
    draft = f"{path}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with open(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    os.replace(draft, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
