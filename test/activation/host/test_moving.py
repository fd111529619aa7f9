from __future__ import annotations

import errno
import os
import unittest
from typing import Any, Callable
from unittest import mock

from fake_systemd import ETC, Crash
from test_transaction import WithHost, bundle, env, service

from pulumi_systemd_host.bundle import Bundle, File
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.recovery import recover_all
from pulumi_systemd_host.saved import ITSELF

SHARED = File("/etc/shared.conf", 0o644, "ours\n", False)
LATER = File("/etc/z/later.conf", 0o644, "ours\n", False)
MEANWHILE = "changed by somebody else meanwhile, and stays as it is"


class Moving(WithHost):
    """Somebody else is at work between the look at the host and the switch."""

    def setUp(self) -> None:
        super().setUp()
        self.apply(bundle([service("a.service")]))
        self.wanted = bundle([service("a.service", "new")], files=[env("secret"), SHARED, LATER])

    def apply_while(self, change: Callable[[], None], wanted: Bundle) -> dict[str, Any]:
        run = self.host.run

        def changing(argv: list[str], *rest: Any, **more: Any) -> Any:
            if argv[0] == "systemd-analyze":
                change()
            return run(argv, *rest, **more)

        with mock.patch.object(self.host, "run", changing):
            return self.apply(wanted)

    def put_both(self) -> None:
        self.host.put(SHARED.path, "theirs\n")
        self.host.put(LATER.path, "theirs too\n")

    def text(self, path: str) -> str:
        with open(self.host.at(path), encoding="utf-8") as source:
            return source.read()

    def assert_theirs(self) -> None:
        self.assertEqual((self.text(SHARED.path), self.text(LATER.path)), ("theirs\n", "theirs too\n"))
        self.assertFalse(os.path.lexists(self.host.at(env("x").path)))
        self.assertIn("/bin/ok", self.text(f"{ETC}/a.service"))
        self.assertIn("/bin/ok", self.host.running_set()["a.service"])
        self.assertEqual([path for path in self.host.tree() if "pulumi-systemd-t" in path or "pending" in path], [])

    def test_a_file_that_appears_stays_on_the_way_there_and_back(self) -> None:
        told = f"(?s)^{SHARED.path} was {MEANWHILE}: it was absent, now it is file.*back on its previous state"
        with self.assertRaisesRegex(HostError, told):
            self.apply_while(self.put_both, self.wanted)
        self.assert_theirs()
        with self.assertRaisesRegex(HostError, f"{SHARED.path} is already there and was not written by this scope"):
            self.apply(self.wanted)

    def test_one_that_appears_in_the_last_moment_stays(self) -> None:
        link = os.link

        def late(staged: str, target: str, **more: Any) -> None:
            if target == self.host.at(SHARED.path):
                self.put_both()
            link(staged, target, **more)

        with mock.patch.object(os, "link", late), self.assertRaisesRegex(HostError, f"^{SHARED.path} was {MEANWHILE}"):
            self.apply(self.wanted)
        self.assert_theirs()

    def test_after_a_kill_it_stays_even_where_the_way_back_is_killed_too(self) -> None:
        """Killed between the two names of the first file, and before the record of the way back goes."""
        unlink = os.unlink
        first = self.host.at(env("x").path)

        def killed(path: str, **more: Any) -> None:
            if os.path.lexists(first) and os.path.dirname(path) == os.path.dirname(first):
                raise Crash
            unlink(path, **more)

        with mock.patch.object(os, "unlink", killed), self.assertRaises(Crash):
            self.apply_while(self.put_both, self.wanted)
        with mock.patch("pulumi_systemd_host.recovery._forget", side_effect=Crash), self.assertRaises(Crash):
            recover_all(self.host, 10)
        self.assertEqual([one.problems for one in recover_all(self.host, 10)], [[]])
        self.assert_theirs()

    def test_it_stays_where_the_record_cannot_be_written_again(self) -> None:
        full = OSError(errno.ENOSPC, "No space left on device")
        write = "pulumi_systemd_host.pending.write_atomically"
        link = os.link

        def killed(staged: str, target: str, **more: Any) -> None:
            if not target.endswith(ITSELF):
                raise Crash
            link(staged, target, **more)

        with mock.patch("os.link", killed), self.assertRaises(Crash):
            self.apply_while(self.put_both, self.wanted)
        with mock.patch(write, side_effect=full):
            self.assertTrue(recover_all(self.host, 10)[0].stuck)
        recover_all(self.host, 10)
        self.assert_theirs()

    def test_a_changed_file_and_a_mask_stay(self) -> None:
        def change() -> None:
            os.symlink("/dev/null", self.host.at(f"{ETC}/b.service"))
            self.host.put(f"{ETC}/a.service", "[Service]\nExecStart=/bin/theirs\n")

        with self.assertRaisesRegex(HostError, f"^{ETC}/a.service was {MEANWHILE}: its content differs"):
            self.apply_while(change, bundle([service("a.service", "new"), service("b.service")]))
        self.assertIn("/bin/theirs", self.text(f"{ETC}/a.service"))
        self.assertEqual(os.readlink(self.host.at(f"{ETC}/b.service")), "/dev/null")

    def test_a_link_of_a_release_that_appears_stays(self) -> None:
        release = self.archive("#!/bin/sh\n")

        def change() -> None:
            os.symlink("/theirs", self.host.at(release.link))

        api = service("a.service", "new", restart_on_releases=["orders"])
        with self.assertRaisesRegex(HostError, f"^{release.link} was {MEANWHILE}: it was absent, now it is link"):
            self.apply_while(change, bundle([api], releases=[release]))
        self.assertEqual(os.readlink(self.host.at(release.link)), "/theirs")
        self.assertFalse(os.path.lexists(self.host.at(release.directory)))

    def test_a_file_system_without_hard_links(self) -> None:
        with mock.patch("os.link", side_effect=OSError(errno.EPERM, "Operation not permitted")):
            self.assertEqual(self.apply(self.wanted)["outcome"], "applied")
        self.assertEqual(self.text(SHARED.path), "ours\n")


if __name__ == "__main__":
    unittest.main()
