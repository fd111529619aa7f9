from __future__ import annotations

import errno
import os
import struct
import unittest
from dataclasses import replace
from typing import Any, Callable
from unittest import mock

from fake_systemd import ETC, VENDOR, Crash
from pulumi_systemd_host_under_test import unit
from test_transaction import GUARDED, REAL_FSYNC, SCOPE, WithHost, bundle, env, service

from pulumi_systemd_host.bundle import Bundle, File, User
from pulumi_systemd_host.difference import difference
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.files import Found
from pulumi_systemd_host.keeping import LINK, UNIT
from pulumi_systemd_host.launcher import PATH as LAUNCHER
from pulumi_systemd_host.ledger import read_ledger
from pulumi_systemd_host.plan_shape import Write

API = f"{ETC}/api.service"
FOREIGN = "[Service]\nExecStart=/bin/theirs\nEnvironment=PASSWORD=hunter22\n[Install]\nWantedBy=multi-user.target\n"
ADOPTED = bundle([service("api.service")], adopt=[API])


def without_own(tree: dict[str, Any]) -> dict[str, Any]:
    """A file system without what the program keeps for itself."""
    own = ("/var/lib/pulumi", UNIT, os.path.dirname(LINK), LAUNCHER)
    return {path: value for path, value in tree.items() if not path.startswith(own)}


class Difference(unittest.TestCase):
    def test_names_directives_and_never_values(self) -> None:
        ours = "[Unit]\nAfter=a\n[Service]\nExecStart=/bin/ours \\\n# note\n  more\nNice=1\n"
        theirs = "[Service]\nExecStart=/bin/theirs\nEnvironment=PASSWORD=hunter22\nNice=1\n"
        told = difference(Found("file"), theirs.encode(), Write("/x", ours.encode(), 0, True))
        self.assertEqual(
            told, "[Service] ExecStart= differ; only on the host: [Service] Environment=; only wanted: [Unit] After="
        )

    def test_other_files(self) -> None:
        write = Write("/etc/x", b"a\nb\n", 0o644, False)
        cases = [
            (Found("file"), b"a\nc\n", write, "it differs from line 2 on (4 bytes there, 4 wanted)"),
            (Found("file"), b"a\n", write, "it differs from line 2 on (2 bytes there, 4 wanted)"),
            (Found("file"), b"a\n", replace(write, secret=True), "its content differs"),
            (Found("file"), None, write, "its content differs"),
            (Found("file"), b"# x\n", Write("/x", b"", 0, True), "only comments, order or blanks differ"),
            (Found("link", target="/dev/null"), None, write, "it masks the unit"),
            (Found("link", target="/opt/x"), None, write, "it is a symbolic link to /opt/x"),
            (Found("directory"), None, write, "it is a directory"),
            (Found("other"), None, write, "it is a special file"),
        ]
        for now, content, wanted, told in cases:
            with self.subTest(told):
                self.assertEqual(difference(now, content, wanted), told)


class Adopt(WithHost):
    def both_ways(self, wanted: Bundle) -> dict[str, Any]:
        """Takes over and destroys; the host must be as before, with the same definitions at work. The first receipt."""
        tree, running = self.host.tree(), self.host.running_set()
        receipt = self.apply(wanted)
        for each in wanted.units:
            self.assertEqual(self.host.tree()[each.path][2], each.digests.file)
            self.assertEqual(self.host.running_set()[each.name], each.content)
        self.apply(wanted, "destroy")
        self.assertEqual(self.host.tree(), tree)
        self.assertEqual(self.host.running_set(), running)
        return receipt

    def test_without_adopt_it_says_what_differs_and_how_to_adopt(self) -> None:
        self.host.install(API, FOREIGN)
        self.host.put("/etc/orders/api.env", "TOKEN=theirs-theirs\n")
        before = self.host.tree()
        with self.assertRaises(HostError) as caught:
            self.apply(bundle([service("api.service")], files=[env("abcdefgh")]))
        told = str(caught.exception)
        self.assertIn(f"{API} is already there and was not written by this scope: [Service] ExecStart= differ", told)
        self.assertIn("/etc/orders/api.env is already there and was not written by this scope: its content", told)
        self.assertIn(f'`adopt: ["/etc/orders/api.env", "{API}"]` on the Host', told)
        self.assertNotRegex(told, "hunter22|theirs-theirs|abcdefgh")
        self.assertEqual((self.host.tree(), self.verbs()), (before, []))

    def test_another_definition_that_ran_and_was_enabled(self) -> None:
        self.host.install(API, FOREIGN)
        receipt = self.both_ways(ADOPTED)
        self.assertEqual(
            [(action["action"], action["reasons"]) for action in receipt["actions"]],
            [
                ("adopt", ["[Service] ExecStart= differ; only on the host: [Service] Environment="]),
                ("reenable", ["taken over"]),
                ("restart", ["taken over"]),
            ],
        )

    def test_another_definition_that_neither_ran_nor_was_enabled(self) -> None:
        self.host.install(API, FOREIGN, running=False, enabled=False)
        self.both_ways(ADOPTED)

    def test_the_old_definition_stops_before_the_new_one_is_read(self) -> None:
        self.host.install(API, FOREIGN)
        self.apply(ADOPTED)
        verbs = self.verbs()
        self.assertLess(verbs.index("stop api.service"), verbs.index("daemon-reload"))

    def test_equal_content_needs_no_adopt_and_no_restart(self) -> None:
        wanted = replace(ADOPTED, adopt=[])
        self.host.install(API, wanted.units[0].content)
        before, invocation = self.host.tree(), dict(self.host.running)
        receipt = self.apply(wanted)
        self.assertEqual(receipt["warnings"], [f"{API} was already there with the same content and was taken over"])
        self.apply(wanted, "destroy")
        self.assertEqual((self.host.tree(), self.host.running), (before, invocation))
        self.assertFalse({"stop", "start", "restart"} & {verb.split()[0] for verb in self.verbs()})

    def test_equal_content_that_did_not_run(self) -> None:
        self.host.install(API, ADOPTED.units[0].content, running=False, enabled=False)
        self.both_ways(replace(ADOPTED, adopt=[]))

    def test_a_unit_of_a_package_is_overridden_and_comes_back(self) -> None:
        self.host.install(f"{VENDOR}/api.service", FOREIGN)
        with self.assertRaisesRegex(HostError, "already defined by /usr/lib/systemd/system/api.service .a package's"):
            self.apply(replace(ADOPTED, adopt=[]))
        receipt = self.both_ways(ADOPTED)
        self.assertEqual(receipt["actions"][0]["reasons"], [f"it was defined by {VENDOR}/api.service"])

    def test_a_mask_comes_back(self) -> None:
        self.host.install(f"{VENDOR}/api.service", FOREIGN, running=False, enabled=False)
        os.symlink("/dev/null", self.host.at(API))
        self.host.read_units()
        with self.assertRaisesRegex(HostError, "api.service is already there .*: it masks the unit"):
            self.apply(replace(ADOPTED, adopt=[]))
        self.both_ways(ADOPTED)

    def test_files_of_every_kind_of_owner_and_mode_come_back(self) -> None:
        self.host.put("/etc/orders/api.env", "TOKEN=theirs-theirs\n", 0o640)
        os.makedirs(self.host.at("/etc/linked"))
        os.symlink("/etc/orders/api.env", self.host.at("/etc/linked/x"))
        before = self.host.tree()
        files = [env("abcdefgh"), File("/etc/linked/x", 0o644, "x", False)]
        wanted = bundle([], files=files, adopt=[file.path for file in files])
        self.apply(wanted)
        self.assertEqual(self.host.tree()["/etc/orders/api.env"][0], "0o100600")
        kept = [p for p in self.host.tree() if p.startswith(f"/var/lib/pulumi-systemd/{SCOPE}/originals/")]
        self.assertEqual([self.host.tree()[path][0] for path in kept], ["0o100600"])
        self.apply(bundle([]))
        self.assertEqual(without_own(self.host.tree()), without_own(before))
        ledger = read_ledger(self.host, SCOPE)
        self.assertEqual(ledger and (ledger.originals, ledger.original_units), ({}, {}))

    def test_an_access_control_list_comes_back(self) -> None:
        """The group has no access, though the bits of the mode, which are the mask, look so."""
        path = env("x").path
        self.host.put(path, "TOKEN=theirs-theirs\n", 0o600)
        there = self.host.at(path)
        entries = ((1, 6, 2**32 - 1), (2, 4, 1234), (4, 0, 2**32 - 1), (16, 4, 2**32 - 1), (32, 0, 2**32 - 1))
        attributes = {
            "system.posix_acl_access": struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries),
            "user.note": b"theirs",
        }
        try:
            for name, value in attributes.items():
                os.setxattr(there, name, value)
        except OSError as problem:
            self.skipTest(f"no access control lists here: {problem}")
        found = self.host.tree()[path]
        wanted = bundle([], files=[env("abcdefgh")], adopt=[path])
        with self.assertRaises(HostError):
            self.apply(replace(wanted, units=[service("bad.service", "bad")]))
        self.assertEqual({name: os.getxattr(there, name) for name in os.listxattr(there)}, attributes)
        self.apply(wanted)
        self.assertEqual(os.listxattr(there), [])
        self.apply(wanted, "destroy")
        self.assertEqual({name: os.getxattr(there, name) for name in os.listxattr(there)}, attributes)
        self.assertEqual(self.host.tree()[path], found)

    def test_an_access_control_list_that_cannot_be_kept_stops_it(self) -> None:
        path = env("x").path
        self.host.put(path, "TOKEN=theirs-theirs\n", 0o640)
        before = self.host.tree()

        def names(at: str, **_options: Any) -> list[str]:
            return ["system.posix_acl_access"] if at.endswith(path) else []

        refused = OSError(errno.ENOTSUP, "Operation not supported")
        with mock.patch.multiple(os, listxattr=names, getxattr=mock.DEFAULT, setxattr=mock.Mock(side_effect=refused)):
            with self.assertRaisesRegex(HostError, f"the access control list of .*{path} cannot be kept.*setfacl"):
                self.apply(bundle([], files=[env("abcdefgh")], adopt=[path]))
        self.assertEqual(self.host.tree(), before)

    def test_what_a_person_changed_since_stays_and_the_original_is_put_beside_it(self) -> None:
        self.host.install(API, FOREIGN)
        self.apply(ADOPTED)
        self.host.put(API, "[Service]\nExecStart=/bin/mine\n")
        receipt = self.apply(bundle([]))
        self.assertIn("so it stays; what was there before this scope is put beside it", receipt["warnings"][0])
        with open(self.host.at(API), encoding="utf-8") as source:
            self.assertIn("/bin/mine", source.read())
        with open(self.host.at(f"{API}.before-pulumi-systemd"), encoding="utf-8") as source:
            self.assertEqual(source.read(), FOREIGN)

    def test_it_stays_adopted_when_adopt_is_no_longer_asked_for(self) -> None:
        self.host.install(API, FOREIGN)
        before = self.host.tree()
        self.apply(ADOPTED)
        wanted = bundle([service("api.service", "other")])
        self.apply(wanted)
        self.apply(wanted, "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_drop_ins_of_a_person_stay_and_are_told(self) -> None:
        self.host.install(API, FOREIGN)
        self.host.put(f"{API}.d/override.conf", "[Service]\nNice=5\n")
        receipt = self.both_ways(ADOPTED)
        self.assertIn(f"stay: {API}.d/override.conf; `systemctl cat api.service`", receipt["warnings"][0])

    def test_an_alias_never_takes_the_name_of_another_unit(self) -> None:
        def named(alias: str) -> Bundle:
            return bundle([service("api.service", f"ok\n[Install]\nAlias=free.service\nAlias={alias}")])

        self.host.install(f"{VENDOR}/redis.service", FOREIGN)
        self.host.install(f"{ETC}/by-hand.service", FOREIGN)
        os.symlink(f"{VENDOR}/redis.service", self.host.at(f"{ETC}/cache.service"))
        self.apply(replace(bundle([service("theirs.service")]), scope="orders/prod/web1"))
        before = self.host.tree()
        for alias, told in (
            ("redis.service", f"is that of {VENDOR}/redis.service (a package's) on this host"),
            ("by-hand.service", f"is that of {ETC}/by-hand.service on this host"),
            ("cache.service", f"is that of {ETC}/cache.service on this host"),
            ("theirs.service", "belongs to orders/prod/web1, another scope on this host"),
        ):
            with self.assertRaises(HostError) as caught:
                self.apply(named(alias))
            told = f"api.service asks for the name {alias} (Alias=), and that {told}: choose another name, or free that one"
            self.assertEqual(str(caught.exception).splitlines()[1:], [f"  {told}"])
            self.assertEqual(self.host.tree(), before)
        wanted = named("mine.service")
        with self.assertRaisesRegex(HostError, "and that is a unit of this scope too"):
            self.apply(replace(wanted, units=[*wanted.units, service("mine.service")]))

    def test_also_never_names_a_unit_of_others(self) -> None:
        def also(names: str) -> Bundle:
            return bundle([service("api.service", f"ok\n[Install]\nAlso={names}"), service("b.service")])

        self.host.install(f"{VENDOR}/redis.service", FOREIGN)
        before = self.host.tree()
        with self.assertRaisesRegex(HostError, "  api.service: Also= names redis.service, which is not a unit of this"):
            self.apply(also("b.service redis.service"))
        self.assertEqual((self.host.tree(), self.verbs()), (before, []))
        self.assertEqual(self.apply(also("b.service"))["outcome"], "applied")

    def test_what_also_names_in_a_unit_that_goes_stays_enabled(self) -> None:
        self.host.install(f"{VENDOR}/redis.service", FOREIGN)
        before = self.host.tree()
        with mock.patch("pulumi_systemd_host.plan.plan_also"):
            self.apply(bundle([service("api.service", "ok\n[Install]\nAlso=redis.service")]))
        self.apply(bundle([]), "destroy")
        self.assertEqual(self.host.tree(), before)

    def test_an_alias_that_was_made_before_is_no_conflict(self) -> None:
        self.host.install(f"{VENDOR}/redis.service", FOREIGN)
        self.apply(bundle([service("api.service"), service("old.service")]))
        for target in ("api.service", "old.service"):
            link = self.host.at(f"{ETC}/redis.service")
            os.symlink(f"{ETC}/{target}", link)
            api = service("api.service", f"{target}\n[Install]\nAlias=redis.service", install=target)
            self.apply(bundle([api, service("old.service")]))
            os.unlink(link)

    def test_what_cannot_be_taken_over(self) -> None:
        os.makedirs(self.host.at(API))
        with self.assertRaisesRegex(HostError, "it is a directory") as caught:
            self.apply(ADOPTED)
        self.assertNotIn("adopt:", str(caught.exception))
        os.rmdir(self.host.at(API))
        self.host.fragments["api.service"] = "/run/systemd/transient/api.service"
        self.host.loaded["api.service"] = FOREIGN
        with self.assertRaisesRegex(HostError, "which systemd prefers to /etc/systemd/system/api.service"):
            self.apply(ADOPTED)


class TwoScopes(WithHost):
    OTHER = "orders/prod/web1"

    def other(self, units: list[Any], **changes: Any) -> Bundle:
        return replace(bundle(units, **changes), scope=self.OTHER)

    def test_paths_above_and_below_those_of_another(self) -> None:
        self.apply(bundle([], files=[File("/srv/a/b", 0o644, "x", False)]))
        for path, told in (("/srv/a/b/c", "lies under /srv/a/b"), ("/srv/a", "has /srv/a/b below it")):
            with self.assertRaisesRegex(HostError, f"{told}, which belongs to {SCOPE}, another scope"):
                self.apply(self.other([], files=[File(path, 0o644, "x", False)]))
        self.apply(self.other([], files=[File("/srv/a/c", 0o644, "x", False)]))

    def test_paths_of_another_through_links(self) -> None:
        os.makedirs(self.host.at("/srv/opt"))
        os.symlink("srv/opt", self.host.at("/opt"))
        for ours, theirs in (("/opt", "/srv/opt"), ("/srv/opt", "/opt")):
            self.apply(bundle([], files=[File(f"{ours}/a/b", 0o644, "x", False)]))
            for path, told in (
                ("a/b", "belongs to"),
                ("a/b/c", "lies under /srv/opt/a/b, which belongs to"),
                ("a", "has /srv/opt/a/b below it, which belongs to"),
            ):
                with self.assertRaisesRegex(HostError, f"{theirs}/{path} {told} {SCOPE}, another scope"):
                    self.apply(self.other([], files=[File(f"{theirs}/{path}", 0o644, "x", False)]))
            self.apply(self.other([], files=[File(f"{theirs}/c", 0o644, "x", False)]))

    def test_drop_ins_of_a_unit_of_another(self) -> None:
        template = unit("t@.service", "[Service]\nExecStart=/bin/t\n", enabled=False)
        self.apply(bundle([service("a.service"), service("b@1.service"), template]))
        files = (f"{ETC}/a.service", "/run/systemd/system/b@1.service", f"{ETC}/b@.service", f"{ETC}/t@x.service")
        for path, name in zip(files, ("a.service", "b@1.service", "b@1.service", "t@.service")):
            with self.assertRaisesRegex(HostError, f"{path}.d/x.conf changes {name}, which belongs to {SCOPE}, another"):
                self.apply(self.other([], files=[File(f"{path}.d/x.conf", 0o644, "[Unit]\n", False)]))
        for path in (f"{ETC}/a.socket", f"{ETC}/b@2.service", f"{ETC}/t.service", "/etc/a.service"):
            self.apply(self.other([], files=[File(f"{path}.d/x.conf", 0o644, "[Unit]\n", False)]))

    def test_a_home_of_another_account(self) -> None:
        self.apply(bundle([], users=[User("orders", "orders", "/var/lib/x")]))
        with self.assertRaisesRegex(HostError, "/var/lib/x as the home of shop is that of orders already"):
            self.apply(self.other([], users=[User("shop", "shop", "/var/lib/x")]))

    def test_a_purge_leaves_what_another_scope_uses(self) -> None:
        cases = [
            ("StateDirectory=shared:link x\n", "", "/var/lib/shared"),
            ("StateDirectory=shared/below\n", "", "/var/lib/shared/below"),
            ("", "[Service]\nStateDirectory=shared\n", "/var/lib/shared"),
            ("StateDirectory=other\n", "", ""),
        ]
        for named, drop_in, used in cases:
            self.setUp()
            ours = unit("a.service", "[Service]\n", enabled=False, purge=["/var/lib/shared"])
            theirs = unit("b.service", f"[Service]\n{named}", enabled=False)
            self.apply(bundle([ours]))
            self.apply(self.other([theirs]))
            self.host.put("/var/lib/shared/db", "data")
            if drop_in:
                self.host.put(f"{ETC}/b.service.d/x.conf", drop_in)
            with self.subTest(used):
                told = f"/var/lib/shared was not purged and stays: {self.OTHER}, another scope on this host, uses {used}"
                warnings = self.apply(bundle([ours]), "destroy")["warnings"]
                self.assertEqual(warnings, [told] if used else [])
                self.assertEqual("/var/lib/shared/db" in self.host.tree(), bool(used))

    def test_whoever_is_last_takes_away_what_both_used(self) -> None:
        for first in (0, 1):
            self.setUp()
            before = self.host.tree()
            user = User("orders", "orders", "/x")
            both = [
                bundle([service("a.service")], files=[File("/etc/shared/dir/a", 0o644, "x", False)], users=[user]),
                self.other([service("b.service")], files=[File("/etc/shared/dir/b", 0o644, "x", False)], users=[user]),
            ]
            for wanted in both:
                self.apply(wanted)
            self.apply(both[first], "destroy")
            self.assertIn("orders", self.host.accounts)
            self.apply(both[1 - first], "destroy")
            self.assertEqual((self.host.tree(), self.host.running, self.host.accounts), (before, {}, set()))


class Faults(WithHost):
    """Fails and kills the program at every step of taking over and of giving back."""

    def setUp(self) -> None:
        super().setUp()
        self.guarding = False
        for name in GUARDED:
            patch = mock.patch.object(os, name, self._guarded(getattr(os, name)))
            patch.start()
            self.addCleanup(patch.stop)
        journal = mock.patch("pulumi_systemd_host.recovery.write_quietly")
        journal.start()
        self.addCleanup(journal.stop)

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            if self.guarding:
                self.host.step()
            return None if call is REAL_FSYNC else call(*arguments, **options)

        return guarded

    def prepared(self) -> Bundle:
        WithHost.setUp(self)
        self.host.install(API, FOREIGN)
        self.host.install(f"{VENDOR}/nginx.service", FOREIGN)
        self.host.install(f"{ETC}/idle.service", FOREIGN, running=False, enabled=False)
        self.host.put("/etc/orders/api.env", "TOKEN=theirs-theirs\n", 0o640)
        units = [service("api.service"), service("nginx.service"), service("idle.service")]
        return bundle(units, files=[env("abcdefgh")], adopt=[*(each.path for each in units), env("x").path])

    def rest(self) -> tuple[dict[str, Any], dict[str, str]]:
        return without_own(self.host.tree()), self.host.running_set()

    def attempts(self, failure: BaseException, operation: str) -> int:
        at = 0
        while True:
            at += 1
            wanted = self.prepared()
            found = self.rest()
            if operation == "destroy":
                self.apply(wanted)
            before = self.rest()
            self.host.steps, self.host.fail_at, self.host.failure = 0, at, failure
            try:
                self.apply(wanted, operation)
                ended = True
            except (HostError, Crash):
                ended = False
            reached = self.host.steps >= at
            self.host.fail_at, self.host.dead = None, False
            if not reached:
                return at
            if not ended and not isinstance(failure, Crash):
                self.assertEqual(self.rest(), before, f"step {at}")
            self.apply(wanted)
            self.assertEqual(self.host.running_set(), {each.name: each.content for each in wanted.units})
            self.apply(wanted, "destroy")
            self.assertEqual(self.rest(), found, f"step {at}")
            self.assertFalse(os.path.lexists(self.host.at("/var/lib/pulumi-systemd")), f"step {at}")

    def test_every_step(self) -> None:
        for operation in ("apply", "destroy"):
            for failure in (Crash(), OSError(28, "No space left on device")):
                with self.subTest(f"{operation}, {type(failure).__name__}"):
                    self.assertGreater(self.attempts(failure, operation), 40)


if __name__ == "__main__":
    unittest.main()
