"""The dead man's switch: a change stays only when it is confirmed in time over a connection made after it."""

from __future__ import annotations

import os

from .errors import NotConfirmedError
from .files import stage_file
from .system import System

AWAITING = "awaiting"
CONFIRMED = "confirmed"
EXPIRED = "expired"
LOOK_SEC = 0.1
# The hook of the Host component looks for these words (activation/confirmation.ts).
ASKS = "pulumi-systemd: switched, and waiting for confirmation over a new connection"


def await_confirmation(system: System, scratch: str, seconds: float) -> None:
    """
    Wait until somebody renames `awaiting` to `confirmed`.

    A rename of one name happens once: either the confirmation or the end of the time, never both. Raises
    NotConfirmedError.
    """
    awaiting = os.path.join(scratch, AWAITING)
    stage_file(awaiting, b"", 0o600)
    deadline = system.now() + seconds
    while system.now() < deadline:
        if os.path.exists(os.path.join(scratch, CONFIRMED)):
            return
        system.sleep(LOOK_SEC)
    try:
        os.rename(awaiting, os.path.join(scratch, EXPIRED))
    except FileNotFoundError:
        return
    raise NotConfirmedError(
        f"nobody confirmed the change over a new connection within {seconds:.0f} s: did it cut off SSH?"
    )


def confirm(scratch: str) -> bool:
    """Confirm the change that waits in `scratch`; whether it was in time."""
    try:
        os.rename(os.path.join(scratch, AWAITING), os.path.join(scratch, CONFIRMED))
    except FileNotFoundError:
        return False
    return True
