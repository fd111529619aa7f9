"""Each run of a watched timer, told to notifiers that ping: its start, its end, and how it ended."""

from __future__ import annotations

import time
from typing import Sequence

from .errors import BrokenCheckError
from .event import Event, new_id
from .group import notifier_at
from .journal import journal_tail
from .notice import host_name, keep_for
from .notifier_settings import WebhookChannel
from .places import Places
from .probe_settings import TimerProbe
from .redaction import Redactor
from .round import Seen, told_unit
from .timer_runs import loaded_runs, runs_path, save_runs, untold_runs

PINGED_LINES = 100


def ping_runs(places: Places, seen: Sequence[Seen]) -> None:
    """Keep what is to be told of the runs that these checks have seen. Raises OSError when it cannot be kept."""
    for each in seen:
        timers = [probe.timer for probe in each.check.probes if isinstance(probe, TimerProbe)]
        notifiers = [name for name in each.group.notify if _pings(places, name)]
        for timer in timers if notifiers else []:
            path = runs_path(places.states, each.group.name, timer)
            runs = loaded_runs(path)
            told, after = untold_runs(runs) if runs is not None else ([], None)
            if not told or after is None:
                continue
            redactor, unit = Redactor(places.secret_files), told_unit(each.check)
            now = time.time()
            for place, (event, text) in enumerate(told):
                tail = journal_tail(unit, "", PINGED_LINES) if event == "run-failed" and unit is not None else []
                lines = tuple(redactor.redact(line) for line in tail)
                # A start and its end that are told at once keep their order in the spool, which sorts by milliseconds.
                said = Event(new_id(), now + place / 500, host_name(), each.check.name, unit, event, 6, text, lines)
                keep_for(places, notifiers, said)
            save_runs(path, after)


def _pings(places: Places, notifier: str) -> bool:
    try:
        channels = notifier_at(places, notifier).channels
    except BrokenCheckError:
        return False  # Whoever sends says so.
    return any(isinstance(channel, WebhookChannel) and channel.shape == "ping" for channel in channels)
