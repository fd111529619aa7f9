from __future__ import annotations

import copy
import json
import os
import stat
import tempfile
import unittest
from dataclasses import replace
from typing import Any

from pulumi_systemd_health_under_test import UNIT, check, check_json, group_json

from pulumi_systemd_health.event import Event, event_of, event_text
from pulumi_systemd_health.history import loaded_history
from pulumi_systemd_health.probe_settings import CommandProbe, HttpProbe, TcpProbe
from pulumi_systemd_health.report import CheckReport, GroupReport, report_of, report_text
from pulumi_systemd_health.settings import Group, Step, group_of
from pulumi_systemd_health.state import Outage, State, loaded_states, save_text, states_of, states_text
from pulumi_systemd_health.strict_json import MalformedError
from pulumi_systemd_health.timer_runs import Runs, loaded_runs, save_runs

SETTINGS: dict[str, Any] = group_json(
    check_json(
        name="shop/api",
        dependsOn=["shop/db"],
        probes=[
            {
                "kind": "http",
                "timeoutSec": 5,
                "url": "http://127.0.0.1:8000/healthz",
                "status": 204,
                "contains": "ok",
                "certificateSec": None,
                "caFile": None,
                "unixSocket": None,
            },
            {"kind": "tcp", "timeoutSec": 1, "host": "127.0.0.1", "port": 8000},
            {"kind": "command", "timeoutSec": 5, "command": ["/usr/bin/test", "-e", ""], "user": None},
        ],
        actions=["reload", "restart", "start hook.service", "rollback 600"],
    ),
    check_json(name="shop/db"),
)

STATE = State(
    UNIT, (True, False), (1_800_000_000.25, 1_800_000_300.0), 2, 1_800_000_400.0, None, Outage(1.5, "bad", 2, 2.5, True), 9.0, None,
    7, 1, 3.0, ((3.0, 4.0), (5.0, 6.5)),
)


class SettingsTest(unittest.TestCase):
    def test_a_whole_file(self) -> None:
        quick = {"fail_after": 1, "grace_sec": 0.0, "backoff_sec": 0.0, "backoff_max_sec": 0.0}
        api = check(
            **quick,
            name="shop/api",
            depends_on=("shop/db",),
            probes=(
                HttpProbe(5, "http://127.0.0.1:8000/healthz", 204, "ok"),
                TcpProbe(1, "127.0.0.1", 8000),
                CommandProbe(5, ("/usr/bin/test", "-e", "")),
            ),
            ladder=(Step("reload"), Step("restart"), Step("start", "hook.service"), Step("rollback", newer_sec=600)),
        )
        self.assertEqual(
            group_of(json.dumps(SETTINGS)),
            # What others depend on comes first.
            Group("api-health", "api-health.timer", "health.service", (), None, (check(**quick, name="shop/db"), api)),
        )

    def test_what_is_refused(self) -> None:
        one = ("checks", 0)
        for path, value, message in (
            (("format",), 1, "format is not a whole number from 2 to 2"),
            (("extra",), 1, "extra is not known; known are format, name, timer, "),
            (("checks",), [], "checks is empty"),
            ((*one, "unit"), "", "checks[0].unit is not a text with at least one character"),
            ((*one, "unit"), None, "checks[0] has no unit that could be restarted"),
            ((*one, "probes"), {}, "checks[0].probes is not a list"),
            ((*one, "probes", 0), "http", "checks[0].probes[0].kind is not one of http, tcp, unix-socket, command"),
            ((*one, "probes", 0, "status"), 99, "checks[0].probes[0].status is not a whole number from 100 to 599"),
            ((*one, "probes", 0, "host"), "x", "checks[0].probes[0].host is not known; known are kind, timeoutSec, url"),
            ((*one, "probes", 1, "port"), 70000, "checks[0].probes[1].port is not a whole number from 1 to 65535"),
            ((*one, "probes", 1, "timeoutSec"), 0, "checks[0].probes[1].timeoutSec is not a number of at least 0.001"),
            ((*one, "probes", 2, "command"), [], "checks[0].probes[2].command names no program"),
            ((*one, "failAfter"), 0, "checks[0].failAfter is not a whole number from 1 to 1000"),
            ((*one, "failOf"), 0, "checks[0].failOf is not a whole number from 1 to 1000"),
            ((*one, "graceSec"), float("nan"), "checks[0].graceSec is not a number of at least 0"),
            ((*one, "actions"), ["kill"], "checks[0].actions holds something that is not restart, reload, start UNIT or rollback"),
            ((*one, "actions"), ["rollback"], "checks[0].actions holds something that is not restart, reload, start UNIT or rollback"),
            ((*one, "dependsOn"), ["shop/x"], "the check shop/api depends on shop/x, which is not there"),
            ((*one, "dependsOn"), ["shop/api"], "the check shop/api depends on itself"),
            ((*one, "name"), "shop/db", "two checks have the same name"),
            ((*one, "confidential"), 0, "checks[0].confidential is neither true nor false"),
        ):
            with self.subTest(message):
                bad = copy.deepcopy(SETTINGS)
                place: Any = bad
                for step in path[:-1]:
                    place = place[step]
                place[path[-1]] = value
                with self.assertRaises(MalformedError) as caught:
                    group_of(json.dumps(bad))
                self.assertIn(message, str(caught.exception))

    def test_every_key_must_be_there(self) -> None:
        for key in SETTINGS:
            with self.subTest(key), self.assertRaisesRegex(MalformedError, f"^{key} is missing$"):
                group_of(json.dumps({other: value for other, value in SETTINGS.items() if other != key}))

    def test_texts_that_are_no_object(self) -> None:
        for text, message in (
            ("", "the text is not JSON (line 1)"),
            ("[]", "the whole is not an object"),
            ('{"format": 1, "format": 1}', "a key stands twice"),
            ("[" * 100_000, "the text is not JSON"),
        ):
            with self.subTest(message), self.assertRaises(MalformedError) as caught:
                group_of(text)
            self.assertEqual(str(caught.exception), message)

    def test_a_message_never_holds_a_value(self) -> None:
        with self.assertRaises(MalformedError) as caught:
            group_of(json.dumps({**SETTINGS, "timer": ["s3cret"]}))
        self.assertNotIn("s3cret", str(caught.exception))


class StateTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = holder.name
        self.path = os.path.join(self.directory, "api.json")

    def test_what_is_saved_is_loaded(self) -> None:
        states = {"a": State(UNIT), "b": STATE, "c": State(None)}
        save_text(self.path, states_text(states))
        self.assertEqual(loaded_states(self.path), states)
        self.assertEqual(os.listdir(self.directory), ["api.json"])
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_there_is_none_before_the_first(self) -> None:
        self.assertEqual(loaded_states(self.path), {})

    def test_what_was_saved_before_restarts_were_counted_keeps_its_budget(self) -> None:
        saved = json.loads(states_text({"a": STATE}))
        for key in ("restarts", "loops"):
            del saved["checks"]["a"][key]
        save_text(self.path, json.dumps(saved))
        self.assertEqual(loaded_states(self.path), {"a": replace(STATE, restarts=0, loops=0)})

    def test_what_a_newer_program_saved_keeps_its_budget(self) -> None:
        saved = json.loads(states_text({"a": STATE}))
        for place in (saved, saved["checks"]["a"], saved["checks"]["a"]["outage"]):
            place["later"] = {"x": 1}
        save_text(self.path, json.dumps(saved))
        self.assertEqual(loaded_states(self.path), {"a": STATE})

    def test_what_a_newer_program_wrote_elsewhere_is_read_too(self) -> None:
        event = Event("1", 2.0, "web1", "api", None, "outage", 4, "not well")
        self.assertEqual(event_of(json.dumps({**json.loads(event_text(event)), "later": 1})), event)
        report = GroupReport(3.0, {"a": CheckReport("healthy", "ok", 1.0, 2.0, None)})
        value = json.loads(report_text(report))
        value["later"] = value["checks"]["a"]["later"] = 1
        self.assertEqual(report_of(json.dumps(value)), report)
        runs = Runs(1.0, 2.0, calendars=("daily",))
        save_runs(self.path, runs)
        with open(self.path, encoding="utf-8") as source:
            saved = json.load(source)
        save_text(self.path, json.dumps({**saved, "later": 1}))
        self.assertEqual(loaded_runs(self.path), runs)
        save_text(self.path, json.dumps({"at": 1.0, "check": "a", "event": "open", "text": "b", "later": 1}) + "\n")
        self.assertEqual([each.event for each in loaded_history(self.path)], ["open"])

    def test_a_draft_that_a_power_cut_left_is_no_harm(self) -> None:
        save_text(self.path, states_text({"a": STATE}))
        with open(f"{self.path}.new", "w", encoding="utf-8") as draft:
            draft.write("half a st")
        self.assertEqual(loaded_states(self.path), {"a": STATE})
        save_text(self.path, states_text({}))
        self.assertEqual(os.listdir(self.directory), ["api.json"])

    def test_broken_files(self) -> None:
        good = states_text({"a": STATE})
        for data, message in (
            (b"", "the text is not JSON (line 1)"),
            (good.encode()[:-20], "the text is not JSON"),
            (b"\0" * 512, "the text is not JSON (line 1)"),
            (b"\xff\xfe", "the text is not UTF-8"),
            (good.replace('"tries": 2', '"tries": -1').encode(), "checks.a.tries is not a whole number from 0"),
            (good.replace("1800000300.0", "1.0").encode(), "checks.a.actions are not in the order of time"),
            (good.replace("1800000300.0", '"soon"').encode(), "checks.a.actions[1] is not a number of at least 0"),
            (good.replace("1800000300.0", "Infinity").encode(), "checks.a.actions[1] is not a number of at least 0"),
            (good.replace('"format": 2', '"format": 9').encode(), "format is not a whole number from 2 to 2"),
            (good.replace('"since"', '"begin"').encode(), "checks.a.outage.since is missing"),
            (good.replace("6.5", '"soon"').encode(), "checks.a.ill[1] is not a number of at least 0"),
            (good.replace("true", "1").encode(), "checks.a.recent holds something that is neither true nor false"),
        ):
            with self.subTest(message):
                with open(self.path, "wb") as target:
                    target.write(data)
                with self.assertRaises(MalformedError) as caught:
                    loaded_states(self.path)
                self.assertTrue(str(caught.exception).startswith(message), str(caught.exception))

    def test_a_directory_in_its_place_is_broken_too(self) -> None:
        os.mkdir(self.path)
        with self.assertRaisesRegex(MalformedError, "^the file cannot be read: Is a directory$"):
            loaded_states(self.path)

    def test_text_and_states_are_one(self) -> None:
        self.assertEqual(states_of(states_text({"a": STATE})), {"a": STATE})


if __name__ == "__main__":
    unittest.main()
