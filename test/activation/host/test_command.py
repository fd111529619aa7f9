from __future__ import annotations

import contextlib
import io
import json
import os
import re
import stat
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from pulumi_systemd_host import command
from pulumi_systemd_host.asking import Result
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.generations import Back, target_of
from pulumi_systemd_host.health_command import PROGRAMS
from pulumi_systemd_host.launcher import PATH, PROGRAM
from pulumi_systemd_host.rehearsal import rehearsed
from test_generations import WithGenerations
from test_transaction import SCOPE, bundle, env, service

OTHER = "orders/prod/web1"


class Parsing(unittest.TestCase):
    def refused(self, *words: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said), self.assertRaises(SystemExit) as caught:
            command.parser().parse_args(list(words))
        self.assertEqual(caught.exception.code, 2)
        return said.getvalue()

    def test_mistakes_say_what_is_accepted(self) -> None:
        self.assertIn("write for example 90min, 12h or 2d", self.refused("hold", "soon"))
        self.assertIn("is no number of a generation; `pulumi-systemd-host generations`", self.refused("rollback", "x"))
        self.assertIn("not allowed with argument", self.refused("rollback", "--hold", "1h", "--no-hold"))
        self.assertIn("invalid choice: 'stauts'", self.refused("stauts"))

    def test_each_command_has_help_with_examples(self) -> None:
        for name in ("status", "generations", "rollback", "hold", "resume", "health"):
            said = io.StringIO()
            with self.subTest(name), contextlib.redirect_stdout(said), self.assertRaises(SystemExit) as caught:
                command.parser().parse_args([name, "--help"])
            self.assertEqual(caught.exception.code, 0)
            self.assertIn(f"examples:\n  sudo pulumi-systemd-host {name}", said.getvalue())

    def test_every_example_is_understood(self) -> None:
        texts = [command.STATUS, command.GENERATIONS, command.ROLLBACK, command.HOLDING, command.RESUMING, command.HEALTH]
        lines = re.findall(r"^  sudo pulumi-systemd-host ([^|\n]*)", "\n".join(texts), re.MULTILINE)
        self.assertGreater(len(lines), 9)
        for line in lines:
            words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
            command.parser().parse_args(words)


    def test_every_command_of_the_docs_is_understood(self) -> None:
        docs = os.path.join(os.path.dirname(os.path.abspath(__file__)), *[".."] * 3, "docs")
        for name, least in (("on-the-host.md", 18), ("health.md", 5)):
            with open(os.path.join(docs, name), encoding="utf-8") as source:
                lines = re.findall(r"sudo (?:pulumi-systemd-host|python3 \S+ \S+ command) ([^`#\n]*)", source.read())
            self.assertGreaterEqual(len(lines), least, name)
            for line in lines:
                command.parser().parse_args([word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)])


class Commands(WithGenerations):
    def setUp(self) -> None:
        super().setUp()
        self.first, self.second = self.texts(2)
        for target, value in ((f"{command.__name__}.person", lambda: "alice"), ("os.geteuid", lambda: 0)):
            patch = mock.patch(target, value)
            patch.start()
            self.addCleanup(patch.stop)

    def said(self, *words: str) -> str:
        options = command.parser().parse_args(list(words))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.code = command._run(self.host, options, b"")
        return out.getvalue()

    def program(self, scope: str, overview: str = "[]", code: int = 0) -> None:
        """A program of checks that writes down what it is asked."""
        directory = self.host.at(PROGRAMS)
        os.makedirs(directory, exist_ok=True)
        self.record = os.path.join(directory, "asked")
        text = f"import sys\nopen({self.record!r}, 'a').write(f'{scope} {{sys.argv[1:]}}\\n')\n"
        text += f"if '--json' in sys.argv: print({overview!r})\nsys.exit({code})\n"
        with open(os.path.join(directory, f"{scope}.py"), "w", encoding="utf-8") as target:
            target.write(text)

    def asked(self) -> list[str]:
        with open(self.record, encoding="utf-8") as source:
            lines = source.read().splitlines()
        os.remove(self.record)
        return lines

    def test_health_asks_the_program_of_each_stack(self) -> None:
        with self.assertRaisesRegex(HostError, "there is no health check on this host: a HealthCheck of a stack"):
            self.said("health")
        self.program("orders-prod", '[{"check": "api", "group": "api"}]')
        self.assertEqual(self.said("health", "hold", "30m", "api"), "")
        self.assertEqual(self.asked(), ["orders-prod ['status', '--json']", "orders-prod ['hold', '30m', 'api']"])
        self.program("shop-prod", '[{"check": "shop/web", "group": "shop"}, {"check": "shop/db", "group": "shop"}]', 2)
        self.assertEqual(self.said("health"), "orders-prod:\nshop-prod:\n")
        self.assertEqual(self.code, 2)
        self.assertEqual(self.asked(), ["orders-prod ['status']", "shop-prod ['status']"])
        # Each is only asked of what is its own.
        self.assertEqual(self.said("health", "resume", "shop"), "shop-prod:\n")
        self.assertEqual(self.asked()[-1], "shop-prod ['resume', 'shop']")
        with self.assertRaisesRegex(HostError, "^web is no check on this host; there are: api, shop, shop/db, shop/web$"):
            self.said("health", "check", "web")
        found = json.loads(self.said("health", "--json"))
        self.assertEqual([(each["stack"], each["check"]) for each in found][:2], [("orders-prod", "api"), ("shop-prod", "shop/web")])
        self.program("shop-prod", "broken")
        with self.assertRaisesRegex(HostError, "shop-prod.py status --json ended with 0, and gave no JSON"):
            self.said("health", "--json")

    def test_a_health_check_goes_back_once_and_only_from_what_is_new(self) -> None:
        self.apply(self.first)
        self.clock += 100
        self.apply(self.second)
        words = ("rollback", "--unit", "api.service", "--newer", "1h", "--by", "health check api")
        with self.assertRaisesRegex(HostError, "^no scope on this host has db.service$"):
            self.said("rollback", "--unit", "db.service")
        self.clock += 3600
        with self.assertRaisesRegex(HostError, "generation 2 of .* has run since .* longer than 3600 s: it is not what"):
            self.said(*words)
        self.clock -= 1
        self.said("hold", "1h", "--reason", "moving")
        with self.assertRaisesRegex(HostError, 'is held by alice since .* "moving"$'):
            self.said(*words)
        self.said("resume")
        # An update that came to what was ill is not what made it ill; nor is what was before it any better.
        for ill in ((-3650, -3650), (-3650, 0), (-9000, -3650)):
            since, last = (self.clock + each for each in ill)
            with self.assertRaisesRegex(HostError, "it was not well on .* either, before generation 2 of .* came: that is not"):
                self.said(*words, f"--ill={since}..{last}", f"--ill={self.clock}..{self.clock}")
        asked: list[Back] = []

        def go_back(program: bytes, wanted: bytes, back: Back) -> Result:
            asked.append(back)
            target = target_of(self.kept(), self.ledger(), back.to)
            self.number += 1000
            return Result(0, json.dumps(self.apply(target.parsed(), "rollback", back=back)))

        with mock.patch("pulumi_systemd_host.as_root.go_back", go_back):
            self.said(*words, f"--ill={self.clock - 9000}..{self.clock - 8000}", f"--ill={self.clock}..{self.clock}")
            self.assertEqual((asked[0].to, asked[0].who, asked[0].hold_sec), (1, "health check api", 12 * 3600))
            with self.assertRaisesRegex(HostError, "was rolled back .* by health check api .*: one does not go back further"):
                self.said(*words)

    def test_nothing_is_deployed(self) -> None:
        with self.assertRaisesRegex(HostError, "nothing of pulumi-systemd is deployed to this host"):
            self.said("status")

    def test_status(self) -> None:
        self.apply(bundle([service("api.service"), service("down.service")], files=[env("secret-1")]))
        self.host.running.pop("down.service")
        text = self.said("status")
        self.assertIn(f"{SCOPE}: generation 1 since 2027-01-15 08:00 UTC\n", text)
        self.assertRegex(text, r"(?s)down\.service +inactive \(dead\) +enabled\n +api\.service +active \(running\) +enabled")
        self.said("hold", "2h", "--reason", "moving")
        self.assertIn(
            'this host is held by alice since 2027-01-15 08:00 UTC until 2027-01-15 10:00 UTC: "moving"',
            self.said("status"),
        )
        self.assertIn("this host: updates are let in again.\n", self.said("resume"))
        self.assertEqual(self.said("resume"), "Nothing was held.\n")
        self.assertNotIn("secret-", self.said("status", "--json"))

    def test_generations(self) -> None:
        self.apply(self.first)
        self.apply(self.second)
        self.back(reason="orders fail")
        lines = self.said("generations").splitlines()
        self.assertEqual(lines[0], f"{SCOPE}: the last 5 are kept")
        self.assertEqual(
            [re.sub(r" {2,}", "  ", line.strip()) for line in lines[1:]],
            [
                "* 3  2027-01-15 08:00 UTC  back to 1 by alice: orders fail  "
                "api.service changed, /etc/orders/api.env changed",
                "2  2027-01-15 08:00 UTC  pulumi up  api.service changed, /etc/orders/api.env changed",
                "1  2027-01-15 08:00 UTC  pulumi up  the oldest that is kept",
            ],
        )
        self.assertNotIn("secret-", self.said("generations", "--json"))
        self.assertIn("was rolled back on the host from generation 2 to 1 by alice", self.said("status"))

    def test_one_of_several_scopes(self) -> None:
        self.apply(self.first)
        self.apply(replace(bundle([service("b.service")]), scope=OTHER))
        with self.assertRaisesRegex(HostError, f"choose one with --scope: {SCOPE}, {OTHER}"):
            self.said("rollback")
        with self.assertRaisesRegex(HostError, f"there is no scope a/b/c on this host; there are: {SCOPE}, {OTHER}"):
            self.said("status", "--scope", "a/b/c")
        self.said("hold", "1h", "--scope", OTHER)
        self.apply(self.second)
        with self.assertRaisesRegex(HostError, f"{OTHER} is held by alice"):
            self.apply(replace(bundle([service("c.service")]), scope=OTHER))
        self.said("hold", "1h")
        self.assertIn("But this host is still held by alice", self.said("resume", "--scope", OTHER))

    def test_a_reason_that_is_no_utf_8_or_has_several_lines_is_kept_as_text(self) -> None:
        self.apply(self.first)
        given = os.fsdecode(b"caf\xe9\n\x1b[31mred ")
        for words in (("--scope", SCOPE), ()):
            said = self.said("hold", "1h", "--reason", given, *words)
            self.assertIn('"caf\ufffd  [31mred"', said)
            with self.assertRaisesRegex(HostError, 'caf\ufffd  .31mred"'):
                self.apply(self.second)
            self.said("resume")
        options = command.parser().parse_args(["rollback", "--reason", given, "--by", given])
        self.assertEqual({options.reason, options.by}, {"caf\ufffd  [31mred"})

    def test_what_the_terminal_cannot_show_is_shown_as_its_number(self) -> None:
        self.apply(self.first)
        with open(os.path.join(self.host.root, "said"), "w+", encoding="ascii") as out:
            with mock.patch.object(command, "Host", lambda: self.host), contextlib.redirect_stdout(out):
                self.assertEqual(command.main(["hold", "1h", "--reason", "caf\u00e9"], b""), 0)
            out.seek(0)
            self.assertIn('"caf\\xe9"', out.read())

    def test_a_stack_of_a_newer_version_is_told_and_not_changed(self) -> None:
        self.apply(self.first)
        newer = replace(bundle([service("b.service")]), scope=OTHER)
        self.apply(newer)
        self.said("hold", "1h", "--scope", OTHER)
        path = f"/var/lib/pulumi-systemd/{OTHER}/ledger.json"
        with open(self.host.at(path), encoding="utf-8") as source:
            text = source.read().replace('"format": 1', '"format": 1, "further": {}')
        self.host.put(path, text)
        self.said("hold", "1h")
        self.assertRegex(self.said("status"), f"{OTHER}: generation 1 since .*\n  held by alice")
        for words in (("hold", "1h", "--scope", OTHER), ("rollback", "--unit", "b.service")):
            with self.assertRaisesRegex(HostError, "ledger.json was written by a newer pulumi-systemd"):
                self.said(*words)
        with self.assertRaisesRegex(HostError, "newer pulumi-systemd: use that one.*\nthis host: updates are let in again"):
            self.said("resume")
        # Another stack goes on beside it, and still keeps off what is its.
        self.assertEqual(self.apply(self.second)["outcome"], "applied")
        with self.assertRaisesRegex(HostError, f"b.service belongs to {OTHER}, another scope on this host"):
            self.apply(bundle([service("b.service")]))
        with self.assertRaisesRegex(HostError, "ledger.json was written by a newer pulumi-systemd: use that one"):
            self.apply(newer, "destroy")
        with open(self.host.at(path), encoding="utf-8") as source:
            self.assertEqual(source.read(), text)

    def test_a_rehearsal_changes_nothing(self) -> None:
        self.apply(self.first)
        self.apply(self.second)
        before = self.host.tree()
        text = self.said("rollback", "--dry-run")
        self.assertIn(f"{SCOPE} would go from generation 2 back to 1 of 2027-01-15 08:00 UTC:\n  restart api", text)
        self.assertEqual((self.host.tree(), self.code), (before, 0))
        self.host.put("/etc/orders/api.env", "x")
        os.remove(self.host.at("/etc/orders/api.env"))
        os.mkdir(self.host.at("/etc/orders/api.env"))
        self.assertRegex(self.said("rollback", "1"), "cannot go back to generation 1:\n  /etc/orders/api.env is a dir")
        self.assertEqual(self.code, 1)

    def test_code_that_is_gone(self) -> None:
        release = self.archive("#!/bin/sh\n# 1\n")
        api = service("api.service", restart_on_releases=["orders"])
        self.apply(bundle([api], releases=[release]))
        ledger = self.ledger()
        ledger.releases = []
        os.rename(self.host.at("/opt/orders"), self.host.at("/opt/elsewhere"))
        conflicts: Any = rehearsed(self.host, ledger, self.kept()[1])[1]
        self.assertEqual(conflicts, [f"its code is not on this host any more: {release.directory}"])


class Launcher(WithGenerations):
    def test_it_comes_with_the_first_scope_and_goes_with_the_last(self) -> None:
        before = self.host.tree()
        first, other = self.texts(1)[0], replace(bundle([service("b.service")]), scope=OTHER)
        self.apply(first)
        self.apply(other)
        path = self.host.at(PATH)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o755)
        with open(path, encoding="utf-8") as source:
            self.assertIn(f'-I {PROGRAM} command "$@"\n', source.read())
        self.apply(first, "destroy")
        self.assertTrue(os.path.exists(path))
        self.apply(other, "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_it_goes_with_a_first_update_that_failed(self) -> None:
        with self.assertRaises(HostError):
            self.apply(bundle([service("api.service", "bad")]))
        self.assertFalse(os.path.lexists(self.host.at(PATH)))

    def test_what_is_somebody_elses_stays(self) -> None:
        self.host.put(PATH, "#!/bin/sh\nmine\n", 0o755)
        before = self.host.tree()
        receipt = self.apply(self.texts(1)[0])
        self.assertRegex(receipt["warnings"][0], f"{PATH} is somebody else's and stays, .* `.* command` does the same")
        self.apply(self.texts(1)[0], "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_what_was_changed_is_put_right(self) -> None:
        first, second = self.texts(2)
        self.apply(first)
        with open(self.host.at(PATH), "a", encoding="utf-8") as target:
            target.write("rm -rf /\n")
        self.apply(second)
        with open(self.host.at(PATH), encoding="utf-8") as source:
            self.assertNotIn("rm", source.read())


if __name__ == "__main__":
    unittest.main()
