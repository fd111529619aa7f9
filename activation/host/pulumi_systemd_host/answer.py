"""What a transaction answered, kept on disk until the one who asked has it: a lost connection loses no result."""

from __future__ import annotations

import glob
import json
import os
import time
from dataclasses import asdict, dataclass
from typing import Any, Iterable

from .asking import ANSWERS
from .files import make_directories, remove_empty_directory, remove_file, write_atomically
from .ledger import read_ledger, scope_directory
from .lock import DIRECTORY
from .record import record
from .system import System


@dataclass(frozen=True)
class Answer:
    """
    One answer that its asker may not have got. `digest` is of the bundle and stays on this host.

    `unconfirmed`: the change was taken back because nobody confirmed it.
    """

    transaction: str
    operation: str
    digest: str
    code: int
    text: str
    unconfirmed: bool = False
    # Seconds since 1970.
    at: float = 0.0

    @property
    def receipt(self) -> dict[str, Any]:
        """The receipt that it holds; empty for a failure."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        known = {"transaction": str, "daemonReloads": int, "warnings": list, "actions": list}
        is_whole = isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in known.items())
        if not is_whole or self.code or not all(_is_action(action) for action in value["actions"]):
            return {}
        swaps = value.get("swaps", [])
        if not isinstance(swaps, list) or not all(_is_swap(swap) for swap in swaps):
            return {}
        return dict(value)


def keep_answer(system: System, scope: str, answer: Answer, beside_ledger: bool) -> str:
    """Write `answer` to disk; its path. Without a ledger there is nothing of the scope on the host's disk but /run."""
    directory = scope_directory(system, scope) if beside_ledger else _directory(system, scope)
    make_directories(directory, 0o700)
    path = os.path.join(directory, f"answer-{answer.transaction}.json")
    text = json.dumps({"format": 1, **asdict(answer), "at": answer.at or time.time()})
    write_atomically(path, text.encode("utf-8"), 0o600, "answer")
    return path


def kept_answers(system: System, scope: str) -> dict[str, Answer]:
    """Answers of this scope that nobody is known to have got, oldest first, by path. A damaged one tells nothing."""
    found: dict[str, Answer] = {}
    for directory in (scope_directory(system, scope), _directory(system, scope)):
        for path in sorted(glob.glob(os.path.join(glob.escape(directory), "answer-*.json"))):
            try:
                with open(path, encoding="utf-8") as source:
                    value = json.load(source)
                if value.pop("format") == 1:
                    found[path] = record(Answer, value)
                    continue
            except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                pass
            remove_file(path)
    return dict(sorted(found.items(), key=lambda item: item[1].at))


def committed_answer(system: System, scope: str, transaction: str) -> dict[str, Answer]:
    """The answer of a transaction whose new state counts, by its path; empty where it does not, or none is left."""
    ledger = read_ledger(system, scope)
    if ledger is None or ledger.transaction != transaction:
        return {}
    kept = kept_answers(system, scope)
    return {path: one for path, one in kept.items() if one.transaction == transaction and one.code == 0}


def forget_answers(paths: Iterable[str]) -> None:
    """They have been heard, or do not count any more. One that cannot be removed is told again: no matter."""
    for path in paths:
        try:
            remove_file(path)
        except OSError:
            continue
        directory = os.path.dirname(path)
        while f"{DIRECTORY}/{ANSWERS}/" in f"{directory}/" and remove_empty_directory(directory):
            directory = os.path.dirname(directory)


def answer_path(system: System, scope: str, transaction: str) -> str:
    """Where the answer of a transaction lies beside the ledger."""
    return os.path.join(scope_directory(system, scope), f"answer-{transaction}.json")


def _directory(system: System, scope: str) -> str:
    return system.at(os.path.join(DIRECTORY, ANSWERS, *scope.split("/")))


def _is_action(value: Any) -> bool:
    keys = {"unit": str, "action": str, "reasons": list}
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in keys.items())


def _is_swap(value: Any) -> bool:
    texts, counts = ("unit", "address", "kind"), ("made", "refused", "failed", "worstMs")
    keys = {"problems": list, **dict.fromkeys(texts, str), **dict.fromkeys(counts, int)}
    return isinstance(value, dict) and all(isinstance(value.get(key), kind) for key, kind in keys.items())
