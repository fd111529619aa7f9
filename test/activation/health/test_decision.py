from __future__ import annotations

import unittest
from typing import Any

from pulumi_systemd_health_under_test import UNIT, settings

from pulumi_systemd_health.decision import ERROR, NOTICE, WARNING, Condition, Decision, Message, Sight, decide, span
from pulumi_systemd_health.state import Outage, State

NOW = 1_800_000_000.0
BAD = "GET http://127.0.0.1:8000/: status 500, wanted 200 to 399"


def healthy() -> Sight:
    return Sight(Condition.HEALTHY, "GET http://127.0.0.1:8000/ is well", 100.0)


def unhealthy(**changes: Any) -> Sight:
    return Sight(**{"condition": Condition.UNHEALTHY, "reason": BAD, "since_start": 100.0, **changes})


def state(**changes: Any) -> State:
    return State(UNIT, **changes)


class HealthyTest(unittest.TestCase):
    def test_nothing_is_said_of_a_unit_that_is_well(self) -> None:
        self.assertEqual(
            decide(state(), healthy(), NOW, settings()),
            Decision(state(), False, (), "healthy: GET http://127.0.0.1:8000/ is well"),
        )

    def test_a_single_failure_is_forgotten(self) -> None:
        self.assertEqual(decide(state(failures=1), healthy(), NOW, settings()).state, state())

    def test_a_recovery_is_told_and_the_used_budget_stays_used(self) -> None:
        before = state(
            failures=2, restarts=(NOW - 300, NOW - 200), outage=Outage(NOW - 3900, BAD, 2), told_used_up=True
        )
        self.assertEqual(
            decide(before, healthy(), NOW, settings()),
            Decision(
                state(restarts=(NOW - 300, NOW - 200)),
                False,
                (Message("recovered", NOTICE, "recovered after 1 h 5 min, 2 restarts"),),
                "healthy: GET http://127.0.0.1:8000/ is well",
            ),
        )

    def test_a_recovery_is_told_in_a_lease_and_in_the_grace_too(self) -> None:
        sight = Sight(Condition.HEALTHY, "active", 1.0, "held for 5 min by a lease")
        made = decide(state(outage=Outage(NOW - 60, BAD, 1)), sight, NOW, settings())
        self.assertEqual([message.event for message in made.messages], ["recovered"])
        self.assertIsNone(made.state.outage)


class UntouchedTest(unittest.TestCase):
    """What is not counted changes nothing and says nothing."""

    def test_cases(self) -> None:
        before = state(failures=1, restarts=(NOW - 100,), outage=Outage(NOW - 200, BAD, 1))
        for sight, status in (
            (
                Sight(Condition.BUSY, "systemd is about to restart it"),
                "waiting: systemd is about to restart it",
            ),
            (unhealthy(held="a deploy is under way"), f"not counted, a deploy is under way: {BAD}"),
            (unhealthy(since_start=29.9), f"not counted, started 30 s ago: {BAD}"),
            (unhealthy(since_start=0.0), f"not counted, started 0 s ago: {BAD}"),
        ):
            with self.subTest(status):
                self.assertEqual(decide(before, sight, NOW, settings()), Decision(before, False, (), status))

    def test_a_unit_that_a_person_stopped_counts_from_the_start_again(self) -> None:
        outage = Outage(NOW - 200, BAD, 1)
        self.assertEqual(
            decide(state(failures=1, outage=outage), Sight(Condition.STOPPED, "it was stopped"), NOW, settings()),
            Decision(state(outage=outage), False, (), "not watched: it was stopped"),
        )

    def test_the_grace_ends(self) -> None:
        for seconds in (30.0, None):
            with self.subTest(seconds):
                self.assertEqual(decide(state(), unhealthy(since_start=seconds), NOW, settings()).state.failures, 1)


class UnhealthyTest(unittest.TestCase):
    def test_the_first_failure_is_only_counted(self) -> None:
        text = f"failing (1 of 2): {BAD}"
        self.assertEqual(
            decide(state(), unhealthy(), NOW, settings()),
            Decision(state(failures=1), False, (Message("failing", NOTICE, text),), text),
        )

    def test_the_second_is_told_and_acted_on(self) -> None:
        text = f"restart 1 of 3 in 1 h: {BAD}"
        self.assertEqual(
            decide(state(failures=1), unhealthy(), NOW, settings()),
            Decision(
                state(restarts=(NOW,), outage=Outage(NOW, BAD, 1)),
                True,
                (
                    Message("unhealthy", WARNING, f"unhealthy, 2 checks in a row: {BAD}"),
                    Message("restart", WARNING, text),
                ),
                text,
            ),
        )

    def test_an_outage_is_told_once(self) -> None:
        before = state(restarts=(NOW - 100,), outage=Outage(NOW - 100, BAD, 1))
        self.assertEqual(
            decide(before, unhealthy(), NOW, settings()),
            Decision(
                state(failures=1, restarts=(NOW - 100,), outage=Outage(NOW - 100, BAD, 1)),
                False,
                (),
                f"failing (1 of 2): {BAD}",
            ),
        )

    def test_each_restart_waits_twice_as_long(self) -> None:
        outage = Outage(NOW - 1000, BAD, 1)
        for restarts, seconds in (((0.0,), 60), ((-100.0, 0.0), 120), ((-200.0, -100.0, 0.0), 240)):
            stamps = tuple(NOW + each for each in restarts)
            before = state(failures=1, restarts=stamps, outage=outage)
            with self.subTest(seconds):
                chosen = settings(max_restarts=9)
                early = decide(before, unhealthy(), NOW + seconds - 1, chosen)
                self.assertEqual((early.restart, early.messages), (False, ()))
                self.assertEqual(early.status, f"unhealthy, next restart in 1 s: {BAD}")
                self.assertTrue(decide(before, unhealthy(), NOW + seconds, chosen).restart)

    def test_a_pause_is_never_longer_than_the_window(self) -> None:
        before = state(failures=1, restarts=(NOW - 599, NOW - 1), outage=Outage(NOW - 700, BAD, 2))
        chosen = settings(within_sec=600.0, backoff_sec=1e6)
        self.assertEqual(
            decide(before, unhealthy(), NOW, chosen).status, f"unhealthy, next restart in 9 min 59 s: {BAD}"
        )

    def test_a_budget_that_is_used_up_is_told_once(self) -> None:
        before = state(failures=1, restarts=(NOW - 900, NOW - 600, NOW - 300), outage=Outage(NOW - 1000, BAD, 3))
        text = "restarted 3 times in 1 h and still not well, so it is left alone for 45 min"
        first = decide(before, unhealthy(), NOW, settings())
        self.assertEqual(
            first,
            Decision(
                state(failures=2, restarts=before.restarts, outage=before.outage, told_used_up=True),
                False,
                (Message("used-up", ERROR, f"{text}: {BAD}"),),
                f"unhealthy, {text}: {BAD}",
            ),
        )
        second = decide(first.state, unhealthy(), NOW + 60, settings())
        self.assertEqual((second.state, second.restart, second.messages), (first.state, False, ()))

    def test_the_window_slides(self) -> None:
        before = state(
            failures=2,
            restarts=(NOW - 3600, NOW - 600, NOW - 300),
            outage=Outage(NOW - 4000, BAD, 3),
            told_used_up=True,
        )
        made = decide(before, unhealthy(), NOW, settings())
        self.assertTrue(made.restart)
        self.assertEqual(
            made.state,
            state(restarts=(NOW - 600, NOW - 300, NOW), outage=Outage(NOW - 4000, BAD, 4), told_used_up=False),
        )
        self.assertFalse(decide(before, unhealthy(), NOW - 1, settings()).restart)

    def test_a_smaller_budget_counts_what_was_used_before(self) -> None:
        before = state(failures=1, restarts=(NOW - 900, NOW - 600, NOW - 300), outage=Outage(NOW - 1000, BAD, 3))
        made = decide(before, unhealthy(), NOW, settings(max_restarts=1))
        self.assertEqual(
            made.status,
            f"unhealthy, restarted 3 times in 1 h and still not well, so it is left alone for 55 min: {BAD}",
        )

    def test_a_check_without_budget_tells_and_does_nothing(self) -> None:
        made = decide(state(failures=1), unhealthy(), NOW, settings(max_restarts=0))
        self.assertFalse(made.restart)
        self.assertEqual(
            made.messages,
            (
                Message("unhealthy", WARNING, f"unhealthy, 2 checks in a row: {BAD}"),
                Message("used-up", ERROR, f"maxRestarts is 0, so this check only tells: {BAD}"),
            ),
        )

    def test_a_unit_that_cannot_be_restarted_costs_no_budget(self) -> None:
        sight = unhealthy(reason="it does not run", since_start=None, hopeless="its unit file is not-found")
        made = decide(state(failures=1), sight, NOW, settings())
        self.assertEqual((made.restart, made.state.restarts), (False, ()))
        self.assertEqual(
            made.messages,
            (
                Message("unhealthy", WARNING, "unhealthy, 2 checks in a row: it does not run"),
                Message("used-up", ERROR, "systemd cannot restart it, its unit file is not-found: it does not run"),
            ),
        )
        self.assertEqual(decide(made.state, sight, NOW + 60, settings()).messages, ())

    def test_a_clock_that_went_back_frees_nothing(self) -> None:
        before = state(failures=1, restarts=(NOW + 10, NOW + 20, NOW + 5000), outage=Outage(NOW - 10, BAD, 3))
        made = decide(before, unhealthy(), NOW, settings())
        self.assertEqual((made.restart, made.state.restarts), (False, (NOW, NOW, NOW)))


class SpanTest(unittest.TestCase):
    def test_cases(self) -> None:
        for seconds, text in (
            (-5, "0 s"),
            (0, "0 s"),
            (0.2, "1 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3600, "1 h"),
            (3605, "1 h 5 s"),
            (90061, "1 d 1 h"),
        ):
            with self.subTest(seconds):
                self.assertEqual(span(seconds), text)


if __name__ == "__main__":
    unittest.main()
