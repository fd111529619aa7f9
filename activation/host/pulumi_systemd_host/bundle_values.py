"""
Single values of a bundle, checked. Each is given its path in the bundle, and names it where it refuses. It repeats
no content.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Callable, TypeVar

from .errors import BundleError

T = TypeVar("T")

SHA256 = re.compile(r"[0-9a-f]{64}")
UNIT_NAME = re.compile(r"[A-Za-z0-9:_\\@-][A-Za-z0-9:_.\\@-]*\.[a-z]+")
RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@-]*")
UNIT_SUFFIXES = ("service", "socket", "timer", "path", "target", "mount", "automount", "swap", "slice")


def object_at(value: Any, at: str, keys: tuple[str, ...], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """`value` as an object with exactly these keys, in order. `optional`: defaults of those that may be missing."""
    defaults = optional or {}
    if not isinstance(value, dict):
        raise BundleError(f"{at}: expected an object, got {_kind(value)}")
    for key in value:
        if key not in keys and key not in defaults:
            shown = key if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key) else "(not a plain name)"
            raise BundleError(f"{at}: unknown key {shown}; accepted are {', '.join([*keys, *defaults])}")
    for key in keys:
        if key not in value:
            raise BundleError(f"{at}.{key}: missing")
    return {**{key: value[key] for key in keys}, **{key: value.get(key, each) for key, each in defaults.items()}}


def list_at(value: Any, at: str, item: Callable[[Any, str], T]) -> list[T]:
    if not isinstance(value, list):
        raise BundleError(f"{at}: expected a list, got {_kind(value)}")
    return [item(entry, f"{at}[{i}]") for i, entry in enumerate(value)]


def content_at(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise BundleError(f"{at}: expected a string, got {_kind(value)}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BundleError(f"{at}: holds half of a surrogate pair, which is no Unicode text") from None
    return value


def check_base64(value: Any, at: str) -> None:
    try:
        base64.b64decode(content_at(value, at), validate=True)
    except ValueError:
        raise BundleError(f"{at}: expected base64") from None


def text_at(value: Any, at: str, pattern: re.Pattern[str], wanted: str) -> str:
    text = content_at(value, at)
    if not pattern.fullmatch(text):
        raise BundleError(f"{at}: expected {wanted}")
    return text


def optional_at(value: Any, at: str, pattern: re.Pattern[str], wanted: str) -> str | None:
    return None if value is None else text_at(value, at, pattern, wanted)


def path_at(value: Any, at: str) -> str:
    text = content_at(value, at)
    parts = text.split("/")
    if (
        parts[0] != ""
        or len(parts) < 2
        or any(part in ("", ".", "..") for part in parts[1:])
        or re.search("[\0\n]", text)
    ):
        raise BundleError(f"{at}: expected an absolute, normal path")
    return text


def unit_name_at(value: Any, at: str) -> str:
    name = text_at(value, at, UNIT_NAME, "a unit name such as api.service")
    if len(name) > 255 or name.rpartition(".")[2] not in UNIT_SUFFIXES:
        raise BundleError(f"{at}: expected a unit name that ends in one of .{', .'.join(UNIT_SUFFIXES)}")
    return name


def release_name_at(value: Any, at: str) -> str:
    return text_at(value, at, RELEASE_NAME, "a release name")


def digest_at(value: Any, at: str) -> str:
    return text_at(value, at, SHA256, "a SHA-256 in lower-case hex")


def boolean_at(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise BundleError(f"{at}: expected true or false, got {_kind(value)}")
    return value


def choice_at(value: Any, at: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise BundleError(f"{at}: expected one of {', '.join(choices)}")
    return value


def integer_at(value: Any, at: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BundleError(f"{at}: expected a whole number, got {_kind(value)}")
    return int(number_at(value, at, low, high))


def number_at(value: Any, at: str, low: int, high: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BundleError(f"{at}: expected a number, got {_kind(value)}")
    if not low <= value <= high:
        raise BundleError(f"{at}: expected a number from {low} to {high}")
    return float(value)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
