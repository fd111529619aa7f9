from __future__ import annotations

import os
import stat
import sys
import tempfile
import traceback
import unittest
from unittest import mock

from pulumi_systemd_health_under_test import SOURCE  # noqa: F401 puts the modules on the path

from pulumi_systemd_health import launch
from pulumi_systemd_health.launch import program_code


class LaunchTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.kept = os.path.join(holder.name, "program.pyc")
        # Whoever runs the tests stands for root.
        owner = mock.patch.object(launch, "ROOT_ID", os.getuid())
        owner.start()
        self.addCleanup(owner.stop)
        self.compiled = 0
        real = launch._compiled

        def counted(source: str, file: str) -> object:
            self.compiled += 1
            return real(source, file)

        counter = mock.patch.object(launch, "_compiled", counted)
        counter.start()
        self.addCleanup(counter.stop)

    def value(self, source: str) -> object:
        found: dict[str, object] = {}
        exec(program_code(source, "/usr/local/lib/x.py", self.kept), found)  # noqa: S102
        return found["value"]

    def test_it_is_compiled_once(self) -> None:
        self.assertEqual([self.value("value = 1\n") for _ in range(3)], [1, 1, 1])
        self.assertEqual(self.compiled, 1)
        self.assertEqual(os.listdir(os.path.dirname(self.kept)), ["program.pyc"])
        self.assertEqual(stat.S_IMODE(os.stat(self.kept).st_mode), 0o600)

    def test_another_source_is_never_run_by_the_old_code_also_of_the_same_length_and_second(self) -> None:
        self.assertEqual([self.value(f"value = {number}\n") for number in (1, 2, 1)], [1, 2, 1])
        self.assertEqual(self.compiled, 3)

    def test_another_python_compiles_anew(self) -> None:
        self.value("value = 1\n")
        with mock.patch.object(launch, "MAGIC_NUMBER", b"\0\0\r\n"):
            self.assertEqual([self.value("value = 1\n"), self.value("value = 1\n")], [1, 1])
        self.assertEqual(self.compiled, 2)

    def test_what_is_damaged_is_made_anew(self) -> None:
        self.value("value = 1\n")
        with open(self.kept, "rb") as file:
            good = file.read()
        for data in (b"", good[:10], good[:16], good[:30], good[:16] + b"i\1\0\0\0", good[:16] + b"\xff"):
            with self.subTest(data), open(self.kept, "wb") as file:
                file.write(data)
            self.assertEqual(self.value("value = 1\n"), 1)
            with open(self.kept, "rb") as file:
                self.assertEqual(file.read(), good)

    def test_what_others_could_have_written_is_not_used(self) -> None:
        self.value("value = 1\n")
        os.chmod(self.kept, 0o620)  # noqa: S103
        self.assertEqual(self.value("value = 1\n"), 1)
        self.assertEqual((self.compiled, stat.S_IMODE(os.stat(self.kept).st_mode)), (2, 0o600))
        theirs = mock.Mock(st_uid=os.getuid() + 1, st_mode=0o100600)
        with mock.patch("os.fstat", lambda _: theirs):
            self.value("value = 1\n")
        self.assertEqual(self.compiled, 3)
        other = f"{self.kept}.other"
        os.rename(self.kept, other)
        os.symlink(other, self.kept)
        self.assertEqual((self.value("value = 1\n"), self.compiled), (1, 4))
        self.assertFalse(os.path.islink(self.kept))

    def test_others_than_root_keep_nothing(self) -> None:
        with mock.patch("os.geteuid", lambda: os.getuid() + 1):
            self.assertEqual(self.value("value = 1\n"), 1)
        self.assertFalse(os.path.exists(self.kept))

    def test_without_its_directory_or_on_a_full_disk_it_runs_all_the_same(self) -> None:
        self.kept = os.path.join(os.path.dirname(self.kept), "no", "program.pyc")
        self.assertEqual(self.value("value = 1\n"), 1)
        os.mkdir(os.path.dirname(self.kept))
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")):
            self.assertEqual(self.value("value = 1\n"), 1)
        self.assertEqual(os.listdir(os.path.dirname(self.kept)), [])

    def test_lines_are_those_of_the_file(self) -> None:
        try:
            self.value("\n\n1 / 0\n")
        except ZeroDivisionError as problem:
            last = traceback.extract_tb(problem.__traceback__)[-1]
        self.assertEqual((last.lineno, last.filename), (3, "/usr/local/lib/x.py"))

    def test_an_optimized_python_keeps_nothing(self) -> None:
        with mock.patch.object(launch, "sys", mock.Mock(flags=mock.Mock(optimize=1), wraps=sys)):
            self.value("value = 1\n")
        self.assertFalse(os.path.exists(self.kept))


if __name__ == "__main__":
    unittest.main()
