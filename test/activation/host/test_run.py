from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import json
import os
import subprocess
import tempfile
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from fake_systemd import Crash
from pulumi_systemd_host_under_test import encoded
from test_transaction import GUARDED, SCOPE, WithHost, bundle, service

from pulumi_systemd_host import asking, run, transaction, waiting
from pulumi_systemd_host.asking import Request
from pulumi_systemd_host.bundle import Bundle
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.keeping import NAME
from pulumi_systemd_host.ledger import read_ledger
from pulumi_systemd_host.recovery import recover_all
from pulumi_systemd_host.writing import write_quietly

OLD = bundle([service("a.service"), service("b.service")])
NEW = bundle([service("a.service"), service("b.service", "other"), service("c.service")])


class WithUmask(WithHost):
    def setUp(self) -> None:
        super().setUp()
        before = os.umask(0o077)
        os.umask(before)
        self.addCleanup(os.umask, before)

    def cut_off(self, at: int, wanted: Bundle) -> bool:
        """Whether it got as far as that step."""
        self.host.steps, self.host.fail_at, self.host.failure = 0, at, Crash()
        try:
            self.apply(wanted)
        except Crash:
            return True
        finally:
            self.host.fail_at, self.host.dead = None, False
        return False


class Told(WithHost):
    def setUp(self) -> None:
        super().setUp()
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.addCleanup(os.umask, os.umask(0o077))
        for module in (asking, run):
            patch = mock.patch.object(module, "DIRECTORY", directory.name)
            patch.start()
            self.addCleanup(patch.stop)

    def test_what_is_left_half_done_is_a_failure_of_the_unit_and_its_result_stays(self) -> None:
        """systemd starts the unit for a restart then, and the one who asked still reads what happened."""
        self.apply(OLD)
        before = self.host.tree(), self.host.running_set()
        scratch = asking.begin(Request(SCOPE, "apply", "d"), b"# the program\n", b"{}")
        wanted = replace(NEW, raw=encoded(NEW))
        with contextlib.ExitStack() as patches:
            patches.enter_context(mock.patch.object(run, "Host", lambda *_: self.host))
            patches.enter_context(mock.patch.object(run, "parse_bundle", lambda _: wanted))
            with mock.patch.object(transaction, "switch", side_effect=HostError("it failed")):
                with mock.patch.object(transaction, "undo", side_effect=MemoryError):
                    self.assertEqual(run.run_transaction("apply", scratch.transaction, self.home), 1)
            told = scratch.result()
            patches.enter_context(contextlib.redirect_stderr(io.StringIO()))
            self.assertEqual(run.run_recovery(None, at_boot=True), 0)
        assert told is not None
        self.assertEqual((told.code, scratch.result()), (1, told))
        self.assertRegex(told.text, "it failed(.|\n)*MemoryError")
        tree = {path: each for path, each in self.host.tree().items() if "answer-" not in path}
        self.assertEqual((tree, self.host.running_set()), before)
        scratch.release()

    def test_a_name_that_is_no_utf_8_can_be_told(self) -> None:
        reader, writer = os.pipe()
        self.assertTrue(write_quietly(writer, os.fsdecode(b"/etc/caf\xe9\n")))
        os.close(writer)
        with open(reader, "rb") as source:
            self.assertEqual(source.read(), b"/etc/caf\\udce9\n")

    def test_a_failure_that_was_told_is_none_of_the_unit(self) -> None:
        """Else systemd would start the way back for it, and keep a failed unit."""
        scratch = asking.begin(Request("a/b/c", "apply", "d"), b"", b'{"format": 1}')
        self.assertEqual(run.run_transaction("apply", scratch.transaction, None), 0)
        result = scratch.result()
        assert result is not None
        self.assertEqual(result.code, 1)
        self.assertRegex(result.text, "bundle")
        scratch.release()

    def test_who_comes_while_another_begins_does_not_take_it_away(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        real = fcntl.flock

        def flock(descriptor: int, operation: int) -> None:
            """Before the one that begins has its lock, another one looks around."""
            if operation == fcntl.LOCK_SH:
                with mock.patch.object(fcntl, "flock", real):
                    self.assertIsNone(asking.at_work(Request("a/b/c", "apply", "other")))
                    asking.sweep()
            real(descriptor, operation)

        with mock.patch.object(asking, "DIRECTORY", directory.name), mock.patch.object(fcntl, "flock", flock):
            scratch = asking.begin(Request("a/b/c", "apply", "d"), b"program", b"{}")
            self.assertEqual(os.listdir(directory.name), [scratch.transaction])
            self.assertTrue(scratch.has("program.py"))
            scratch.release()
            self.assertEqual(os.listdir(directory.name), [])

    def test_a_client_that_does_not_end_is_killed(self) -> None:
        client = mock.Mock()
        client.wait.side_effect = subprocess.TimeoutExpired("systemd-run", 1)
        self.assertRegex(waiting._status(client), "did not end")  # noqa: SLF001
        client.kill.assert_called_once()

    def test_a_killed_way_back_is_made_by_the_unit_for_a_restart(self) -> None:
        scratch = asking.Scratch("20260101-000000-abcdef", -1)
        command = waiting._command(scratch, "apply", "/home/deploy", OLD, talks=True)  # noqa: SLF001
        self.assertIn(f"--property=OnFailure={NAME}", command)


class WayBack(WithUmask):
    def recovery(self) -> tuple[int, str]:
        said = io.StringIO()
        with mock.patch.object(run, "Host", lambda: self.host), contextlib.redirect_stderr(said):
            return run.run_recovery(None, at_boot=True), said.getvalue()

    def test_the_failed_unit_is_told_and_then_forgotten(self) -> None:
        self.apply(OLD)
        tree = self.host.tree()
        self.assertTrue(self.cut_off(11, NEW))
        self.verbs()
        code, said = self.recovery()
        self.assertEqual(code, 0)
        self.assertRegex(said, "t2 was cut off before it ended; it was taken back")
        self.assertEqual(self.verbs()[-1], "reset-failed pulumi-systemd-t2.service")
        self.assertEqual({path: each for path, each in self.host.tree().items() if "answer-" not in path}, tree)

    def test_who_still_waits_is_told(self) -> None:
        """Also where the transaction's own way back was killed: as failed, or as done if its new state counts."""
        for step, code, text in (
            ("pulumi_systemd_host.transaction.write_ledger", 1, "and so was its way back.*it was taken back"),
            ("pulumi_systemd_host.transaction.tidy", 0, '"outcome":"applied"'),
        ):
            with self.subTest(step), tempfile.TemporaryDirectory() as directory:
                with mock.patch(step, side_effect=Crash()), self.assertRaises(Crash):
                    self.apply(OLD if code else NEW)
                scratch = asking.Scratch(f"t{self.number}", -1)
                os.mkdir(os.path.join(directory, scratch.transaction))
                request = {"scope": SCOPE, "operation": "apply", "digest": "d"}
                with open(os.path.join(directory, scratch.transaction, asking.REQUEST), "w", encoding="utf-8") as target:
                    json.dump(request, target)
                with mock.patch.object(run, "DIRECTORY", directory), mock.patch.object(asking, "DIRECTORY", directory):
                    self.recovery()
                    found = waiting._result_of_way_back(self.host, scratch)  # noqa: SLF001
                assert found is not None
                self.assertEqual(found.code, code)
                self.assertRegex(found.text.replace("\n", " "), text)

    def test_who_was_killed_with_nothing_left_to_do_but_to_tell_has_told(self) -> None:
        """The unit for a restart finds nothing pending then, and is skipped."""
        self.apply(OLD)
        receipt = self.apply(NEW, heard=False)
        done = asking.Scratch(f"t{self.number}", -1)
        earlier = asking.Scratch(f"t{self.number - 1}", -1)
        found = waiting._result_that_counts(self.host, done, NEW)  # noqa: SLF001
        assert found is not None
        self.assertEqual((found.code, json.loads(found.text), len(found.kept)), (0, receipt, 1))
        self.assertTrue(os.path.exists(found.kept[0]))
        self.assertIsNone(waiting._result_that_counts(self.host, earlier, OLD))  # noqa: SLF001

    def test_a_way_back_that_nobody_makes_is_not_waited_for(self) -> None:
        self.assertIsNone(waiting._result_of_way_back(self.host, asking.Scratch("t1", -1)))  # noqa: SLF001

    def test_a_read_only_file_system_is_told_with_what_is_not_back(self) -> None:
        """It says of what is not there, too, that it cannot be removed."""
        self.apply(OLD)
        tree = self.host.tree()
        self.assertTrue(self.cut_off(11, NEW))

        def read_only(name: str) -> Any:
            call = getattr(os, name)

            def refused(path: str, *arguments: Any, **options: Any) -> Any:
                if path.startswith(self.host.at("/etc/")):
                    raise OSError(errno.EROFS, "Read-only file system", path)
                return call(path, *arguments, **options)

            return mock.patch.object(os, name, refused)

        with contextlib.ExitStack() as patches:
            for name in ("unlink", "symlink", "replace", "rmdir"):
                patches.enter_context(read_only(name))
            code, said = self.recovery()
        self.assertEqual(code, 1)
        self.assertRegex(said, "it was taken back\n  not back: .*/etc/.*: Read-only file system\n")
        self.assertNotIn("earlier runs left", said)
        self.assertEqual(self.recovery()[0], 0)
        self.assertEqual({path: each for path, each in self.host.tree().items() if "answer-" not in path}, tree)

    def test_what_cannot_be_swept_hides_nothing(self) -> None:
        self.apply(OLD)
        self.assertTrue(self.cut_off(11, NEW))
        with mock.patch("pulumi_systemd_host.recovery.drop_keeping", side_effect=OSError(5, "Input/output error", "x")):
            with mock.patch("pulumi_systemd_host.recovery.write_quietly") as journal:
                code, said = self.recovery()
        self.assertEqual(code, 0)
        journal.assert_called_once_with(2, "what earlier runs left could not be removed: x: Input/output error\n")
        self.assertRegex(said, "t2 was cut off before it ended; it was taken back")
        with mock.patch.object(run, "host_lock", side_effect=OSError(28, "No space left on device", "/run/lock")):
            code, said = self.recovery()
        self.assertEqual((code, said), (1, "nothing was taken back\n  not back: /run/lock: No space left on device\n"))

    def test_a_damaged_record_makes_systemd_forget_no_failed_unit(self) -> None:
        self.host.put(f"/var/lib/pulumi-systemd/{SCOPE}/pending/pending.json", "{")
        self.assertEqual((self.recovery()[0], self.verbs()), (1, []))

    def test_nothing_found_is_nothing_done(self) -> None:
        self.apply(OLD)
        self.verbs()
        self.assertEqual((self.recovery(), self.verbs()), ((0, ""), []))

    def test_without_a_boot_in_between_the_units_are_waited_for(self) -> None:
        self.apply(OLD)
        running = self.host.running_set()
        self.assertTrue(self.cut_off(12, NEW))
        (found,) = recover_all(self.host, 10, at_boot=True)
        self.assertEqual((found.problems, self.host.running_set()), ([], running))
        self.assertRegex(found.told, "cut off before it ended")

    def test_a_first_transaction_that_was_cut_off_anywhere_leaves_nothing_or_all(self) -> None:
        before = self.host.tree()
        real = {name: getattr(os, name) for name in GUARDED}

        def guarded(name: str) -> Any:
            def call(*arguments: Any, **options: Any) -> Any:
                if self.guarding:
                    self.host.step()
                return real[name](*arguments, **options)

            return call

        self.guarding = False
        ends = {"nothing": 0, "all": 0}
        with contextlib.ExitStack() as patches:
            for name in GUARDED:
                patches.enter_context(mock.patch.object(os, name, guarded(name)))
            for at in range(1, 500):
                cut_off = self.cut_off(at, OLD)
                recover_all(self.host, 10)
                if read_ledger(self.host, SCOPE):
                    self.apply(OLD, "destroy")
                    ends["all"] += 1
                else:
                    ends["nothing"] += 1
                self.assertEqual(self.host.tree(), before, f"step {at}")
                if not cut_off:
                    break
        self.assertGreater(ends["nothing"], 15)
        self.assertGreater(ends["all"], 1)

    def test_what_was_asked_again_is_done_after_it(self) -> None:
        self.apply(OLD)
        self.assertTrue(self.cut_off(11, NEW))
        self.recovery()
        receipt = self.apply(replace(NEW, digest="d2"))
        self.assertEqual(receipt["outcome"], "applied")


if __name__ == "__main__":
    unittest.main()
