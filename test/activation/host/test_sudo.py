from __future__ import annotations

import os
import tempfile
import unittest
import warnings
from unittest import mock

import pulumi_systemd_host_under_test  # noqa: F401  # the import puts the program on the path

from pulumi_systemd_host import sudo
from pulumi_systemd_host.errors import HostError


class Sudo(unittest.TestCase):
    """A script in place of sudo."""

    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = made.name
        path = {"PATH": f"{made.name}:{os.environ['PATH']}", "LC_ALL": "de_DE.UTF-8"}
        patch = mock.patch.dict(os.environ, path)
        patch.start()
        self.addCleanup(patch.stop)

    def refused(self, script: str, password: str | None = "pw") -> str:
        path = os.path.join(self.directory, "sudo")
        with open(path, "w", encoding="utf-8") as target:
            target.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)
        with warnings.catch_warnings(), self.assertRaises(HostError) as caught:
            # The program ends with it, and closes no pipe.
            warnings.simplefilter("ignore", ResourceWarning)
            sudo.through_sudo("apply", b"", b"{}", password)
        return str(caught.exception)

    def test_one_that_ends_while_it_is_given_the_password(self) -> None:
        asks = f"exec 0<&-; echo '{sudo.PROMPT}' >&2"
        self.assertEqual(
            self.refused(f"{asks}; echo 'sudo: PAM account management error' >&2; exit 1"),
            "sudo failed on this host: PAM account management error",
        )
        self.assertEqual(self.refused(f"{asks}; exit 3"), "sudo failed on this host: status 3, no message")

    def test_one_that_refuses_the_password(self) -> None:
        asks = f"echo '{sudo.PROMPT}' >&2; read word"
        self.assertIn("does not accept the password that was given", self.refused(f"{asks}; {asks}; exit 1"))

    def test_one_that_waits_is_not_waited_for_without_end(self) -> None:
        with mock.patch.object(sudo, "SUDO_SEC", 1):
            told = self.refused("echo 'sudo: a note' >&2; exec sleep 3", None)
        self.assertRegex(told, r"did not let \S+ in within 1 s: .* Try `sudo -v` there. It said: a note$")

    def test_its_messages_are_asked_for_in_english(self) -> None:
        self.assertEqual(self.refused('echo "$LC_ALL" >&2; exit 1', None), "sudo failed on this host: C")


if __name__ == "__main__":
    unittest.main()
