"""What a check does about what it sees: a pure function of state, sight, time and settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from .settings import Settings
from .state import Outage, State

ERROR, WARNING, NOTICE = 3, 4, 5


class Condition(Enum):
    """How the unit is."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    # A person stopped it, or it ended in order: not ours to start.
    STOPPED = "stopped"
    # systemd is at work on it: a job runs, or an automatic restart is due.
    BUSY = "busy"


@dataclass(frozen=True)
class Sight:
    """What one check saw. `reason` says why the condition is what it is."""

    condition: Condition
    reason: str = ""
    # Seconds since the unit was last started, None if it was not since boot.
    since_start: float | None = None
    # Why nothing may be done about it now: a deploy, a lease, the end of the system. Empty if nothing forbids it.
    held: str = ""
    # Why systemd cannot restart the unit at all: it is not there, or its file is broken. Empty if it can.
    hopeless: str = ""


@dataclass(frozen=True)
class Message:
    """One line for the journal. `event` is one of failing, unhealthy, restart, used-up, recovered."""

    event: str
    priority: int
    text: str


@dataclass(frozen=True)
class Decision:
    """`status` is the line that `systemctl status` shows until the next check."""

    state: State
    restart: bool
    messages: tuple[Message, ...]
    status: str


def decide(state: State, sight: Sight, now: float, settings: Settings) -> Decision:
    """What follows from one check at `now`, Unix time in seconds."""
    state = replace(state, restarts=_counted(state.restarts, now, settings.within_sec))
    if sight.condition is Condition.HEALTHY:
        return _healthy(state, sight, now)
    if sight.condition is Condition.STOPPED:
        return _quiet(replace(state, failures=0), f"not watched: {sight.reason}")
    if sight.condition is Condition.BUSY:
        return _quiet(state, f"waiting: {sight.reason}")
    if sight.held:
        return _quiet(state, f"not counted, {sight.held}: {sight.reason}")
    if sight.since_start is not None and sight.since_start < settings.grace_sec:
        return _quiet(state, f"not counted, started {span(sight.since_start)} ago: {sight.reason}")
    return _unhealthy(state, sight, now, settings)


def _quiet(state: State, status: str) -> Decision:
    return Decision(state, False, (), status)


def _healthy(state: State, sight: Sight, now: float) -> Decision:
    messages: tuple[Message, ...] = ()
    if state.outage is not None:
        text = f"recovered after {span(now - state.outage.since)}, {_times(state.outage.restarts, 'restart')}"
        messages = (Message("recovered", NOTICE, text),)
    well = replace(state, failures=0, outage=None, told_used_up=False)
    return Decision(well, False, messages, f"healthy: {sight.reason}")


def _unhealthy(state: State, sight: Sight, now: float, settings: Settings) -> Decision:
    failures = state.failures + 1
    if failures < settings.fail_after:
        text = f"failing ({failures} of {settings.fail_after}): {sight.reason}"
        messages = (Message("failing", NOTICE, text),) if state.outage is None else ()
        return Decision(replace(state, failures=failures), False, messages, text)

    told: list[Message] = []
    outage = state.outage
    if outage is None:
        outage = Outage(now, sight.reason, 0)
        told.append(Message("unhealthy", WARNING, f"unhealthy, {_times(failures, 'check')} in a row: {sight.reason}"))
    # More than enough is not counted, so that a long outage writes no file at each check.
    state = replace(state, failures=settings.fail_after, outage=outage)

    if sight.hopeless:
        return _used_up(state, told, f"systemd cannot restart it, {sight.hopeless}", sight)
    used = len(state.restarts)
    if settings.max_restarts == 0:
        return _used_up(state, told, "maxRestarts is 0, so this check only tells", sight)
    if used >= settings.max_restarts:
        text = (
            f"restarted {_times(used, 'time')} in {span(settings.within_sec)} and still not well, so it is left alone "
            f"for {span(state.restarts[used - settings.max_restarts] + settings.within_sec - now)}"
        )
        return _used_up(state, told, text, sight)
    pause = _next_restart(state.restarts, settings) - now
    if pause > 0:
        return Decision(state, False, tuple(told), f"unhealthy, next restart in {span(pause)}: {sight.reason}")

    text = f"restart {used + 1} of {settings.max_restarts} in {span(settings.within_sec)}: {sight.reason}"
    told.append(Message("restart", WARNING, text))
    after = replace(
        state,
        failures=0,
        restarts=(*state.restarts, now),
        outage=replace(outage, restarts=outage.restarts + 1),
        told_used_up=False,
    )
    return Decision(after, True, tuple(told), text)


def _used_up(state: State, told: list[Message], text: str, sight: Sight) -> Decision:
    if not state.told_used_up:
        told.append(Message("used-up", ERROR, f"{text}: {sight.reason}"))
    return Decision(replace(state, told_used_up=True), False, tuple(told), f"unhealthy, {text}: {sight.reason}")


def _counted(restarts: tuple[float, ...], now: float, within: float) -> tuple[float, ...]:
    """The restarts that still count. One in the future, before the clock went back, counts as of now."""
    return tuple(min(restart, now) for restart in restarts if now - restart < within)


def _next_restart(restarts: tuple[float, ...], settings: Settings) -> float:
    """When the next restart may come: each waits twice as long as the one before. Unix time in seconds."""
    if not restarts:
        return 0.0
    return restarts[-1] + min(settings.backoff_sec * 2.0 ** (len(restarts) - 1), settings.within_sec)


def span(seconds: float) -> str:
    """A length of time as people write it, in its two largest units: `1 h 5 min`. Rounded up to whole seconds."""
    whole = max(0, int(-(-seconds // 1)))
    parts = []
    for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
