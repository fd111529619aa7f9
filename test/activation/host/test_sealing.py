from __future__ import annotations

import hashlib
import json
import os
import unittest
from dataclasses import replace
from typing import Any

from fake_systemd import Crash
from pulumi_systemd_host_under_test import encoded, good_bundle
from test_generations import KEPT, WithGenerations
from test_transaction import bundle, service

from pulumi_systemd_host.bundle import Bundle, File
from pulumi_systemd_host.bundle_reader import parse_bundle
from pulumi_systemd_host.errors import BundleError, HostError, OverdueError
from pulumi_systemd_host.look import look
from pulumi_systemd_host.recovery import recover_all
from pulumi_systemd_host.sealing import unguessable

TOKEN = "/etc/pulumi-systemd/credentials/api/token"


def wanted(secret: str, text: str = "ok", **changes: Any) -> Bundle:
    api = service("api.service", text, restart_on_files=[TOKEN])
    token = File(TOKEN, 0o600, secret, True, seal="token")
    return bundle([api, service("other.service")], files=[token], **changes)


class Sealed(WithGenerations):
    def setUp(self) -> None:
        super().setUp()
        self.secrets = ["hush-one", "hush-two", "hush-three"]

    def on_disk(self) -> str:
        with open(self.host.at(TOKEN), encoding="ascii") as source:
            return source.read()

    def assert_nowhere(self) -> None:
        """No secret, and no digest of one, is in any file of the host."""
        digests = [hashlib.sha256(each.encode()).hexdigest() for each in self.secrets]
        raws = [hashlib.sha256(encoded(wanted(each))).hexdigest() for each in self.secrets]
        files = 0
        for directory, _, names in os.walk(self.host.root):
            for name in (each for each in names if not os.path.islink(os.path.join(directory, each))):
                with open(os.path.join(directory, name), "rb") as source:
                    content = source.read()
                files += 1
                for trace in [*self.secrets, *digests, *raws]:
                    self.assertNotIn(trace.encode(), content, f"{directory}/{name}")
        self.assertGreater(files, 4)

    def test_only_what_was_sealed_comes_to_the_disk_and_a_second_run_does_nothing(self) -> None:
        self.apply(wanted("hush-one"))
        self.assertEqual(self.verbs()[0], "creds encrypt token")
        self.assertEqual(self.host.tree()[TOKEN][0], "0o100600")
        self.assert_nowhere()
        before = self.host.tree()
        receipt = self.apply(wanted("hush-one"))
        self.assertEqual((receipt["outcome"], receipt["actions"], self.host.tree()), ("unchanged", [], before))
        self.assertEqual(self.verbs(), ["creds decrypt token"])

    def test_a_rotated_secret_restarts_its_consumer_alone(self) -> None:
        self.apply(wanted("hush-one"))
        self.verbs()
        receipt = self.apply(wanted("hush-two"))
        actions = [(each["unit"], each["action"], each["reasons"]) for each in receipt["actions"]]
        self.assertEqual(actions, [("api.service", "restart", [f"{TOKEN} changed"])])
        self.assertNotIn("hush", json.dumps(receipt))
        self.assert_nowhere()

    def test_a_failed_start_gives_the_old_one_back_and_shows_neither(self) -> None:
        self.apply(wanted("hush-one"))
        before, text = self.host.tree(), self.on_disk()
        with self.assertRaisesRegex(HostError, "The host is back on its previous state") as caught:
            self.apply(wanted("hush-two", "bad"))
        self.assertNotIn("hush", str(caught.exception))
        self.assertEqual((self.host.tree(), self.on_disk()), (before, text))
        self.assert_nowhere()

    def test_a_person_goes_back_and_forth(self) -> None:
        self.apply(wanted("hush-one"))
        first = self.on_disk()
        self.apply(wanted("hush-two"))
        self.back()
        self.assertEqual(self.on_disk(), first)
        self.assert_nowhere()
        with self.assertRaisesRegex(HostError, "This update asks for generation 2 again, unchanged, so it was refused"):
            self.apply(wanted("hush-two"))
        # The update that follows, with the secret of a kept generation, needs no new seal.
        sealed = self.host.seals
        self.apply(wanted("hush-two", "newer"))
        self.assertEqual(self.host.seals, sealed)

    def test_drift_is_found_and_repaired_with_the_same_bytes(self) -> None:
        self.apply(wanted("hush-one"))
        text = self.on_disk()
        self.host.put(TOKEN, "what somebody wrote\n", 0o600)
        report = json.loads(look(self.host, parsed(wanted("hush-one"))))
        self.assertEqual([each["kind"] for each in report["findings"]], ["file-changed"])
        self.assertEqual(report["undeployed"], [])
        receipt = self.apply(wanted("hush-one"))
        self.assertEqual(receipt["actions"][0]["reasons"], [f"{TOKEN} differed on the host"])
        self.assertEqual(self.on_disk(), text)

    def test_a_look_tells_a_secret_that_is_not_deployed_and_seals_nothing(self) -> None:
        self.apply(wanted("hush-one"))
        for secret, found in (("hush-one", []), ("hush-two", [("", TOKEN)])):
            report = json.loads(look(self.host, parsed(wanted(secret))))
            self.assertEqual([(each["unit"], each["path"]) for each in report["undeployed"]], found)
            self.assertEqual(report["findings"], [])
        self.assertEqual(self.host.seals, 1)

    def test_one_that_this_host_cannot_open_any_more_is_sealed_anew(self) -> None:
        """The host's key is another one."""
        self.apply(wanted("hush-one", keep_generations=1))
        with open(self.host.at(f"{KEPT}/1.json"), "w", encoding="utf-8") as target:
            target.write("{}")
        self.host.put(TOKEN, "c29tZXRoaW5nIGVsc2U=\n", 0o600)
        receipt = self.apply(wanted("hush-one", keep_generations=1))
        self.assertEqual((receipt["actions"][0]["action"], self.host.seals), ("restart", 2))

    def test_from_plain_to_sealed_and_back(self) -> None:
        plain = wanted("hush-one")
        plain = replace(plain, files=[replace(plain.files[0], seal="")])
        self.apply(plain)
        self.assertEqual(self.on_disk(), "hush-one")
        self.apply(wanted("hush-one", "sealed", keep_generations=1))
        self.assert_nowhere()
        self.apply(replace(plain, units=[service("api.service", "again", restart_on_files=[TOKEN])]))
        self.assertEqual(self.on_disk(), "hush-one")

    def test_destroy_opens_nothing_that_it_must_and_leaves_nothing(self) -> None:
        before = self.host.tree()
        self.apply(wanted("hush-one"))
        self.host.creds = HostError("systemd-creds cannot be run on this host: No such file or directory")
        self.apply(wanted("hush-one"), "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_an_older_systemd_is_refused_before_anything_changes(self) -> None:
        self.host.systemd = 249
        before = self.host.tree()
        with self.assertRaises(HostError) as caught:
            self.apply(wanted("hush-one"))
        self.assertEqual(
            str(caught.exception),
            "this host has systemd 249, and LoadCredentialEncrypted= needs 250; nothing was changed on it. "
            f'Next: say `credentialsAtRest: "plain"` for what has {TOKEN}, or upgrade the host.',
        )
        self.assertEqual((self.host.tree(), self.host.seals), (before, 0))

    def test_without_systemd_creds_or_an_answer_of_it_nothing_changes(self) -> None:
        before = self.host.tree()
        for problem, told in (
            (HostError("systemd-creds cannot be run on this host: x"), r'host: x; `credentialsAtRest: "encrypted"` needs'),
            (OverdueError("systemd-creds encrypt: no end after 10 s"), "no end after 10 s"),
        ):
            self.host.creds = problem
            with self.assertRaisesRegex(HostError, told):
                self.apply(wanted("hush-one"))
            self.assertEqual(self.host.tree(), before)

    def test_killed_at_any_step_the_host_is_on_one_state_and_has_no_secret(self) -> None:
        """Each crash is followed by what systemd runs then, and by the next update."""
        steps = 0
        while True:
            self.setUp()
            self.apply(wanted("hush-one"))
            old = self.on_disk()
            steps += 1
            self.host.fail_at = self.host.steps + steps
            try:
                self.apply(wanted("hush-two"))
                break
            except Crash:
                self.assert_nowhere()
            self.host.dead, self.host.fail_at = False, None
            recover_all(self.host, 10)
            self.assert_nowhere()
            committed = self.ledger().generation == 2
            self.assertEqual(self.on_disk() == old, not committed, steps)
            self.apply(wanted("hush-two"))
            self.assertNotEqual(self.on_disk(), old)
            self.assert_nowhere()
        self.assertGreaterEqual(steps, 10)


def parsed(wanted: Bundle) -> Bundle:
    return parse_bundle(encoded(wanted))


class Digests(WithGenerations):
    def test_what_is_kept_of_a_bundle_with_such_secrets_takes_a_key_that_is_not(self) -> None:
        asked = parsed(wanted("hush-one"))
        known = unguessable(self.host, asked)
        self.assertNotEqual(known.digest, asked.digest)
        self.assertEqual(unguessable(self.host, asked).digest, known.digest)
        self.assertNotEqual(unguessable(self.host, parsed(wanted("hush-two"))).digest, known.digest)
        key = self.host.at("/run/pulumi-systemd/digest-key")
        self.assertEqual(oct(os.stat(key).st_mode), "0o100600")
        os.unlink(key)
        self.assertNotEqual(unguessable(self.host, asked).digest, known.digest)
        plain = parse_bundle(json.dumps(good_bundle()).encode())
        self.assertIs(unguessable(self.host, plain), plain)


class Format(unittest.TestCase):
    def test_seal_is_a_name_of_a_secret_file(self) -> None:
        value = json.loads(encoded(wanted("hush")))
        for change, told in (
            ({"seal": "a/b"}, "seal: expected a credential's name"),
            ({"seal": 3}, "seal"),
            ({"secret": False}, "secret: expected true, since it has seal"),
            ({"seal": "", "encoding": "sealed"}, "encoding: expected one of utf-8, base64$"),
        ):
            changed = {**value, "files": [{**value["files"][0], **change}]}
            with self.subTest(told), self.assertRaisesRegex(BundleError, told):
                parse_bundle(json.dumps(changed).encode())

    def test_a_secret_that_is_to_be_sealed_cannot_be_written_by_mistake(self) -> None:
        with self.assertRaisesRegex(HostError, "is to be encrypted, and was not"):
            print(wanted("hush").files[0].data)


if __name__ == "__main__":
    unittest.main()
