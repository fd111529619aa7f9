from __future__ import annotations

import json
import os
import stat
import tempfile
import unittest
from dataclasses import replace
from typing import Any, Sequence
from unittest import mock

from test_generations import WithGenerations
from test_transaction import SCOPE, bundle, env, service

from pulumi_systemd_host import health_command, logs
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.health_command import PROGRAMS
from pulumi_systemd_host.ledger import Ledger, LedgerUnit
from pulumi_systemd_host.logs import generation_times, unit_patterns

REQUEST = {
    "format": 1,
    "scope": SCOPE,
    "units": [],
    "checks": None,
    "follow": False,
    "lines": None,
    "priority": None,
    "since": None,
    "until": None,
    "invocation": None,
    "generation": None,
    "fields": [],
    "cursor": None,
}
JOURNALCTL = """\
#!/bin/sh
echo "$*" >> "{folder}/asked"
case "$*" in
  *"--since=never"*) echo "Failed to parse timestamp: never" >&2; exit 1 ;;
  *"--output-fields=_PID --lines=1") cat "{folder}/last" ;;
  *"--output-fields=_PID"*) cat "{folder}/first" ;;
esac
"""


class Patterns(unittest.TestCase):
    def test_units_of_the_scope_alone_and_of_a_template_its_instances(self) -> None:
        unit = LedgerUnit("/etc/systemd/system/x", "", "", "", "", True, "none")
        ledger = Ledger(SCOPE, units=dict.fromkeys(("api.service", "api.socket", "notify@.service"), unit))
        for asked, found in (
            ((), ["api.service", "api.socket", "notify@*.service"]),
            (("api.*",), ["api.service", "api.socket"]),
            (("notify@a.service",), ["notify@a.service"]),
            (("sshd.service", "api"), []),
        ):
            with self.subTest(asked):
                self.assertEqual(unit_patterns(ledger, asked), found)


class Logs(WithGenerations):
    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        path = os.path.join(self.folder, "journalctl")
        with open(path, "w", encoding="ascii") as script:
            script.write(JOURNALCTL.format(folder=self.folder))
        os.chmod(path, stat.S_IRWXU)
        for name, cursor in (("last", "s=9"), ("first", "s=3")):
            self.journal(name, cursor)
        environment = {**logs.ENVIRONMENT, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        for change in (
            mock.patch.object(logs, "ENVIRONMENT", environment),
            mock.patch.dict(os.environ, {"PATH": environment["PATH"]}),
        ):
            change.start()
            self.addCleanup(change.stop)
        self.apply(bundle([service("api.service", "ok")]))

    def journal(self, name: str, cursor: str | None) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as target:
            target.write("" if cursor is None else json.dumps({"__CURSOR": cursor}) + "\n")

    def asked(self, **changes: Any) -> tuple[dict[str, Any], str]:
        """The header, and with what journalctl was called in the end."""
        written: list[str] = []

        def write(descriptor: int, text: str) -> bool:
            written.append(text)
            return True

        with mock.patch.object(logs, "write_quietly", write):
            result = logs.run_logs(self.host, json.dumps({**REQUEST, **changes}).encode())
        self.assertEqual((result.code, len(written)), (0, 1))
        with open(os.path.join(self.folder, "asked"), encoding="ascii") as source:
            last = source.read().splitlines()[-1]
        return json.loads(written[0]), last.replace("--no-pager --quiet --all --output=json ", "")

    def test_once_to_the_end(self) -> None:
        header, call = self.asked(lines=5, priority="warning", since="-1h", until="now", fields=["MESSAGE", "_PID"])
        self.assertEqual((header["units"], header["start"]), (["api.service"], None))
        self.assertEqual(
            call,
            "--output-fields=MESSAGE,_PID --priority=warning --unit=api.service --since=-1h --until=now --lines=5",
        )
        _, call = self.asked(lines=5, since="-1h", cursor="s=4")
        self.assertEqual(call, "--unit=api.service --cursor=s=4")
        run = "0123456789abcdef" * 2
        self.assertEqual(self.asked(invocation=run)[1], f"_SYSTEMD_INVOCATION_ID={run} + INVOCATION_ID={run}")

    def test_what_is_followed_begins_at_an_entry_that_is_known_before(self) -> None:
        header, call = self.asked(follow=True)
        self.assertEqual((header["start"], header["isShown"]), ("s=3", True))
        self.assertEqual(call, "--unit=api.service --follow --no-tail --cursor=s=3")
        header, call = self.asked(follow=True, since="-1h")
        self.assertEqual(call, "--unit=api.service --follow --no-tail --cursor=s=3")
        header, call = self.asked(follow=True, lines=0)
        self.assertEqual((header["start"], header["isShown"]), ("s=9", False))
        header, call = self.asked(follow=True, cursor="s=5")
        self.assertEqual((header["start"], call), (None, "--unit=api.service --follow --no-tail --cursor=s=5"))

    def test_where_none_of_them_has_written_it_begins_at_the_end_of_the_journal(self) -> None:
        self.journal("first", None)
        header, call = self.asked(follow=True)
        self.assertEqual((header["start"], header["isShown"]), ("s=9", False))
        self.journal("last", None)
        header, call = self.asked(follow=True, since="-1h")
        self.assertEqual((header["start"], call), (None, "--unit=api.service --since=-1h --follow --no-tail"))

    def test_journalctls_own_words_come_back(self) -> None:
        with self.assertRaisesRegex(HostError, "^Failed to parse timestamp: never$"):
            self.asked(follow=True, since="never")
        with mock.patch.object(logs, "write_quietly", return_value=True):
            result = logs.run_logs(self.host, json.dumps({**REQUEST, "since": "never"}).encode())
        self.assertEqual((result.code, result.text), (1, "Failed to parse timestamp: never"))

    def test_a_scope_without_the_units_says_so_and_asks_nobody(self) -> None:
        for changes in ({"units": ["sshd.service"]}, {"scope": "other/dev/web1"}):
            result = logs.run_logs(self.host, json.dumps({**REQUEST, **changes}).encode())
            self.assertEqual(json.loads(result.text)["units"], [])
        self.assertFalse(os.path.exists(os.path.join(self.folder, "asked")))

    def test_what_checks_told_is_found_by_its_fields(self) -> None:
        self.assertEqual(json.loads(logs.run_logs(self.host, json.dumps({**REQUEST, "checks": []}).encode()).text)["units"], [])
        path = f"{PROGRAMS}/shop-prod.py"
        self.apply(bundle([service("api.service", "ok")], files=[replace(env("x"), path=path, secret=False)]))
        known = [{"check": f"shop/{name}", "group": "shop"} for name in ("api", "db")] + [{"check": "disk", "group": "disk"}]

        def overview(path: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
            return [each for each in known if not names or each["check"] in names or each["group"] in names]

        scope = "PULUMI_SYSTEMD_SCOPE=shop-prod"
        with mock.patch.object(logs, "overview", overview), mock.patch.object(health_command, "overview", overview):
            for asked, found in (
                ([], scope),
                (["shop"], f"{scope} PULUMI_SYSTEMD_CHECK=shop/api PULUMI_SYSTEMD_CHECK=shop/db"),
                (["disk", "other"], f"{scope} PULUMI_SYSTEMD_CHECK=disk"),
            ):
                self.assertEqual(self.asked(checks=asked, lines=3)[1], f"{found} --lines=3")
            result = logs.run_logs(self.host, json.dumps({**REQUEST, "checks": ["other"]}).encode())
        self.assertEqual(json.loads(result.text)["units"], [])

    def test_a_generation_is_from_the_begin_of_its_transaction_to_that_of_the_next(self) -> None:
        self.apply(bundle([service("api.service", "other")]))
        ledger = self.ledger()
        first, second = generation_times(self.host, ledger, 1), generation_times(self.host, ledger, 2)
        self.assertEqual((first[1], second[1]), (second[0], None))
        self.assertEqual(generation_times(self.host, ledger, 0), second)
        self.assertEqual(generation_times(self.host, ledger, -1), first)
        for wanted in (3, -2):
            with self.assertRaisesRegex(HostError, f"generation {wanted} of {SCOPE} is not kept; kept are: 1, 2"):
                generation_times(self.host, ledger, wanted)

    def test_what_is_no_request_is_refused(self) -> None:
        for changes in (
            {"lines": -1},
            {"invocation": "x"},
            {"priority": "err; rm"},
            {"cursor": "s=1 --file=/etc/shadow"},
            {"fields": ["message"]},
            {"generation": "1"},
            {"more": 1},
        ):
            with self.subTest(changes), self.assertRaisesRegex(HostError, "the request for logs is not well-formed"):
                logs.run_logs(self.host, json.dumps({**REQUEST, **changes}).encode())


if __name__ == "__main__":
    unittest.main()
