"""Which groups are due: those whose timer fired after they were last begun. systemd alone reads calendars."""

from __future__ import annotations

import re
from typing import Iterable, Mapping

from .units import systemctl_output

SPAN_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")
SECONDS_OF = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "month": 2629800.0,
    "months": 2629800.0,
    "y": 31557600.0,
    "year": 31557600.0,
    "years": 31557600.0,
}


def last_triggers(timers: Iterable[str]) -> dict[str, float]:
    """When each timer last fired, CLOCK_MONOTONIC in seconds; one that has not since boot is left out."""
    names = list(dict.fromkeys(timers))
    if not names:
        return {}
    out = systemctl_output("show", "--no-pager", "-p", "Id,LastTriggerUSecMonotonic", "--", *names)
    found: dict[str, float] = {}
    for name, block in zip(names, (each for each in out.split("\n\n") if each.strip())):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        seconds = seconds_of_span(properties.get("LastTriggerUSecMonotonic", ""))
        if seconds is not None and seconds > 0:
            found[name] = seconds
    return found


def seconds_of_span(text: str) -> float | None:
    """The length of a time as systemctl prints it: `1h 2min 3.456s`, `0`, or none for `n/a` and `infinity`."""
    if text == "0":
        return 0.0
    parts = SPAN_PART.findall(text)
    if not parts or any(unit not in SECONDS_OF for _, unit in parts):
        return None
    return sum(float(count) * SECONDS_OF[unit] for count, unit in parts)


def is_due(fired: float | None, begun: float | None) -> bool:
    """Whether a group is due whose timer fired then and which was last begun then, both since boot."""
    return fired is not None and (begun is None or fired > begun)


def due_names(timers: Mapping[str, str], triggers: Mapping[str, float], begun: Mapping[str, float]) -> list[str]:
    """The groups that are due, of `timers` by the group's name."""
    return [name for name, timer in timers.items() if is_due(triggers.get(timer), begun.get(name))]
