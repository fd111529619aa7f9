from __future__ import annotations

import base64
import unittest
import zlib
from unittest import mock

from pulumi_systemd_host import sent
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.sent import sent_parts

BUNDLE = b'{"scope": "shop/dev/web1"}'
PACKED = base64.b64encode(zlib.compress(BUNDLE))


class SentParts(unittest.TestCase):
    def test_a_bundle_as_it_is_or_packed_with_a_password_for_sudo_or_without(self) -> None:
        for bundle in (BUNDLE, PACKED):
            self.assertEqual(sent_parts(bundle), (None, BUNDLE))
            line = b"sudo " + base64.b64encode("p\u00e4ss".encode()) + b"\n"
            self.assertEqual(sent_parts(line + bundle), ("p\u00e4ss", BUNDLE))

    def test_what_is_neither_is_refused(self) -> None:
        cut_off = base64.b64encode(zlib.compress(BUNDLE)[:-3])
        for payload in (b"", b"[]", PACKED[:-1], cut_off, base64.b64encode(b"no zlib"), b"sudo ?\n" + PACKED):
            with self.subTest(payload), self.assertRaises(HostError):
                sent_parts(payload)

    def test_what_would_fill_the_memory_is_refused(self) -> None:
        with mock.patch.object(sent, "MOST_BYTES", len(BUNDLE)):
            self.assertEqual(sent_parts(PACKED), (None, BUNDLE))
        with mock.patch.object(sent, "MOST_BYTES", len(BUNDLE) - 1), self.assertRaisesRegex(HostError, "256 MiB"):
            sent_parts(PACKED)


if __name__ == "__main__":
    unittest.main()
