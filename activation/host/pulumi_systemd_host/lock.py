"""One transaction at a time on a host, whatever its scope."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import Iterator

from .errors import HostError
from .files import make_directories
from .system import System

DIRECTORY = "/run/pulumi-systemd"
PAUSE_SEC = 0.2


@contextmanager
def host_lock(system: System, holder: str, seconds: float) -> Iterator[None]:
    """Hold the host's lock, waiting at most `seconds` for it. The kernel frees it when the process ends."""
    directory = system.at(DIRECTORY)
    make_directories(directory, 0o700)
    descriptor = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        begin = system.now()
        shown = begin + 2
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                who = os.pread(descriptor, 500, 0).decode("utf-8", "replace").strip() or "another process"
                waited = system.now() - begin
                if waited >= seconds:
                    raise HostError(
                        f"this host is held by {who}; waited {waited:.0f} s for it, nothing was changed. "
                        "Try again when that one has ended"
                    ) from None
                if system.now() >= shown:
                    system.note(f"waiting for {who} to end ({waited:.0f} s)")
                    shown = system.now() + 10
                system.sleep(PAUSE_SEC)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, (holder + "\n").encode("utf-8"), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
