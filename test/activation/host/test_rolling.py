"""Instances that change one after the other."""

from __future__ import annotations

import unittest

import pulumi_systemd_host_under_test  # noqa: F401  puts the modules on the path

from pulumi_systemd_host.rolling import rolled, stopped_at

KNOWN = ["a@10.service", "b@x.service", "a@2.service", "a@1.service", "one@1.service", "b@eu.service", "c.service"]


class RollingTest(unittest.TestCase):
    def test_order(self) -> None:
        expected = ["a@1.service", "a@2.service", "a@10.service", "b@eu.service", "b@x.service"]
        self.assertEqual(rolled([*KNOWN, "a@1.socket", "a@.service"], KNOWN), expected)
        self.assertEqual(rolled(["a@2.service"], KNOWN), ["a@2.service"])
        self.assertEqual(rolled(["a@v1-b.service", "a@1.service"], KNOWN), ["a@1.service", "a@v1-b.service"])

    def test_told(self) -> None:
        roll = rolled(KNOWN, KNOWN)
        self.assertEqual(
            stopped_at(roll, "a@1.service"),
            "it was instance 1 of 3 that change one by one; the 2 after it were not touched",
        )
        self.assertEqual(
            stopped_at(roll, "a@2.service"),
            "it was instance 2 of 3 that change one by one; the 1 after it was not touched",
        )
        self.assertEqual(stopped_at(roll, "b@x.service"), "it was instance 2 of 2 that change one by one")


if __name__ == "__main__":
    unittest.main()
