"""Which groups are due: those whose timer fired after they were last begun. systemd alone reads calendars."""

from __future__ import annotations

from typing import Iterable, Mapping

from .time_span import seconds_of_span
from .units import systemctl_output


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


def is_due(fired: float | None, begun: float | None) -> bool:
    """Whether a group is due whose timer fired then and which was last begun then, both since boot."""
    return fired is not None and (begun is None or fired > begun)


def due_names(timers: Mapping[str, str], triggers: Mapping[str, float], begun: Mapping[str, float]) -> list[str]:
    """The groups that are due, of `timers` by the group's name."""
    return [name for name, timer in timers.items() if is_due(triggers.get(timer), begun.get(name))]
