"""Reads back what this program wrote: into its dataclasses, with every type checked. A damaged record stops here."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Iterable, TypeVar

T = TypeVar("T")

LIST = re.compile(r"list\[(.+)\]")
DICT = re.compile(r"dict\[str, (.+)\]")
NULLABLE = " | None"
LARGEST = 2**63
# A limit in bytes: systemd counts them in 64 bits.
LARGEST_FLOAT = 2.0**64
# Names and paths that no system call takes. Bytes that are no UTF-8 are in a name as U+DC80 to U+DCFF (PEP 383).
UNUSABLE = re.compile("[\0\ud800-\udc7f\udd00-\udfff]")
# A number that may be below zero, such as a time before 1970.
Signed = int


def record(kind: type[T], value: Any) -> T:
    """The dataclass `kind` out of parsed JSON. Raises TypeError or ValueError where a part is missing or is no such."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    missing = [
        name
        for name, field in known.items()
        if name not in value and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing or set(value) - set(known):
        raise TypeError
    module = sys.modules[kind.__module__].__dict__
    return kind(**{name: _typed(part, str(known[name].type), module) for name, part in value.items()})


def check_paths(paths: Iterable[str]) -> None:
    """Raises ValueError unless all are absolute, normal and below the root: a damaged one must not be acted on."""
    for path in paths:
        if path == "/" or not path.startswith("/") or os.path.normpath(path) != path or path.startswith("//"):
            raise ValueError


def check_strings(values: Iterable[Any]) -> None:
    """Raises TypeError unless all are strings."""
    if not all(isinstance(value, str) for value in values):
        raise TypeError


def _typed(value: Any, wanted: str, module: dict[str, Any]) -> Any:
    if wanted.endswith(NULLABLE):
        return None if value is None else _typed(value, wanted[: -len(NULLABLE)], module)
    if wanted == "Any":
        return value
    listed, mapped = LIST.fullmatch(wanted), DICT.fullmatch(wanted)
    if listed and isinstance(value, list):
        return [_typed(part, listed.group(1), module) for part in value]
    if mapped and isinstance(value, dict):
        return {_typed(key, "str", module): _typed(part, mapped.group(1), module) for key, part in value.items()}
    if wanted == "str" and isinstance(value, str):
        if UNUSABLE.search(value):
            raise ValueError
        return value
    if wanted == "bool" and isinstance(value, bool):
        return value
    if wanted == "Signed":
        return -_typed(-value, "int", module) if isinstance(value, int) and value < 0 else _typed(value, "int", module)
    is_number = isinstance(value, (int, float) if wanted == "float" else int) and not isinstance(value, bool)
    if wanted in ("int", "float") and is_number:
        if not 0 <= value <= (LARGEST_FLOAT if wanted == "float" else LARGEST - 1):
            raise ValueError
        return value
    if is_dataclass(module.get(wanted)):
        return record(module[wanted], value)
    raise TypeError
