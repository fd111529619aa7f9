from __future__ import annotations

import fcntl
import json
import os
from dataclasses import replace
from typing import Any, Callable

from fake_systemd import ETC
from test_transaction import WithHost, bundle, env, service

from pulumi_systemd_host.bundle import Bundle
from pulumi_systemd_host.look import look

API = f"{ETC}/api.service"
ENV = "/etc/orders/api.env"


def wanted(text: str = "ok", secret: str = "hush-hush", **changes: Any) -> Bundle:
    api = service("api.service", text, restart_on_files=[ENV], **changes)
    return bundle([api], files=[env(secret)])


class Looks(WithHost):
    def setUp(self) -> None:
        super().setUp()
        self.host.clock = 1000.0

    def look(self, asked: Bundle | None = None) -> dict[str, Any]:
        before = self.host.tree()
        log = list(self.host.log)
        text = look(self.host, asked or wanted())
        self.assertEqual(
            (self.host.tree(), self.host.log), (before, log), "a look changes nothing"
        )
        self.assertNotIn("hush", text)
        report: dict[str, Any] = json.loads(text)
        return report

    def findings(self) -> list[tuple[str, str, str, bool]]:
        found = self.look()["findings"]
        return [
            (each["kind"], each["unit"], each["path"], each["repaired"])
            for each in found
        ]

    def test_a_host_that_was_never_touched(self) -> None:
        report = self.look()
        self.assertEqual((report["generation"], report["findings"]), (0, []))
        self.assertEqual(
            [
                (each["kind"], each["unit"], each["path"])
                for each in report["undeployed"]
            ],
            [("undeployed", "api.service", API), ("undeployed", "", ENV)],
        )

    def test_nothing_differs(self) -> None:
        self.apply(wanted())
        report = self.look()
        self.assertEqual(
            (report["findings"], report["undeployed"], report["busy"]), ([], [], "")
        )
        self.assertEqual(
            (report["generation"], report["systemd"], report["booted"]), (1, 252, False)
        )
        self.assertEqual(
            [(each["name"], each["activeState"]) for each in report["units"]],
            [("api.service", "active")],
        )

    def drifted(
        self,
        change: Callable[[], None],
        expected: list[tuple[str, str, str, bool]],
        stays: bool = False,
    ) -> None:
        """One change by hand: what is found, and that the next transaction repairs just what was said."""
        self.apply(wanted())
        change()
        self.assertEqual(self.findings(), expected)
        self.apply(wanted())
        left = [each for each in expected if not each[3]]
        self.assertEqual(self.findings(), expected if stays else left)

    def test_a_unit_file_changed(self) -> None:
        change = ("file-changed", "api.service", API, True)
        self.drifted(
            lambda: self.host.put(API, "[Service]\nExecStart=/bin/other\n"),
            [change, ("daemon-reload", "api.service", "", True)],
        )

    def test_a_secret_changed(self) -> None:
        self.drifted(
            lambda: self.host.put(ENV, "TOKEN=1\n", 0o600),
            [("file-changed", "", ENV, True)],
        )

    def test_a_secret_readable(self) -> None:
        self.drifted(
            lambda: os.chmod(self.host.at(ENV), 0o644), [("file-mode", "", ENV, True)]
        )

    def test_a_secret_gone(self) -> None:
        self.drifted(
            lambda: os.unlink(self.host.at(ENV)), [("file-missing", "", ENV, True)]
        )

    def test_masked(self) -> None:
        def mask() -> None:
            os.unlink(self.host.at(API))
            os.symlink("/dev/null", self.host.at(API))

        self.drifted(
            mask,
            [
                ("masked", "api.service", API, True),
                ("daemon-reload", "api.service", "", True),
            ],
        )

    def test_a_drop_in(self) -> None:
        path = f"{ETC}/api.service.d/override.conf"
        self.drifted(
            lambda: self.host.put(path, "[Service]\n"),
            [("drop-in", "api.service", path, False)],
            stays=True,
        )

    def test_disabled(self) -> None:
        self.drifted(
            lambda: os.unlink(
                self.host.at(f"{ETC}/multi-user.target.wants/api.service")
            ),
            [("enablement", "api.service", "", True)],
        )

    def test_stopped_by_hand(self) -> None:
        def stop() -> None:
            del self.host.running["api.service"]

        self.drifted(stop, [("stopped", "api.service", "", False)], stays=True)

    def test_failed(self) -> None:
        def fail() -> None:
            del self.host.running["api.service"]
            self.host.failed.add("api.service")

        self.drifted(fail, [("failed", "api.service", "", True)])

    def test_a_process_older_than_its_definition(self) -> None:
        self.apply(wanted())
        self.host.clock += 100
        self.apply(replace(wanted("changed", on_change="none")))
        found = self.look(wanted("changed", on_change="none"))["findings"]
        self.assertEqual([each["kind"] for each in found], ["stale-process"])
        self.assertEqual(found[0]["repair"], "`systemctl restart api.service`")
        self.host.clock += 100
        del self.host.running["api.service"]
        self.host._start("start", "api.service")
        self.assertEqual(self.look(wanted("changed", on_change="none"))["findings"], [])

    def test_a_process_that_was_restarted_is_fresh_ever_after(self) -> None:
        self.apply(wanted())
        self.host.clock += 100
        self.apply(wanted("changed"))
        self.host.clock += 100
        self.apply(wanted("changed"))
        self.assertEqual(self.look(wanted("changed"))["findings"], [])

    def test_what_was_not_deployed(self) -> None:
        self.apply(wanted())
        other = replace(
            wanted("changed", secret="hush"), units=[service("new.service")]
        )
        found = self.look(other)["undeployed"]
        self.assertEqual(
            [(each["unit"], each["path"], each["expected"]) for each in found],
            [
                ("api.service", "", "not in the program any more"),
                ("new.service", f"{ETC}/new.service", "new in the program"),
                ("", ENV, "changed in the program"),
            ],
        )

    def test_a_newer_systemd(self) -> None:
        self.apply(wanted())
        self.host.systemd = 257
        self.assertEqual(
            [each["kind"] for each in self.look()["findings"]], ["systemd"]
        )

    def test_a_host_at_work(self) -> None:
        self.apply(wanted())
        self.host.put("/etc/orders/api.env", "half-way", 0o600)
        with open(
            self.host.at("/run/pulumi-systemd/lock"), "r+", encoding="utf-8"
        ) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write("orders/dev/web1 (apply, t9)\n")
            lock.flush()
            report = self.look()
        self.assertEqual(
            (report["busy"], report["findings"]), ("orders/dev/web1 (apply, t9)", [])
        )
        self.assertEqual(len(self.look()["findings"]), 1)
