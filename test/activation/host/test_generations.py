from __future__ import annotations

import contextlib
import json
import os
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from fake_systemd import ETC, Crash
from pulumi_systemd_host.bundle import Bundle, File, User
from pulumi_systemd_host.bundle_reader import parse_bundle
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.generations import Back, Generation, Origin, changes, read_generations, target_of
from pulumi_systemd_host.holding import span_sec, write_hold
from pulumi_systemd_host.ledger import Hold, Ledger, read_ledger, write_ledger
from pulumi_systemd_host.look import look
from pulumi_systemd_host_under_test import encoded, good_bundle
from test_transaction import SCOPE, WithHost, bundle, env, service

KEPT = f"/var/lib/pulumi-systemd/{SCOPE}/generations"


class Spans(unittest.TestCase):
    def test_spans(self) -> None:
        for text, seconds in (("90min", 5400), ("12h", 43_200), ("1d 12h", 129_600), ("2 hours", 7200), ("30s", 30)):
            with self.subTest(text):
                self.assertEqual(span_sec(text), seconds)
        for text in ("", "0h", "5", "h", "1y", "-1h", "99d", "1h30", "soon"):
            with self.subTest(text), self.assertRaisesRegex(ValueError, "is no duration|is not between"):
                span_sec(text)


class WithGenerations(WithHost):
    def setUp(self) -> None:
        super().setUp()
        self.clock = 1_800_000_000.0
        patch = mock.patch("time.time", lambda: self.clock)
        patch.start()
        self.addCleanup(patch.stop)

    def ledger(self) -> Ledger:
        found = read_ledger(self.host, SCOPE)
        assert found is not None
        return found

    def kept(self) -> dict[int, Generation]:
        return read_generations(self.host.at(KEPT))

    def back(self, wanted: int | None = None, **changes: Any) -> dict[str, Any]:
        target = target_of(self.kept(), self.ledger(), wanted)
        self.number += 1000
        return self.apply(target.parsed(), "rollback", back=Back(target.number, "alice", **changes))

    def texts(self, count: int) -> list[Bundle]:
        """As many states, each with one service, and a secret of its own beside it."""
        return [bundle([service("api.service", f"v{i}")], files=[env(f"secret-{i}")]) for i in range(count)]


class Kept(WithGenerations):
    def test_each_is_kept_whole_and_for_root_alone(self) -> None:
        first, second = self.texts(2)
        self.apply(first)
        self.apply(second)
        self.assertEqual(list(self.kept()), [1, 2])
        self.assertEqual(self.kept()[1].parsed().files, first.files)
        modes = {path: value for path, value in self.host.tree().items() if path.startswith(KEPT)}
        self.assertEqual(modes[KEPT], "0o40700")
        self.assertEqual({value[0] for path, value in modes.items() if path != KEPT}, {"0o100600"})

    def test_only_the_last_ones_are_kept(self) -> None:
        for wanted in self.texts(7):
            self.apply(wanted)
        self.assertEqual(list(self.kept()), [3, 4, 5, 6, 7])
        self.apply(replace(self.texts(7)[6], keep_generations=2))
        self.assertEqual(list(self.kept()), [6, 7])

    def test_what_a_write_left_that_was_cut_off_goes_however_few_are_kept(self) -> None:
        for text in self.texts(4):
            self.apply(text)
            left = os.path.join(self.host.at(KEPT), ".9.json.pulumi-systemd-generation")
            with open(left, "w", encoding="utf-8") as target:
                target.write("{")
            self.apply(text)
            self.assertFalse(os.path.exists(left), self.ledger().generation)

    def test_an_update_that_changes_nothing_or_fails_keeps_none(self) -> None:
        self.apply(self.texts(1)[0])
        self.apply(self.texts(1)[0])
        with self.assertRaises(HostError):
            self.apply(bundle([service("api.service", "bad")]))
        self.assertEqual(list(self.kept()), [1])

    def test_one_that_could_not_be_read_again_is_not_written_and_the_update_is_taken_back(self) -> None:
        self.apply(self.texts(2)[0])
        kept, before = self.kept(), self.host.tree()["/etc/orders/api.env"]
        self.clock = -1.0
        with self.assertRaisesRegex(HostError, "generations/2.json was not written, .*\nThe host is back on its previous"):
            self.apply(self.texts(2)[1])
        self.assertEqual((self.kept(), self.host.tree()["/etc/orders/api.env"]), (kept, before))

    def test_a_damaged_one_is_left_out(self) -> None:
        for wanted in self.texts(2):
            self.apply(wanted)
        with open(self.host.at(f"{KEPT}/1.json"), encoding="utf-8") as source:
            whole = json.load(source)
        for damage in (
            {"number": "1"},
            {"at": None},
            {"origin": {}},
            {"adopted": "x"},
            {"strange": 1},
            {"bundle": {}},
            {"bundle": {**whole["bundle"], "units": [5]}},
            {"bundle": {**whole["bundle"], "releases": [{"name": "r", "directory": []}]}},
        ):
            self.host.put(f"{KEPT}/1.json", json.dumps({**whole, **damage}))
            self.assertEqual(list(self.kept()), [2], damage)
            self.assertEqual(self.apply(self.texts(2)[1])["outcome"], "unchanged")
        self.host.put(f"{KEPT}/1.json", json.dumps({**whole, "bundle": {**whole["bundle"], "bounds": 5}}))
        with self.assertRaisesRegex(HostError, "generation 1 is damaged"):
            self.kept()[1].parsed()
        other = {**whole, "bundle": {**whole["bundle"], "scope": "other/dev/web1"}}
        self.host.put(f"{KEPT}/1.json", json.dumps(other))
        with self.assertRaisesRegex(HostError, "generation 1 of .* is damaged"):
            self.back()
        self.host.put(f"{KEPT}/1.json", '{"format": 1')
        self.assertEqual(list(self.kept()), [2])
        with self.assertRaisesRegex(HostError, "keeps no generation from before 2; kept are: none"):
            self.back()

    def test_destroy_removes_them(self) -> None:
        before = self.host.tree()
        for wanted in self.texts(3):
            self.apply(wanted)
        self.apply(self.texts(3)[2], "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_what_differs_is_told_by_name_alone(self) -> None:
        older, newer = good_bundle(), good_bundle()
        newer["files"][0]["content"] = "KEY=other-secret\n"
        newer["units"][0]["name"] = "web.service"
        newer["releases"][0]["sha256"] = "0" * 64
        self.assertEqual(
            changes(older, newer),
            ["release orders changed", "api.service gone", "web.service new", "/etc/orders/api.env changed"],
        )

    def test_a_bundle_of_the_first_release_is_still_understood(self) -> None:
        # What a host keeps outlives the program that wrote it: a key that comes later needs a default in `LATER`.
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kept_bundle.json")
        with open(path, encoding="utf-8") as source:
            value = json.load(source)
        generation = Generation(1, "t", 0.0, Origin("up"), value)
        self.assertEqual(generation.parsed().scope, "orders/dev/web1")


class Rollback(WithGenerations):
    def test_back_to_the_one_before_as_a_new_generation(self) -> None:
        first, second = self.texts(2)
        self.apply(first)
        tree, running = self.host.tree(), self.host.running_set()
        self.apply(second)
        receipt = self.back(reason="orders fail")
        self.assertEqual((receipt["outcome"], receipt["generation"]), ("applied", 3))
        self.assertEqual(self.host.running_set(), running)
        for path in (f"{ETC}/api.service", "/etc/orders/api.env"):
            self.assertEqual(self.host.tree()[path][2], tree[path][2])
        origin = self.kept()[3].origin
        self.assertEqual((origin.kind, origin.to, origin.who, origin.reason), ("rollback", 1, "alice", "orders fail"))
        self.assertNotIn("secret-", json.dumps(receipt))

    def test_once_more_goes_further_back(self) -> None:
        states = self.texts(3)
        for wanted in states:
            self.apply(wanted)
        self.back()
        self.back()
        self.assertEqual(self.host.running_set()["api.service"], states[0].units[0].content)
        with self.assertRaisesRegex(HostError, "keeps no generation from before 1"):
            self.back()
        with self.assertRaisesRegex(HostError, "generation 9 of orders/dev/web1 is not kept; kept are: 1, 2, 3, 4"):
            self.back(9)
        with self.assertRaisesRegex(HostError, "is on generation 5 already"):
            self.back(5)

    def test_one_that_does_not_come_up_leaves_the_host_as_it_was(self) -> None:
        first, second = self.texts(2)
        self.apply(first)
        self.apply(second)
        before, running = self.host.tree(), dict(self.host.running)
        target = replace(first, units=[service("api.service", "bad")])
        with self.assertRaisesRegex(HostError, "api.service did not come up"):
            self.apply(target, "rollback", back=Back(1, "alice", hold_sec=60))
        after = {path: value for path, value in self.host.tree().items() if not path.endswith("ledger.json")}
        self.assertEqual(after, {path: value for path, value in before.items() if not path.endswith("ledger.json")})
        self.assertEqual(self.host.running_set(), {name: text for name, (text, _) in running.items()})
        self.assertIsNone(self.ledger().hold)

    def test_a_kill_at_any_step_leaves_one_or_the_other(self) -> None:
        for at in range(1, 400, 7):
            with self.subTest(at):
                WithGenerations.setUp(self)
                first, second = self.texts(2)
                self.apply(first)
                self.apply(second)
                self.host.steps, self.host.fail_at, self.host.failure = 0, at, Crash()
                with contextlib.suppress(Crash):
                    self.back()
                reached = self.host.steps >= at
                self.host.fail_at, self.host.dead = None, False
                if not reached:
                    self.assertGreater(at, 10)
                    return
                committed = self.ledger().generation == 3
                self.apply(bundle([service("api.service", "v9")], files=[env("secret-9")]))
                self.assertEqual(list(self.kept()), [1, 2, 3, 4] if committed else [1, 2, 3])

    def test_accounts_and_taken_over_units_come_back_too(self) -> None:
        theirs = "[Service]\nExecStart=/bin/theirs\n"
        self.host.install(f"{ETC}/old.service", theirs, enabled=False)
        user = User("orders", "orders", "/x")
        path = f"{ETC}/old.service"
        self.apply(bundle([service("old.service")], users=[user], adopt=[path]))
        self.apply(bundle([service("old.service")], users=[user]))
        self.apply(bundle([service("new.service")]))
        self.assertEqual((self.host.running_set()["old.service"], self.host.accounts), (theirs, set()))
        self.back(1)
        self.assertEqual(self.host.running_set(), {"old.service": service("old.service").content})
        self.assertEqual(self.host.accounts, {"orders"})

    def test_to_what_the_host_has_already(self) -> None:
        first, _ = self.texts(2)
        self.apply(first)
        with self.assertRaisesRegex(HostError, "the host is as generation 1 asks for already"):
            self.apply(first, "rollback", back=Back(1, "alice"))


class AfterRollback(WithGenerations):
    def setUp(self) -> None:
        super().setUp()
        self.first, self.second, self.third = self.texts(3)
        self.apply(self.first)
        self.apply(self.second)
        self.back(reason="orders fail")

    def test_the_same_state_is_not_brought_back_unasked(self) -> None:
        before = self.host.tree()
        with self.assertRaises(HostError) as caught:
            self.apply(replace(self.second, wait_sec=9))
        self.assertEqual(
            str(caught.exception),
            "orders/dev/web1 was rolled back on the host from generation 2 to 1 by alice on 2027-01-15 08:00 UTC: "
            '"orders fail". This update asks for generation 2 again, unchanged, so it was refused; nothing was changed '
            "on the host.\nNext: change the program and run `pulumi up`; or, to have it back as it is, "
            "`sudo pulumi-systemd-host resume` on the host and then `pulumi up` again.",
        )
        self.assertEqual(self.host.tree(), before)

    def test_a_changed_program_goes_through_and_says_what_it_replaces(self) -> None:
        receipt = self.apply(self.third)
        self.assertRegex(receipt["warnings"][0], "rolled back on the host from generation 2 to 1 by alice .* replaces")
        self.assertIsNone(self.ledger().rolled_back)
        self.assertEqual(self.apply(self.third)["warnings"], [])
        self.assertEqual(self.apply(self.second)["outcome"], "applied")

    def test_the_program_that_asks_for_the_old_state_finds_it_there(self) -> None:
        self.assertEqual(self.apply(self.first)["outcome"], "unchanged")
        self.assertIsNone(self.ledger().rolled_back)

    def test_a_failed_update_leaves_the_note(self) -> None:
        with self.assertRaises(HostError):
            self.apply(bundle([service("api.service", "bad")]))
        with self.assertRaisesRegex(HostError, "asks for generation 2 again"):
            self.apply(self.second)

    def test_forward_again_by_hand_needs_no_note(self) -> None:
        self.back(2)
        self.assertIsNone(self.ledger().rolled_back)
        self.assertEqual(self.apply(self.second)["outcome"], "unchanged")

    def test_a_look_tells(self) -> None:
        findings = json.loads(look(self.host, self.second))["findings"]
        self.assertEqual([(found["kind"], found["expected"]) for found in findings], [("rolled-back", "generation 2")])
        self.assertRegex(findings[0]["found"], 'from generation 2 to 1 by alice on .*: "orders fail"$')

    def test_resumed(self) -> None:
        ledger = self.ledger()
        ledger.rolled_back = None
        write_ledger(self.host, ledger)
        self.assertEqual(self.apply(self.second)["outcome"], "applied")

    def test_destroy_goes_through(self) -> None:
        receipt = self.apply(self.second, "destroy")
        self.assertEqual(receipt["outcome"], "destroyed")
        self.assertRegex(receipt["warnings"][0], "rolled back on the host")


class Holding(WithGenerations):
    def test_a_hold_refuses_updates_and_destroys_until_it_ends(self) -> None:
        first, second = self.texts(2)
        self.apply(first)
        hold = Hold("alice", self.clock, self.clock + 3600, "moving the database")
        for of_host in (True, False):
            if of_host:
                write_hold(self.host, hold)
            else:
                ledger = self.ledger()
                ledger.hold = hold
                write_ledger(self.host, ledger)
            what = "this host" if of_host else SCOPE
            before = self.host.tree()
            for operation in ("apply", "destroy"):
                with self.subTest(f"{what}, {operation}"), self.assertRaises(HostError) as caught:
                    self.apply(second, operation)
                self.assertEqual(
                    str(caught.exception),
                    f"{what} is held by alice since 2027-01-15 08:00 UTC until 2027-01-15 09:00 UTC: "
                    '"moving the database". Nothing was changed on the host.\nNext: wait for its end, or run '
                    "`sudo pulumi-systemd-host resume` on the host; then run `pulumi up` again.",
                )
            self.assertEqual(self.host.tree(), before)
            write_hold(self.host, None)
        self.clock += 3600
        self.apply(second)
        self.assertIsNone(self.ledger().hold)

    def test_a_hold_lets_a_rollback_through_and_one_can_bring_it(self) -> None:
        first, second = self.texts(2)
        self.apply(first)
        self.apply(second)
        write_hold(self.host, Hold("alice", self.clock, self.clock + 60))
        self.back(hold_sec=3600)
        self.assertEqual(self.ledger().hold, Hold("alice", self.clock, self.clock + 3600, "rolled back to 1"))

    def test_nothing_is_left_when_the_last_scope_goes_after_a_hold_ended(self) -> None:
        before = self.host.tree()
        self.apply(self.texts(1)[0])
        write_hold(self.host, Hold("alice", self.clock, self.clock + 60))
        self.clock += 61
        self.apply(self.texts(1)[0], "destroy")
        self.assertEqual(self.host.tree(), before)


class Encoded(unittest.TestCase):
    def test_the_tests_own_encoder(self) -> None:
        wanted = bundle(
            [service("a.service")], files=[File("/x", 0o640, "x", False)], users=[User("a", "b", "/c")], adopt=["/x"]
        )
        self.assertEqual(replace(parse_bundle(encoded(wanted)), digest=""), wanted)


if __name__ == "__main__":
    unittest.main()
