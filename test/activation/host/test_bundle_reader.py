from __future__ import annotations

import json
import random
import unittest
from typing import Any, Callable

from pulumi_systemd_host_under_test import good_bundle, sha

from pulumi_systemd_host.bundle_reader import parse_bundle
from pulumi_systemd_host.errors import BundleError


def refusal(change: Callable[[dict[str, Any]], Any]) -> str:
    bundle = good_bundle()
    change(bundle)
    try:
        parse_bundle(json.dumps(bundle).encode())
    except BundleError as problem:
        return str(problem)
    return "accepted"


class ParseBundle(unittest.TestCase):
    def test_accepts_a_good_bundle(self) -> None:
        bundle = parse_bundle(json.dumps(good_bundle()).encode())
        self.assertEqual(bundle.scope, "orders/dev/web1")
        self.assertEqual(bundle.files[0].mode, 0o600)
        self.assertEqual(bundle.units[0].restart_on_files, ["/etc/orders/api.env"])
        self.assertEqual((bundle.transaction_sec, bundle.wait_sec, bundle.units[0].settle_sec), (120, 30, 1.5))

    def test_names_the_path_of_what_is_wrong(self) -> None:
        cases: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
            (lambda b: b.update(format=2), "bundle.format: this host program understands format 1 only"),
            (lambda b: b.update(extra=1), "bundle: unknown key extra; accepted are format, scope"),
            (lambda b: b.pop("users"), "bundle.users: missing"),
            (lambda b: b.update(scope="orders/dev"), "bundle.scope: expected project/stack/host"),
            (lambda b: b.update(scope="orders/../x"), "bundle.scope: expected project/stack/host"),
            (lambda b: b["users"][0].update(name="Orders"), "bundle.users[0].name: expected a user name"),
            (lambda b: b["users"][0].update(name="orders\n"), "bundle.users[0].name: expected a user name"),
            (lambda b: b["users"].append(b["users"][0]), "bundle.users[1].name: orders is also bundle.users[0].name"),
            (lambda b: b["users"][0].update(home="/../x"), "bundle.users[0].home: expected an absolute, normal path"),
            (lambda b: b["files"][0].update(path="//etc/x"), "bundle.files[0].path: expected an absolute, normal path"),
            (lambda b: b["files"][0].update(path="/etc/x/"), "bundle.files[0].path: expected an absolute, normal path"),
            (lambda b: b["files"][0].update(mode="600"), "bundle.files[0].mode: expected four octal digits"),
            (lambda b: b["files"][0].update(mode="4755"), "bundle.files[0].mode: expected four octal digits"),
            (lambda b: b["files"][0].update(secret=1), "bundle.files[0].secret: expected true or false, got a number"),
            (lambda b: b["files"][0].update(content=None), "bundle.files[0].content: expected a string, got null"),
            (lambda b: b["files"][0].update(encoding="hex"), "bundle.files[0].encoding: expected one of utf-8, base64"),
            (
                lambda b: b["files"][0].update(encoding="base64", content="s3cret-value!"),
                "bundle.files[0].content: expected base64",
            ),
            (lambda b: b["files"][0].update(content="\ud800"), "bundle.files[0].content: holds half of a surrogate"),
            (lambda b: b["releases"][0].update(sha256="A" * 64), "bundle.releases[0].sha256: expected a SHA-256"),
            (lambda b: b["releases"][0].update(upload="../x"), "bundle.releases[0].upload: expected a path relative"),
            (lambda b: b["releases"][0].update(upload="/etc/passwd"), "bundle.releases[0].upload: expected a path"),
            (
                lambda b: b["releases"][0].update(link="/opt/orders/releases/1/x"),
                "bundle.releases[0].link: /opt/orders/releases/1/x lies under /opt/orders/releases/1",
            ),
            (lambda b: b["releases"][0].update(keep=-1), "bundle.releases[0].keep: expected a number from 0 to 100"),
            (
                lambda b: b["releases"][0]["environment"].update(python="python3"),
                "bundle.releases[0].environment.python: expected a version such as 3.12",
            ),
            (
                lambda b: b["releases"][0]["environment"]["lock"]["inputs"][0].update(path="../x"),
                "bundle.releases[0].environment.lock.inputs[0].path: expected a relative, normal path",
            ),
            (
                lambda b: b["releases"][0]["environment"].update(wheel="../x.whl"),
                "bundle.releases[0].environment.wheel: expected the file name of a wheel",
            ),
            (
                lambda b: b["releases"][0]["environment"]["wheelhouse"].update(upload="/x"),
                "bundle.releases[0].environment.wheelhouse.upload: expected a path relative",
            ),
            (lambda b: b["hooks"][0].update(release="x"), "bundle.hooks[0].release: x is not one of bundle.releases"),
            (lambda b: b["hooks"][0].update(kind="x"), "bundle.hooks[0].kind: expected one of check, pre-start"),
            (
                lambda b: b["units"][0].update(purge=["x"]),
                "bundle.units[0].purge[0]: expected an absolute, normal path",
            ),
            (lambda b: b["units"][0].update(name="a/b.service"), "bundle.units[0].name: expected a unit name"),
            (lambda b: b["units"][0].update(name="api.exe"), "bundle.units[0].name: expected a unit name that ends"),
            (lambda b: b["units"][0].update(name="b.service"), "bundle.units[0].path: its last part is not the unit's"),
            (lambda b: b["units"][0].update(content="x"), "bundle.units[0].digests.file: not the SHA-256"),
            (lambda b: b["units"][0].update(activation="later"), "bundle.units[0].activation: expected one of started"),
            (
                lambda b: b["units"][0].update(settleSec=True),
                "bundle.units[0].settleSec: expected a number, got a bool",
            ),
            (
                lambda b: b["units"][0]["gate"]["probes"][0].update(port=0),
                "bundle.units[0].gate.probes[0].port is not a whole number from 1 to 65535",
            ),
            (
                lambda b: b["units"][0]["gate"]["probes"][0].update(timeoutSec=10**400),
                "bundle.units[0].gate.probes[0].timeoutSec is not a number of at least 0.001",
            ),
            (
                lambda b: b["units"][0]["gate"]["probes"][0].update(kind="hope"),
                "bundle.units[0].gate.probes[0].kind is not one of http",
            ),
            (
                lambda b: b["units"][0]["gate"].pop("stableSec"),
                "bundle.units[0].gate.stableSec: missing",
            ),
            (
                lambda b: b["units"][0].update(settleSec=-1),
                "bundle.units[0].settleSec: expected a number from 0 to 3600",
            ),
            (
                lambda b: b["units"][0]["restartOn"].update(files=["/etc/other"]),
                "bundle.units[0].restartOn.files[0]: /etc/other is not one of bundle.files",
            ),
            (
                lambda b: b["units"][0]["reloadOn"].update(files=["/etc/other"]),
                "bundle.units[0].reloadOn.files[0]: /etc/other is not one of bundle.files",
            ),
            (
                lambda b: b["units"][0]["restartOn"].update(releases=["x"]),
                "bundle.units[0].restartOn.releases[0]: x is not one of bundle.releases",
            ),
            (lambda b: b["bounds"].update(waitSec=0), "bundle.bounds.waitSec: expected a number from 1 to 86400"),
            (lambda b: b["bounds"].update(waitSec=1.5), "bundle.bounds.waitSec: expected a whole number, got a number"),
            (
                lambda b: b["files"].append({**b["files"][0], "path": "/etc/systemd/system/api.service"}),
                "bundle.units[0].path: /etc/systemd/system/api.service is also bundle.files[1].path",
            ),
        ]
        for change, beginning in cases:
            with self.subTest(beginning):
                self.assertEqual(refusal(change)[: len(beginning)], beginning)

    def test_refuses_a_started_template(self) -> None:
        def change(bundle: dict[str, Any]) -> None:
            bundle["units"][0].update(name="n@.service", path="/etc/systemd/system/n@.service")

        self.assertIn("n@.service is a template", refusal(change))

    def test_refuses_what_is_no_json(self) -> None:
        for data in (b"", b"{", b"\xff", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 100_000, b"9" * 10_000, b"null"):
            with self.subTest(data[:10]), self.assertRaises(BundleError):
                parse_bundle(data)

    def test_never_repeats_content(self) -> None:
        # With characters that no name or path has: those are repeated, being no secrets.
        marker = "zq7 do-not-show!\n"
        random.seed(1)

        def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
            found = [path] if path else []
            items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            for key, child in items:
                found += places(child, (*path, key))
            return found

        replacements: list[Any] = [marker, [marker], {marker: marker}, {f"{marker}\n": 1}, 1, None, True, -1e308, []]
        refused = 0
        for path in places(good_bundle()):
            for replacement in replacements:
                bundle = good_bundle()
                at: Any = bundle
                for key in path[:-1]:
                    at = at[key]
                at[path[-1]] = replacement
                try:
                    parse_bundle(json.dumps(bundle).encode())
                except BundleError as problem:
                    refused += 1
                    if not isinstance(replacement, dict):
                        self.assertNotIn(marker, str(problem))
                    self.assertNotIn("s3cret-value", str(problem))
        self.assertGreater(refused, 200)

    def test_survives_random_bytes(self) -> None:
        random.seed(2)
        data = json.dumps(good_bundle()).encode()
        for _ in range(2000):
            mutated = bytearray(data)
            for _ in range(random.randint(1, 4)):
                mutated[random.randrange(len(mutated))] = random.randrange(256)
            try:
                parse_bundle(bytes(mutated))
            except BundleError as problem:
                self.assertNotIn("s3cret", str(problem))


class Digests(unittest.TestCase):
    def test_file_digest_is_over_utf8(self) -> None:
        bundle = good_bundle()
        content = "[Service]\nExecStart=/bin/echo \u00e4\n"
        bundle["units"][0]["content"] = content
        bundle["units"][0]["digests"]["file"] = sha(content)
        self.assertEqual(parse_bundle(json.dumps(bundle).encode()).units[0].content, content)


if __name__ == "__main__":
    unittest.main()
