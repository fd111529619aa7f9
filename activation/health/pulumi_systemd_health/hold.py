"""What forbids a check to act: a transaction of the host program, or a lease."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import Iterator

LOCK, LEASE = "lock", "lease"
# A lease ends by itself, whatever it says.
LONGEST_LEASE_SEC = 86400.0


@contextmanager
def transactions_kept_out(directory: str) -> Iterator[bool]:
    """
    Whether no transaction of the host program runs, nor can begin meanwhile. The host program holds the lock alone;
    checks share it.
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
