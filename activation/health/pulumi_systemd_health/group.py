"""The groups and notifiers of a scope as they lie on disk."""

from __future__ import annotations

import os
from typing import Callable, TypeVar

from .errors import BrokenCheckError
from .notifier_settings import NotifierSettings, notifier_of
from .places import Places
from .settings import Group, group_of
from .strict_json import MalformedError

T = TypeVar("T")


def group_names(places: Places) -> list[str]:
    """Names of the groups that have settings."""
    try:
        return sorted(name[:-5] for name in os.listdir(places.settings) if name.endswith(".json"))
    except FileNotFoundError:
        return []


def group_at(places: Places, name: str) -> Group:
    """The settings of a group. Raises BrokenCheckError."""
    return _settings_at(os.path.join(places.settings, f"{name}.json"), group_of)


def state_path(places: Places, group: str) -> str:
    return os.path.join(places.states, f"{group}.json")


def history_path(places: Places, group: str) -> str:
    return os.path.join(places.states, f"{group}.history")


def report_path(places: Places, group: str) -> str:
    return os.path.join(places.reports, f"{group}.json")


def notifier_at(places: Places, name: str) -> NotifierSettings:
    """The settings of a notifier. Raises BrokenCheckError."""
    own = os.path.join(os.environ.get("CREDENTIALS_DIRECTORY", ""), f"{name}.json")
    path = own if os.environ.get("CREDENTIALS_DIRECTORY") else places.notifier_settings(name)
    return _settings_at(path, notifier_of)


def _settings_at(path: str, parsed: Callable[[str], T]) -> T:
    try:
        with open(path, encoding="utf-8") as source:
            return parsed(source.read())
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise BrokenCheckError(f"{path} cannot be read: {reason}") from None
    except MalformedError as problem:
        raise BrokenCheckError(f"{path}: {problem}") from None
