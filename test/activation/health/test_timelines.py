"""Thousands of random lives of a unit on a clock that does not wait, held against a count of its own."""

from __future__ import annotations

import random
import unittest
from typing import Any

from pulumi_systemd_health_under_test import UNIT, settings

from pulumi_systemd_health.decision import Condition, Decision, Sight, decide
from pulumi_systemd_health.settings import Settings
from pulumi_systemd_health.state import State, state_of, state_text

TIMELINES = 2000
CHECKS = 30
# Reading and writing the state costs more than everything else here, so only every so many checks do.
KEPT_EVERY = 8


class World:
    """One unit, what happens to it, and the clock."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.now = 1_800_000_000.0
        self.real = 0.0
        self.kind = "well"
        self.started: float | None = 0.0
        self.lease_until = 0.0
        # How well this unit's restarts help.
        self.helps = self.dice.choice((0.0, 0.3, 0.9))
        self.trouble = self.dice.choice((0.02, 0.2, 0.5))

    def passes(self) -> None:
        step = self.dice.choice((15.0, 60.0, 60.0, 60.5, 300.0, 4000.0))
        self.now += step
        self.real += step
        if self.dice.random() < 0.03:
            self.kind, self.started = "well", self.real  # a reboot, or a person who starts it
        if self.dice.random() < 0.05:
            self.lease_until = self.real + self.dice.choice((30.0, 600.0))
        if self.dice.random() < self.trouble:
            self.kind = self.dice.choice(("well", "hung", "hung", "failed", "failed", "stopped", "busy", "gone"))
            if self.kind in ("well", "hung") and self.dice.random() < 0.5:
                self.started = self.real - self.dice.choice((0.0, 10.0, 100.0))

    def sight(self) -> Sight:
        since = None if self.started is None else self.real - self.started
        held = "a lease" if self.real < self.lease_until else ""
        condition = {
            "well": Condition.HEALTHY,
            "stopped": Condition.STOPPED,
            "busy": Condition.BUSY,
        }.get(self.kind, Condition.UNHEALTHY)
        return Sight(condition, self.kind, since, held, "not-found" if self.kind == "gone" else "")

    def restarted(self) -> None:
        self.started = self.real
        self.kind = "well" if self.dice.random() < self.helps else self.dice.choice(("hung", "failed"))


class Count:
    """What must have happened, counted without the program under test."""

    def __init__(self, chosen: Settings) -> None:
        self.chosen = chosen
        self.failures = 0
        self.outage = False
        self.told_used_up = False
        self.restarts: list[float] = []

    def expected(self, sight: Sight, now: float) -> tuple[bool, list[str]]:
        """Whether a restart is due, and the events that are told (but `failing`)."""
        if sight.condition is Condition.HEALTHY:
            told = ["recovered"] if self.outage else []
            self.failures, self.outage, self.told_used_up = 0, False, False
            return False, told
        if sight.condition is Condition.STOPPED:
            self.failures = 0
            return False, []
        if sight.condition is Condition.BUSY or sight.held:
            return False, []
        if sight.since_start is not None and sight.since_start < self.chosen.grace_sec:
            return False, []
        self.failures += 1
        if self.failures < self.chosen.fail_after:
            return False, []
        told = [] if self.outage else ["unhealthy"]
        self.outage = True
        recent = [each for each in self.restarts if now - each < self.chosen.within_sec]
        if sight.hopeless or len(recent) >= self.chosen.max_restarts:
            told += [] if self.told_used_up else ["used-up"]
            self.told_used_up = True
            return False, told
        pause = min(self.chosen.backoff_sec * 2 ** (len(recent) - 1), self.chosen.within_sec) if recent else 0.0
        if recent and now - recent[-1] < pause:
            return False, told
        self.restarts.append(now)
        self.failures, self.told_used_up = 0, False
        return True, [*told, "restart"]


def chosen_settings(dice: random.Random) -> Settings:
    return settings(
        fail_after=dice.choice((1, 2, 3)),
        grace_sec=dice.choice((0.0, 30.0, 120.0)),
        max_restarts=dice.choice((0, 1, 3, 5)),
        within_sec=dice.choice((600.0, 3600.0, 20000.0)),
        backoff_sec=dice.choice((0.0, 10.0, 60.0, 5000.0)),
    )


def kept(state: State) -> State:
    """What the next run reads of what this one wrote."""
    return state_of(state_text(state))


def most_within(stamps: list[float], seconds: float) -> int:
    """The largest number of stamps in any half-open window of this length."""
    return max((sum(1 for other in stamps if first <= other < first + seconds) for first in stamps), default=0)


class TimelinesTest(unittest.TestCase):
    def test_every_decision_is_the_counted_one(self) -> None:
        seen: dict[str, int] = {}
        for seed in range(TIMELINES):
            world = World(seed)
            chosen = chosen_settings(world.dice)
            count, state = Count(chosen), State(UNIT)
            for check in range(CHECKS):
                world.passes()
                sight = world.sight()
                made = decide(state, sight, world.now, chosen)
                due, told = count.expected(sight, world.now)
                events = [message.event for message in made.messages if message.event != "failing"]
                self.assertEqual((made.restart, events), (due, told), f"seed {seed}")
                self.check_rules(made, sight, chosen, f"seed {seed}")
                state = kept(made.state) if check % KEPT_EVERY == 0 else made.state
                if made.restart:
                    world.restarted()
                for event in events:
                    seen[event] = seen.get(event, 0) + 1
            self.assertLessEqual(most_within(count.restarts, chosen.within_sec), chosen.max_restarts, f"seed {seed}")
        # Timelines in which nothing happens would prove nothing.
        self.assertEqual(sorted(seen), ["recovered", "restart", "unhealthy", "used-up"])
        self.assertGreater(min(seen.values()), 1000)

    def check_rules(self, made: Decision, sight: Sight, chosen: Settings, where: str) -> None:
        """What holds whatever was before."""
        in_grace = sight.since_start is not None and sight.since_start < chosen.grace_sec
        if sight.condition is not Condition.UNHEALTHY or sight.held or in_grace or sight.hopeless:
            self.assertFalse(made.restart, where)
        self.assertLessEqual(made.state.failures, chosen.fail_after, where)
        self.assertLessEqual(len(made.state.restarts), max(chosen.max_restarts, 0), where)

    def test_a_clock_that_jumps_back_never_gives_more_than_the_budget(self) -> None:
        for seed in range(200):
            dice = random.Random(seed)
            chosen = chosen_settings(dice)
            state = State(UNIT)
            now, real = 1_800_000_000.0, 0.0
            restarts: list[float] = []
            for _ in range(CHECKS):
                step = dice.choice((60.0, 300.0, 2000.0))
                now, real = now + step, real + step
                if dice.random() < 0.1:
                    now -= dice.choice((1.0, 3600.0, 1e6))
                made = decide(state, bad_for_long(), now, chosen)
                state = kept(made.state)
                if made.restart:
                    restarts.append(real)
            self.assertLessEqual(most_within(restarts, chosen.within_sec), chosen.max_restarts, f"seed {seed}")


def bad_for_long(**changes: Any) -> Sight:
    return Sight(Condition.UNHEALTHY, "hung", 1e9, **changes)


if __name__ == "__main__":
    unittest.main()
