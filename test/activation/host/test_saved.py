from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import replace
from typing import Any
from unittest import main, mock

from test_files import WithRoot

from pulumi_systemd_host import saved
from pulumi_systemd_host.files import Found, found_at, write_atomically
from pulumi_systemd_host.saved import SavedPath, restore_path, save_path

OPEN = os.open


class Saved(WithRoot):
    def setUp(self) -> None:
        super().setUp()
        self.kept = os.path.join(self.root, "kept")
        os.mkdir(self.kept)
        self.path = os.path.join(self.root, "x")

    def put(self, text: str) -> None:
        with open(self.path, "w", encoding="utf-8") as target:
            target.write(text)

    def state(self) -> tuple[int, Found]:
        return os.lstat(self.path).st_ino, found_at(self.path)

    def replaced(self) -> None:
        write_atomically(self.path, b"other", 0o600, "t")

    def restored(self, kept: SavedPath, *, full: bool) -> bool:
        refused = OSError(errno.ENOSPC, "No space left on device")
        with contextlib.ExitStack() as patches:
            for name in ("open", "symlink", "write", "mkdir") if full else ():
                call = getattr(os, name)

                def call_unless_new(*arguments: Any, call: Any = call, **options: Any) -> Any:
                    if call is OPEN and not arguments[1] & os.O_CREAT:
                        return call(*arguments, **options)
                    raise refused

                patches.enter_context(mock.patch.object(os, name, call_unless_new))
            return restore_path(self.system, self.kept, kept, "t")

    def test_a_full_disk_has_room_for_what_was_there(self) -> None:
        self.put("one")
        os.chmod(self.path, 0o640)
        os.utime(self.path, ns=(10**18, 10**18))
        os.link(self.path, f"{self.path}-other-name")
        os.symlink("/nowhere", f"{self.path}-link")
        for path in ("/x", "/x-link"):
            for change in (self.replaced, lambda: os.unlink(self.path)):
                with self.subTest(path):
                    self.path = self.root + path
                    before = self.state()
                    kept = save_path(self.system, self.kept, "0", path, itself=True)
                    change()
                    self.assertTrue(self.restored(kept, full=True))
                    self.assertEqual(self.state(), before)
                    self.assertFalse(self.restored(kept, full=True))
                    self.assertNotIn("0-itself", os.listdir(self.kept))

    def test_what_has_no_second_name_is_put_back_from_its_copy(self) -> None:
        self.put("one")
        os.symlink("/nowhere", f"{self.path}-link")
        for path in ("/x", "/x-link"):
            for number in (errno.EXDEV, errno.EMLINK, errno.EPERM):
                with self.subTest(path):
                    self.path = self.root + path
                    before = found_at(self.path)
                    with mock.patch.object(os, "link", side_effect=OSError(number, "no link")):
                        kept = save_path(self.system, self.kept, "0", path, itself=True)
                    self.replaced()
                    self.assertTrue(self.restored(kept, full=False))
                    now = found_at(self.path)
                    self.assertEqual(now, before if path == "/x" else replace(before, mtime_ns=now.mtime_ns))

    def test_a_file_that_somebody_wrote_to_meanwhile_is_put_back_as_it_was_saved(self) -> None:
        self.put("one")
        before = found_at(self.path)
        kept = save_path(self.system, self.kept, "0", "/x", itself=True)
        self.put("somebody else's")
        self.replaced()
        self.assertTrue(self.restored(kept, full=False))
        self.assertEqual(found_at(self.path), before)

    def test_a_file_of_any_size_is_put_back_in_parts(self) -> None:
        self.put("0123456789" * 10)
        kept = save_path(self.system, self.kept, "0", "/x")
        self.put("other")
        written: list[int] = []
        real = os.write

        def write(descriptor: int, data: Any) -> int:
            written.append(len(data))
            return real(descriptor, data)

        with mock.patch.object(saved, "CHUNK", 32), mock.patch.object(os, "write", write):
            self.assertTrue(restore_path(self.system, self.kept, kept, "t"))
        self.assertEqual(written, [32, 32, 32, 4])
        self.assertEqual(save_path(self.system, self.kept, "1", "/x").digest, kept.digest)
        self.assertFalse(restore_path(self.system, self.kept, kept, "t"))


if __name__ == "__main__":
    main()
