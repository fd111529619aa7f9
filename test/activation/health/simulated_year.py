"""
Years in the lives of three services that depend on each other, on a clock that does not wait, against the real state
machine, the real treatment of root causes, and the real rules of the host program about going back to the generation
before. What must hold is counted apart from the programs under test.

`python3 test/activation/health/simulated_year.py --timelines 10000` runs the long form; `npm test` runs a short one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import Any

from pulumi_systemd_health_under_test import SOURCE, check

sys.path.insert(0, os.path.join(SOURCE, "..", "host"))


from pulumi_systemd_health import decision
from pulumi_systemd_health.decision import Condition, Sight, decide
from pulumi_systemd_health.round import Seen, blocked
from pulumi_systemd_health.settings import Check, Group, Step
from pulumi_systemd_health.state import State, states_of, states_text
from pulumi_systemd_host import command
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.generations import Generation, Origin
from pulumi_systemd_host.ledger import Hold, Ledger, RolledBack
from pulumi_systemd_host.system import Host

YEAR = 365 * 86400.0
BEGIN = 1_800_000_000.0
KINDS = ("hung", "hung", "failed", "failed", "stopped", "busy", "gone", "flapping", "unknown", "looping", "crashing")
LADDERS = (
    *(("restart",), ("reload", "restart"), ("restart", "restart", "reload"), ("restart", "start"), ()),
    *(("rollback",), ("restart", "rollback"), ("rollback", "restart"), ("restart", "rollback", "start")),
)
HOLD_SEC = 12 * 3600.0
KEPT = 5
SHOP = {"scope": "shop"}


class Nowhere(Host):
    """A host without files: nobody holds it."""

    def at(self, path: str) -> str:
        return f"/nonexistent{path}"


NOWHERE = Nowhere()


class Broken(AssertionError):
    """A rule did not hold."""


@dataclass
class Life:
    """One service as it really is. `until` ends the trouble by itself; an action may end it before."""

    kind: str = "well"
    started: float = BEGIN - 1e6
    until: float = 0.0
    helps: float = 0.5
    # Restarts by systemd itself since a person, an action or a boot started it.
    restarts: int = 0
    # The generation whose code is at fault, 0 for none, and when that will show.
    fault: int = 0
    shows: float = float("inf")


@dataclass
class Count:
    """What must have been told and done for one check, counted without the program under test."""

    recent: deque[bool]
    outage: bool = False
    opened: bool = False
    told: float = 0.0
    actions: list[float] = field(default_factory=list)
    acted_in_outage: int = 0
    idle_since: float | None = None
    restarts: int = 0
    loops: int = 0
    blocked: float | None = None
    began: float = 0.0
    rollbacks: int = 0
    # When it was seen not to be well, but for what is not counted.
    ill: deque[float] = field(default_factory=lambda: deque(maxlen=1000))


class Year:
    """One timeline."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.now = BEGIN
        self.step = self.dice.choice((300.0, 900.0, 1800.0, 1800.0))
        self.checks = [self.random_check(name, above) for name, above in (("db", ()), ("api", ("db",)), ("web", ("api",)))]
        self.group = Group("shop", "shop.timer", "health.service", (), None, tuple(self.checks))
        self.lives = {each.name: Life(helps=self.dice.choice((0.0, 0.3, 0.9))) for each in self.checks}
        self.counts = {each.name: Count(deque(maxlen=each.fail_of)) for each in self.checks}
        self.states: dict[str, State] = {}
        self.held_until = 0.0
        self.held_why = ""
        # The scope that has all three, and its generations.
        self.ledger = Ledger("shop", generation=2, at=BEGIN)
        self.generations = {1: Generation(1, "", BEGIN - 1e6, Origin("up"), SHOP), 2: Generation(2, "", BEGIN, Origin("up"), SHOP)}
        self.updates: list[float] = []
        self.seen: Counter[str] = Counter()

    def random_check(self, name: str, above: tuple[str, ...]) -> Check:
        dice = self.dice
        fail_after = dice.choice((1, 2, 3))
        within = dice.choice((3600.0, 6 * 3600.0, 86400.0))
        return check(
            name=name,
            unit=f"{name}.service",
            depends_on=above,
            fail_after=fail_after,
            fail_of=fail_after + dice.choice((0, 0, 2)),
            grace_sec=dice.choice((0.0, 30.0, 600.0)),
            ladder=tuple(self.random_step(verb) for verb in dice.choice(LADDERS)),
            max_actions=dice.choice((0, 1, 3, 3, 5)),
            within_sec=within,
            backoff_sec=dice.choice((0.0, 60.0, 600.0)),
            backoff_max_sec=dice.choice((600.0, 1800.0)),
            jitter=0.2,
            half_open_after_sec=dice.choice((within, 3600.0)),
            remind_every_sec=dice.choice((0.0, 4 * 3600.0, 86400.0)),
            stable_for_sec=dice.choice((0.0, 600.0, 7200.0)),
        )

    def random_step(self, verb: str) -> Step:
        newer_sec = self.dice.choice((3600, 6 * 3600, 86400)) if verb == "rollback" else 0
        return Step(verb, "hook.service" if verb == "start" else "", newer_sec)

    def run(self) -> Counter[str]:
        end = BEGIN + YEAR
        next_trouble = self.now
        while self.now < end:
            if self.at_rest():
                # Nothing would be remembered or said meanwhile.
                shown = (life.shows for life in self.lives.values() if life.fault)
                self.now = max(self.now, min([next_trouble, *self.updates, *shown]))
            if self.now >= next_trouble:
                self.trouble()
                next_trouble = self.now + self.dice.expovariate(1 / (16 * 86400.0))
            self.now += self.step
            self.round()
        # Everything gets well, so that every outage has an end.
        for life in self.lives.values():
            life.kind, life.started, life.fault = "well", self.now - 1e6, 0
        self.updates.clear()
        self.held_until = 0.0
        for _ in range(4):
            self.now += self.step
            self.round()
        for each in self.checks:
            self.rule(not self.counts[each.name].outage, f"{each.name}: an outage was never told to be over")
            self.rule(self.states[each.name].outage is None, f"{each.name}: an outage is still remembered")
        return self.seen

    def at_rest(self) -> bool:
        lives = all(life.kind == "well" for life in self.lives.values())
        states = all(
            state.outage is None and not state.recent and state.tries == 0 and state.blind is None and not state.loops
            for state in self.states.values()
        )
        return lives and states and len(self.states) == len(self.checks)

    def trouble(self) -> None:
        dice = self.dice
        what = dice.random()
        if what < 0.08:
            self.reboot()
        elif what < 0.25:
            self.held_until = self.now + dice.choice((60.0, 1800.0, 20000.0))
            self.held_why = dice.choice(("a deploy is under way", "held by a lease", "the system is going down"))
        if dice.random() < 0.4:
            # Who updates may update again soon: an attempt to mend it.
            self.updates += [self.now + dice.choice((0.0, 1800.0, 20000.0)) for _ in range(dice.choice((1, 1, 2, 3)))]
        if what > 0.05 and dice.random() < 0.8:
            for name in dice.sample(sorted(self.lives), dice.choice((1, 1, 1, 2, 3))):
                life = self.lives[name]
                life.kind = dice.choice(KINDS)
                life.until = self.now + dice.choice((600.0, 3600.0, 20000.0, 100000.0))
                if dice.random() < 0.3:
                    life.started = self.now

    def update(self) -> None:
        """A new generation, which brings new code to all three, and may bring a fault that shows later."""
        dice, ledger = self.dice, self.ledger
        if ledger.hold is not None and self.now < ledger.hold.until and dice.random() < 0.7:
            return  # A person may end the hold.
        self.brought(Origin("up"))
        ledger.rolled_back = ledger.hold = None
        for life in self.lives.values():
            life.fault = 0
            if dice.random() < 0.5:
                life.fault, life.shows = ledger.generation, self.now + dice.choice((0.0, 600.0, 3600.0, 50000.0))
        self.seen["update"] += 1

    def brought(self, origin: Origin) -> None:
        self.ledger.generation += 1
        number = self.ledger.generation
        self.ledger.at = self.now
        self.generations[number] = Generation(number, "", self.now, origin, SHOP)
        self.generations.pop(number - KEPT, None)
        for life in self.lives.values():
            life.started, life.restarts = self.now, 0
            # A restart may help, whatever it was, and what was due to the code goes with it.
            if life.fault or self.dice.random() < life.helps:
                life.kind = "well"

    def rollback(self, one: Check, state: State, step: Step, where: str) -> None:
        """What the host program does when a check asks to go back."""
        asked = argparse.Namespace(generation=None, newer=step.newer_sec, ill=state.ill)
        left = self.ledger.generation
        try:
            target = command.target_for_check(NOWHERE, self.ledger, self.generations, asked, self.now)
        except HostError:
            self.seen["refused"] += 1
            return
        count, came = self.counts[one.name], self.ledger.at
        self.rule(self.now - came < step.newer_sec, f"{where}: went back from what has run for long")
        self.rule(count.began >= came, f"{where}: went back from what came when it was ill already")
        then = [at for at in count.ill if target.at <= at < came and came - at <= step.newer_sec]
        self.rule(not then, f"{where}: went back to what was ill {then} itself")
        self.rule(self.ledger.rolled_back is None, f"{where}: went back twice in a row")
        self.rule(target.number < left, f"{where}: went forward")
        fault = {name: life.fault for name, life in self.lives.items()}
        self.brought(Origin("rollback", target.number))
        self.ledger.rolled_back = RolledBack(target.number, left, "", self.now, one.name)
        self.ledger.hold = Hold(one.name, self.now, self.now + HOLD_SEC)
        for name, life in self.lives.items():
            life.fault = 0 if fault[name] == left else fault[name]
        self.seen["went back"] += 1

    def reboot(self) -> None:
        """What is on disk comes back, and nothing else."""
        self.states = states_of(states_text(self.states))
        self.held_until = 0.0
        for life in self.lives.values():
            life.started, life.restarts = self.now, 0
            if life.kind in ("stopped", "busy"):
                life.kind = "well"

    def sight(self, name: str) -> Sight:
        life = self.lives[name]
        if self.now >= life.until and life.kind != "well":
            life.kind = "well"
        if life.fault and self.now >= life.shows and life.kind == "well":
            # It comes back after each restart, until somebody sees to it.
            life.kind, life.until = "hung", self.now + 20000.0
            life.shows = self.now + self.dice.choice((600.0, 3600.0))
            life.fault *= self.dice.random() < 0.6
        kind = life.kind if life.kind != "flapping" else self.dice.choice(("well", "hung"))
        if kind in ("looping", "crashing"):
            return self.restarted(life)
        if kind == "stopped":
            life.restarts = 0
        condition = {
            "well": Condition.HEALTHY,
            "stopped": Condition.STOPPED,
            "busy": Condition.BUSY,
            "unknown": Condition.UNKNOWN,
        }.get(kind, Condition.UNHEALTHY)
        hopeless = "its file is not-found" if kind == "gone" else ""
        return Sight(condition, kind, self.now - life.started, "", hopeless, life.restarts)

    def restarted(self, life: Life) -> Sight:
        """systemd restarts it after each failure (looping), or has done so once or twice since the last look (crashing)."""
        dice = self.dice
        if life.kind == "looping" or dice.random() < 0.4:
            life.restarts += dice.choice((1, 2, 50))
            life.started = self.now - 1.0
        looks = (Condition.BUSY, Condition.UNHEALTHY) if life.kind == "looping" else (Condition.HEALTHY,)
        return Sight(dice.choice(looks), life.kind, self.now - life.started, "", "", life.restarts)

    def round(self) -> None:
        held = self.held_why if self.now < self.held_until else ""
        if not held and any(at <= self.now for at in self.updates):
            self.updates = [at for at in self.updates if at > self.now]
            self.update()
        seen = blocked([Seen(self.group, each, None, self.sight(each.name)) for each in self.checks])
        ill_above: set[str] = set()
        for each in seen:
            name, life = each.check.name, self.lives[each.check.name]
            root = next((above for above in each.check.depends_on if above in ill_above), None)
            sight = each.sight
            if sight.condition is Condition.UNHEALTHY:
                self.rule(root is None, f"{name} would be treated although {root} is not well")
            sight = replace(sight, held=held) if held else sight
            if sight.condition not in (Condition.HEALTHY, Condition.UNKNOWN):
                ill_above.add(name)
            before = self.states.get(name, State(each.check.unit))
            made = decide(before, sight, self.now, each.check, self.dice.random())
            self.states[name] = made.state
            self.judged(each.check, sight, made.action, [message.event for message in made.messages])
            if made.action is not None and made.action.is_rollback:
                self.rollback(each.check, made.state, made.action, f"{name} at {self.now - BEGIN:.0f}")
            elif made.action is not None:
                life.started, life.restarts = self.now, 0
                if self.dice.random() < life.helps:
                    life.kind = "well"

    def judged(self, one: Check, sight: Sight, action: Step | None, events: list[str]) -> None:
        count, where = self.counts[one.name], f"{one.name} at {self.now - BEGIN:.0f}"
        for event in events:
            self.seen[event] += 1
        told = [event for event in events if event not in ("failing", "blind", "sighted")]
        if self.loops(one, sight) and not sight.held:
            self.rule(action is None, f"{where}: {action} although systemd is at work on it")
            self.rule(set(told) <= {"outage", "reminder"}, f"{where}: a loop, told {told}")
            self.counted_outage(one, told, where)
            self.reminded(one, action, told, where)
            self.seen["loop"] += told.count("outage")
            count.ill.append(self.now)
            count.idle_since = None
            return
        if sight.condition is Condition.BLOCKED:
            count.blocked = self.now
        if sight.condition is Condition.HEALTHY:
            count.blocked = None
            self.rule(told == (["recovered"] if count.outage else []), f"{where}: well, told {told}")
            count.recent.append(False)
            count.outage = count.opened = False
            count.idle_since = None
            return
        quiet = sight.condition is not Condition.UNHEALTHY or sight.held
        freed = count.blocked is not None and self.now - count.blocked < one.grace_sec
        if quiet or freed or (sight.since_start or 0.0) < one.grace_sec:
            self.rule(action is None and not told, f"{where}: {sight.condition.value}, {sight.held}: {action}, {told}")
            if sight.condition is Condition.STOPPED:
                count.recent.clear()
            count.idle_since = None
            return
        count.recent.append(True)
        if sum(count.recent) < one.fail_after:
            self.rule(action is None and not told, f"{where}: too early: {action}, {told}")
            return
        self.unwell(one, sight, action, told, where)

    def loops(self, one: Check, sight: Sight) -> bool:
        """Whether systemd restarts it again and again: each of the last looks, two at least, found more restarts."""
        count = self.counts[one.name]
        if sight.condition is Condition.UNKNOWN:
            return False
        lived = sight.since_start or 0.0
        if sight.restarts is None or sight.condition in (Condition.STOPPED, Condition.BLOCKED):
            count.restarts = count.loops = 0
            return False
        if sight.restarts > count.restarts:
            good = sight.condition is Condition.HEALTHY and lived >= max(one.stable_for_sec, one.grace_sec)
            count.loops = 0 if good else count.loops + 1
        elif sight.restarts < count.restarts or (lived >= one.grace_sec and sight.condition is not Condition.BUSY):
            count.loops = 0
        count.restarts = sight.restarts
        return count.loops >= max(2, one.fail_after)

    def counted_outage(self, one: Check, told: list[str], where: str) -> None:
        count = self.counts[one.name]
        self.rule(told.count("outage") == (0 if count.outage else 1), f"{where}: an outage must be told once: {told}")
        if not count.outage:
            count.outage, count.opened, count.told, count.acted_in_outage = True, False, self.now, 0
            count.began, count.rollbacks = self.now, 0

    def unwell(self, one: Check, sight: Sight, action: Step | None, told: list[str], where: str) -> None:
        count = self.counts[one.name]
        self.counted_outage(one, told, where)
        count.ill.append(self.now)
        spent = bool(count.rollbacks) and all(step.is_rollback for step in one.ladder)
        if "open" in told:
            self.rule(not count.opened, f"{where}: told twice that it is left alone")
            used = [each for each in count.actions if self.now - each < one.within_sec]
            self.rule(bool(sight.hopeless) or spent or len(used) >= one.max_actions, f"{where}: left alone with budget to spare")
            count.opened, count.told = True, self.now
        self.reminded(one, action, told, where)
        if action is None:
            if one.ladder and one.max_actions and not sight.hopeless and not spent:
                count.idle_since = self.now if count.idle_since is None else count.idle_since
                longest = max(one.half_open_after_sec, one.within_sec) + one.backoff_max_sec * 1.2
                self.rule(self.now - count.idle_since <= longest + self.step, f"{where}: nothing is ever done again")
            return
        self.acted(one, sight, action, where)

    def reminded(self, one: Check, action: Step | None, told: list[str], where: str) -> None:
        count = self.counts[one.name]
        if "reminder" in told:
            self.rule(one.remind_every_sec > 0 and self.now - count.told >= one.remind_every_sec, f"{where}: reminded early")
            count.told = self.now
        elif one.remind_every_sec > 0 and action is None:
            self.rule(self.now - count.told < one.remind_every_sec, f"{where}: a reminder is missing")

    def acted(self, one: Check, sight: Sight, action: Step, where: str) -> None:
        count = self.counts[one.name]
        self.rule(not sight.hopeless and action in one.ladder, f"{where}: {action} is not on the ladder, or in vain")
        used = [each for each in count.actions if self.now - each < one.within_sec]
        self.rule(len(used) < one.max_actions, f"{where}: action {len(used) + 1} of {one.max_actions}")
        if count.acted_in_outage:
            pause = min(one.backoff_sec * 2 ** min(count.acted_in_outage - 1, 64), one.backoff_max_sec)
            self.rule(self.now - count.actions[-1] >= pause, f"{where}: acted again too soon")
        count.rollbacks += action.is_rollback
        self.rule(count.rollbacks <= 1, f"{where}: rollback {count.rollbacks} in one outage")
        count.actions.append(self.now)
        count.acted_in_outage += 1
        count.recent.clear()
        count.idle_since = None
        self.seen[action.verb] += 1

    def rule(self, holds: bool, what: str) -> None:
        if not holds:
            raise Broken(f"timeline {self.seed}: {what}")


def timelines(seeds: range) -> Counter[str]:
    """Events of all timelines together. Raises Broken for a rule that does not hold."""
    total: Counter[str] = Counter()
    for seed in seeds:
        total += Year(seed).run()
    return total


def copied(value: Any, **changes: Any) -> Any:
    """What dataclasses.replace gives for frozen data without checks of its own, in a fifth of the time."""
    made = object.__new__(type(value))
    made.__dict__.update(value.__dict__, **changes)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulated years of health checks.")
    parser.add_argument("--timelines", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="at a time; default: one for each CPU")
    options = parser.parse_args()
    wanted = options.timelines
    decision.replace = copied  # type: ignore[attr-defined, assignment]
    begin = time.monotonic()
    parts = [range(at, min(at + 50, wanted)) for at in range(0, wanted, 50)]
    total: Counter[str] = Counter()
    with multiprocessing.Pool(options.processes) as pool:
        for done, part in enumerate(pool.imap_unordered(timelines, parts), 1):
            total += part
            if done % 10 == 0:
                sys.stderr.write(f"{done * 50} timelines, {time.monotonic() - begin:.0f} s\n")
    told: dict[str, Any] = dict(sorted(total.items()))
    sys.stdout.write(f"{wanted} timelines of a year in {time.monotonic() - begin:.0f} s, every rule held: {told}\n")


if __name__ == "__main__":
    main()
