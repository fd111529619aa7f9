"""What forbids a check to act: a transaction of the host program, a lease, or a person who said `hold`."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import Iterator

from .state import save_text
from .strict_json import MalformedError, number, parsed_json

LOCK, LEASE, HOLDS = "lock", "lease", "holds.json"
# A lease ends by itself, whatever it says.
LONGEST_LEASE_SEC = 86400.0
EVERY_CHECK = "*"


@contextmanager
def transactions_kept_out(directory: str) -> Iterator[bool]:
    """
    Whether no transaction of the host program runs, nor can begin meanwhile. The host program holds the lock alone;
    checks share it. The kernel frees it when the process ends, in whatever way.
    """
    descriptor = os.open(os.path.join(directory, LOCK), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free
    finally:
        os.close(descriptor)


def lease_left(directory: str, now: float) -> float:
    """
    Seconds for which a lease still holds, 0 without one. The file holds one line: the Unix time in seconds at which it
    ends. Raises ValueError for a file that does not.
    """
    try:
        with open(os.path.join(directory, LEASE), "rb") as source:
            text = source.read(100).decode("ascii", "replace").strip()
            written = os.fstat(source.fileno()).st_mtime
    except FileNotFoundError:
        return 0.0
    if not text.isdigit():
        raise ValueError(f"{directory}/{LEASE} does not hold the Unix time at which it ends, so it does not count")
    return max(0.0, min(float(text), written + LONGEST_LEASE_SEC) - now)


def holds_at(directory: str, now: float) -> dict[str, float]:
    """Until when which check is held, `*` for all, without what is over. A file that is none holds nothing."""
    try:
        with open(os.path.join(directory, HOLDS), encoding="utf-8") as source:
            value = parsed_json(source.read(1 << 20))
        if not isinstance(value, dict):
            return {}
        # Nobody can say `hold` for longer, so a later end is of a clock that went back.
        ends = {name: min(number(end, name), now + LONGEST_LEASE_SEC) for name, end in value.items()}
    except (OSError, UnicodeDecodeError, MalformedError):
        return {}
    return {name: end for name, end in ends.items() if end > now}


def set_hold(directory: str, name: str, until: float | None, now: float) -> bool:
    """Hold a check until then, or let it go with None. Whether that changed anything. Raises OSError."""
    os.makedirs(directory, 0o700, exist_ok=True)
    descriptor = os.open(os.path.join(directory, "holds.lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        holds = holds_at(directory, now)
        before = dict(holds)
        if until is not None:
            holds[name] = until
        elif name == EVERY_CHECK:
            holds.clear()
        else:
            holds.pop(name, None)
        save_text(os.path.join(directory, HOLDS), json.dumps(holds) + "\n")
        return holds != before
    finally:
        os.close(descriptor)
