"""JSON objects read strictly: every key known and there, every value of the right type and in its range."""

from __future__ import annotations

import json
import math
from types import MappingProxyType
from typing import Iterable, Mapping


class MalformedError(Exception):
    """A text is not what it must be. Names the path of the field, never a value: it may be secret."""


class Fields:
    """
    One JSON object. `path` names it in messages. What this program itself wrote may hold `others`: keys of a newer one,
    which wrote it before the host went back to this one; and may lack keys that came `later`, for which their values
    stand.
    """

    def __init__(
        self,
        value: object,
        path: str,
        keys: Iterable[str],
        others: bool = False,
        later: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        known = list(keys)
        if not isinstance(value, dict):
            raise MalformedError(f"{path or 'the whole'} is not an object")
        self._values: dict[str, object] = {**later, **value}
        self._path = path
        for key in value:
            if key not in known and not others:
                raise MalformedError(f"{self.path(key)} is not known; known are {', '.join(known)}")
        for key in known:
            if key not in self._values:
                raise MalformedError(f"{self.path(key)} is missing")

    def path(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def raw(self, key: str) -> object:
        return self._values[key]

    def text(self, key: str) -> str:
        value = self._values[key]
        if not isinstance(value, str) or not value:
            raise MalformedError(f"{self.path(key)} is not a text with at least one character")
        return value

    def optional_text(self, key: str) -> str | None:
        return None if self._values[key] is None else self.text(key)

    def texts(self, key: str) -> list[str]:
        items = self.items(key)
        texts = [item for item in items if isinstance(item, str)]
        if len(texts) != len(items):
            raise MalformedError(f"{self.path(key)} holds something that is not a text")
        return texts

    def items(self, key: str) -> list[object]:
        value = self._values[key]
        if not isinstance(value, list):
            raise MalformedError(f"{self.path(key)} is not a list")
        return value

    def flag(self, key: str) -> bool:
        value = self._values[key]
        if not isinstance(value, bool):
            raise MalformedError(f"{self.path(key)} is neither true nor false")
        return value

    def integer(self, key: str, least: int, most: int) -> int:
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise MalformedError(f"{self.path(key)} is not a whole number from {least} to {most}")
        return value

    def number(self, key: str, least: float = 0.0) -> float:
        return number(self._values[key], self.path(key), least)


def number(value: object, path: str, least: float = 0.0) -> float:
    """A finite number of at least `least`."""
    try:
        found = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    except OverflowError:
        # A whole number of hundreds of digits.
        found = math.inf
    if not math.isfinite(found) or found < least:
        raise MalformedError(f"{path} is not a number of at least {least:g}")
    return found


def parsed_json(text: str) -> object:
    """The value of a JSON text in which no key stands twice."""
    try:
        value: object = json.loads(text, object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as problem:
        where = f" (line {problem.lineno})" if isinstance(problem, json.JSONDecodeError) else ""
        raise MalformedError(f"the text is not JSON{where}") from None
    return value


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise MalformedError("a key stands twice")
    return dict(pairs)
