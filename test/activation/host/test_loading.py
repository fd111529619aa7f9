"""How much of the program each of its stages loads: a host runs three of them in each update."""

from __future__ import annotations

import subprocess
import sys
import unittest

import pulumi_systemd_host_under_test  # noqa: F401  # the import puts the program on the path

PACKAGE = "pulumi_systemd_host"


def loaded(module: str) -> set[str]:
    """Modules that are there after `module` of the program was loaded, in a process of its own."""
    code = f"import sys; sys.path[:] = {sys.path!r}; import {PACKAGE}.{module}; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-Ic", code], text=True).split())


class Loading(unittest.TestCase):
    def test_the_login_users_run_loads_the_way_to_root_alone(self) -> None:
        found = loaded("launch")
        own = {name for name in found if name.startswith(f"{PACKAGE}.")}
        self.assertEqual(own, {f"{PACKAGE}.{name}" for name in ("launch", "errors", "sent", "sudo", "writing")})
        self.assertNotIn("dataclasses", found)

    def test_root_loads_no_transaction_and_a_transaction_no_probes(self) -> None:
        self.assertFalse({f"{PACKAGE}.transaction", f"{PACKAGE}.look"} & loaded("as_root"))
        self.assertFalse({f"{PACKAGE}.gate", "http.client"} & loaded("run"))


if __name__ == "__main__":
    unittest.main()
