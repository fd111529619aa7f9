"""From what a check tells to the spools of its notifiers."""

from __future__ import annotations

import os
import socket
from typing import Iterable

from .command import OverdueError, completed
from .decision import ERROR
from .errors import BrokenCheckError
from .event import Event
from .journal import say
from .places import Places
from .spool import is_waiting, put_event

KICK_SEC = 10.0


def host_name() -> str:
    """The name of this machine in messages."""
    return socket.gethostname() or "localhost"


def keep_for(places: Places, notifiers: Iterable[str], event: Event) -> None:
    """Put an event into the spool of each notifier. Raises OSError when it cannot be kept."""
    for notifier in notifiers:
        if not os.path.exists(places.notifier_settings(notifier)):
            say(ERROR, f"the notifier {notifier} is not on this host, so it is not told: {event.summary}")
            continue
        for lost in put_event(places.spool(notifier), event):
            say(ERROR, f"{notifier}: too many messages wait, the oldest is dropped: {lost.summary}")


def start_deliveries(places: Places, notifiers: Iterable[str]) -> None:
    """Have systemd run the senders of those notifiers for which something waits. It does not wait for them."""
    waiting = [name for name in dict.fromkeys(notifiers) if is_waiting(places.spool(name))]
    if not waiting:
        return
    units = [f"{name}.service" for name in waiting]
    try:
        done = completed(("systemctl", "start", "--no-block", "--", *units), KICK_SEC)
        problem = "" if done.code == 0 else done.out.strip()
    except (OverdueError, BrokenCheckError) as failure:
        problem = str(failure) or "systemd does not answer"
    if problem:
        say(ERROR, f"{', '.join(units)} cannot be started, messages wait: {problem}")
