from __future__ import annotations

import os
import tempfile
import unittest

from pulumi_systemd_host_under_test import ScriptedSystem

from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.users import remove_halves

NOBODY = Completed(2, "", "")


class Halves(unittest.TestCase):
    """What a kill in the middle of useradd or userdel leaves."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.system = ScriptedSystem(directory.name)
        os.mkdir(self.system.at("/etc"))
        self.system.answers = {"getent": NOBODY}

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


if __name__ == "__main__":
    unittest.main()
