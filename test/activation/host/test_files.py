from __future__ import annotations

import os
import tempfile
import unittest

from pulumi_systemd_host_under_test import ScriptedSystem

from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.files import (
    content_of,
    found_at,
    link_atomically,
    make_directories,
    missing_directories,
    remove_temporaries,
    remove_tree,
    temporary_name,
    write_atomically,
)
from pulumi_systemd_host.ledger import (
    Ledger,
    LedgerFile,
    LedgerRelease,
    LedgerUnit,
    other_ledgers,
    read_ledger,
    remove_ledger,
    write_ledger,
)
from pulumi_systemd_host.lock import host_lock


class WithRoot(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.root = made.name
        self.system = ScriptedSystem(self.root)


class Files(WithRoot):
    def test_write_replaces_whole_and_leaves_nothing_beside(self) -> None:
        path = os.path.join(self.root, "x")
        write_atomically(path, b"one", 0o644, "t")
        write_atomically(path, b"two", 0o600, "t", os.geteuid(), os.getegid(), 5_000_000_000)
        found = found_at(path)
        self.assertEqual((found.kind, found.mode, found.mtime_ns), ("file", 0o600, 5_000_000_000))
        self.assertEqual(os.listdir(self.root), ["x"])

    def test_a_write_does_not_follow_a_link(self) -> None:
        target, path = os.path.join(self.root, "target"), os.path.join(self.root, "x")
        write_atomically(target, b"keep", 0o644, "t")
        os.symlink(target, path)
        write_atomically(path, b"new", 0o644, "t")
        self.assertEqual((found_at(path).kind, found_at(target).mode), ("file", 0o644))
        with open(target, "rb") as source:
            self.assertEqual(source.read(), b"keep")

    def test_found(self) -> None:
        link_atomically(os.path.join(self.root, "l"), "/nowhere", "t")
        os.mkfifo(os.path.join(self.root, "p"))
        kinds = [found_at(os.path.join(self.root, name)).kind for name in ("l", "p", "none", "none/below", "")]
        self.assertEqual(kinds, ["link", "other", "absent", "absent", "directory"])
        self.assertEqual(found_at(os.path.join(self.root, "l", "below")).kind, "absent")

    def test_content_is_of_files_alone_and_nothing_is_waited_for(self) -> None:
        path = os.path.join(self.root, "x")
        write_atomically(path, b"\xff content", 0o644, "t")
        os.symlink(path, os.path.join(self.root, "l"))
        os.mkfifo(os.path.join(self.root, "p"))
        self.assertEqual((content_of(path), content_of(path, 3)), (b"\xff content", b"\xff c"))
        found = [content_of(os.path.join(self.root, name)) for name in ("l", "p", "none", "x/below", "")]
        self.assertEqual(found, [b"\xff content", None, None, None, None])

    def test_directories(self) -> None:
        deep = os.path.join(self.root, "a", "b", "c")
        self.assertEqual(missing_directories(os.path.join(deep, "f")), [deep[: -4 + i] for i in (0, 2)] + [deep])
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        self.assertEqual(make_directories(deep), [deep[:-4], deep[:-2], deep])
        self.assertEqual(os.stat(deep).st_mode & 0o777, 0o755)
        write_atomically(os.path.join(deep, "f"), b"", 0o644, "t")
        with self.assertRaisesRegex(HostError, "is not a directory"):
            make_directories(os.path.join(deep, "f", "g"))

    def test_remove_tree_follows_no_link(self) -> None:
        outside, tree = os.path.join(self.root, "outside"), os.path.join(self.root, "tree", "sub")
        make_directories(tree)
        make_directories(outside)
        write_atomically(os.path.join(outside, "keep"), b"", 0o644, "t")
        os.symlink(outside, os.path.join(tree, "link"))
        remove_tree(os.path.dirname(tree))
        self.assertEqual((os.listdir(self.root), os.listdir(outside)), (["outside"], ["keep"]))

    def test_temporary_names_are_no_units(self) -> None:
        name = temporary_name("/etc/systemd/system/api.service", "20261121-020315-3fa9c2")
        self.assertEqual(name, "/etc/systemd/system/.api.service.pulumi-systemd-20261121-020315-3fa9c2")

    def test_temporary_names_are_short_enough_and_each_is_anothers(self) -> None:
        names = ["x" * 250 + end for end in "ab"] + ["\u00e9" * 120 + end for end in "ab"]
        names += [os.fsdecode(b"\xe9" * 200 + end) for end in (b"a", b"b")] + ["x" * 150, "x" * 134]
        made = [temporary_name(os.path.join(self.root, name), "20261121-020315-3fa9c2") for name in names]
        self.assertEqual(len(set(made)), len(names))
        for path in made:
            with open(path, "w", encoding="ascii"):
                pass
        self.assertEqual(os.path.basename(made[-2]), f".{'x' * 150}.pulumi-systemd-20261121-020315-3fa9c2")
        remove_temporaries(self.root)
        self.assertEqual(os.listdir(self.root), [])

    def test_what_cannot_be_there_for_its_name_is_removed(self) -> None:
        remove_tree(os.path.join(self.root, "\u00e9" * 200))


class Ledgers(WithRoot):
    def ledger(self, scope: str = "a/b/c") -> Ledger:
        return Ledger(
            scope,
            3,
            "t",
            "boot",
            {"u": True},
            {"g": False},
            {"/etc/x": LedgerFile("d", 0o600, True)},
            {"x.service": LedgerUnit("/etc/systemd/system/x.service", "1", "2", "3", "4", True, "started")},
            [LedgerRelease("r", "5", "/opt/r/1", "/opt/r/current", True)],
            ["/etc/y"],
        )

    def test_reads_what_was_written(self) -> None:
        write_ledger(self.system, self.ledger())
        self.assertEqual(read_ledger(self.system, "a/b/c"), self.ledger())
        path = os.path.join(self.root, "var/lib/pulumi-systemd")
        modes = [os.stat(os.path.join(path, name)).st_mode & 0o777 for name in ("", "a", "a/b/c", "a/b/c/ledger.json")]
        self.assertEqual(modes, [0o700, 0o700, 0o700, 0o600])

    def test_others(self) -> None:
        for scope in ("a/b/c", "a/b/d", "x/y/z"):
            write_ledger(self.system, self.ledger(scope))
        self.assertEqual([ledger.scope for ledger in other_ledgers(self.system, "a/b/c")], ["a/b/d", "x/y/z"])

    def test_removal_takes_only_empty_parents(self) -> None:
        make_directories(os.path.join(self.root, "var/lib"))
        for scope in ("a/b/c", "a/x/c"):
            write_ledger(self.system, self.ledger(scope))
        remove_ledger(self.system, "a/b/c")
        self.assertEqual(os.listdir(os.path.join(self.root, "var/lib/pulumi-systemd/a")), ["x"])
        remove_ledger(self.system, "a/x/c")
        self.assertEqual(os.listdir(os.path.join(self.root, "var/lib")), [])

    def test_damage_is_named(self) -> None:
        write_ledger(self.system, self.ledger())
        path = os.path.join(self.root, "var/lib/pulumi-systemd/a/b/c/ledger.json")
        for text in ("", "{}", "[]", "null", '{"format": 1, "scope": "a/b/c"}', '{"format": 1, "strange": 2}'):
            with open(path, "w", encoding="ascii") as target:
                target.write(text)
            with self.subTest(text), self.assertRaisesRegex(HostError, "ledger.json is damaged"):
                read_ledger(self.system, "a/b/c")
        with open(path, "w", encoding="ascii") as target:
            target.write('{"format": 2}')
        with self.assertRaisesRegex(HostError, "newer pulumi-systemd"):
            read_ledger(self.system, "a/b/c")


class Lock(WithRoot):
    def test_the_second_waits_and_names_the_first(self) -> None:
        os.mkdir(os.path.join(self.root, "run"))
        with host_lock(self.system, "a/b/c (apply, t1)", 5):
            with self.assertRaisesRegex(HostError, r"held by a/b/c \(apply, t1\); waited 5 s"):
                with host_lock(self.system, "x", 5):
                    self.fail("both hold it")
            self.assertEqual(self.system.notes, ["waiting for a/b/c (apply, t1) to end (2 s)"])
        with host_lock(self.system, "x", 5):
            pass


if __name__ == "__main__":
    unittest.main()
