from __future__ import annotations

import io
import json
import os
import tempfile
import threading
import time
import unittest
from contextlib import redirect_stderr
from email import message_from_string
from typing import Any, Callable
from unittest import mock

import pulumi_systemd_health_under_test  # noqa: F401 it puts the program on the path
from receivers import MailServer, WebServer

from pulumi_systemd_health import delivery
from pulumi_systemd_health.channels import RefusedError, UndeliveredError, send
from pulumi_systemd_health.delivery import deliver_all
from pulumi_systemd_health.event import Event
from pulumi_systemd_health.failed import tell_failure
from pulumi_systemd_health.notifier_settings import Channel, CommandChannel, NotifierSettings, notifier_of
from pulumi_systemd_health.places import Places
from pulumi_systemd_health.redaction import Redactor
from pulumi_systemd_health.spool import is_waiting, put_event, spooled_events

BEGIN = 1_800_000_000.0


def event(number: int = 0, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": f"{number:016x}",
        "time": BEGIN + number,
        "host": "web1",
        "subject": "api",
        "unit": "api.service",
        "event": "outage",
        "priority": 4,
        "text": f'not well: "{number}"',
        "lines": ("one", "two"),
    }
    return Event(**{**values, **changes})


def mail(port: int, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": "mail", "name": "mail", "host": "127.0.0.1", "port": port, "security": "none"}
    values.update({"caFile": None, "user": None, "password": None, "from": "w@example.org", "to": ["o@example.org"]})
    return {**values, **changes}


def webhook(port: int, **changes: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{port}/hook?token=s3cret"
    values: dict[str, Any] = {"kind": "webhook", "name": "webhook", "url": url, "shape": "json", "template": None}
    return {**values, "contentType": "application/json", "headers": {"X-Key": "k"}, "caFile": None, **changes}


def notifier(*channels: dict[str, Any], **changes: Any) -> NotifierSettings:
    values: dict[str, Any] = {"format": 1, "name": "ops", "channels": list(channels), "timeoutSec": 5, "retrySec": 30}
    values.update({"retryMaxSec": 900, "keepSec": 604800, "quietSec": 600, "journalLines": 20})
    return notifier_of(json.dumps({**values, **changes}))


class Clock:
    """A clock that goes on by a step each time that it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class DeliveryTest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.spool = os.path.join(holder.name, "spool")
        patched = mock.patch.object(delivery, "LOOK_SEC", 0.002)
        patched.start()
        self.addCleanup(patched.stop)

    def delivered(
        self,
        settings: NotifierSettings,
        sender: Callable[[Channel, Event, float], None] = send,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> list[str]:
        told = io.StringIO()
        with redirect_stderr(told):
            deliver_all(settings, self.spool, sender, lambda: BEGIN, monotonic)
        return told.getvalue().splitlines()

    def test_a_mail(self) -> None:
        with MailServer() as server:
            put_event(self.spool, event())
            self.assertEqual(self.delivered(notifier(mail(server.port))), [])
        message = message_from_string(server.mails[0])
        self.assertEqual(message["Subject"], "web1: api not well")
        self.assertEqual(message["Message-ID"], "<0000000000000000@web1>")
        self.assertEqual(message["To"], "o@example.org")
        self.assertIn("The journal of api.service ends so:\n  one\n  two", message.get_payload())
        self.assertFalse(is_waiting(self.spool))

    def test_webhooks(self) -> None:
        form = {"shape": "template", "contentType": "application/x-www-form-urlencoded", "template": "to=1&m={{short}}"}
        own = {"shape": "template", "template": '{"m": "{{text}}", "x": "{{nothing}}"}'}
        with WebServer() as server:
            put_event(self.spool, event(text='it says "{{host}}"'))
            hooks = [{}, {"shape": "slack"}, {"shape": "teams"}, form, own]
            self.delivered(notifier(*[webhook(server.port, name=f"w{at}", **each) for at, each in enumerate(hooks)]))
        self.assertEqual({(path, headers["X-Key"]) for path, headers, _ in server.requests}, {("/hook?token=s3cret", "k")})
        bodies = [body for _, _, body in server.requests]
        self.assertIn("to=1&m=web1%3A+api+not+well", bodies)
        parsed = [json.loads(body) for body in bodies if body.startswith("{")]
        self.assertIn({"m": 'it says "{{host}}"', "x": "{{nothing}}"}, parsed)
        (plain,) = [each for each in parsed if "journal" in each]
        self.assertEqual((plain["event"], plain["journal"], plain["time"]), ("outage", ["one", "two"], "2027-01-15T08:00:00Z"))
        (slack,) = [each for each in parsed if "text" in each and "journal" not in each]
        self.assertEqual(slack["text"], '*web1: api not well*\nit says "{{host}}"\n```\none\ntwo\n```')
        (teams,) = [each for each in parsed if "attachments" in each]
        self.assertEqual(teams["attachments"][0]["content"]["body"][0]["text"], "web1: api not well")

    def test_a_ping_gets_runs_and_failures_alone_in_their_order_and_others_get_no_runs(self) -> None:
        events = ["run-started", "outage", "run-failed", "run-started", "run-succeeded", "recovered", "failed"]
        with WebServer() as pinged, WebServer() as told:
            for number, name in enumerate(events):
                put_event(self.spool, event(number, event=name, lines=("tail",) if name == "run-failed" else ()))
            ping = webhook(pinged.port, name="ping", shape="ping", contentType="text/plain", url=f"http://127.0.0.1:{pinged.port}/ping/u/")
            self.assertEqual(self.delivered(notifier(ping, webhook(told.port))), [])
        paths = ["/ping/u/start", "/ping/u/fail", "/ping/u/start", "/ping/u", "/ping/u/fail"]
        self.assertEqual([path for path, _, _ in pinged.requests], paths)
        self.assertEqual(pinged.requests[1][2], 'not well: "2"\ntail\n')
        self.assertEqual([json.loads(body)["event"] for _, _, body in told.requests], ["outage", "recovered", "failed"])
        self.assertFalse(is_waiting(self.spool))

    def test_a_command_gets_the_event(self) -> None:
        path = os.path.join(os.path.dirname(self.spool), "got")
        put_event(self.spool, event())
        self.delivered(notifier({"kind": "command", "name": "c", "command": ["/bin/sh", "-c", f"cat > {path}"]}))
        with open(path, encoding="utf-8") as got:
            self.assertEqual(json.load(got)["check"], "api")
        with self.assertRaisesRegex(UndeliveredError, "^/bin/sh ended with 3: no$"):
            send(CommandChannel("c", ("/bin/sh", "-c", "echo no; exit 3")), event(), 5)

    def test_a_mail_server_that_hangs_keeps_nobody_else_up(self) -> None:
        with MailServer("hang") as mails, WebServer() as web:
            for number in range(3):
                put_event(self.spool, event(number))
            settings = notifier(mail(mails.port), webhook(web.port), timeoutSec=0.3, retrySec=0.1, retryMaxSec=0.1)
            ending = threading.Thread(target=self.delivered, args=(settings,), daemon=True)
            ending.start()
            deadline = time.monotonic() + 30
            while len(web.requests) < 3 and time.monotonic() < deadline:
                time.sleep(0.02)
            self.assertEqual([json.loads(body)["text"] for _, _, body in web.requests], [f'not well: "{at}"' for at in range(3)])
            self.assertEqual(mails.mails, [])
            mails.mood = "well"
            ending.join(30)
        self.assertFalse(ending.is_alive())
        self.assertEqual(len(mails.mails), 3)
        self.assertEqual(len(web.requests), 3)

    def test_down_for_a_day_nothing_is_lost_nor_out_of_order(self) -> None:
        clock = Clock(20.0)
        sent: list[str] = []
        tries: list[float] = []

        def sender(_: Channel, one: Event, __: float) -> None:
            if clock.now < 86400:
                tries.append(clock.now)
                raise UndeliveredError("Connection refused")
            sent.append(one.id)

        events = [event(number) for number in range(8)]
        for each in events:
            put_event(self.spool, each)
        lines = self.delivered(notifier(mail(1), timeoutSec=5000), sender, clock)
        self.assertEqual(sent, [each.id for each in events])
        # 30 s, 1, 2, 4, 8 min, then every 15 min: not a storm.
        self.assertLess(len(tries), 110)
        self.assertGreater(len(tries), 80)
        self.assertLess(len(lines), 10)

    def test_one_that_is_refused_does_not_hold_the_others_up(self) -> None:
        clock = Clock(20.0)
        sent: list[str] = []

        def sender(_: Channel, one: Event, __: float) -> None:
            if one.id == event(0).id and clock.now < 2000:
                raise RefusedError("the mail server refuses an address")
            sent.append(one.id)

        for number in range(3):
            put_event(self.spool, event(number))
        self.delivered(notifier(mail(1), timeoutSec=5000), sender, clock)
        self.assertEqual(sent, [event(1).id, event(2).id, event(0).id])

    def test_what_servers_say_against_it(self) -> None:
        for mood, kind, text in (
            ("refuse", RefusedError, "the mail server refuses an address"),
            ("busy", UndeliveredError, "the mail server answers 421"),
            ("hang", UndeliveredError, "the mail server ends the talk|no answer in 0.3 s"),
        ):
            with self.subTest(mood), MailServer(mood) as server, self.assertRaisesRegex(kind, text):
                send(notifier(mail(server.port)).channels[0], event(), 0.3)
        for status, wrong in ((500, UndeliveredError), (404, UndeliveredError), (422, RefusedError)):
            with self.subTest(status), WebServer(status) as web:
                with self.assertRaisesRegex(wrong, f"^it answers with status {status}$") as caught:
                    send(notifier(webhook(web.port)).channels[0], event(), 5)
                self.assertEqual(type(caught.exception), wrong)
        with self.assertRaisesRegex(UndeliveredError, "mail without TLS goes to this machine itself alone"):
            send(notifier(mail(25, host="mail.example.org")).channels[0], event(), 5)

    def test_what_is_too_old_or_too_much_is_said_and_let_go(self) -> None:
        put_event(self.spool, event(0, time=BEGIN - 700_000))
        lines = self.delivered(notifier(mail(1)))
        self.assertEqual(lines, ['<3>ops: given up after 7.0 days: web1: api: not well: "0"'])
        for number in range(4):
            dropped = put_event(self.spool, event(number), most=3)
        self.assertEqual([each.id for each in dropped], [event(0).id])
        self.assertEqual(len(spooled_events(self.spool)[0]), 3)

    def test_a_broken_file_is_set_aside(self) -> None:
        put_event(self.spool, event())
        with open(os.path.join(self.spool, "00000000000001-x.event"), "w", encoding="utf-8") as broken:
            broken.write("{")
        with MailServer() as server:
            lines = self.delivered(notifier(mail(server.port)))
        self.assertEqual((len(server.mails), len(lines)), (1, 1))
        self.assertEqual(os.listdir(self.spool), ["00000000000001-x.event.broken"])

    def test_a_process_that_died_half_way_sends_only_what_is_left(self) -> None:
        put_event(self.spool, event(left=("webhook",)))
        with MailServer() as mails, WebServer() as web:
            self.delivered(notifier(mail(mails.port), webhook(web.port)))
        self.assertEqual((len(mails.mails), len(web.requests)), (0, 1))


class FailureTest(unittest.TestCase):
    def test_a_unit_that_failed_is_told_with_its_journal_and_not_again_at_once(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            places = Places(root, "shop-prod")
            for path in ("bin", "etc/pulumi-systemd/notify"):
                os.makedirs(os.path.join(root, path))
            for name, text in (
                ("bin/systemctl", "printf 'Result=exit-code\\nExecMainCode=1\\nExecMainStatus=3\\nNRestarts=2\\nDescription=Backup\\n'"),
                ("bin/journalctl", "echo 'password: hunter2 for k3y-of-api'"),
                ("etc/pulumi-systemd/notify/ops.json", ""),
            ):
                with open(os.path.join(root, name), "w", encoding="utf-8") as target:
                    target.write(f"#!/bin/sh\n{text}\n")
                os.chmod(os.path.join(root, name), 0o755)  # noqa: S103 programs of this test
            with open(os.path.join(root, "etc/pulumi-systemd/api.env"), "w", encoding="utf-8") as target:
                target.write("KEY=k3y-of-api\n")
            told = io.StringIO()
            environ = {"PATH": f"{root}/bin:/usr/bin:/bin"}
            with mock.patch.dict(os.environ, environ), redirect_stderr(told):
                codes = [tell_failure(places, notifier(mail(1)), "backup.service") for _ in range(2)]
            self.assertEqual(codes, [0, 0])
            (only,) = spooled_events(places.spool("ops"))[0]
            text = "backup.service (Backup) failed: result exit-code, exit status 3, after 2 automatic restarts"
            self.assertEqual((only.event.event, only.event.text), ("failed", text))
            self.assertEqual(only.event.lines, ("password: [secret] for [secret]",))
            self.assertIn("failed again", told.getvalue())


class RedactionTest(unittest.TestCase):
    def test_what_looks_secret(self) -> None:
        with tempfile.TemporaryDirectory() as empty:
            redactor = Redactor(empty)
        for text, expected in (
            ("postgres://shop:pa55@db/x", "postgres://shop:[secret]@db/x"),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer [secret]"),
            ('{"apiKey": "abc", "user": "me"}', '{"apiKey": "[secret]", "user": "me"}'),
            ("GET /x?token=abc&y=1", "GET /x?token=[secret]&y=1"),
            ("nothing to hide at 12:30:00", "nothing to hide at 12:30:00"),
        ):
            self.assertEqual(redactor.redact(text), expected)

    def test_what_services_hold(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            for path, text in (("api.env", "KEY=k3y-of-api\n"), ("credentials/api/token", "t0ken"), ("watch.json", "w0rd")):
                os.makedirs(os.path.dirname(os.path.join(directory, path)), exist_ok=True)
                with open(os.path.join(directory, path), "w", encoding="utf-8") as target:
                    target.write(text)
            redactor = Redactor(directory)
        self.assertEqual(redactor.redact("k3y-of-api, t0ken, w0rd"), "[secret], [secret], w0rd")


if __name__ == "__main__":
    unittest.main()
