from __future__ import annotations

import json
import unittest

from pulumi_systemd_host.bundle import User
from pulumi_systemd_host.redaction import Redactor, secrets_in
from pulumi_systemd_host.users import sysusers_text
from pulumi_systemd_host.verify import judge, programs

STAGE = "/run/pulumi-systemd/t/units"
UNITS = {"api.service": "/etc/systemd/system/api.service", "n@.service": "/etc/systemd/system/n@.service"}


class Redaction(unittest.TestCase):
    def test_every_form_of_a_value(self) -> None:
        redactor = Redactor(['# note\nKEY="pa\\"ss word"\nexport B=\'single\'\nC=plain-value\nD=abc\n'])
        for text in ('pa\\"ss word', 'pa"ss word', "single", "plain-value"):
            with self.subTest(text):
                self.assertEqual(redactor.redact(f"<{text}>"), "<[secret]>")
        self.assertEqual(redactor.redact("abc KEY"), "abc KEY")

    def test_the_longest_is_struck_first(self) -> None:
        self.assertEqual(Redactor(["A=abcd\nB=abcdefgh\n"]).redact("xabcdefghx"), "x[secret]x")

    def test_files_that_are_no_assignments(self) -> None:
        content = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nabc\n-----END KEY-----\n"
        redacted = Redactor([content]).redact(f"log: MIIEvQIBADANBgkq and {content}")
        self.assertNotIn("MIIE", redacted)
        self.assertEqual(Redactor(["tok3n"]).redact("is tok3n."), "is [secret].")

    def test_values_over_several_lines(self) -> None:
        redactor = Redactor(['PEM="first-line-x\nsecond-line-y"\n', "E=one\\\ntwo\n"])
        self.assertEqual(redactor.redact("a first-line-x b second-line-y"), "a [secret] b [secret]")
        self.assertEqual(redactor.redact("onetwo"), "[secret]")

    def test_values_inside_a_structured_credential(self) -> None:
        key = "-----BEGIN KEY-----\nMIIEvQIB\nADANBg==\n-----END KEY-----\n"
        contents = {
            json.dumps({"db": [{"password": "hunter2-json"}], "private_key": key}): ("hunter2-json", "ADANBg=="),
            json.dumps({"password": 'a"b\u00e9c1'}): ('a"b\u00e9c1', 'a\\"b\\u00e9c1', 'a\\"b\u00e9c1'),
            '{\n  "password": "of-no-json-1",\n  // a note\n}\n': ("of-no-json-1",),
            "db:\n  password: yaml-secret  # a note\n  keys:\n    - 'in-a-list'\n": ("yaml-secret", "in-a-list"),
            "[db]\npassword = ini-secret\nother.password=of-java\n": ("ini-secret", "of-java"),
            'token = "toml-secret"\n': ("toml-secret",),
            'CONFIG="{\\"password\\": \\"of-a-variable\\"}"\n': ("of-a-variable",),
        }
        for content, secrets in contents.items():
            for secret in secrets:
                with self.subTest(secret):
                    self.assertEqual(Redactor([content]).redact(f"login with <{secret}> failed"), "login with <[secret]> failed")

    def test_harmless_words_of_a_structured_credential_stay(self) -> None:
        values = {"user": "orders", "db_host": "db.internal", "port": 543210, "ssl": True, "bind": "127.0.0.1", "n": "30000"}
        text = "orders.service: cannot reach db.internal:543210 from 127.0.0.1 in 30000 ms: true"
        for content in (json.dumps(values), "\n".join(f"{key}: {value}" for key, value in values.items())):
            self.assertEqual(Redactor([content]).redact(text), text)

    def test_nothing_short_or_empty(self) -> None:
        self.assertEqual(secrets_in("A=\nB=1\n\n"), {"A=\nB=1\n\n", "A=\nB=1"})
        self.assertEqual(Redactor([""]).redact("text"), "text")


class Judge(unittest.TestCase):
    def judged(self, *lines: str) -> tuple[list[str], list[str]]:
        return judge(lines, UNITS, STAGE, lambda path: path == "/opt/app/current/bin/run")

    def test_errors(self) -> None:
        cases = {
            f"{STAGE}/api.service:7: Unknown key name 'Bogus' in section 'Service', ignoring.": (
                "/etc/systemd/system/api.service:7: Unknown key name 'Bogus' in section 'Service', ignoring."
            ),
            f"\x1b[0;1;31m{STAGE}/api.service:3: Failed to parse\x1b[0m": (
                "/etc/systemd/system/api.service:3: Failed to parse"
            ),
            "api.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.": None,
            "api.service: Command /usr/bin/gone is not executable: No such file or directory": None,
            "Failed to create api.service/start: Unit gone.service not found.": None,
            f"{STAGE}/n@verify.service:2: Unknown section 'X'. Ignoring.": (
                "/etc/systemd/system/n@.service:2: Unknown section 'X'. Ignoring."
            ),
        }
        for line, shown in cases.items():
            with self.subTest(line):
                self.assertEqual(self.judged(line), ([shown or line], []))

    def test_a_template_is_checked_as_an_instance_that_is_no_unit_of_its_own(self) -> None:
        units = {**UNITS, "n@verify.service": "/etc/systemd/system/n@verify.service"}
        for instance, path in (("n@verify.service", units["n@verify.service"]), ("n@verifyx.service", UNITS["n@.service"])):
            line = f"{STAGE}/{instance}:2: Unknown section 'X'. Ignoring."
            shown = f"{path}:2: Unknown section 'X'. Ignoring."
            self.assertEqual(judge([line], units, STAGE, lambda _: False), ([shown], []))

    def test_notes(self) -> None:
        line = (
            "api.service: unit configures an IP firewall, but the local system does not support BPF/cgroup firewalling."
        )
        self.assertEqual(self.judged(line), ([], [line]))

    def test_ignored(self) -> None:
        for line in (
            "/lib/systemd/system/other.service:3: Unknown key name 'X' in section 'Service', ignoring.",
            "other-api.service: Command /x is not executable: No such file or directory",
            "/etc/systemd/system/api.service.d/somebody.conf:3: Unknown key name 'X' in section 'Service', ignoring.",
            "api.service: Command /opt/app/current/bin/run is not executable: No such file or directory",
            "unit_file_find_fragment: n@.service+verify -> n@verify.service",
            "",
        ):
            with self.subTest(line):
                self.assertEqual(self.judged(line), ([], []))

    def test_programs(self) -> None:
        content = (
            'ExecStartPre=-/bin/may-be-absent\nExecStart=!/opt/app/run --x\nExecStop=@"/opt/app/stop" name\n'
            "ExecReload=kill -HUP $MAINPID\nExecStartPost=/opt/%i/x\n"
        )
        self.assertEqual(programs(content), ["/opt/app/run", "/opt/app/stop", "/opt/"])


class Sysusers(unittest.TestCase):
    def test_text(self) -> None:
        users = [User("orders", "orders", "/var/lib/orders"), User("a", "shared", "/x"), User("b", "shared", "/y")]
        self.assertEqual(
            sysusers_text(users, ["extra"]),
            "g extra -\n"
            'u orders - "pulumi-systemd" /var/lib/orders -\n'
            "g shared -\n"
            'u a -:shared "pulumi-systemd" /x -\n'
            'u b -:shared "pulumi-systemd" /y -\n',
        )


if __name__ == "__main__":
    unittest.main()
