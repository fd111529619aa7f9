"""Sends what lies in a notifier's spool, until nothing is left there."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from typing import Callable

from .channels import RefusedError, UndeliveredError, is_for, send
from .event import Event
from .journal import say
from .notifier_settings import Channel, NotifierSettings
from .spool import Spooled, keep_left, spooled_events

LOOK_SEC = 1.0
SLACK_OF_SEND_SEC = 5.0

Sender = Callable[[Channel, Event, float], None]


@dataclass
class Lane:
    """One channel and how it goes. An event that is refused waits by itself, a channel that is down holds all up."""

    channel: Channel
    failures: int = 0
    next_try: float = 0.0
    refused: dict[str, float] = field(default_factory=dict)
    busy_with: str | None = None
    give_up_at: float = 0.0
    turn: int = 0


def deliver_all(
    settings: NotifierSettings,
    directory: str,
    sender: Sender = send,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> int:
    """
    Send every event through every channel of the notifier, each channel by itself and in the order of time. It comes to
    an end when nothing is left; until then it tries again, each time after a longer pause. Gives how many were sent.
    """
    lanes = {channel.name: Lane(channel) for channel in settings.channels}
    ended: queue.Queue[tuple[str, int, str, Exception | None]] = queue.Queue()
    sent = 0
    while True:
        items, broken = spooled_events(directory)
        for name in broken:
            say(3, f"{directory}/{name} holds no event: set aside as {name}.broken")
        items = [item for item in items if not _too_old(item, settings, clock())]
        if not items:
            return sent
        now = monotonic()
        for name, lane in lanes.items():
            if lane.busy_with is not None or now < lane.next_try:
                continue
            item = next((each for each in items if name in _left(each, lanes) and _is_due(lane, each, now)), None)
            if item is None:
                continue
            lane.turn += 1
            lane.busy_with, lane.give_up_at = item.path, now + settings.timeout_sec + SLACK_OF_SEND_SEC
            arguments = (ended, name, lane.turn, lane.channel, item, settings.timeout_sec, sender)
            threading.Thread(target=_sending, args=arguments, daemon=True).start()
        # Without a channel that it knows, an event has nowhere to go.
        for item in items:
            if not _left(item, lanes):
                keep_left(item, (), 0)
        try:
            name, turn, path, problem = ended.get(timeout=LOOK_SEC)
        except queue.Empty:
            for name, lane in lanes.items():
                if lane.busy_with is not None and monotonic() >= lane.give_up_at:
                    _failed(name, lane, lane.busy_with, UndeliveredError("it hangs"), settings, monotonic())
            continue
        lane = lanes[name]
        if turn != lane.turn or lane.busy_with is None:
            continue  # It was given up before; what it did is tried again, under the same id.
        if problem is None:
            sent += 1
            lane.busy_with, lane.failures, lane.next_try = None, 0, 0.0
            lane.refused.pop(path, None)
            # Another channel may have changed the file since it was read.
            fresh = next((each for each in spooled_events(directory)[0] if each.path == path), None)
            if fresh is not None:
                keep_left(fresh, [each for each in _left(fresh, lanes) if each != name], fresh.event.tries)
        else:
            _failed(name, lane, path, problem, settings, monotonic())


def _sending(
    ended: queue.Queue[tuple[str, int, str, Exception | None]],
    name: str,
    turn: int,
    channel: Channel,
    item: Spooled,
    seconds: float,
    sender: Sender,
) -> None:
    try:
        sender(channel, item.event, seconds)
    except Exception as problem:  # noqa: BLE001 a defect of one channel must not stop the others
        ended.put((name, turn, item.path, problem))
    else:
        ended.put((name, turn, item.path, None))


def _failed(name: str, lane: Lane, path: str, problem: Exception, settings: NotifierSettings, now: float) -> None:
    lane.busy_with = None
    why = str(problem) if isinstance(problem, UndeliveredError) else f"a fault of ours ({type(problem).__name__})"
    if isinstance(problem, RefusedError) or not isinstance(problem, UndeliveredError):
        lane.refused[path] = now + settings.retry_max_sec
        say(3, f"{settings.name}: {name}: {why}; it is tried again in {settings.retry_max_sec:.0f} s, others go on")
        return
    pause = min(settings.retry_max_sec, settings.retry_sec * 2.0 ** min(lane.failures, 32))
    lane.failures += 1
    lane.next_try = now + pause
    if lane.failures & (lane.failures - 1) == 0:  # at 1, 2, 4, 8 ... failures
        say(4, f"{settings.name}: {name}: {why}; kept, tried again in {pause:.0f} s (failure {lane.failures})")


def _left(item: Spooled, lanes: dict[str, Lane]) -> list[str]:
    """Channels that the event is still to go through: of those that the notifier has, and that want it."""
    return [
        name
        for name, lane in lanes.items()
        if (item.event.left is None or name in item.event.left) and is_for(lane.channel, item.event)
    ]


def _is_due(lane: Lane, item: Spooled, now: float) -> bool:
    return now >= lane.refused.get(item.path, 0.0)


def _too_old(item: Spooled, settings: NotifierSettings, now: float) -> bool:
    if now - item.event.time <= settings.keep_sec:
        return False
    say(3, f"{settings.name}: given up after {settings.keep_sec / 86400:.1f} days: {item.event.summary}")
    keep_left(item, (), 0)
    return True
