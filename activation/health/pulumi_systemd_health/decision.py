"""What a check does about what it sees: a pure function of state, sight, time, settings and chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from .settings import Check, Step
from .state import Outage, State

ERROR, WARNING, NOTICE = 3, 4, 5
MOST_OUTAGES = 50


class Condition(Enum):
    """How what is checked is."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    # A person stopped it, or it ended in order: not ours to start.
    STOPPED = "stopped"
    # systemd is at work on it: a job runs, or an automatic restart is due.
    BUSY = "busy"
    # Something that it depends on is not well, and is treated first.
    BLOCKED = "blocked"
    # The check could not be made, so nothing is known.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sight:
    """What one check saw. `reason` says why the condition is what it is."""

    condition: Condition
    reason: str = ""
    # Seconds since the unit was last started, None if it was not since boot or there is none.
    since_start: float | None = None
    # Why nothing may be done about it now: a deploy, a lease, the end of the system. Empty if nothing forbids it.
    held: str = ""
    # Why systemd cannot restart the unit at all: it is not there, or its file is broken. Empty if it can.
    hopeless: str = ""
    # Restarts that systemd has made by itself, None where there is no unit.
    restarts: int | None = None


@dataclass(frozen=True)
class Message:
    """
    One thing that is worth telling. `event` is one of failing, outage, action, open, reminder, recovered, blind,
    sighted. Those with `notify` go to notifiers, all go to the journal.
    """

    event: str
    priority: int
    text: str
    notify: bool = True


@dataclass(frozen=True)
class Decision:
    """`phase` is one word for tables, `status` the sentence; before `next_action`, a Unix time, nothing is done."""

    state: State
    action: Step | None
    messages: tuple[Message, ...]
    phase: str
    status: str
    next_action: float | None = None


def decide(state: State, sight: Sight, now: float, check: Check, dice: float) -> Decision:
    """What follows from one check at `now`, Unix time in seconds. `dice` is any number from 0 to 1."""
    state = _of_now(state, now, check)
    if sight.condition is Condition.UNKNOWN:
        return _unknown(state, sight, now)
    told: tuple[Message, ...] = ()
    if state.blind is not None:
        told = (Message("sighted", NOTICE, f"the check can be made again after {span(now - state.blind)}"),)
        state = replace(state, blind=None)
    state = _with_restarts(state, sight, check)
    looping = state.loops >= _loop_after(check) and not sight.held
    made = _looping(state, sight, now, check) if looping else _seen(state, sight, now, check, dice)
    return replace(made, messages=(*told, *made.messages))


def _with_restarts(state: State, sight: Sight, check: Check) -> State:
    """
    The state that knows how often systemd has restarted the unit. A unit that fails after each start is never seen to
    fail: it is about to be restarted, or was started a moment ago.
    """
    if sight.restarts is None or sight.condition in (Condition.STOPPED, Condition.BLOCKED):
        return replace(state, restarts=0, loops=0) if state.restarts or state.loops else state
    lived = float("inf") if sight.since_start is None else sight.since_start
    well = sight.condition is Condition.HEALTHY
    if sight.restarts > state.restarts:
        # One that is restarted now and then, and runs for long, is in no loop.
        long = well and lived >= max(check.stable_for_sec, check.grace_sec)
        return replace(state, restarts=sight.restarts, loops=0 if long else min(state.loops + 1, _loop_after(check)))
    settled = lived >= check.grace_sec and (well or sight.condition is Condition.UNHEALTHY)
    if settled or sight.restarts < state.restarts:
        return replace(state, restarts=sight.restarts, loops=0)
    return state


def _loop_after(check: Check) -> int:
    """Checks that must find more restarts until these are a loop: systemd may mend one crash unseen."""
    return max(check.fail_after, 2)


def _looping(state: State, sight: Sight, now: float, check: Check) -> Decision:
    """systemd is at work on it and another restart would not help: it is told, and left to systemd."""
    reason = f"systemd has restarted it {_times(state.restarts, 'time')}"
    told: list[Message] = []
    if state.outage is None:
        told.append(Message("outage", WARNING, f"not well, it fails again and again: {reason}"))
    seen = Sight(sight.condition, reason, sight.since_start)
    state = _ill(state, reason, now, check)[0]
    return _waiting(state, told, "systemd restarts it by itself", seen, now, check, None)


def _of_now(state: State, now: float, check: Check) -> State:
    """
    The state without actions that no longer count. What lies in the future was written before the clock went back, and
    counts as of now.
    """
    moments = (*state.actions, state.next_allowed, state.well_since, state.opened, state.blocked)
    if state.outage is None and not state.ill and not any(moments):
        return state
    longest = max(check.backoff_max_sec, check.backoff_sec) * (1 + check.jitter)
    return replace(
        state,
        actions=tuple(min(action, now) for action in state.actions if now - action < check.within_sec),
        next_allowed=0.0 if state.next_allowed <= now else min(state.next_allowed, now + longest),
        opened=None if state.opened is None else min(state.opened, now),
        outage=None if state.outage is None else replace(state.outage, told=min(state.outage.told, now)),
        well_since=None if state.well_since is None else min(state.well_since, now),
        blocked=None if state.blocked is None else min(state.blocked, now),
        # So long before an update as that may be old: not its fault.
        ill=tuple(
            (min(since, now), min(last, now)) for since, last in state.ill if now - last < 2 * _longest_back(check)
        ),
    )


def _unknown(state: State, sight: Sight, now: float) -> Decision:
    text = f"the check could not be made: {sight.reason}"
    messages = (Message("blind", ERROR, text, notify=state.blind is None),)
    blind = now if state.blind is None else min(state.blind, now)
    return Decision(replace(state, blind=blind), None, messages, "unknown", text)


def _seen(state: State, sight: Sight, now: float, check: Check, dice: float) -> Decision:
    if sight.condition is Condition.HEALTHY:
        return _healthy(state, sight, now, check)
    if sight.condition is Condition.STOPPED:
        return _quiet(replace(state, recent=()), "stopped", f"not watched: {sight.reason}")
    if sight.condition is Condition.BUSY:
        return _quiet(state, "waiting", f"waiting: {sight.reason}")
    if sight.condition is Condition.BLOCKED:
        return _quiet(replace(state, blocked=now), "blocked", f"left alone: {sight.reason}")
    if sight.held:
        return _quiet(state, "held", f"not counted, {sight.held}: {sight.reason}")
    if sight.since_start is not None and sight.since_start < check.grace_sec:
        return _quiet(state, "grace", f"not counted, started {span(sight.since_start)} ago: {sight.reason}")
    if state.blocked is not None and now - state.blocked < check.grace_sec:
        freed = span(now - state.blocked)
        return _quiet(state, "grace", f"not counted, what it depends on was not well {freed} ago: {sight.reason}")
    return _unhealthy(replace(state, well_since=None, blocked=None), sight, now, check, dice)


def _quiet(state: State, phase: str, status: str) -> Decision:
    return Decision(state, None, (), phase, status)


def _healthy(state: State, sight: Sight, now: float, check: Check) -> Decision:
    messages: tuple[Message, ...] = ()
    if state.outage is not None:
        text = f"recovered after {span(now - state.outage.since)}, {_times(state.outage.actions, 'action')}"
        messages = (Message("recovered", NOTICE, text),)
    tries, well_since = state.tries, state.well_since
    if tries:
        well_since = now if well_since is None else well_since
        if now - well_since >= check.stable_for_sec:
            tries, well_since = 0, None
    recent = _counted((*state.recent, False), check)
    well = replace(state, recent=recent, outage=None, opened=None, tries=tries, well_since=well_since, blocked=None)
    return Decision(well, None, messages, "healthy", f"healthy: {sight.reason}")


def _counted(recent: tuple[bool, ...], check: Check) -> tuple[bool, ...]:
    """Of the last checks those that can still matter, so that a unit that is well writes no file."""
    kept = recent[-check.fail_of :]
    if check.fail_of == check.fail_after and False in kept:
        kept = kept[len(kept) - kept[::-1].index(False) :]
    return kept[kept.index(True) :] if True in kept else ()


def _unhealthy(state: State, sight: Sight, now: float, check: Check, dice: float) -> Decision:
    recent = _counted((*state.recent, True), check)
    failures = sum(recent)
    state = replace(state, recent=recent)
    if failures < check.fail_after:
        text = f"failing ({failures} of {check.fail_after}): {sight.reason}"
        messages = (Message("failing", NOTICE, text, notify=False),) if state.outage is None else ()
        return Decision(state, None, messages, "failing", text)

    told: list[Message] = []
    if state.outage is None:
        often = f"{failures} of {len(recent)} checks" if check.fail_of > check.fail_after else _times(failures, "check")
        told.append(Message("outage", WARNING, f"not well, {often} failed: {sight.reason}"))
    state, outage = _ill(state, sight.reason, now, check)

    if sight.hopeless:
        return _open(state, told, f"systemd cannot start it, {sight.hopeless}", sight, now, check)
    if not check.ladder or check.max_actions == 0:
        return _waiting(state, told, "this check only tells", sight, now, check, None)
    step = next_step(check, state)
    if step is None:
        return _open(state, told, "a rollback did not help, so it is left alone", sight, now, check)
    used = len(state.actions)
    free_at = 0.0 if used < check.max_actions else state.actions[used - check.max_actions] + check.within_sec
    if state.opened is not None:
        free_at = max(free_at, state.opened + check.half_open_after_sec)
    elif free_at > now:
        text = f"{_times(used, 'action')} in {span(check.within_sec)} did not help, so it is left alone"
        return _open(state, told, text, sight, now, check)
    wait_until = max(free_at, state.next_allowed)
    if wait_until > now:
        phase = "open" if state.opened is not None else "waiting"
        return _waiting(state, told, phase, sight, now, check, wait_until)
    return _acting(state, outage, step, told, sight, now, check, dice)


def next_step(check: Check, state: State) -> Step | None:
    """The rung of the ladder that is next, the last again and again, but for a rollback: an outage has one at most."""
    went_back = state.outage is not None and state.outage.rolled_back
    left = [(rung, step) for rung, step in enumerate(check.ladder) if not (went_back and step.is_rollback)]
    reached = [step for rung, step in left if rung <= state.tries]
    return reached[-1] if reached else left[0][1] if left else None


def _ill(state: State, reason: str, now: float, check: Check) -> tuple[State, Outage]:
    """The state and its outage, which begins now if it has not yet."""
    outage = state.outage or Outage(now, reason, 0, now)
    ill = state.ill
    if _longest_back(check):
        ill = (*(spell for spell in ill if spell[0] != outage.since), (outage.since, now))
        if len(ill) > MOST_OUTAGES:
            # Two that are as one speak against as many updates at least.
            ill = ((ill[0][0], ill[1][1]), *ill[2:])
    return replace(state, outage=outage, ill=ill), outage


def _longest_back(check: Check) -> int:
    """How old an update may be at most that is taken back, 0 where none is."""
    return max((step.newer_sec for step in check.ladder), default=0)


def _acting(
    state: State, outage: Outage, step: Step, told: list[Message], sight: Sight, now: float, check: Check, dice: float
) -> Decision:
    pause = min(check.backoff_max_sec, check.backoff_sec * 2.0 ** min(state.tries, 64)) * (1 + check.jitter * dice)
    used = len(state.actions) + 1
    what = f"{step.verb} {step.unit}".rstrip()
    text = f"{what}, action {used} of {check.max_actions} in {span(check.within_sec)}: {sight.reason}"
    # The message of the outage says what is done first, and that it was all in vain is told as well.
    told.append(Message("action", WARNING, text, notify=False))
    after = replace(
        state,
        recent=(),
        actions=(*state.actions, now),
        tries=state.tries + 1,
        next_allowed=now + pause,
        outage=replace(outage, actions=outage.actions + 1, rolled_back=outage.rolled_back or step.is_rollback),
        # One action was allowed half open; whether it helped shows in the next checks.
        opened=None if state.opened is None else now,
    )
    return Decision(after, step, tuple(told), "acting", text, after.next_allowed)


def _open(state: State, told: list[Message], why: str, sight: Sight, now: float, check: Check) -> Decision:
    if state.opened is not None:
        again = None if next_step(check, state) is None else state.opened + check.half_open_after_sec
        return _waiting(state, told, "open", sight, now, check, again)
    outage = state.outage
    told.append(Message("open", ERROR, f"{why}: {sight.reason}"))
    opened = replace(state, opened=now, outage=None if outage is None else replace(outage, told=now))
    again = None if sight.hopeless or next_step(check, opened) is None else now + check.half_open_after_sec
    return Decision(opened, None, tuple(told), "open", f"open, {why}: {sight.reason}", again)


def _waiting(
    state: State, told: list[Message], phase: str, sight: Sight, now: float, check: Check, until: float | None
) -> Decision:
    outage = state.outage
    if outage is not None and check.remind_every_sec > 0 and now - outage.told >= check.remind_every_sec:
        often = _times(outage.actions, "action")
        text = f"still not well after {span(now - outage.since)}, {often}: {sight.reason}"
        told.append(Message("reminder", ERROR, text))
        state = replace(state, outage=replace(outage, told=now))
    due = f", next action in {span(until - now)} at the earliest" if until is not None else ""
    word = phase if phase in ("open", "waiting") else "told"
    status = f"not well, {phase}{due}: {sight.reason}" if word != "waiting" else f"not well{due}: {sight.reason}"
    return Decision(state, None, tuple(told), word, status, until)


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
