"""
Feeds mutated bundles, receipts, ledgers and records of cut-off transactions to the host program, on a host that is a
directory: `python3 test/faults/mutations.py --trials 10000 --seed 1`.

Each must be accepted, or refused with a message; nothing else may come out, and what is refused may write nothing.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import sys
import tempfile
import traceback
from dataclasses import replace
from typing import Any, Callable

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "activation", "host"))

from fake_systemd import Crash, FakeSystemd  # noqa: E402
from pulumi_systemd_host_under_test import good_bundle  # noqa: E402

from pulumi_systemd_host.bundle import Bundle  # noqa: E402
from pulumi_systemd_host.bundle_reader import parse_bundle  # noqa: E402
from pulumi_systemd_host.errors import HostError  # noqa: E402
from pulumi_systemd_host.generations import Back, read_generations, target_of  # noqa: E402
from pulumi_systemd_host.ledger import read_ledger  # noqa: E402
from pulumi_systemd_host.redaction import Redactor  # noqa: E402
from pulumi_systemd_host.transaction import Transaction  # noqa: E402

SCOPE = "orders/dev/web1"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
WORDS = ["", "x", "..", "/", "/etc/x", "\0", "\n", "\ud800", "a" * 5000, "-", "%n", "$(id)", "\u202e", "api.service", "0600"]
NUMBERS = [0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308]
OTHERS: list[Any] = [None, True, False, [], {}, [[]], {"a": 1}]


def mutated(value: Any, chance: random.Random) -> Any:
    """`value` with one part of it replaced, removed, doubled or renamed."""
    value = copy.deepcopy(value)
    holder, key = _some_place(value, chance)
    if holder is None:
        return _something(chance)
    way = chance.randrange(5)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    elif way == 2 and isinstance(holder, dict):
        holder[chance.choice(WORDS)] = holder.pop(key)
    elif way == 3 and isinstance(holder[key], str):
        text = holder[key]
        at = chance.randrange(len(text) + 1)
        holder[key] = text[:at] + chance.choice(WORDS) + text[at + chance.randrange(3) :]
    else:
        holder[key] = _something(chance)
    return value


def broken(data: bytes, chance: random.Random) -> bytes:
    """`data` cut off, with some bytes changed, or with some in it twice."""
    at, to = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    way = chance.randrange(4)
    if way == 0:
        return data[:at]
    if way == 1:
        return data[:at] + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 5))) + data[at + 1 :]
    if way == 2:
        return data[:at] + data[to:]
    return data[:to] + data[at:]


def _some_place(value: Any, chance: random.Random) -> tuple[Any, Any]:
    places: list[tuple[Any, Any]] = []

    def walk(part: Any) -> None:
        for key in part if isinstance(part, dict) else range(len(part)):
            places.append((part, key))
            if isinstance(part[key], (dict, list)):
                walk(part[key])

    if isinstance(value, (dict, list)):
        walk(value)
    return chance.choice(places) if places else (None, None)


def _something(chance: random.Random) -> Any:
    return copy.deepcopy(chance.choice([*WORDS, *NUMBERS, *OTHERS]))


def _text(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


class Trials:
    """One host after the other, each a directory."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.counts = {"accepted": 0, "refused": 0}
        # Everything that a bundle can have: for the border alone, as its gates would be asked over a real network.
        self.whole = good_bundle()
        plain = good_bundle()
        plain["releases"] = []
        plain["hooks"] = []
        for unit in plain["units"]:
            unit["restartOn"]["releases"] = []
            unit["gate"] = None
        self.good = plain
        self.other = copy.deepcopy(plain)
        self.other["files"][0]["content"] = 'KEY="another-secret"\n'

    def host(self, directory: str) -> FakeSystemd:
        return FakeSystemd(os.path.join(directory, "root"))

    def run(self, host: FakeSystemd, wanted: Bundle, number: int, back: Back | None = None) -> None:
        scratch = os.path.join(host.root, "run", f"scratch-{number}")
        os.mkdir(scratch)
        with open(os.path.join(scratch, "program.py"), "w", encoding="ascii") as program:
            program.write("# the program\n")
        operation = "rollback" if back else "apply"
        Transaction(host, operation, wanted, f"t{number}", scratch, None, Redactor(), back).run()

    def bundle(self) -> None:
        """A mutated bundle is refused before anything is written, or carried out or refused as a whole."""
        data = self._mutation(self.chance.choice([self.good, self.whole]))
        with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
            host = self.host(directory)
            before = host.tree()
            try:
                asked = replace(parse_bundle(data), transaction_sec=60, wait_sec=5, confirm_sec=0)
                if not (asked.releases or asked.hooks or any(unit.gate for unit in asked.units)):
                    self.run(host, asked, 1)
                self.counts["accepted"] += 1
            except HostError as problem:
                self._refused(problem)
                if host.tree() != before:
                    raise AssertionError(f"refused, and something was written: {problem}") from problem

    def record(self, name: str, cut_off: bool) -> None:
        """A mutated file beside the ledger stops a run with a message that names it, or makes no difference."""
        with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
            host = self.host(directory)
            self.run(host, parse_bundle(_text(self.good)), 1)
            if cut_off:
                host.steps, host.fail_at = 0, self.chance.randrange(4, 9)
                try:
                    self.run(host, parse_bundle(_text(self.other)), 2)
                except Crash:
                    pass
                host.fail_at, host.dead = None, False
            scope = host.at(f"/var/lib/pulumi-systemd/{SCOPE}")
            found = [path for path in _files(scope) if name in os.path.basename(path)]
            if not found:
                self.counts["accepted"] += 1
                return
            with open(found[0], "rb") as source:
                data = self._mutation(json.loads(source.read()))
            with open(found[0], "wb") as target:
                target.write(data)
            before = host.tree()
            try:
                self.run(host, parse_bundle(_text(self.good)), 3)
                self.counts["accepted"] += 1
            except HostError as problem:
                self._refused(problem)
                if "damaged" in str(problem) and host.tree() != before:
                    raise AssertionError(f"damaged, and something was written: {problem}") from problem

    def generation(self) -> None:
        """To a mutated kept generation nobody can go back, or to the whole of it; an update goes through in any case."""
        with tempfile.TemporaryDirectory(dir=MEMORY) as directory:
            host = self.host(directory)
            self.run(host, parse_bundle(_text(self.good)), 1)
            self.run(host, parse_bundle(_text(self.other)), 2)
            kept = host.at(f"/var/lib/pulumi-systemd/{SCOPE}/generations")
            with open(f"{kept}/1.json", "rb") as source:
                data = self._mutation(json.loads(source.read()))
            with open(f"{kept}/1.json", "wb") as target:
                target.write(data)
            before = host.tree()
            ledger = read_ledger(host, SCOPE)
            assert ledger is not None
            try:
                found = target_of(read_generations(kept), ledger, 1)
                asked = replace(found.parsed(), transaction_sec=60, wait_sec=5)
            except HostError as problem:
                self._refused(problem)
                if host.tree() != before:
                    raise AssertionError(f"refused, and something was written: {problem}") from problem
            else:
                try:
                    self.run(host, asked, 3, Back(1, "alice"))
                    self.counts["accepted"] += 1
                except HostError as problem:
                    self._refused(problem)
            self.run(host, parse_bundle(_text(self.good)), 4)

    def _mutation(self, value: Any) -> bytes:
        if self.chance.random() < 0.3:
            return broken(_text(value), self.chance)
        for _ in range(self.chance.choice([1, 1, 1, 2, 5])):
            value = mutated(value, self.chance)
        return _text(value)

    def _refused(self, problem: HostError) -> None:
        self.counts["refused"] += 1
        text = str(problem)
        if len(text) < 15 or "Traceback" in text or "s3cret-value" in text:
            raise AssertionError(f"no message for a person: {text!r}") from problem


def _files(directory: str) -> list[str]:
    return sorted(os.path.join(base, name) for base, _, names in os.walk(directory) for name in names)


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--trials", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    trials = Trials(chance)
    # The real syncs would only cost time: no power is cut here.
    os.fsync = lambda _descriptor: None  # type: ignore[assignment]
    kinds: list[tuple[str, int, Callable[[], None]]] = [
        ("bundles", 6, trials.bundle),
        ("ledgers", 1, lambda: trials.record("ledger.json", cut_off=False)),
        ("records of a cut-off transaction", 1, lambda: trials.record("pending.json", cut_off=True)),
        ("kept receipts", 1, lambda: trials.record("answer-", cut_off=False)),
        ("kept generations", 1, trials.generation),
    ]
    failed = 0
    # A path that is not absolute would be written here.
    here = tempfile.TemporaryDirectory(dir=MEMORY)
    os.chdir(here.name)
    for name, share, trial in kinds:
        count = max(1, chosen.trials * share // 10)
        trials.counts = {"accepted": 0, "refused": 0}
        for number in range(count):
            try:
                trial()
                if os.listdir("."):
                    raise AssertionError(f"something was written beside the host: {os.listdir('.')}")
            except Exception as problem:  # noqa: BLE001
                failed += 1
                if failed <= 3:
                    sys.stdout.write(f"FAILED {name}, trial {number + 1}: {problem}\n{traceback.format_exc()}\n")
        if trials.counts["accepted"] == 0:
            failed += 1
            sys.stdout.write(f"FAILED {name}: not one was accepted, so this shows nothing\n")
        told = ", ".join(f"{count} {what}" for what, count in trials.counts.items())
        sys.stdout.write(f"{name}: {count} trials, {told}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
