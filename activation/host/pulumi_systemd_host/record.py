"""Reads back what this program wrote: into its dataclasses, with every type checked. A damaged record stops here."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Callable, Iterable, TypeVar

from .errors import HostError

T = TypeVar("T")

# What comes of reading a damaged record.
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
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


class NewerRecordError(TypeError):
    """All that this version knows of a record is there and right, and there is more: a newer version wrote it."""


def record(kind: type[T], value: Any, pass_over: bool = False) -> T:
    """
    The dataclass `kind` out of parsed JSON. Raises TypeError or ValueError where a part is missing or is no such, and
    NewerRecordError where only further keys are in it. `pass_over` leaves these out: what comes of it is not to be
    written again. A key that an older version must not pass over needs another format.
    """
    unknown: list[str] = []
    found = _record(kind, value, unknown)
    if unknown and not pass_over:
        raise NewerRecordError
    return found


def _record(kind: type[T], value: Any, unknown: list[str]) -> T:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise TypeError
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    missing = [
        name
        for name, field in known.items()
        if name not in value and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise TypeError
    unknown += set(value) - set(known)
    module = sys.modules[kind.__module__].__dict__
    return kind(
        **{name: _typed(value[name], str(known[name].type), module, unknown) for name in known if name in value}
    )


def check_readable(path: str, read: Callable[[], Any]) -> None:
    """Raises HostError unless `read`, which is what reads `path` later, takes what is about to be written there."""
    try:
        read()
    except (*UNREADABLE, HostError):
        raise HostError(
            f"{path} was not written, since it could not be read again. Next: report this as a fault of pulumi-systemd."
        ) from None


def check_paths(paths: Iterable[str]) -> None:
    """Raises ValueError unless all are absolute, normal and below the root: a damaged one must not be acted on."""
    for path in paths:
        if path == "/" or not path.startswith("/") or os.path.normpath(path) != path or path.startswith("//"):
            raise ValueError


def check_strings(values: Iterable[Any]) -> None:
    """Raises TypeError unless all are strings."""
    if not all(isinstance(value, str) for value in values):
        raise TypeError


def _typed(value: Any, wanted: str, module: dict[str, Any], unknown: list[str]) -> Any:
    if wanted.endswith(NULLABLE):
        return None if value is None else _typed(value, wanted[: -len(NULLABLE)], module, unknown)
    if wanted == "Any":
        return value
    listed, mapped = LIST.fullmatch(wanted), DICT.fullmatch(wanted)
    if listed and isinstance(value, list):
        return [_typed(part, listed.group(1), module, unknown) for part in value]
    if mapped and isinstance(value, dict):
        return {
            _typed(key, "str", module, unknown): _typed(part, mapped.group(1), module, unknown)
            for key, part in value.items()
        }
    if wanted == "str" and isinstance(value, str):
        if UNUSABLE.search(value):
            raise ValueError
        return value
    if wanted == "bool" and isinstance(value, bool):
        return value
    is_number = isinstance(value, (int, float) if wanted == "float" else int) and not isinstance(value, bool)
    if wanted in ("int", "float", "Signed") and is_number:
        least = 1 - LARGEST if wanted == "Signed" else 0
        if not least <= value <= (LARGEST_FLOAT if wanted == "float" else LARGEST - 1):
            raise ValueError
        return value
    if is_dataclass(module.get(wanted)):
        return _record(module[wanted], value, unknown)
    raise TypeError
