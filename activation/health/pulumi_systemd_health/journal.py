"""The journal: what is written to it, with fields to search by, and what a unit wrote last."""

from __future__ import annotations

import os
import socket
import struct
import sys
from typing import Mapping

from .command import OverdueError, completed
from .errors import BrokenCheckError

JOURNAL_SOCKET = "/run/systemd/journal/socket"
TAIL_SEC = 10.0
LONGEST_LINE = 300


def say(priority: int, text: str, fields: Mapping[str, str | None] | None = None) -> None:
    """One line for the journal at a priority of syslog(3), with fields where the journal listens."""
    line = " ".join(text.split("\n"))
    # Without the journal's own stream somebody else reads our errors: a person at a terminal, or a test.
    if fields and "JOURNAL_STREAM" in os.environ and _sent({"MESSAGE": line, "PRIORITY": str(priority), **fields}):
        return
    sys.stderr.write(
        f"<{priority}>{line}\n" if "JOURNAL_STREAM" in os.environ or not sys.stderr.isatty() else f"{line}\n"
    )
    sys.stderr.flush()


def _sent(fields: Mapping[str, str | None]) -> bool:
    data = b""
    for name, value in fields.items():
        if value is None:
            continue
        encoded = value.encode("utf-8", "replace")
        # The form for values of any bytes: name, newline, length, value, newline.
        data += name.encode("ascii") + b"\n" + struct.pack("<Q", len(encoded)) + encoded + b"\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(data, JOURNAL_SOCKET)
    except OSError:
        return False
    return True


def show_status(text: str) -> None:
    """Set the line that `systemctl status` shows. Nothing depends on it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    line = " ".join(text.split("\n"))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(f"STATUS={line}".encode("utf-8", "replace"), name)
    except OSError:
        return


def journal_tail(unit: str, invocation: str, count: int) -> list[str]:
    """
    The last lines of a unit's journal. Nothing where they cannot be had.

    Of systemd's own those of one invocation, where it is known. The last words of a process that ended at once may have
    lost theirs, and are found by the unit.
    """
    run = [f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}", "+", f"_SYSTEMD_UNIT={unit}"]
    which = run if invocation else ["-u", unit]
    try:
        # What was written a moment ago may not be there yet.
        completed(("journalctl", "--sync"), TAIL_SEC)
        done = completed(("journalctl", "--no-pager", "-q", "-o", "short-iso", "-n", str(count), *which), TAIL_SEC)
    except (OverdueError, BrokenCheckError):
        return []
    if done.code != 0:
        return []
    lines = [line.rstrip() for line in done.out.splitlines() if line.strip() and not line.startswith("-- ")]
    return [line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 3]}..." for line in lines[-count:]]
