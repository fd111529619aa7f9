from __future__ import annotations

import argparse
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

import simulated_year
from pulumi_systemd_health_under_test import UNIT, check
from simulated_year import Broken, timelines

from pulumi_systemd_health import decision
from pulumi_systemd_health.decision import Condition, Sight, decide
from pulumi_systemd_health.settings import Check, Step
from pulumi_systemd_health.state import State, states_of, states_text
from pulumi_systemd_host import command
from pulumi_systemd_host.generations import Generation
from pulumi_systemd_host.ledger import Ledger


class SimulatedYearTest(unittest.TestCase):
    def test_every_rule_holds_in_every_year(self) -> None:
        seen = timelines(range(24))
        # Timelines in which nothing happens would prove nothing.
        for event in ("outage", "recovered", "open", "reminder", "restart", "reload", "start", "blind", "loop", "went back", "refused"):
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

    def test_the_rules_notice_rollbacks_that_should_not_be(self) -> None:
        real, real_step = command.target_for_check, decision.next_step

        def of_what_was_ill(*given: Any) -> Generation:
            return real(*given[:3], argparse.Namespace(**{**vars(given[3]), "ill": []}), given[4])

        def of_what_is_old(*given: Any) -> Generation:
            return real(*given[:3], argparse.Namespace(**{**vars(given[3]), "newer": 1 << 31}), given[4])

        def twice_in_a_row(system: Any, ledger: Ledger, *rest: Any) -> Generation:
            return real(system, replace(ledger, rolled_back=None, hold=None), *rest)

        for broken in (of_what_was_ill, of_what_is_old, twice_in_a_row):
            with self.subTest(broken.__name__), mock.patch.object(command, "target_for_check", broken):
                self.assertRaises(Broken, timelines, range(40, 100))

        def twice_in_an_outage(chosen: Check, state: State) -> Step | None:
            return real_step(chosen, replace(state, outage=None))

        with mock.patch.object(decision, "next_step", twice_in_an_outage):
            self.assertRaises(Broken, timelines, range(40, 100))

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
