"""Instances of one service change one after the other: the others serve meanwhile."""

from __future__ import annotations

import re
from typing import Iterable

NUMBER = re.compile(r"(\d+)")


def rolled(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """
    Those of `names` that are one of several instances of a service among `known`, such as `api@1.service`.

    Instances of one service stand together, `api@2` before `api@10`.
    """
    family: dict[str, int] = {}
    for name in known:
        if _is_instance(name):
            family[_service(name)] = family.get(_service(name), 0) + 1
    return sorted((name for name in set(names) if _is_instance(name) and family.get(_service(name), 0) > 1), key=_order)


def stopped_at(roll: list[str], name: str) -> str:
    """What is said of a roll that ended at one instance."""
    own = [each for each in roll if _service(each) == _service(name)]
    after = len(own) - own.index(name) - 1
    rest = f"; the {after} after it {'was' if after == 1 else 'were'} not touched" if after else ""
    return f"it was instance {own.index(name) + 1} of {len(own)} that change one by one{rest}"


def _is_instance(name: str) -> bool:
    return name.endswith(".service") and bool(name.partition("@")[2]) and "@." not in name


def _service(name: str) -> str:
    return name.partition("@")[0]


def _order(name: str) -> tuple[str, list[tuple[int, str]]]:
    parts = NUMBER.split(name.partition("@")[2])
    return _service(name), [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
