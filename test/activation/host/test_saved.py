from __future__ import annotations

import os
from typing import Any
from unittest import main, mock

from test_files import WithRoot

from pulumi_systemd_host import saved
from pulumi_systemd_host.saved import restore_path, save_path


class Saved(WithRoot):
    def setUp(self) -> None:
        super().setUp()
        self.kept = os.path.join(self.root, "kept")
        os.mkdir(self.kept)
        self.path = os.path.join(self.root, "x")

    def put(self, text: str) -> None:
        with open(self.path, "w", encoding="utf-8") as target:
            target.write(text)

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
