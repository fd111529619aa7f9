"""What clients meet while a running service changes over: small probes of its address, before the switch and on."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Callable

# One probe each 0.1 s for the first 20 s, then one each second: what is looked at must not feel it.
OFTEN_SEC = 0.1
OFTEN_FOR_SEC = 20.0
SELDOM_SEC = 1.0
# Those that wait for a service which is slow to start do not become a crowd.
MOST_AT_ONCE = 16
# How long a client waits for its answer.
PATIENCE_SEC = 10.0
# An address that does not answer before the switch in so many seconds is not looked at.
FIRST_SEC = 2.0
MOST_PROBLEMS = 3


@dataclass(frozen=True)
class Swap:
    """What the probes of one service met. `kind`: request (a GET with its answer) or connection."""

    unit: str
    address: str
    kind: str
    made: int
    refused: int
    failed: int
    # From the first packet to the end of the answer, of those that were answered.
    worst_ms: int
    # Why some failed, each reason once.
    problems: list[str]

    @property
    def told(self) -> str:
        """One line for people."""
        lost = f"{self.refused} refused, {self.failed} failed"
        reasons = f" ({'; '.join(self.problems)})" if self.problems else ""
        slowest = f"the slowest answer after {self.worst_ms} ms"
        what = f"{self.kind}s" if self.made != 1 else self.kind
        return f"{self.unit} changed over: of {self.made} {what} to {self.address}, {lost}{reasons}; {slowest}"


@dataclass(frozen=True)
class Target:
    """An address to look at: `ask` returns when it has answered within the seconds given, and raises where not."""

    unit: str
    address: str
    kind: str
    ask: Callable[[float], None]


@dataclass
class _Tally:
    made: int = 0
    refused: int = 0
    failed: int = 0
    worst: float = 0.0
    problems: list[str] = field(default_factory=list)


class SwapMeter:
    """Probes that go on beside the transaction. Nothing that they meet is a reason to fail."""

    def __init__(self) -> None:
        self._targets: list[Target] = []
        self._tallies: dict[str, _Tally] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._clocks: list[threading.Thread] = []

    def begin(self, targets: list[Target]) -> list[str]:
        """Look at each target that answers now; of several of one unit at the first. Warnings where that cannot be."""
        try:
            for target, answered in zip(targets, _answer_now(targets)):
                if answered and target.unit not in self._tallies:
                    self._tallies[target.unit] = _Tally()
                    clock = threading.Thread(target=self._run, args=(target,), daemon=True)
                    clock.start()
                    self._clocks.append(clock)
                    self._targets.append(target)
        except (RuntimeError, MemoryError, OSError) as problem:
            # A host without a thread to spare. Not what ends the transaction: SIGTERM.
            why = str(problem) or type(problem).__name__
            return [f"what clients meet while services change over cannot be looked at: {why}"]
        return []

    def end(self) -> list[Swap]:
        """Make no more probes, wait for those that are out, and tell what all of them met. Nothing the second time."""
        self._over.set()
        deadline = time.monotonic() + PATIENCE_SEC + SELDOM_SEC
        for clock in self._clocks:
            clock.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            targets, self._targets = self._targets, []
            return [_swap(target, self._tallies[target.unit]) for target in targets]

    def _run(self, target: Target) -> None:
        begin = time.monotonic()
        own: list[threading.Thread] = []
        while not self._over.is_set():
            own = [thread for thread in own if thread.is_alive()]
            if len(own) < MOST_AT_ONCE:
                # A daemon: what hangs must not keep the program from its end.
                probe = threading.Thread(target=self._probe, args=(target,), daemon=True)
                # A host without a thread to spare now may have one at the next look.
                with suppress(RuntimeError, MemoryError):
                    probe.start()
                    own.append(probe)
            self._over.wait(OFTEN_SEC if time.monotonic() - begin < OFTEN_FOR_SEC else SELDOM_SEC)
        for thread in own:
            thread.join(PATIENCE_SEC)

    def _probe(self, target: Target) -> None:
        begin = time.monotonic()
        problem = _problem(target, PATIENCE_SEC)
        took = time.monotonic() - begin
        with self._lock:
            tally = self._tallies[target.unit]
            tally.made += 1
            if problem is None:
                tally.worst = max(tally.worst, took)
            elif isinstance(problem, (ConnectionRefusedError, FileNotFoundError, BlockingIOError)):
                tally.refused += 1
            else:
                tally.failed += 1
                reason = _words(problem)
                if reason not in tally.problems and len(tally.problems) < MOST_PROBLEMS:
                    tally.problems.append(reason)


def _answer_now(targets: list[Target]) -> list[bool]:
    answers = [False] * len(targets)

    def answer(index: int) -> None:
        answers[index] = _problem(targets[index], FIRST_SEC) is None

    threads = [threading.Thread(target=answer, args=(index,), daemon=True) for index in range(len(targets))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + FIRST_SEC
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(answers)


def _problem(target: Target, seconds: float) -> Exception | None:
    try:
        target.ask(seconds)
    except Exception as problem:  # noqa: BLE001 whatever it is, the transaction goes on
        return problem
    return None


def _words(problem: Exception) -> str:
    if isinstance(problem, socket.timeout):
        return f"no answer in {PATIENCE_SEC:g} s"
    if isinstance(problem, OSError):
        return problem.strerror or str(problem) or type(problem).__name__
    return type(problem).__name__


def _swap(target: Target, tally: _Tally) -> Swap:
    return Swap(
        target.unit,
        target.address,
        target.kind,
        tally.made,
        tally.refused,
        tally.failed,
        round(tally.worst * 1000),
        list(tally.problems),
    )
