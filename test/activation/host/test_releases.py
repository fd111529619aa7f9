from __future__ import annotations

import io
import os
import tarfile
import tempfile
import unittest
from typing import Any
from unittest import mock

from pulumi_systemd_host_under_test import ScriptedSystem, sha

from pulumi_systemd_host.bundle import Upload
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.releases import (
    Checked,
    check_archive,
    check_room,
    checked_members,
    remove_forgotten_uploads,
    remove_upload,
    unpack,
)

RELEASE = Upload("app", sha("x"), "x.tar")
LATER = 2**62


def member(name: str, **values: Any) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(made, key, value)
    return made


def link(name: str, target: str) -> tarfile.TarInfo:
    return member(name, type=tarfile.SYMTYPE, linkname=target)


def hard_link(name: str, target: str) -> tarfile.TarInfo:
    return member(name, type=tarfile.LNKTYPE, linkname=target)


def directory(name: str) -> tarfile.TarInfo:
    return member(name, type=tarfile.DIRTYPE, mode=0o755)


class CheckedMembers(unittest.TestCase):
    def test_refuses(self) -> None:
        cases: list[tuple[list[tarfile.TarInfo], str]] = [
            ([member("/etc/passwd")], "leaves the release"),
            ([member("../x")], "leaves the release"),
            ([member("a/../../x")], "leaves the release"),
            ([member("a/../x")], "leaves the release"),
            ([link("a", "/etc")], "leaves the release"),
            ([link("a", "..")], "leaves the release"),
            ([link("d/a", "../../x")], "leaves the release"),
            ([link("a", "b"), link("b", "../x")], "leaves the release"),
            ([link("a", "b/.."), link("b", "c/d"), link("c", "..")], "leaves the release"),
            ([link("a", "b"), link("b", "a")], "leaves the release"),
            ([link("a", "."), member("a/x")], "which is no directory"),
            ([member("a"), member("a/x")], "which is no directory"),
            ([member("a/x"), link("a", ".")], "is there twice"),
            ([member("a"), member("a")], "is there twice"),
            ([member("a"), member("./a")], "is there twice"),
            ([hard_link("a", "/etc/shadow")], "no earlier file"),
            ([hard_link("a", "../x")], "no earlier file"),
            ([hard_link("a", "b"), member("b")], "no earlier file"),
            ([link("l", "x"), hard_link("a", "l")], "no earlier file"),
            ([member("a", type=tarfile.CHRTYPE)], "special file"),
            ([member("a", type=tarfile.BLKTYPE)], "special file"),
            ([member("a", type=tarfile.FIFOTYPE)], "special file"),
            ([member("a", mode=0o4755)], "set-uid"),
            ([member("a", mode=0o2755)], "set-gid"),
            ([member("a\0b")], "leaves the release"),
            ([member(".")], "own directory"),
        ]
        for members, expected in cases:
            names = [(each.name, each.linkname) for each in members]
            with self.subTest(names), self.assertRaisesRegex(HostError, expected):
                checked_members("app", members)

    def test_accepts(self) -> None:
        members = [
            directory("."),
            directory("bin"),
            directory("./bin"),
            member("bin/run", size=3),
            hard_link("bin/again", "bin/run"),
            link("bin/alias", "run"),
            link("lib64", "lib"),
            link("lib/up", "../bin/./run"),
            link("dangling", "nowhere/at/all"),
        ]
        self.assertEqual(checked_members("app", members).size, 4096)


class Unpack(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = made.name

    def archive(self, members: list[tuple[tarfile.TarInfo, bytes]]) -> str:
        path = os.path.join(self.directory, "a.tar")
        with tarfile.open(path, "w") as target:
            for each, content in members:
                each.size = len(content)
                target.addfile(each, io.BytesIO(content))
        return path

    def test_modes_and_links(self) -> None:
        path = self.archive(
            [
                (member("bin/run", mode=0o777, uid=1234, mtime=7), b"run"),
                (member("data", mode=0o666), b"data"),
                (hard_link("same", "data"), b""),
                (link("alias", "bin/run"), b""),
            ]
        )
        before = os.umask(0o077)
        self.addCleanup(os.umask, before)
        target = os.path.join(self.directory, "out")
        unpack(ScriptedSystem(""), RELEASE, path, target, 60)
        modes = {
            name: oct(os.stat(os.path.join(target, name)).st_mode & 0o7777) for name in ("", "bin", "bin/run", "data")
        }
        self.assertEqual(modes, {"": "0o755", "bin": "0o755", "bin/run": "0o755", "data": "0o644"})
        self.assertEqual(os.readlink(os.path.join(target, "alias")), "bin/run")
        self.assertTrue(os.path.samefile(os.path.join(target, "same"), os.path.join(target, "data")))
        self.assertEqual(os.stat(os.path.join(target, "bin/run")).st_uid, os.geteuid())

    def test_what_is_no_tar(self) -> None:
        path = os.path.join(self.directory, "a.tar")
        for content in (b"", b"hello" * 300, b"\x1f\x8b" + b"x" * 600):
            with open(path, "wb") as target:
                target.write(content)
            with self.subTest(content[:5]), self.assertRaisesRegex(HostError, "no readable uncompressed tar"):
                check_archive(RELEASE, path)

    def test_a_cut_off_tar(self) -> None:
        path = self.archive([(member("a"), b"x" * 5000)])
        os.truncate(path, 2000)
        target = os.path.join(self.directory, "out")
        with self.assertRaises(HostError):
            unpack(ScriptedSystem(""), RELEASE, path, target, 60)

    def test_an_upload_is_not_removed_through_a_link(self) -> None:
        home, elsewhere = os.path.join(self.directory, "home"), os.path.join(self.directory, "elsewhere")
        for path in (home, elsewhere):
            os.mkdir(path)
        victim = os.path.join(elsewhere, "x.tar")
        with open(victim, "w", encoding="ascii"):
            pass
        os.symlink(elsewhere, os.path.join(home, "up"))
        remove_upload(Upload("app", sha("x"), "up/x.tar"), home, LATER)
        self.assertTrue(os.path.exists(victim))

    def test_forgotten_uploads_of_this_scope_alone_are_removed(self) -> None:
        ours = f".pulumi-systemd-{sha('shop/dev/web1')[:16]}-{sha('a')}.tar"
        others = [f".pulumi-systemd-{sha('shop/dev/web2')[:16]}-{sha('a')}.tar", ".pulumi-systemd-notes", "x.tar"]
        home = os.path.join(self.directory, "home")
        os.mkdir(home)
        for name in [ours, *others]:
            with open(os.path.join(home, name), "w", encoding="ascii"):
                pass
        remove_forgotten_uploads("shop/dev/web1", home, LATER)
        self.assertEqual(sorted(os.listdir(home)), sorted(others))


class Room(unittest.TestCase):
    def test_is_there_for_the_bytes_and_for_the_files(self) -> None:
        def room(mebibytes: int, inodes: int, all_inodes: int = 10_000) -> Any:
            info = mock.Mock(f_bavail=mebibytes, f_frsize=1 << 20, f_files=all_inodes, f_favail=inodes)
            return mock.patch("os.statvfs", return_value=info)

        three = Checked([member("a"), member("b"), member("c")], 20 << 20)
        with room(100, 1000):
            check_room("app", three, "/opt/app/releases")
        # A file system without a fixed number of inodes, such as btrfs, tells 0 of them.
        with room(100, 0, 0):
            check_room("app", three, "/opt/app/releases")
        with room(20, 1000), self.assertRaisesRegex(HostError, "no room .* /opt/app/releases: .*, and 20 MiB are free"):
            check_room("app", three, "/opt/app/releases")
        with room(100, 100), self.assertRaisesRegex(HostError, "it needs 3 inodes, and 100 are free; make room"):
            check_room("app", three, "/opt/app/releases")


if __name__ == "__main__":
    unittest.main()
