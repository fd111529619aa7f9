from __future__ import annotations

import unittest
from dataclasses import replace
from typing import Any

from pulumi_systemd_health_under_test import UNIT, check

from pulumi_systemd_health.decision import Condition, Decision, Sight, decide, span
from pulumi_systemd_health.settings import Check, Step
from pulumi_systemd_health.state import Outage, State

NOW = 1_800_000_000.0
BAD = "GET http://127.0.0.1:8000/: status 500, wanted 200 to 399"
RESTART = Step("restart")


def unwell(**changes: Any) -> Sight:
    return Sight(**{"condition": Condition.UNHEALTHY, "reason": BAD, "since_start": 100.0, **changes})


def well(lived: float = 100.0) -> Sight:
    return Sight(Condition.HEALTHY, "it is well", lived)


def decided(state: State, sight: Sight, now: float = NOW, chosen: Check | None = None, dice: float = 0.0) -> Decision:
    return decide(state, sight, now, chosen or check(), dice)


def events(made: Decision) -> list[str]:
    return [message.event for message in made.messages]


class Life:
    """A check that is asked again and again."""

    def __init__(self, chosen: Check, dice: float = 0.0) -> None:
        self.chosen, self.dice, self.state, self.now = chosen, dice, State(UNIT), NOW

    def after(self, seconds: float, sight: Sight) -> tuple[str, list[str], str]:
        self.now += seconds
        made = decide(self.state, sight, self.now, self.chosen, self.dice)
        self.state = made.state
        done = f"{made.action.verb} {made.action.unit}".strip() if made.action else ""
        return made.phase, events(made), done


class WellTest(unittest.TestCase):
    def test_nothing_is_said_or_remembered(self) -> None:
        self.assertEqual(
            decided(State(UNIT), well()), Decision(State(UNIT), None, (), "healthy", "healthy: it is well")
        )

    def test_a_single_failure_is_forgotten(self) -> None:
        self.assertEqual(decided(State(UNIT, (True,)), well()).state, State(UNIT))

    def test_a_recovery_is_told_and_the_used_budget_stays_used(self) -> None:
        used = (NOW - 300, NOW - 200)
        before = State(UNIT, (True,), used, 2, NOW + 40, None, Outage(NOW - 3900, BAD, 2, NOW - 3900), NOW - 100)
        made = decided(before, well())
        self.assertEqual(made.messages[0].text, "recovered after 1 h 5 min, 2 actions")
        self.assertEqual(made.state, State(UNIT, (), used, 2, NOW + 40, NOW))

    def test_it_is_told_in_a_lease_and_in_the_grace_too(self) -> None:
        sight = Sight(Condition.HEALTHY, "active", 1.0, "held for 5 min by a lease")
        self.assertEqual(events(decided(State(UNIT, outage=Outage(NOW - 60, BAD, 1, NOW - 60)), sight)), ["recovered"])

    def test_the_ladder_begins_anew_after_a_stable_time(self) -> None:
        before = State(UNIT, tries=3, well_since=NOW - 599)
        self.assertEqual(decided(before, well()).state.tries, 3)
        self.assertEqual(decided(before, well(), NOW + 1).state, State(UNIT))


class UntouchedTest(unittest.TestCase):
    """What is not counted changes nothing and says nothing."""

    def test_cases(self) -> None:
        before = State(UNIT, (True,), (NOW - 100,), 1, 0.0, None, Outage(NOW - 200, BAD, 1, NOW - 200))
        for sight, phase, status in (
            (Sight(Condition.BUSY, "systemd is about to restart it"), "waiting", "waiting: systemd is about to restart it"),
            (Sight(Condition.BLOCKED, "db is not well"), "blocked", "left alone: db is not well"),
            (unwell(held="a deploy is under way"), "held", f"not counted, a deploy is under way: {BAD}"),
            (unwell(since_start=29.9), "grace", f"not counted, started 30 s ago: {BAD}"),
        ):
            with self.subTest(status):
                after = replace(before, blocked=NOW) if phase == "blocked" else before
                self.assertEqual(decided(before, sight), Decision(after, None, (), phase, status))

    def test_a_unit_that_a_person_stopped_counts_from_the_start_again(self) -> None:
        outage = Outage(NOW - 200, BAD, 1, NOW - 200)
        self.assertEqual(
            decided(State(UNIT, (True,), outage=outage), Sight(Condition.STOPPED, "it was stopped")),
            Decision(State(UNIT, outage=outage), None, (), "stopped", "not watched: it was stopped"),
        )

    def test_the_grace_ends(self) -> None:
        for seconds in (30.0, None):
            with self.subTest(seconds):
                self.assertEqual(decided(State(UNIT), unwell(since_start=seconds)).state.recent, (True,))

    def test_a_check_that_cannot_be_made_is_told_once_and_touches_nothing(self) -> None:
        life = Life(check(fail_after=1))
        unknown = Sight(Condition.UNKNOWN, "no such program")
        self.assertEqual(life.after(60, unknown), ("unknown", ["blind"], ""))
        first = decide(State(UNIT), unknown, NOW, life.chosen, 0.0)
        self.assertEqual([message.notify for message in first.messages], [True])
        again = decide(life.state, unknown, NOW + 60, life.chosen, 0.0)
        self.assertEqual([message.notify for message in again.messages], [False])
        self.assertEqual(life.after(60, well()), ("healthy", ["sighted"], ""))


class UnwellTest(unittest.TestCase):
    def test_from_the_first_failure_to_the_last_action_and_back(self) -> None:
        life = Life(check())
        story = [
            (60, unwell(), ("failing", ["failing"], "")),
            (60, unwell(), ("acting", ["outage", "action"], "restart")),
            (60, unwell(since_start=10.0), ("grace", [], "")),
            (60, unwell(), ("failing", [], "")),
            (60, unwell(), ("acting", ["action"], "restart")),
            (60, unwell(), ("failing", [], "")),
            (30, unwell(), ("waiting", [], "")),
            (60, unwell(), ("acting", ["action"], "restart")),
            (60, unwell(), ("failing", [], "")),
            (60, unwell(), ("open", ["open"], "")),
            (600, unwell(), ("open", [], "")),
            (3000, unwell(), ("acting", ["action"], "restart")),
            (60, unwell(), ("failing", [], "")),
            (60, unwell(), ("open", [], "")),
            (60, well(), ("healthy", ["recovered"], "")),
            (60, well(), ("healthy", [], "")),
        ]
        for index, (seconds, sight, expected) in enumerate(story):
            self.assertEqual(life.after(seconds, sight), expected, f"step {index}")

    def test_some_of_several_are_enough(self) -> None:
        life = Life(check(fail_after=2, fail_of=4))
        for sight, events_told in ((unwell(), ["failing"]), (well(), []), (well(), []), (unwell(), ["outage", "action"])):
            self.assertEqual(life.after(60, sight)[1], events_told)

    def test_in_a_row_a_good_one_forgets_the_bad_ones(self) -> None:
        life = Life(check(fail_after=2))
        for sight, told in ((unwell(), ["failing"]), (well(), []), (unwell(), ["failing"]), (unwell(), ["outage", "action"])):
            self.assertEqual(life.after(60, sight)[1], told)

    def test_after_its_root_cause_it_has_the_grace_of_a_start(self) -> None:
        hook = (Step("start", "hook.service"),)
        life = Life(check(fail_after=1, grace_sec=30.0, backoff_sec=0.0, unit=None, ladder=hook))
        blocked = Sight(Condition.BLOCKED, "db is not well and comes first: no answer")
        late = replace(unwell(), since_start=None)
        for seconds, sight, phase in (
            (0, blocked, "blocked"),
            (10, blocked, "blocked"),
            (29, late, "grace"),
            (5, late, "acting"),
            (5, blocked, "blocked"),
            (5, well(), "healthy"),
            (5, late, "acting"),
        ):
            self.assertEqual(life.after(seconds, sight)[0], phase, seconds)

    def test_the_ladder_goes_up_and_stays_at_the_top(self) -> None:
        ladder = (Step("reload"), RESTART, Step("start", "backend.service"))
        life = Life(check(fail_after=1, ladder=ladder, max_actions=9, backoff_sec=0.0))
        done = [life.after(60, unwell())[2] for _ in range(5)]
        self.assertEqual(done, ["reload", "restart", *["start backend.service"] * 3])

    def test_each_pause_is_twice_as_long_up_to_a_bound_and_a_little_by_chance(self) -> None:
        for dice, pauses in ((0.0, [60, 120, 240, 300, 300]), (1.0, [72, 144, 288, 360, 360])):
            state = State(UNIT)
            chosen = check(fail_after=1, max_actions=9, backoff_max_sec=300.0, jitter=0.2)
            now = NOW
            for pause in pauses:
                made = decide(state, unwell(), now, chosen, dice)
                self.assertEqual((made.action, made.next_action), (RESTART, now + pause))
                self.assertIsNone(decide(made.state, unwell(), now + pause - 1, chosen, dice).action)
                state, now = made.state, now + pause

    def test_a_reminder_comes_in_its_turn(self) -> None:
        life = Life(check(fail_after=1, ladder=(), unit=None, remind_every_sec=3600.0))
        self.assertEqual(life.after(0, unwell()), ("told", ["outage"], ""))
        self.assertEqual([life.after(1200, unwell())[1] for _ in range(6)], [[], [], ["reminder"], [], [], ["reminder"]])

    def test_a_unit_that_systemd_cannot_start_is_told_and_left_alone(self) -> None:
        life = Life(check(fail_after=1))
        gone = unwell(hopeless="its unit file is not-found")
        self.assertEqual(life.after(0, gone), ("open", ["outage", "open"], ""))
        self.assertEqual(life.after(7200, gone), ("open", [], ""))
        self.assertEqual(life.after(60, unwell()), ("acting", ["action"], "restart"))

    def test_half_open_never_goes_beyond_the_budget(self) -> None:
        life = Life(check(fail_after=1, backoff_sec=0.0, within_sec=86400.0, half_open_after_sec=60.0))
        done = [life.after(120, unwell())[2] for _ in range(700)]
        self.assertEqual(done.count("restart"), 3)

    def test_texts(self) -> None:
        made = decided(State(UNIT, (True,)), unwell())
        self.assertEqual(
            [message.text for message in made.messages],
            [f"not well, 2 checks failed: {BAD}", f"restart, action 1 of 3 in 1 h: {BAD}"],
        )
        used = (NOW - 900, NOW - 600, NOW - 300)
        full = State(UNIT, (True,), used, 3, 0.0, None, Outage(NOW - 1000, BAD, 3, NOW - 1000))
        made = decided(full, unwell())
        self.assertEqual(made.messages[0].text, f"3 actions in 1 h did not help, so it is left alone: {BAD}")
        self.assertEqual(made.next_action, NOW + 3600)


class CrashLoopTest(unittest.TestCase):
    """A unit that fails after each start is never seen to fail: systemd is always about to restart it."""

    def test_it_is_told_once_left_to_systemd_and_its_end_is_told(self) -> None:
        life = Life(check())
        busy, started = Condition.BUSY, Condition.UNHEALTHY
        story = [
            (well(), 0, ("healthy", [], "")),
            (Sight(busy, "systemd is about to restart it"), 9, ("waiting", [], "")),
            (Sight(started, "no answer", 2.0), 21, ("told", ["outage"], "")),
            (Sight(busy, "systemd is about to restart it"), 33, ("told", [], "")),
            (Sight(started, "no answer", 2.0), 33, ("told", [], "")),
            (well(), 40, ("told", [], "")),
            (well(), 40, ("healthy", ["recovered"], "")),
        ]
        for index, (sight, restarts, expected) in enumerate(story):
            self.assertEqual(life.after(60, self.counted(sight, restarts)), expected, f"step {index}")

    def test_when_systemd_gives_up_it_is_treated(self) -> None:
        life = Life(check())
        busy = Sight(Condition.BUSY, "systemd is about to restart it")
        failed = unwell(since_start=40.0)
        for sight, restarts, expected in (
            (busy, 3, ("waiting", [], "")),
            (busy, 5, ("told", ["outage"], "")),
            (failed, 5, ("failing", [], "")),
            (failed, 5, ("acting", ["action"], "restart")),
        ):
            self.assertEqual(life.after(60, self.counted(sight, restarts)), expected)

    def test_what_systemd_mends_is_nothing_to_tell(self) -> None:
        for why, lived, restarts in (
            ("a crash now and then", 100.0, (0, 1, 1, 2, 2)),
            ("one crash, seen soon after", 2.0, (0, 1, 1, 1, 1)),
            ("long runs that end", 700.0, (0, 3, 6, 9, 12)),
        ):
            life = Life(check())
            for count in restarts:
                with self.subTest(why, count=count):
                    self.assertEqual(life.after(3600, self.counted(well(lived), count))[:2], ("healthy", []))

    def test_a_short_life_between_two_crashes_is_no_recovery(self) -> None:
        life = Life(check())
        story = [(1, []), (2, ["outage"]), (2, []), (3, []), (3, [])]
        for count, told in story:
            self.assertEqual(life.after(5, self.counted(well(3.0), count))[1], told, count)
        self.assertEqual(life.after(5, self.counted(well(31.0), 3))[1], ["recovered"])

    def test_nothing_is_told_while_it_is_held_and_it_is_told_after(self) -> None:
        life = Life(check())
        busy = Sight(Condition.BUSY, "systemd is about to restart it")
        for count in (3, 6, 9):
            self.assertEqual(life.after(60, replace(self.counted(busy, count), held="held by a person"))[1], [])
        self.assertEqual(life.after(60, self.counted(busy, 12))[1], ["outage"])

    def test_a_reminder_comes(self) -> None:
        life = Life(check(remind_every_sec=3600.0))
        busy = Sight(Condition.BUSY, "systemd is about to restart it")
        told = [life.after(1800, self.counted(busy, 9 * count))[1] for count in range(1, 7)]
        self.assertEqual(told, [[], ["outage"], [], ["reminder"], [], ["reminder"]])

    def test_a_person_or_an_action_of_ours_begins_anew(self) -> None:
        life = Life(check())
        busy = Sight(Condition.BUSY, "systemd is about to restart it")
        self.assertEqual([life.after(60, self.counted(busy, count))[1] for count in (9, 1, 2)], [[], [], []])
        self.assertEqual(life.after(60, self.counted(busy, 3))[1], ["outage"])

    @staticmethod
    def counted(sight: Sight, restarts: int) -> Sight:
        return replace(sight, restarts=restarts)


class SpanTest(unittest.TestCase):
    def test_texts(self) -> None:
        for seconds, text in ((0, "0 s"), (0.2, "1 s"), (60, "1 min"), (3900, "1 h 5 min"), (90061, "1 d 1 h"), (-5, "0 s")):
            self.assertEqual(span(seconds), text)


if __name__ == "__main__":
    unittest.main()
