from __future__ import annotations

import unittest
from dataclasses import replace
from unittest import mock

import simulated_year
from pulumi_systemd_health_under_test import UNIT, check
from simulated_year import Broken, timelines

from pulumi_systemd_health import decision
from pulumi_systemd_health.decision import Condition, Sight, decide
from pulumi_systemd_health.state import State, states_of, states_text


class SimulatedYearTest(unittest.TestCase):
    def test_every_rule_holds_in_every_year(self) -> None:
        seen = timelines(range(24))
        # Timelines in which nothing happens would prove nothing.
        for event in ("outage", "recovered", "open", "reminder", "restart", "reload", "start", "blind", "loop"):
            with self.subTest(event):
                self.assertGreater(seen[event], 5)

    def test_the_rules_notice_a_machine_that_breaks_them(self) -> None:
        real = decision.decide

        def without_budget(state: State, *rest: object) -> decision.Decision:
            return real(State(**{**vars(state), "actions": (), "opened": None}), *rest)  # type: ignore[arg-type]

        def forgetful(state: State, *rest: object) -> decision.Decision:
            return real(State(**{**vars(state), "outage": None}), *rest)  # type: ignore[arg-type]

        def hasty(state: State, *rest: object) -> decision.Decision:
            return real(State(**{**vars(state), "next_allowed": 0.0}), *rest)  # type: ignore[arg-type]

        def blind_to_restarts(state: State, sight: Sight, *rest: object) -> decision.Decision:
            return real(state, replace(sight, restarts=None), *rest)  # type: ignore[arg-type]

        for broken in (without_budget, forgetful, hasty, blind_to_restarts):
            with self.subTest(broken.__name__), mock.patch.object(simulated_year, "decide", broken):
                self.assertRaises(Broken, timelines, range(24))

    def test_a_clock_that_jumps_back_never_gives_more_than_the_budget(self) -> None:
        import random

        for seed in range(200):
            dice = random.Random(seed)
            chosen = check(fail_after=1, backoff_sec=dice.choice((0.0, 60.0)), within_sec=3600.0)
            state, now, real, acted = State(UNIT), 1_800_000_000.0, 0.0, []
            for _ in range(100):
                step = dice.choice((60.0, 300.0, 2000.0))
                now, real = now + step, real + step
                if dice.random() < 0.1:
                    now -= dice.choice((1.0, 3600.0, 1e6))
                made = decide(state, Sight(Condition.UNHEALTHY, "hung", 1e9), now, chosen, dice.random())
                state = states_of(states_text({"api": made.state}))["api"]
                if made.action is not None:
                    acted.append(real)
            most = max(sum(1 for other in acted if first <= other < first + 3600) for first in acted)
            self.assertLessEqual(most, 3, f"seed {seed}")
            self.assertGreater(len(acted), 10, f"seed {seed}")


if __name__ == "__main__":
    unittest.main()
