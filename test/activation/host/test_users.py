from __future__ import annotations

import fcntl
import os
import tempfile
import time
import unittest

from pulumi_systemd_host_under_test import ScriptedSystem

from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.users import remove_copies, remove_halves

NOBODY = Completed(2, "", "")


class Halves(unittest.TestCase):
    """What a kill in the middle of useradd or userdel leaves."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.system = ScriptedSystem(directory.name)
        os.mkdir(self.system.at("/etc"))
        self.system.answers = {"getent": NOBODY}
        self.read, self.write = os.pipe()
        self.read_end, self.write_end = os.pipe()
        for descriptor in (self.read, self.write, self.read_end, self.write_end):
            self.addCleanup(os.close, descriptor)

    def put(self, name: str, text: str) -> None:
        with open(self.system.at(f"/etc/{name}"), "w", encoding="utf-8") as target:
            target.write(text)

    def removed(self) -> list[list[str]]:
        remove_halves(self.system, ["orders"], ["orders"], 5)
        return [command for command in self.system.commands if command[0] != "getent"]

    def test_nothing_is_left(self) -> None:
        self.put("shadow", "root:*:1::::::\norders2:*:1::::::\n")
        self.assertEqual(self.removed(), [])

    def test_lines_of_shadow_alone_are_made_whole_and_removed(self) -> None:
        self.put("shadow", "root:*:1::::::\norders:!:1::::::\n")
        self.put("gshadow", "orders:!::\n")
        self.assertEqual(
            [[command[0], command[-1]] for command in self.removed()],
            [["groupadd", "orders"], ["groupdel", "orders"], ["useradd", "orders"], ["userdel", "orders"]],
        )

    def test_an_account_that_is_whole_is_left_alone(self) -> None:
        self.put("shadow", "orders:!:1::::::\n")
        self.put("gshadow", "orders:!::\n")
        self.system.answers = {"getent": Completed(0, "orders:x:1:\n", "")}
        self.assertEqual(self.removed(), [])

    def test_the_lock_of_a_process_that_is_gone_goes(self) -> None:
        for name, text in (("passwd", "999999999\0"), ("group", f"{os.getpid()}\0"), ("shadow", ""), ("subuid", "x")):
            self.put(f"{name}.lock", text)
        self.removed()
        self.assertEqual(sorted(os.listdir(self.system.at("/etc"))), ["group.lock", "shadow.lock", "subuid.lock"])

    def test_copies_that_were_left_go_unless_somebody_works_or_they_are_older(self) -> None:
        left = [".#groupMBBR9K", ".#gshadow586de380763fa663", "passwd.4711", "group+", "subgid.8456", "subuid+"]
        others = ["group", "group-", ".pwd.lock", ".#hosts123456", "passwd.bak"]
        for name in [*left, *others]:
            self.put(name, "")
        remove_copies(self.system, time.time() + 60)
        self.assertEqual(sorted(os.listdir(self.system.at("/etc"))), sorted([*left, *others]))
        with open(self.system.at("/etc/.pwd.lock"), "r+b") as held:
            # Locks of one process do not exclude each other.
            child = os.fork()
            if not child:
                try:
                    fcntl.lockf(held, fcntl.LOCK_EX)
                    os.write(self.write, b"1")
                    os.read(self.read_end, 1)
                finally:
                    os._exit(0)
            os.read(self.read, 1)
            remove_copies(self.system, 0)
            self.assertEqual(sorted(os.listdir(self.system.at("/etc"))), sorted([*left, *others]))
            os.write(self.write_end, b"1")
            os.waitpid(child, 0)
        remove_copies(self.system, 0)
        self.assertEqual(sorted(os.listdir(self.system.at("/etc"))), sorted(others))


if __name__ == "__main__":
    unittest.main()
