from __future__ import annotations

import os
import tempfile
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from fake_systemd import ETC, Crash
from test_transaction import SCOPE, WithHost, bundle, service

from pulumi_systemd_host import asking, confirmation, heard
from pulumi_systemd_host.answer import Answer, keep_answer, kept_answers
from pulumi_systemd_host.asking import Request, Result
from pulumi_systemd_host.bundle import Bundle
from pulumi_systemd_host.errors import HostError, NotConfirmedError
from pulumi_systemd_host.keeping import LINK, PROGRAM, UNIT
from pulumi_systemd_host.recovery import recover_all

OLD = [service("a.service"), service("b.service")]
NEW = [service("a.service"), service("b.service", "other"), service("c.service")]


def named(digest: str, wanted: Bundle) -> Bundle:
    return replace(wanted, digest=digest)


class Answers(WithHost):
    """What a lost connection did not get."""

    def test_the_next_run_tells_what_was_done(self) -> None:
        wanted = named("d1", bundle(OLD))
        first = self.apply(wanted, heard=False)
        again = self.apply(wanted, heard=False)
        self.assertEqual((again["outcome"], again["actions"]), ("applied", first["actions"]))
        self.assertEqual((again["transaction"], again["generation"]), (first["transaction"], 1))
        self.assertRegex(again["warnings"][-1], "t1 did this; its connection was lost")
        self.assertEqual(self.apply(wanted)["actions"], first["actions"])
        self.assertEqual(self.apply(wanted)["outcome"], "unchanged")

    def test_a_run_that_asks_for_something_else_is_told_of_it(self) -> None:
        self.apply(named("d1", bundle(OLD)), heard=False)
        receipt = self.apply(named("d2", bundle(NEW)))
        self.assertEqual(
            [action["unit"] for action in receipt["actions"] if action["action"] == "restart"],
            ["b.service"],
        )
        self.assertRegex(
            " ".join(receipt["warnings"]),
            "t1, whose connection was lost.*it went well: .*start a.service",
        )
        self.assertEqual(self.apply(named("d2", bundle(NEW)))["outcome"], "unchanged")

    def test_an_answer_of_a_change_that_was_taken_back_does_not_count(self) -> None:
        self.apply(named("d1", bundle(OLD)))
        with self.assertRaises(HostError):
            self.apply(named("d2", bundle([*NEW, service("bad.service", "bad")])))
        self.assertEqual(kept_answers(self.host, SCOPE), {})

    def test_destroy_keeps_none(self) -> None:
        before = self.host.tree()
        self.apply(named("d1", bundle(OLD)), heard=False)
        self.apply(named("d1", bundle(OLD)), "destroy", heard=False)
        self.assertEqual(self.host.tree(), before)

    def test_a_damaged_one_tells_nothing(self) -> None:
        self.apply(named("d1", bundle(OLD)))
        for text in (
            "",
            "{",
            "[]",
            '{"format": 1}',
            '{"format": 1, "transaction": 5}',
            '{"format": 2}',
            "null",
        ):
            self.host.put(f"/var/lib/pulumi-systemd/{SCOPE}/answer-x.json", text)
            self.assertEqual(self.apply(named("d1", bundle(OLD)))["outcome"], "unchanged", text)

    def test_late_to_confirm_is_no_new_wish(self) -> None:
        self.apply(named("d1", bundle(OLD)))
        late = Answer("t0", "apply", "d2", 1, "taken back", unconfirmed=True)
        keep_answer(self.host, SCOPE, late, beside_ledger=True)
        with self.assertRaisesRegex(HostError, "^taken back$"):
            self.apply(named("d2", bundle(NEW)))
        self.assertRegex(
            " ".join(self.apply(named("d3", bundle(NEW)))["warnings"]),
            "ended so: taken back",
        )
        keep_answer(self.host, SCOPE, replace(late, at=1.0, digest="d4"), beside_ledger=True)
        self.assertEqual(self.apply(named("d4", bundle(OLD)))["outcome"], "applied")


class Confirmation(WithHost):
    def wait(self, meanwhile: Any = None) -> str:
        scratch = f"{self.scratch}-confirmation"
        os.mkdir(scratch)
        sleep = self.host.sleep

        def at_work(seconds: float) -> None:
            sleep(seconds)
            if meanwhile and self.host.clock > 2:
                meanwhile(scratch)

        with mock.patch.object(self.host, "sleep", at_work):
            confirmation.await_confirmation(self.host, scratch, 10)
        return scratch

    def test_it_is_confirmed_once(self) -> None:
        confirmed = []
        scratch = self.wait(lambda at: confirmed.append(confirmation.confirm(at)))
        self.assertEqual((confirmed, os.listdir(scratch)), ([True], ["confirmed"]))
        self.assertLess(self.host.clock, 3)
        self.assertFalse(confirmation.confirm(scratch))

    def test_the_time_ends_once(self) -> None:
        with self.assertRaises(NotConfirmedError):
            self.wait()
        self.assertFalse(confirmation.confirm(f"{self.scratch}-confirmation"))

    def test_a_change_that_nobody_confirms_is_taken_back(self) -> None:
        self.apply(bundle(OLD))
        before = self.host.tree(), self.host.running_set()
        with self.assertRaisesRegex(HostError, "nobody confirmed the change.*\n.*back on its previous state") as caught:
            self.apply(bundle(NEW, confirm_sec=5))
        self.assertIsInstance(caught.exception.__cause__, NotConfirmedError)
        self.assertEqual((self.host.tree(), self.host.running_set()), before)

    def test_the_wait_for_it_is_none_of_the_time_of_the_transaction(self) -> None:
        sleep = self.host.sleep

        def confirmed_late(seconds: float) -> None:
            sleep(seconds)
            if self.host.clock > 150:
                confirmation.confirm(f"{self.scratch}-1")

        with mock.patch.object(self.host, "sleep", confirmed_late):
            self.assertEqual(self.apply(bundle(OLD, confirm_sec=200, transaction_sec=100))["outcome"], "applied")

    def test_nothing_to_change_needs_no_confirmation(self) -> None:
        self.apply(bundle(OLD))
        self.assertEqual(self.apply(bundle(OLD, confirm_sec=5))["outcome"], "unchanged")


class Recovery(WithHost):
    def cut_off(self, at: int, wanted: Bundle) -> None:
        self.host.steps, self.host.fail_at, self.host.failure = 0, at, Crash()
        with self.assertRaises(Crash):
            self.apply(wanted)
        self.host.fail_at, self.host.dead = None, False

    def test_at_boot_nothing_is_waited_for_and_what_ran_is_asked_for(self) -> None:
        self.apply(bundle(OLD))
        tree = self.host.tree()
        self.cut_off(11, bundle(NEW))
        self.assertNotEqual(self.host.tree(), tree)
        self.host.running.clear()
        self.host.put("/proc/sys/kernel/random/boot_id", "boot-2\n")
        self.verbs()
        (found,) = recover_all(self.host, 10, at_boot=True)
        self.assertEqual((found.problems, found.stuck, found.committed), ([], False, False))
        verbs = self.verbs()
        self.assertIn("daemon-reload", verbs)
        self.assertEqual(verbs[-1], "start a.service b.service")
        (answer,) = kept_answers(self.host, SCOPE).values()
        self.assertRegex(answer.text, "cut off by a restart of the host; it was taken back")
        receipt = self.apply(bundle(OLD))
        self.assertRegex(" ".join(receipt["warnings"]), "cut off by a restart of the host")
        self.assertEqual(
            *({path: each[path] for path in each if path.startswith("/etc")} for each in (self.host.tree(), tree))
        )

    def test_a_date_before_1970_and_names_that_are_no_utf_8_come_back(self) -> None:
        path, wants = f"{ETC}/b.service", f"{ETC}/multi-user.target.wants"
        self.host.install(path, "[Service]\nExecStart=/bin/theirs\n", enabled=False)
        os.utime(self.host.at(path), ns=(-(10**9), -(10**9)))
        self.apply(bundle([service("a.service")]))
        for name, target in ((b"caf\xe9.service", b"/x"), (b"y.service", b"/caf\xe9/b.service")):
            os.symlink(target, os.path.join(os.fsencode(self.host.at(wants)), name))
        tree = self.host.tree()
        for wanted in (bundle(NEW, adopt=[path]), bundle([service("a.service", "other"), *NEW[1:]], adopt=[path])):
            self.cut_off(11, wanted)
            (found,) = recover_all(self.host, 10)
            self.assertEqual((found.problems, found.stuck), ([], False))
            self.assertEqual(self.host.tree(), tree)
        self.apply(wanted)
        self.apply(bundle([service("a.service")]))
        self.assertEqual(self.host.tree()[path], tree[path])
        self.assertEqual(self.host.tree()[f"{wants}/y.service"], tree[f"{wants}/y.service"])

    def test_after_a_boot_a_later_run_starts_all_that_ran(self) -> None:
        """Where the unit for the boot did not come to do it."""
        self.apply(bundle(OLD))
        before = self.host.running_set()
        self.cut_off(11, bundle(NEW))
        self.host.running.clear()
        self.host.put("/proc/sys/kernel/random/boot_id", "boot-2\n")
        (found,) = recover_all(self.host, 10)
        self.assertEqual((found.problems, self.host.running_set()), ([], before))

    def test_another_scope_takes_back_what_one_left(self) -> None:
        self.apply(bundle(OLD))
        tree = self.host.tree()
        self.cut_off(11, bundle(NEW))
        other = replace(bundle([service("z.service")]), scope="other/dev/web1")
        receipt = self.apply(other)
        self.assertRegex(" ".join(receipt["warnings"]), f"{SCOPE}: the transaction t2 was cut off")
        self.apply(other, "destroy")
        self.assertEqual(self.host.tree(), tree)

    def test_a_damaged_record_of_another_scope_stops_nobody(self) -> None:
        self.host.put("/var/lib/pulumi-systemd/other/dev/web1/pending/pending.json", "{")
        receipt = self.apply(bundle(OLD))
        self.assertRegex(" ".join(receipt["warnings"]), "other/dev/web1: what a cut-off transaction")

    def test_a_damaged_record_of_its_own_stops_it(self) -> None:
        self.host.put(f"/var/lib/pulumi-systemd/{SCOPE}/pending/pending.json", "{")
        with self.assertRaisesRegex(HostError, "pending.json is damaged"):
            self.apply(bundle(OLD))
        self.assertEqual(self.host.running, {})


class Keeping(WithHost):
    def test_it_comes_with_the_first_scope_and_goes_with_the_last(self) -> None:
        before = self.host.tree()
        other = replace(bundle([service("z.service")]), scope="other/dev/web1")
        self.apply(bundle(OLD))
        tree = self.host.tree()
        self.assertEqual(tree[LINK], UNIT)
        self.assertEqual(tree[PROGRAM][0], "0o100600")
        self.apply(other)
        self.apply(bundle(OLD), "destroy")
        self.assertEqual(self.host.tree()[UNIT], tree[UNIT])
        self.apply(other, "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_a_folder_of_links_that_was_there_stays(self) -> None:
        os.makedirs(self.host.at(f"{ETC}/sysinit.target.wants"))
        before = self.host.tree()
        self.apply(bundle(OLD))
        self.apply(bundle(OLD), "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_a_first_change_that_fails_leaves_none(self) -> None:
        before = self.host.tree()
        with self.assertRaises(HostError):
            self.apply(bundle([service("bad.service", "bad")]))
        self.assertEqual(self.host.tree(), before)


class Asking(unittest.TestCase):
    REQUEST = Request("a/b/c", "apply", "d")

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        patch = mock.patch.object(asking, "DIRECTORY", directory.name)
        patch.start()
        self.addCleanup(patch.stop)

    def test_the_same_request_finds_the_one_at_work(self) -> None:
        first = asking.begin(self.REQUEST, b"program", b"bundle")
        for other in (
            replace(self.REQUEST, scope="a/b/d"),
            replace(self.REQUEST, operation="destroy"),
            replace(self.REQUEST, digest="e"),
        ):
            self.assertIsNone(asking.at_work(other))
        second = asking.at_work(self.REQUEST)
        assert second is not None
        self.assertEqual(second.transaction, first.transaction)
        first.release()
        self.assertEqual(os.listdir(self.directory), [second.transaction])
        second.release()
        self.assertEqual(os.listdir(self.directory), [])

    def test_one_that_has_ended_is_not_at_work(self) -> None:
        first = asking.begin(self.REQUEST, b"program", b"bundle")
        with open(first.at(asking.RESULT), "w", encoding="utf-8") as result:
            result.write('{"code": 0, "text": "{}", "kept": ["/a"]}')
        self.assertIsNone(asking.at_work(self.REQUEST))
        self.assertEqual(first.result(), Result(0, "{}", ("/a",)))
        first.release()

    def test_sweeping_leaves_what_somebody_holds(self) -> None:
        held = asking.begin(self.REQUEST, b"program", b"bundle")
        left = asking.begin(replace(self.REQUEST, digest="e"), b"program", b"bundle")
        os.close(left.alive)
        os.makedirs(os.path.join(self.directory, "answers", "a"))
        os.makedirs(os.path.join(self.directory, "young"))
        asking.sweep()
        self.assertEqual(
            sorted(os.listdir(self.directory)),
            sorted([held.transaction, "answers", "young"]),
        )
        held.release()

    def test_what_another_run_renames_meanwhile_is_no_failure_of_sweeping(self) -> None:
        begins = os.path.join(self.directory, ".begins")
        os.mkdir(begins)
        lstat = os.lstat

        def renamed_before(path: Any, **options: Any) -> os.stat_result:
            if path == begins:
                os.rename(begins, os.path.join(self.directory, "begun"))
            return lstat(path, **options)

        with mock.patch.object(os, "lstat", renamed_before):
            asking.sweep()
        self.assertEqual(os.listdir(self.directory), ["begun"])


class Heard(unittest.TestCase):
    def test_a_pipe_is_heard_when_it_is_read(self) -> None:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        os.write(writer, b"text")
        with mock.patch.object(heard, "_ssh_connection", return_value=None):
            with mock.patch.object(heard, "PATIENCE_SEC", 0.1):
                self.assertFalse(heard.was_heard(writer))
            os.read(reader, 100)
            self.assertTrue(heard.was_heard(writer))

    def test_a_connection_that_is_gone_has_not_heard(self) -> None:
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        for address in ("192.0.2.1", "2001:db8::1"):
            with mock.patch.object(heard, "_ssh_connection", return_value=(address, 4, 22)):
                self.assertFalse(heard.was_heard(writer))

    def test_a_connection_of_this_machine_is_found(self) -> None:
        import socket

        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            with socket.create_connection(server.getsockname()) as client:
                there, _ = server.accept()
                own, other = server.getsockname()[1], client.getsockname()[1]
                self.assertEqual(heard.unacknowledged(("127.0.0.1", other, own)), 0)
                there.close()
                client.close()
            self.assertIsNone(heard.unacknowledged(("127.0.0.1", other, own)))


if __name__ == "__main__":
    unittest.main()
