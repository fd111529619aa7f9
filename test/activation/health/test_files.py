from __future__ import annotations

import copy
import json
import os
import stat
import tempfile
import unittest
from typing import Any

from pulumi_systemd_health_under_test import UNIT, settings

from pulumi_systemd_health.settings import CommandProbe, HttpProbe, TcpProbe, settings_of
from pulumi_systemd_health.state import STATE_FILE, Outage, State, loaded_state, save_state, state_of, state_text
from pulumi_systemd_health.strict_json import MalformedError

SETTINGS: dict[str, Any] = {
    "format": 1,
    "name": "api-health",
    "unit": UNIT,
    "probes": [
        {"kind": "http", "url": "http://127.0.0.1:8000/healthz", "status": 204, "contains": "ok"},
        {"kind": "http", "url": "http://127.0.0.1:8000/", "status": None, "contains": None},
        {"kind": "tcp", "host": "127.0.0.1", "port": 8000},
        {"kind": "command", "command": ["/usr/bin/test", "-e", "/run/x", ""]},
    ],
    "timeoutSec": 5,
    "failAfter": 2,
    "graceSec": 30,
    "maxRestarts": 3,
    "withinSec": 3600,
    "backoffSec": 60,
    "confidential": False,
}

STATE = State(UNIT, 1, (1_800_000_000.25, 1_800_000_300.0), Outage(1_799_999_999.5, "no answer", 2), True)


class SettingsTest(unittest.TestCase):
    def test_a_whole_file(self) -> None:
        self.assertEqual(
            settings_of(json.dumps(SETTINGS)),
            settings(
                probes=(
                    HttpProbe("http://127.0.0.1:8000/healthz", 204, "ok"),
                    HttpProbe("http://127.0.0.1:8000/", None, None),
                    TcpProbe("127.0.0.1", 8000),
                    CommandProbe(("/usr/bin/test", "-e", "/run/x", "")),
                )
            ),
        )

    def test_what_is_refused(self) -> None:
        for path, value, message in (
            (("format",), 2, "format is not a whole number from 1 to 1"),
            (("format",), True, "format is not a whole number from 1 to 1"),
            (("unit",), "", "unit is not a text with at least one character"),
            (("extra",), 1, "extra is not known; known are format, name, unit, probes, "),
            (("unit",), None, "unit is not a text with at least one character"),
            (("probes",), {}, "probes is not a list"),
            (("probes", 0), "http", "probes[0].kind is not one of http, tcp, command"),
            (("probes", 0, "kind"), "udp", "probes[0].kind is not one of http, tcp, command"),
            (("probes", 0, "status"), 99, "probes[0].status is not a whole number from 100 to 599"),
            (("probes", 0, "host"), "x", "probes[0].host is not known; known are kind, url, status, contains"),
            (("probes", 2, "port"), 70000, "probes[2].port is not a whole number from 1 to 65535"),
            (("probes", 2, "port"), "80", "probes[2].port is not a whole number from 1 to 65535"),
            (("probes", 3, "command"), [], "probes[3].command names no program"),
            (("probes", 3, "command"), ["a", 1], "probes[3].command holds something that is not a text"),
            (("timeoutSec",), 0, "timeoutSec is not a number of at least 0.001"),
            (("failAfter",), 0, "failAfter is not a whole number from 1 to 1000"),
            (("failAfter",), 1.5, "failAfter is not a whole number from 1 to 1000"),
            (("graceSec",), -1, "graceSec is not a number of at least 0"),
            (("graceSec",), float("nan"), "graceSec is not a number of at least 0"),
            (("graceSec",), True, "graceSec is not a number of at least 0"),
            (("confidential",), 0, "confidential is neither true nor false"),
        ):
            with self.subTest(message):
                bad = copy.deepcopy(SETTINGS)
                place: Any = bad
                for step in path[:-1]:
                    place = place[step]
                place[path[-1]] = value
                with self.assertRaises(MalformedError) as caught:
                    settings_of(json.dumps(bad))
                self.assertIn(message, str(caught.exception))

    def test_every_key_must_be_there(self) -> None:
        for key in SETTINGS:
            with self.subTest(key), self.assertRaisesRegex(MalformedError, f"^{key} is missing$"):
                settings_of(json.dumps({other: value for other, value in SETTINGS.items() if other != key}))

    def test_texts_that_are_no_object(self) -> None:
        for text, message in (
            ("", "the text is not JSON (line 1)"),
            ("[]", "the whole is not an object"),
            ('{"format": 1, "format": 1}', "a key stands twice"),
            ("[" * 100_000, "the text is not JSON"),
        ):
            with self.subTest(message), self.assertRaises(MalformedError) as caught:
                settings_of(text)
            self.assertEqual(str(caught.exception), message)

    def test_a_message_never_holds_a_value(self) -> None:
        with self.assertRaises(MalformedError) as caught:
            settings_of(json.dumps({**SETTINGS, "unit": ["s3cret"]}))
        self.assertNotIn("s3cret", str(caught.exception))


class StateTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = holder.name
        self.path = os.path.join(self.directory, STATE_FILE)

    def test_what_is_saved_is_loaded(self) -> None:
        for state in (State(UNIT), STATE):
            with self.subTest(state):
                save_state(self.directory, state)
                self.assertEqual(loaded_state(self.directory), state)
        self.assertEqual(os.listdir(self.directory), [STATE_FILE])
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_there_is_none_before_the_first(self) -> None:
        self.assertIsNone(loaded_state(self.directory))

    def test_a_draft_that_a_power_cut_left_is_no_harm(self) -> None:
        save_state(self.directory, STATE)
        with open(f"{self.path}.new", "w", encoding="utf-8") as draft:
            draft.write("half a st")
        self.assertEqual(loaded_state(self.directory), STATE)
        save_state(self.directory, State(UNIT))
        self.assertEqual(os.listdir(self.directory), [STATE_FILE])

    def test_broken_files(self) -> None:
        good = state_text(STATE)
        for data, message in (
            (b"", "the text is not JSON (line 1)"),
            (good.encode()[:-20], "the text is not JSON"),
            (b"\0" * 512, "the text is not JSON (line 1)"),
            (b"\xff\xfe", "the text is not UTF-8"),
            (good.replace('"failures": 1', '"failures": -1').encode(), "failures is not a whole number from 0"),
            (good.replace("1800000300.0", "1.0").encode(), "restarts are not in the order of time"),
            (good.replace("1800000300.0", '"soon"').encode(), "restarts[1] is not a number of at least 0"),
            (good.replace("1800000300.0", "Infinity").encode(), "restarts[1] is not a number of at least 0"),
            (good.replace('"format": 1', '"format": 9').encode(), "format is not a whole number from 1 to 1"),
            (good.replace('"since"', '"begin"').encode(), "outage.begin is not known"),
        ):
            with self.subTest(message):
                with open(self.path, "wb") as target:
                    target.write(data)
                with self.assertRaises(MalformedError) as caught:
                    loaded_state(self.directory)
                self.assertTrue(str(caught.exception).startswith(message), str(caught.exception))

    def test_a_directory_in_its_place_is_broken_too(self) -> None:
        os.mkdir(self.path)
        with self.assertRaisesRegex(MalformedError, "^the file cannot be read: Is a directory$"):
            loaded_state(self.directory)

    def test_text_and_state_are_one(self) -> None:
        self.assertEqual(state_of(state_text(STATE)), STATE)


if __name__ == "__main__":
    unittest.main()
