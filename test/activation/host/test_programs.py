from __future__ import annotations

import base64
import hashlib
import os
import tempfile
import unittest
import zlib

from pulumi_systemd_host_under_test import ScriptedSystem

from pulumi_systemd_host.programs import STORE, drop_programs, keep_program, remove_unfinished

SCOPE = "shop/dev/web1"
LATER = 2**62
BEGINNING = f".pulumi-systemd-{hashlib.sha256(SCOPE.encode()).hexdigest()[:16]}-"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def name(text: str) -> str:
    return f"{BEGINNING}{digest(text)}.program"


class Programs(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.host = ScriptedSystem(os.path.join(holder.name, "root"))
        self.home = os.path.join(holder.name, "home")
        os.mkdir(self.home)

    def upload(self, text: str, at: int, content: bytes | None = None) -> None:
        path = os.path.join(self.home, name(text))
        with open(path, "wb") as file:
            file.write(content if content is not None else base64.b64encode(zlib.compress(text.encode())))
        os.utime(path, (at, at))

    def kept(self) -> list[str]:
        store = self.host.at(STORE)
        return sorted(os.listdir(store)) if os.path.isdir(store) else []

    def test_the_program_that_runs_goes_from_the_home_to_where_all_can_read_it(self) -> None:
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.assertEqual((os.listdir(self.home), self.kept()), ([], [name("one")]))
        path = self.host.at(f"{STORE}/{name('one')}")
        self.assertEqual((os.stat(path).st_mode & 0o777, os.stat(os.path.dirname(path)).st_mode & 0o777), (0o644, 0o755))
        with open(path, "rb") as file:
            self.assertEqual(zlib.decompress(base64.b64decode(file.read())), b"one")
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.assertEqual(self.kept(), [name("one")])

    def test_what_a_write_that_was_cut_off_left_goes_and_nothing_else(self) -> None:
        remove_unfinished(self.host)
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        with open(self.host.at(f"{STORE}/.{name('two')}.pulumi-systemd-programs"), "wb"):
            pass
        self.assertEqual(len(self.kept()), 2)
        remove_unfinished(self.host)
        self.assertEqual(self.kept(), [name("one")])

    def test_older_ones_go_and_what_was_uploaded_since_stays(self) -> None:
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.upload("failed", 2000)
        self.upload("two", 3000)
        self.upload("next", 4000)
        keep_program(self.host, SCOPE, digest("two"), self.home)
        self.assertEqual((os.listdir(self.home), self.kept()), ([name("next")], [name("two")]))

    def test_a_program_that_is_not_here_makes_no_other_go(self) -> None:
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.upload("two", 2000)
        keep_program(self.host, SCOPE, digest("three"), self.home)
        self.assertEqual((os.listdir(self.home), self.kept()), ([name("two")], [name("one")]))

    def test_what_only_has_its_name_is_not_kept(self) -> None:
        for content in (b"", b"no base64!", base64.b64encode(b"no zlib"), base64.b64encode(zlib.compress(b"two"))):
            self.upload("one", 1000, content)
            keep_program(self.host, SCOPE, digest("one"), self.home)
            self.assertEqual(self.kept(), [])
        os.unlink(os.path.join(self.home, name("one")))
        os.symlink("/etc/shadow", os.path.join(self.home, name("one")))
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.assertEqual(self.kept(), [])

    def test_those_of_other_scopes_stay(self) -> None:
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.upload("two", 2000)
        drop_programs(self.host, "shop/dev/web2", self.home, LATER)
        self.assertEqual((os.listdir(self.home), self.kept()), ([name("two")], [name("one")]))

    def test_with_its_scope_all_goes_and_so_does_what_a_write_left(self) -> None:
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.upload("two", 2000)
        with open(self.host.at(f"{STORE}/.{name('one')}.pulumi-systemd-programs"), "w", encoding="ascii"):
            pass
        drop_programs(self.host, SCOPE, self.home, LATER)
        self.assertEqual((os.listdir(self.home), os.path.lexists(self.host.at(STORE))), ([], False))

    def test_with_its_scope_all_goes_but_what_was_uploaded_since_the_run_began(self) -> None:
        self.upload("one", 1000)
        keep_program(self.host, SCOPE, digest("one"), self.home)
        self.upload("next", 2000)
        drop_programs(self.host, SCOPE, self.home, 3000)
        self.assertEqual((os.listdir(self.home), self.kept()), ([name("next")], []))


if __name__ == "__main__":
    unittest.main()
