from __future__ import annotations

import copy
import json
import os
import tempfile
import unittest
from dataclasses import asdict, replace
from typing import Any, Callable

from pulumi_systemd_host_under_test import ScriptedSystem

from pulumi_systemd_host.answer import Answer, keep_answer, kept_answers
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.ledger import Hold, Ledger, LedgerFile, LedgerRelease, LedgerUnit, read_ledger, write_ledger
from pulumi_systemd_host.pending import Pending, SavedUnit, read_pending, write_pending
from pulumi_systemd_host.record import NewerRecordError, check_paths, record
from pulumi_systemd_host.saved import SavedPath

LEDGER = Ledger(
    "a/b/c",
    generation=3,
    users={"u": True},
    files={"/etc/x": LedgerFile("d", 0o600, True)},
    units={"x.service": LedgerUnit("/etc/systemd/system/x.service", "1", "2", "3", "4", True, "started")},
    releases=[LedgerRelease("r", "5", "/opt/r/1", "/opt/r/current", True)],
    directories=["/etc/y"],
    hold=Hold("alice", 1.5, 2.5, ""),
)


class Records(unittest.TestCase):
    def test_what_was_written_is_read(self) -> None:
        self.assertEqual(record(Ledger, json.loads(json.dumps(asdict(LEDGER)))), LEDGER)

    def test_the_largest_limit_that_a_bundle_may_have_is_read(self) -> None:
        text = asdict(LEDGER)
        text["units"]["x.service"]["memory_max"] = float(1 << 64)
        read = record(Ledger, json.loads(json.dumps(text)))
        self.assertEqual(read.units["x.service"].memory_max, 1 << 64)

    def test_times_before_1970_and_names_that_are_no_utf_8(self) -> None:
        saved = SavedPath(os.fsdecode(b"/etc/caf\xe9"), "file", mtime_ns=-(10**9))
        self.assertEqual(record(SavedPath, json.loads(json.dumps(asdict(saved)))), saved)
        for part in ({"mtime_ns": -(2**63)}, {"mtime_ns": True}, {"path": "/etc/\ud800"}, {"path": "/etc/\udd00"}):
            with self.subTest(part), self.assertRaises((TypeError, ValueError)):
                record(SavedPath, {**asdict(saved), **part})

    def test_no_part_of_another_type_passes(self) -> None:
        damages: list[Callable[[Any], Any]] = [
            lambda value: value.update(scope=5),
            lambda value: value.update(generation="3"),
            lambda value: value.update(generation=True),
            lambda value: value.update(generation=-1),
            lambda value: value.update(generation=2**63),
            lambda value: value.update(files=[]),
            lambda value: value.update(releases={}),
            lambda value: value.update(directories=[None]),
            lambda value: value.update(strange=1),
            lambda value: value.pop("scope"),
            lambda value: value["users"].update(u="yes"),
            lambda value: value["files"].update({"/etc/x": None}),
            lambda value: value["files"]["/etc/x"].update(mode="0600"),
            lambda value: value["files"].update({"/etc/\0": value["files"]["/etc/x"]}),
            lambda value: value["units"]["x.service"].update(memory_max="1M"),
            lambda value: value["units"]["x.service"].update(memory_max=2.0**65),
            lambda value: value["units"]["x.service"].pop("path"),
            lambda value: value["hold"].update(until=None),
        ]
        for number, damage in enumerate(damages):
            value = copy.deepcopy(asdict(LEDGER))
            damage(value)
            with self.subTest(number), self.assertRaises((TypeError, ValueError)):
                record(Ledger, value)

    def test_further_keys_are_those_of_a_newer_version_where_all_else_is_right(self) -> None:
        further: list[Callable[[Any], Any]] = [
            lambda value: value.update(further={"x": 1}),
            lambda value: value["files"]["/etc/x"].update(further=1),
            lambda value: value["releases"][0].update(further=None),
        ]
        for number, add in enumerate(further):
            value = copy.deepcopy(asdict(LEDGER))
            add(value)
            with self.subTest(number), self.assertRaises(NewerRecordError):
                record(Ledger, value)
            self.assertEqual(record(Ledger, value, pass_over=True), LEDGER)
            value["hold"]["until"] = "soon"
            for pass_over in (False, True):
                with self.subTest(number), self.assertRaises(TypeError) as caught:
                    record(Ledger, value, pass_over)
                self.assertNotIsInstance(caught.exception, NewerRecordError)

    def test_paths_that_must_not_be_acted_on(self) -> None:
        check_paths(["/etc/x", "/a"])
        for path in ("", "x", "/", "//", "/etc/../x", "/etc/", "/etc//x", "//etc", "./x"):
            with self.subTest(path), self.assertRaises(ValueError):
                check_paths(["/fine", path])


class OnDisk(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.system = ScriptedSystem(directory.name)
        os.makedirs(self.system.at("/var/lib"))
        os.makedirs(self.system.at("/run/pulumi-systemd"))

    def test_a_ledger_with_a_path_that_leads_elsewhere_is_damaged(self) -> None:
        write_ledger(self.system, LEDGER)
        path = self.system.at("/var/lib/pulumi-systemd/a/b/c/ledger.json")
        with open(path, encoding="utf-8") as source:
            text = source.read()
        for part, damaged in (("/etc/x", "etc/x"), ("/etc/x", "/etc/../x"), ("/etc/y", "/"), ("/opt/r/1", "opt/r/1")):
            with open(path, "w", encoding="utf-8") as target:
                target.write(text.replace(f'"{part}"', f'"{damaged}"'))
            with self.subTest(damaged), self.assertRaisesRegex(HostError, "ledger.json is damaged"):
                read_ledger(self.system, "a/b/c")
        with open(path, "wb") as target_bytes:
            target_bytes.write(b"\xff\xfe{")
        with self.assertRaisesRegex(HostError, "ledger.json is damaged"):
            read_ledger(self.system, "a/b/c")

    def test_a_record_of_a_cut_off_transaction(self) -> None:
        pending = Pending(
            "a/b/c",
            "20260101-000000-abcdef",
            1,
            "boot",
            paths=[SavedPath("/etc/x", "absent")],
            trees=["/opt/r/1"],
            links={"/etc/systemd/system/w.wants/x.service": "../x.service"},
            units={"x.service": SavedUnit(True, False, False, "1" * 32)},
        )
        directory = self.system.at("/run/pending")
        os.makedirs(directory)
        write_pending(directory, pending)
        self.assertEqual(read_pending(directory), pending)
        path = os.path.join(directory, "pending.json")
        with open(path, encoding="utf-8") as source:
            text = source.read()
        with open(path, "w", encoding="utf-8") as target:
            target.write(text.replace('"generation"', '"further": {}, "generation"'))
        with self.assertRaisesRegex(HostError, "pending was written by a newer pulumi-systemd: use that one to finish"):
            read_pending(directory)
        damages = (
            ('"/opt/r/1"', '"/"'),
            ('"/etc/x"', '"../x"'),
            ('"20260101-000000-abcdef"', '"../../x"'),
            ('"running": true', '"running": "yes"'),
            ('"generation": 1', '"generation": -1'),
            ("/etc/systemd/system/w.wants/", "/etc/systemd/system/w.wants/../"),
        )
        for was, damaged in damages:
            self.assertIn(was, text)
            with open(path, "w", encoding="utf-8") as target:
                target.write(text.replace(was, damaged))
            with self.subTest(damaged), self.assertRaisesRegex(HostError, "pending.json is damaged"):
                read_pending(directory)

    def test_nothing_is_written_that_cannot_be_read_again(self) -> None:
        write_ledger(self.system, LEDGER)
        directory = self.system.at("/run/pending")
        os.makedirs(directory)
        pending = Pending("a/b/c", "t1", 1)
        write_pending(directory, pending)
        refused: list[Callable[[], None]] = [
            lambda: write_ledger(self.system, replace(LEDGER, hold=Hold("alice", 1.5, 2.5, "\ud800"))),
            lambda: write_ledger(self.system, replace(LEDGER, directories=["etc"])),
            lambda: write_pending(directory, replace(pending, trees=["/"])),
            lambda: write_pending(directory, replace(pending, generation=-1)),
        ]
        for number, write in enumerate(refused):
            with self.subTest(number), self.assertRaisesRegex(HostError, ".json was not written, since it could not be"):
                write()
        self.assertEqual((read_ledger(self.system, "a/b/c"), read_pending(directory)), (LEDGER, pending))
        self.assertEqual(os.listdir(directory), ["pending.json"])

    def test_an_answer_that_is_no_receipt_is_told_as_none(self) -> None:
        whole = {"transaction": "t", "daemonReloads": 1, "warnings": [], "actions": []}
        self.assertEqual(Answer("t", "apply", "d", 0, json.dumps(whole)).receipt, whole)
        for part in ({"actions": [{}]}, {"actions": [5]}, {"warnings": "x"}, {"daemonReloads": "1"}, {"transaction": 1}):
            self.assertEqual(Answer("t", "apply", "d", 0, json.dumps({**whole, **part})).receipt, {}, part)
        self.assertEqual(Answer("t", "apply", "d", 1, json.dumps(whole)).receipt, {})
        swap = {"unit": "x", "address": "[::]:80", "kind": "connection", "made": 1, "refused": 0, "failed": 0}
        swap.update(worstMs=3, problems=[])
        for swaps, is_whole in (([swap], True), ([{**swap, "made": "1"}], False), ([5], False), ("x", False)):
            kept = {**whole, "swaps": swaps}
            self.assertEqual(Answer("t", "apply", "d", 0, json.dumps(kept)).receipt, kept if is_whole else {}, swaps)

    def test_a_damaged_answer_is_removed(self) -> None:
        path = keep_answer(self.system, "a/b/c", Answer("t", "apply", "d", 0, "{}"), beside_ledger=True)
        self.assertEqual(list(kept_answers(self.system, "a/b/c")), [path])
        for text in ('{"format": 1, "transaction": 1}', "[" * 100_000, '{"format": 1, "at": "now"}'):
            with open(path, "w", encoding="utf-8") as target:
                target.write(text)
            self.assertEqual(kept_answers(self.system, "a/b/c"), {})
            self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()
