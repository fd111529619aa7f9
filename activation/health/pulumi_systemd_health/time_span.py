"""Lengths of time as systemctl prints them."""

from __future__ import annotations

import re

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


def seconds_of_span(text: str) -> float | None:
    """The length of a time as systemctl prints it: `1h 2min 3.456s`, `0`, or none for `n/a` and `infinity`."""
    if text == "0":
        return 0.0
    parts = SPAN_PART.findall(text)
    if not parts or any(unit not in SECONDS_OF for _, unit in parts):
        return None
    return sum(float(count) * SECONDS_OF[unit] for count, unit in parts)
