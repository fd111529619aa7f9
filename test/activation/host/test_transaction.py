from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import signal
import tarfile
import tempfile
import time
import unittest
from dataclasses import replace
from typing import Any, Callable, Iterator
from unittest import mock

from fake_systemd import ETC, Crash, FakeSystemd
from pulumi_systemd_host_under_test import encoded, unit

from pulumi_systemd_host import files
from pulumi_systemd_host.answer import forget_answers
from pulumi_systemd_host.bundle import Bundle, File, Release, Unit, User
from pulumi_systemd_host.errors import HostError, OverdueError
from pulumi_systemd_host.generations import Back
from pulumi_systemd_host.ledger import Leaving, read_ledger
from pulumi_systemd_host.redaction import Redactor
from pulumi_systemd_host.releases import uploads_beginning
from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.transaction import Transaction

SCOPE = "orders/dev/web1"
REAL_FSYNC = os.fsync
REAL_OPEN = os.open
# Renames over a file wait for a busy disk; these tests make some ten thousand.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
GUARDED = ("replace", "rename", "unlink", "mkdir", "rmdir", "symlink", "link", "utime", "fsync")


def service(name: str, text: str = "ok", **changes: Any) -> Unit:
    return unit(
        name, f"[Service]\nExecStart=/bin/{text}\n[Install]\nWantedBy=multi-user.target\n", restart=text, **changes
    )


def bundle(units: list[Unit], **changes: Any) -> Bundle:
    values: dict[str, Any] = {"users": [], "files": [], "releases": [], "transaction_sec": 100, "wait_sec": 10}
    return Bundle(scope=SCOPE, units=units, **{**values, **changes})


def env(text: str) -> File:
    return File("/etc/orders/api.env", 0o600, f'TOKEN="{text}"\n', True)


def without_own(tree: dict[str, Any]) -> dict[str, Any]:
    """What is on the host beside what this program keeps for itself."""
    return {path: value for path, value in tree.items() if not path.startswith("/var/lib/pulumi")}


class WithHost(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(dir=MEMORY)
        self.addCleanup(directory.cleanup)
        self.home = os.path.join(directory.name, "home")
        self.scratch = os.path.join(directory.name, "scratch")
        os.mkdir(self.home)
        self.host = FakeSystemd(os.path.join(directory.name, "root"))
        self.number = 0
        before = signal.getsignal(signal.SIGTERM)
        self.addCleanup(signal.signal, signal.SIGTERM, before)

    def apply(
        self, wanted: Bundle, operation: str = "apply", heard: bool = True, back: Back | None = None
    ) -> dict[str, Any]:
        self.number += 1
        wanted = replace(wanted, raw=encoded(wanted))
        scratch = f"{self.scratch}-{self.number}"
        os.mkdir(scratch)
        with open(os.path.join(scratch, "program.py"), "w", encoding="utf-8") as program:
            program.write("# the program\n")
        redactor = Redactor()
        transaction = Transaction(self.host, operation, wanted, f"t{self.number}", scratch, self.home, redactor, back)
        self.guarding = True
        try:
            receipt: dict[str, Any] = json.loads(transaction.run().to_json(redactor))
            if heard:
                forget_answers(transaction.kept)
        finally:
            self.guarding = False
        return receipt

    def fresh_host(self) -> None:
        directory = tempfile.TemporaryDirectory(dir=MEMORY)
        self.addCleanup(directory.cleanup)
        self.home, self.scratch = os.path.join(directory.name, "home"), os.path.join(directory.name, "scratch")
        os.mkdir(self.home)
        self.host = FakeSystemd(os.path.join(directory.name, "root"))

    def archive(self, text: str) -> Release:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as target:
            member = tarfile.TarInfo("bin/run")
            member.size, member.mode = len(text), 0o755
            target.addfile(member, io.BytesIO(text.encode()))
        digest = hashlib.sha256(data.getvalue()).hexdigest()
        with open(os.path.join(self.home, f"{digest}.tar"), "wb") as upload:
            upload.write(data.getvalue())
        name, upload = "orders", f"{digest}.tar"
        return Release(name, digest, upload, f"/opt/orders/releases/{digest[:8]}", "/opt/orders/current", 1)

    def verbs(self) -> list[str]:
        log, self.host.log = self.host.log, []
        return log


class Apply(WithHost):
    BOUND = "ok\n[Unit]\nBindsTo=api.service"

    def test_what_becomes_bound_to_a_unit_that_is_started_now_is_stopped_and_started_with_it(self) -> None:
        self.apply(bundle([service("front.service")]))
        self.verbs()
        front = replace(service("front.service", self.BOUND), on_change="none", binds_to=["api.service"])
        receipt = self.apply(bundle([service("api.service"), front]))
        self.assertEqual(sorted(self.host.running_set()), ["api.service", "front.service"])
        self.assertIn("BindsTo=api.service", self.host.running_set()["front.service"])
        self.assertEqual((self.verbs()[0], receipt["warnings"]), ("stop front.service", []))
        told = {each["action"]: each["reasons"] for each in receipt["actions"] if each["unit"] == "front.service"}
        why = "it becomes bound to api.service, which is not up yet"
        self.assertEqual(told, {"stop": [why], "start": ["restart digest differs", why]})

    def test_what_becomes_bound_to_a_unit_of_others_that_is_not_up_is_stopped_and_started(self) -> None:
        self.host.install("/usr/lib/systemd/system/api.service", "ok", running=False)
        self.apply(bundle([service("front.service")]))
        self.verbs()
        front = replace(service("front.service", self.BOUND), on_change="none", binds_to=["api.service"])
        self.apply(bundle([front]))
        self.assertEqual(self.verbs()[0], "stop front.service")
        self.assertIn("BindsTo=api.service", self.host.running_set()["front.service"])

    def test_what_becomes_of_units_that_were_not_touched_is_told(self) -> None:
        """One fails, one ends, one is started anew, an on-demand one is done, and one goes on."""
        names = ["ended.service", "failed.service", "same.service", "anew.service"]
        others = [service(name) for name in names] + [service("done.service", activation="on-demand")]
        self.apply(bundle([service("api.service"), *others]))
        self.host._start("start", "done.service")
        read = self.host.read_units

        def fall() -> None:
            read()
            for name in ("ended.service", "failed.service", "done.service", "anew.service"):
                self.host.running.pop(name)
            self.host.failed.add("failed.service")
            self.host._start("start", "anew.service")

        with mock.patch.object(self.host, "read_units", fall):
            receipt = self.apply(bundle([service("api.service", "ok2"), *others]))
        after = "during this update, which did not touch it"
        expected = [
            f"ended.service ended {after}",
            f"failed.service failed (exit-code) {after}",
            f"anew.service was started anew {after}",
        ]
        self.assertEqual((receipt["outcome"], receipt["warnings"]), ("applied", expected))

    def test_a_directory_that_cannot_be_removed_is_told_and_removed_by_the_next_run(self) -> None:
        """Some file systems need room to remove."""
        directory = self.host.at("/etc/gone/dir")
        self.apply(bundle([service("a.service")], files=[File(f"/etc/gone/dir/{name}", 0o644, "x", False) for name in "ab"]))
        real = os.rmdir

        def rmdir(path: str, **options: Any) -> None:
            if path == directory:
                raise OSError(errno.ENOSPC, "No space left on device", path)
            real(path, **options)

        with mock.patch.object(os, "rmdir", rmdir):
            receipt = self.apply(bundle([service("a.service")]))
        told = "tidying up did not succeed, the next run tries again: /etc/gone/dir, which is empty, cannot be removed"
        self.assertEqual(receipt["warnings"], [told])
        self.assertTrue(os.path.isdir(directory))
        self.assertEqual(self.apply(bundle([service("a.service")]))["warnings"], [])
        self.assertFalse(os.path.exists(os.path.dirname(directory)))

    def test_a_template_beside_an_instance_of_the_name_that_checks_use(self) -> None:
        template = service("x@.service", activation="on-demand", enabled=False)
        self.assertEqual(self.apply(bundle([template, service("x@verify.service")]))["outcome"], "applied")
        staged = os.listdir(os.path.join(f"{self.scratch}-1", "units"))
        self.assertEqual(sorted(staged), ["x@.service", "x@verify.service", "x@verifyx.service"])

    def test_long_names_that_begin_alike(self) -> None:
        names = [f"{start}{end}" for start in ("\u00e9" * 120, "x" * 200) for end in "ab"]
        wanted = bundle([], files=[File(f"/etc/long/{name}", 0o644, name, False) for name in names])
        self.assertEqual(self.apply(wanted)["outcome"], "applied")
        self.assertEqual(sorted(os.listdir(self.host.at("/etc/long"))), sorted(names))

    def test_an_account_that_cannot_be_removed_is_told_and_removed_by_the_next_run(self) -> None:
        """A process of it is left. Wanted again, it is ours as before."""
        wanted, gone = bundle([], users=[User("orders", "orders", "/x")]), bundle([])
        self.apply(wanted)
        run = self.host.run

        def in_use(argv: list[str], *arguments: Any, **options: Any) -> Any:
            if argv[0] in ("userdel", "groupdel"):
                return Completed(8, "", f"{argv[0]}: user orders is currently used by process 7\n")
            return run(argv, *arguments, **options)

        for last in (wanted, gone):
            with mock.patch.object(self.host, "run", in_use):
                for _ in range(2):
                    told = self.apply(gone)["warnings"][0]
                    self.assertEqual(told, "user orders could not be removed: userdel: user orders is currently used by process 7")
            self.assertEqual(self.apply(last)["warnings"], [])
            self.assertEqual(self.host.accounts, {"orders"} if last is wanted else set())
        ledger = read_ledger(self.host, SCOPE)
        self.assertEqual(ledger and ledger.leaving, Leaving())

    def test_first_apply_then_nothing(self) -> None:
        wanted = bundle(
            [service("api.service", restart_on_files=[env("x").path])],
            files=[env("abcdefgh")],
            users=[User("orders", "orders", "/x")],
        )
        receipt = self.apply(wanted)
        self.assertEqual((receipt["outcome"], receipt["generation"], receipt["daemonReloads"]), ("applied", 1, 1))
        self.assertEqual(
            self.verbs(), ["enable api.service", "daemon-reload", "reset-failed api.service", "start api.service"]
        )
        self.assertEqual(self.host.tree()["/etc/orders/api.env"][0], "0o100600")
        before = self.host.tree()
        receipt = self.apply(wanted)
        self.assertEqual((receipt["outcome"], receipt["generation"], receipt["actions"]), ("unchanged", 1, []))
        self.assertEqual((self.verbs(), self.host.tree()), ([], before))

    def test_what_was_disabled_by_hand_stays_so_while_another_unit_is_disabled(self) -> None:
        a, b, c = service("a.service"), service("b.service"), service("c.service")
        self.apply(bundle([a, b, c]))
        link = self.host.at(f"{ETC}/multi-user.target.wants/a.service")
        os.unlink(link)
        self.host.running.pop("a.service")
        self.verbs()
        receipt = self.apply(bundle([a, replace(b, enabled=False), c]))
        self.assertIn("a.service was disabled by hand and was left so", receipt["warnings"])
        self.assertFalse(os.path.lexists(link))
        self.assertEqual(self.verbs()[:2], ["disable b.service", "enable c.service"])

    def test_a_drop_in_among_the_files_is_read_when_it_comes_changes_goes_and_is_given_back(self) -> None:
        def with_drop_in(text: str) -> Bundle:
            path = f"{ETC}/a.service.d/x.conf"
            return bundle([service("a.service")], files=[File(path, 0o644, text, False)], adopt=[path])

        without = bundle([service("a.service")])
        self.apply(without)
        for wanted in (with_drop_in("[Service]\n"), with_drop_in("[Service]\nNice=1\n"), without):
            self.verbs()
            receipt = self.apply(wanted)
            self.assertEqual((self.verbs(), receipt["daemonReloads"]), (["daemon-reload"], 1))
        self.host.put(f"{ETC}/a.service.d/x.conf", "[Service]\nNice=2\n")
        self.apply(with_drop_in("[Service]\n"))
        self.verbs()
        self.assertEqual((self.apply(without)["daemonReloads"], self.verbs()), (1, ["daemon-reload"]))

    def test_links_that_a_person_made_stay_when_install_changes(self) -> None:
        def both(install: str) -> Bundle:
            template = unit("t@.service", f"[Service]\nExecStart=/bin/t\n{install}", install=install, activation="on-demand")
            return bundle([unit("a.service", f"[Service]\nExecStart=/bin/a\n{install}", install=install), template])

        def links() -> dict[str, str]:
            return {path: to for path, to in self.host.tree().items() if ".wants/" in path and "pulumi" not in path}

        def link(path: str, to: str) -> None:
            os.makedirs(os.path.dirname(self.host.at(f"{ETC}/{path}")), exist_ok=True)
            os.symlink(f"{ETC}/{to}", self.host.at(f"{ETC}/{path}"))

        self.apply(both("[Install]\nWantedBy=multi-user.target old.target\nDefaultInstance=1\n"))
        link("old.target.wants/a.service", "a.service")
        link("old.target.wants/t@1.service", "t@.service")
        link("backup.target.wants/a.service", "a.service")
        link("multi-user.target.wants/t@by-hand.service", "t@.service")
        before = links()
        after = both("[Install]\nWantedBy=multi-user.target\n")
        with self.assertRaisesRegex(HostError, "back on its previous state"):
            self.apply(replace(after, units=[*after.units, service("b.service", "bad")]))
        self.assertEqual(links(), before)
        self.apply(after)
        kept = ("backup.target.wants/a.service", "multi-user.target.wants/t@by-hand.service")
        made = ("multi-user.target.wants/a.service", "multi-user.target.wants/t@.service")
        self.assertEqual(sorted(links()), sorted(f"{ETC}/{path}" for path in (*kept, *made)))

    def test_links_that_a_specifier_of_the_old_install_may_have_made_go_and_are_told(self) -> None:
        def service_of(install: str) -> Bundle:
            text = f"[Service]\nExecStart=/bin/a\n[Install]\nWantedBy={install}\n"
            return bundle([unit("a.service", text, install=install)])

        self.apply(service_of("%p.target"))
        os.makedirs(self.host.at(f"{ETC}/a.target.wants"))
        os.symlink(f"{ETC}/a.service", self.host.at(f"{ETC}/a.target.wants/a.service"))
        receipt = self.apply(service_of("multi-user.target"))
        self.assertNotIn(f"{ETC}/a.target.wants/a.service", self.host.tree())
        told = "whether a person made these is not known, so they go: "
        self.assertRegex(receipt["warnings"][0], f"^a.service: .*{told}[^ ]*{ETC}/a.target.wants/a.service$")

    def test_a_secret_file_restarts_and_never_shows(self) -> None:
        api = service("api.service", restart_on_files=[env("x").path])
        self.apply(bundle([api], files=[env("first-value")]))
        self.verbs()
        receipt = self.apply(bundle([api], files=[env("second-value")]))
        self.assertEqual(receipt["actions"][0]["action"], "restart")
        self.assertEqual(receipt["daemonReloads"], 0)
        self.assertNotRegex(json.dumps(receipt), "first-value|second-value|[0-9a-f]{64}")

    def test_a_fifo_in_place_of_a_secret_is_not_waited_for(self) -> None:
        api = service("api.service", restart_on_files=[env("x").path])
        self.apply(bundle([api], files=[env("first-value")]))
        path = self.host.at(env("x").path)
        os.unlink(path)
        os.mkfifo(path)

        def overdue(*_: Any) -> None:
            raise AssertionError("it waits for the FIFO")

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, overdue))
        signal.alarm(20)
        self.addCleanup(signal.alarm, 0)
        with self.assertRaisesRegex(HostError, "api.env is a special file by now"):
            self.apply(bundle([api], files=[env("second-value")]))

    def test_a_unit_that_fails_puts_everything_back(self) -> None:
        self.apply(bundle([service("a.service"), service("b.service")], files=[env("first-value")]))
        before, running = self.host.tree(), dict(self.host.running)
        wanted = bundle(
            [service("a.service"), service("b.service", "bad"), service("c.service")],
            files=[env("second-value"), File("/etc/new/dir/file", 0o644, "x", False)],
            users=[User("orders", "orders", "/x")],
        )
        with self.assertRaisesRegex(
            HostError, "(?s)b.service did not come up.*back on its previous state .generation 1"
        ):
            self.apply(wanted)
        self.assertEqual(self.host.tree(), before)
        self.assertEqual(self.host.running_set(), {name: text for name, (text, _) in running.items()})
        self.assertEqual(self.host.running["a.service"], running["a.service"])
        self.assertEqual(self.host.accounts, set())

    def test_units_that_the_change_did_not_touch_stay_as_they_became_meanwhile(self) -> None:
        """A person restarts one and stops one while the change waits to be confirmed."""
        others = [service(name) for name in ("anew.service", "ended.service", "same.service")]
        self.apply(bundle([service("a.service"), *others]))
        became: dict[str, Any] = {}
        sleep = self.host.sleep

        def meanwhile(seconds: float) -> None:
            sleep(seconds)
            if not became:
                self.host.running.pop("ended.service")
                self.host.running.pop("anew.service")
                self.host._start("start", "anew.service")
                became.update(self.host.running)
                self.verbs()

        with mock.patch.object(self.host, "sleep", meanwhile), self.assertRaises(HostError) as caught:
            self.apply(bundle([service("a.service", "ok2"), *others], confirm_sec=5))
        for name in ("anew.service", "same.service"):
            self.assertEqual(self.host.running[name], became[name])
        self.assertEqual(sorted(self.host.running), ["a.service", "anew.service", "same.service"])
        self.assertFalse([verb for verb in self.verbs() if "anew" in verb or "ended" in verb])
        self.assertIn("Left as it is: ended.service ended meanwhile (", str(caught.exception))

    def test_what_stopped_with_a_unit_of_the_change_is_started_again_by_the_way_back(self) -> None:
        front = "[Unit]\nRequires=api.service\n[Service]\nExecStart=/bin/front\n"
        self.apply(bundle([service("api.service")]))
        for name, text in (("front.service", front), ("other.service", "x")):
            self.host.install(f"/usr/lib/systemd/system/{name}", text)
        before = self.host.running_set()
        start = self.host._start

        def conflict(verb: str, name: str) -> bool:
            self.host.running.pop("other.service" if "other.service" in self.host.loaded[name] else "", None)
            return start(verb, name)

        wanted = bundle([service("api.service", "bad\n[Unit]\nConflicts=other.service")])
        with mock.patch.object(self.host, "_start", conflict), self.assertRaisesRegex(HostError, "did not come up"):
            self.apply(wanted)
        self.assertEqual(self.host.running_set(), before)

    def test_what_a_failed_change_pulled_up_goes_down_again_unless_others_may_need_it(self) -> None:
        """Units of others, and an idle one of ours with what that requires; one of them is used by what runs."""
        helper = unit("helper.service", "[Unit]\nRequires=b.service\n", activation="on-demand", enabled=False)
        self.apply(bundle([helper]))
        for name in ("a.service", "b.service", "used.service"):
            self.host.install(f"/usr/lib/systemd/system/{name}", "x", running=False, enabled=False)
        self.host.install("/usr/lib/systemd/system/user.service", "y\nRequires=used.service\n", enabled=False)
        self.host.running.pop("used.service")
        before = self.host.running_set()
        requires = "".join(f"Requires={name}.service\n" for name in ("a", "used", "helper"))
        wanted = bundle([helper, unit("api.service", f"[Unit]\n{requires}[Service]\nExecStart=/bin/bad\n")])
        with self.assertRaises(HostError) as caught:
            self.apply(wanted)
        self.assertEqual(self.host.running_set(), {**before, "used.service": "x"})
        left = "Left as it is: used.service was started with this change and stays up, since user.service may need it."
        self.assertEqual([line for line in str(caught.exception).splitlines() if "Left" in line], [left])
        self.assertIn("back on its previous state", str(caught.exception))

    def test_what_runs_already_is_not_stopped_though_a_failed_change_requires_it(self) -> None:
        self.host.install("/usr/lib/systemd/system/a.service", "x", enabled=False)
        before = dict(self.host.running)
        with self.assertRaises(HostError):
            self.apply(bundle([unit("api.service", "[Unit]\nRequires=a.service\n[Service]\nExecStart=/bin/bad\n")]))
        self.assertEqual(self.host.running, before)

    def test_before_the_switch_no_unit_is_taken_back(self) -> None:
        """A person restarts one that is to change and starts one that is idle, and the preparation fails."""
        idle = service("idle.service", activation="on-demand")
        self.apply(bundle([service("api.service"), idle]))
        self.verbs()

        def meanwhile(*_arguments: Any) -> None:
            self.host.running.pop("api.service")
            self.host._start("start", "api.service")
            self.host._start("start", "idle.service")
            raise HostError("no archive")

        changed = [service("api.service", "ok2"), replace(service("idle.service", "ok2"), activation="on-demand")]
        with mock.patch("pulumi_systemd_host.staging.keep_archive", meanwhile), self.assertRaisesRegex(HostError, "no ar"):
            self.apply(bundle(changed, releases=[self.archive("x")]))
        self.assertEqual((sorted(self.host.running), self.verbs()), (["api.service", "idle.service"], []))

    def test_a_start_that_waits_in_the_queue_of_systemd_is_cancelled_by_the_way_back(self) -> None:
        helper = service("helper.service", activation="on-demand", enabled=False)
        self.apply(bundle([helper]))
        run, show = self.host.run, self.host._show
        queued: set[str] = set()

        def late(argv: list[str], *arguments: Any, **options: Any) -> Any:
            if argv[:2] == ["systemctl", "start"]:
                queued.update(argv[3:])
                raise OverdueError("no end after 10 s")
            if "stop" in argv:
                queued.difference_update(argv)
            return run(argv, *arguments, **options)

        def shown(name: str) -> str:
            return show(name) + ("Job=77\n" if name in queued else "")

        with mock.patch.object(self.host, "run", late), mock.patch.object(self.host, "_show", shown):
            with self.assertRaisesRegex(HostError, "not ready in time"):
                self.apply(bundle([replace(helper, activation="started")]))
        self.assertEqual((queued, self.host.running), (set(), {}))

    def test_instances_change_one_by_one(self) -> None:
        def instances(text: str) -> list[Unit]:
            return [service(f"a@{number}.service", text) for number in (1, 2, 10)]

        self.apply(bundle([*instances("ok"), service("b.service")]))
        self.verbs()
        self.apply(bundle([*instances("new"), service("b.service", "new")]))
        self.assertEqual(
            [line for line in self.verbs() if line.startswith("restart")],
            ["restart b.service", "restart a@1.service", "restart a@2.service", "restart a@10.service"],
        )
        running = dict(self.host.running)
        wanted = instances("newer")
        wanted[1] = service("a@2.service", "bad")
        told = "(?s)a@2.service did not come up; it was instance 2 of 3 .*; the 1 after it was not touched.*back on its"
        with self.assertRaisesRegex(HostError, told):
            self.apply(bundle([*wanted, service("b.service", "new")]))
        self.assertEqual(
            [line for line in self.verbs() if line.startswith("restart")],
            ["restart a@1.service", "restart a@2.service", "restart a@1.service", "restart a@2.service"],
        )
        self.assertEqual(self.host.running_set(), {name: text for name, (text, _) in running.items()})
        for name in ("a@10.service", "b.service"):
            self.assertEqual(self.host.running[name], running[name])

    def test_connections_at_work_are_left_to_finish(self) -> None:
        """Each has an instance that cannot be started without it."""

        def echo(text: str) -> Bundle:
            template = unit("echo@.service", f"[Service]\nExecStart=/bin/{text}\n", restart=text, activation="on-demand")
            socket = unit("echo.socket", "[Socket]\nAccept=yes\nListenStream=1\n")
            return bundle([service("a.service", text), socket, replace(template, enabled=False)])

        self.apply(echo("ok"))
        connected = ("the process", "c" * 32)
        self.host.running["echo@3-10-0.service"] = connected
        receipt = self.apply(echo("new"))
        why = "connections at work are left to finish; the next one takes the change"
        self.assertIn({"unit": "echo@.service", "action": "reload-manager", "reasons": [why]}, receipt["actions"])
        self.assertEqual(self.host.running["echo@3-10-0.service"], connected)
        read = self.host.read_units

        def end() -> None:
            read()
            self.host.running.pop("echo@3-10-0.service", None)

        with mock.patch.object(self.host, "read_units", end):
            with self.assertRaisesRegex(HostError, "(?s)a.service did not come up.*The host is back on its previous state"):
                self.apply(echo("bad"))
        self.host.running["echo@4-10-0.service"] = connected
        receipt = self.apply(echo("new"), "destroy")
        self.assertIn("stop echo@4-10-0.service", [f"{each['action']} {each['unit']}" for each in receipt["actions"]])
        self.assertEqual(self.host.running, {})

    def test_destroy_leaves_nothing(self) -> None:
        before = self.host.tree()
        release = self.archive("#!/bin/sh\n")
        wanted = bundle(
            [service("api.service", restart_on_releases=["orders"]), unit("t.timer", "[Timer]\nPersistent=yes\n")],
            files=[env("abcdefgh")],
            users=[User("orders", "orders", "/x")],
            releases=[release],
        )
        self.apply(wanted)
        self.assertEqual(self.host.tree()["/opt/orders/current"], release.directory)
        self.assertEqual(os.listdir(self.home), [])
        receipt = self.apply(wanted, "destroy")
        self.assertEqual(receipt["outcome"], "destroyed")
        self.assertEqual((self.host.tree(), self.host.running, self.host.accounts), (before, {}, set()))
        self.assertEqual(self.apply(wanted, "destroy")["actions"], [])

    def test_a_group_that_an_admin_made_beside_an_account_that_was_there_stays(self) -> None:
        self.host.accounts, self.host.groupless = {"orders"}, {"orders"}
        wanted = bundle([], files=[env("abcdefgh")], users=[User("orders", "orders", "/x"), User("new", "shared", "/y")])
        self.apply(wanted)
        ledger = read_ledger(self.host, SCOPE)
        self.assertEqual(ledger and ledger.groups, {"orders": False, "shared": True})
        self.host.groups.add("orders")
        self.apply(wanted, "destroy")
        self.assertEqual((self.host.accounts, self.host.groups), ({"orders"}, {"orders"}))

    def test_a_timer_that_fires_while_it_goes_leaves_nothing_running(self) -> None:
        wanted = bundle([service("t.service", activation="on-demand"), unit("t.timer", "[Timer]\nPersistent=yes\n")])
        self.apply(wanted)
        self.host.fires = "t.timer"
        receipt = self.apply(wanted, "destroy")
        self.assertEqual((receipt["outcome"], self.host.running), ("destroyed", {}))

    def test_releases_of_kept_generations_stay(self) -> None:
        api = service("api.service", restart_on_releases=["orders"])
        releases = [self.archive(f"#!/bin/sh\n# {i}\n") for i in range(3)]
        for release in releases:
            self.apply(bundle([api], releases=[release], keep_generations=2))
        tree = self.host.tree()
        self.assertEqual([release.directory in tree for release in releases], [False, True, True])
        self.apply(bundle([api], releases=[releases[1]]))
        self.assertEqual(self.host.tree()["/opt/orders/current"], releases[1].directory)

    def test_what_was_uploaded_since_the_run_began_stays_for_the_next_one(self) -> None:
        """It waits for the lock meanwhile, with another archive or the same."""
        self.apply(bundle([service("api.service")]))
        release = self.archive("#!/bin/sh\n")
        uploads = {release.upload: b"", f"{uploads_beginning(SCOPE)}{'f' * 64}.tar": b""}
        with open(os.path.join(self.home, release.upload), "rb") as upload:
            uploads[release.upload] = upload.read()
        read = self.host.read_units

        def next_run() -> None:
            read()
            time.sleep(0.02)
            for name, content in uploads.items():
                with open(os.path.join(self.home, name), "wb") as upload:
                    upload.write(content)
                os.utime(os.path.join(self.home, name), (1000, 1000))

        wanted = bundle([service("api.service", "ok2")], releases=[release])
        for operation in ("apply", "destroy"):
            with mock.patch.object(self.host, "read_units", next_run):
                self.apply(wanted, operation)
            self.assertEqual(sorted(os.listdir(self.home)), sorted(uploads))
        self.apply(wanted)
        self.assertEqual(os.listdir(self.home), [])

    def test_an_archive_with_another_digest(self) -> None:
        release = self.archive("#!/bin/sh\n")
        before = self.host.tree()
        with open(os.path.join(self.home, release.upload), "ab") as upload:
            upload.write(b"more")
        with self.assertRaisesRegex(HostError, "has SHA-256"):
            self.apply(bundle([service("api.service")], releases=[release]))
        self.assertEqual(self.host.tree(), before)

    def test_an_upload_that_is_a_link(self) -> None:
        release = self.archive("#!/bin/sh\n")
        path = os.path.join(self.home, release.upload)
        os.rename(path, f"{path}.real")
        os.symlink(f"{path}.real", path)
        with self.assertRaisesRegex(HostError, "cannot be read"):
            self.apply(bundle([service("api.service")], releases=[release]))

    def test_foreign_content_stops_it_before_anything_is_written(self) -> None:
        self.host.put(f"{ETC}/api.service", "somebody's")
        before = self.host.tree()
        with self.assertRaisesRegex(HostError, "is already there and was not written by this scope"):
            self.apply(bundle([service("api.service")], files=[env("abcdefgh")]))
        self.assertEqual((self.host.tree(), self.verbs()), (before, []))

    def test_two_scopes_keep_apart(self) -> None:
        self.apply(bundle([service("api.service")]))
        with self.assertRaisesRegex(HostError, "belongs to orders/dev/web1, another scope"):
            self.apply(replace(bundle([service("api.service")]), scope="orders/prod/web1"))

    def test_a_damaged_ledger_is_named(self) -> None:
        self.apply(bundle([service("api.service")]))
        self.host.put(f"/var/lib/pulumi-systemd/{SCOPE}/ledger.json", '{"format": 1}')
        with self.assertRaisesRegex(HostError, "ledger.json is damaged"):
            self.apply(bundle([service("api.service")]))

    def test_a_changed_timer_is_stopped_while_systemd_reads_it(self) -> None:
        timer = "[Timer]\nOnCalendar=03:00\nPersistent=true\n"
        self.apply(bundle([unit("t.timer", timer)]))
        self.verbs()
        receipt = self.apply(bundle([unit("t.timer", timer.replace("3", "4"), restart="2")]))
        self.assertEqual(self.verbs(), ["stop t.timer", "daemon-reload", "reset-failed t.timer", "start t.timer"])
        self.assertEqual([action["action"] for action in receipt["actions"]], ["restart"])


class Switched(WithHost):
    """What becomes of a transaction that has begun to change the host."""

    def changed(self) -> Bundle:
        """A change to make, on a host that has a state; `before` is that one."""
        self.apply(bundle([service("a.service"), service("b.service")], files=[env("first-value")]))
        self.before = self.host.tree(), self.host.running_set()
        return bundle([service("a.service", "other"), service("c.service")], files=[env("second-value")])

    def test_a_fault_on_the_way_back_is_told_and_the_rest_of_it_goes_on(self) -> None:
        wanted = self.changed()
        tree, running = self.before
        patches = mock.patch("pulumi_systemd_host.pending._restore_links", side_effect=MemoryError)
        stop = mock.patch("pulumi_systemd_host.switching._watch", side_effect=RuntimeError("can't start\na thread"))
        with patches, stop, mock.patch("pulumi_systemd_host.transaction.write_quietly"):
            with self.assertRaisesRegex(HostError, "a fault.*: RuntimeError: can't start a thread\n") as caught:
                self.apply(wanted)
        self.assertRegex(str(caught.exception), "not back are:\n  a fault in .* program: MemoryError\n")
        self.assertEqual(self.host.running_set(), running)
        for path in (f"{ETC}/a.service", f"{ETC}/b.service", "/etc/orders/api.env"):
            self.assertEqual(self.host.tree()[path], tree[path])

    def test_a_failure_of_the_last_step_is_taken_back_unless_the_new_state_counts_already(self) -> None:
        write = files.write_atomically
        for full in (False, True):
            with self.subTest(full):
                self.fresh_host()
                wanted = self.changed()
                broken = [OSError(5, "Input/output error", "ledger.json")]

                def written(path: str, *arguments: Any) -> None:
                    """Its first write fails after the rename, in the sync of the directory."""
                    if full and not broken:
                        raise OSError(28, "No space left on device", path)
                    write(path, *arguments)
                    if broken:
                        raise broken.pop()

                with mock.patch("pulumi_systemd_host.ledger.write_atomically", written):
                    with self.assertRaisesRegex(HostError, "ledger.json: Input/output error\n") as caught:
                        self.apply(wanted)
                self.assertNotIn("nothing was changed", str(caught.exception))
                if full:
                    self.assertRegex(str(caught.exception), "stays on the new state.*/ledger.json: No space left")
                    self.assertRegex(" ".join(self.apply(wanted)["warnings"]), "after its new state counted")
                    self.assertEqual(sorted(self.host.running), ["a.service", "c.service"])
                else:
                    self.assertRegex(str(caught.exception), "is back on its previous state")
                    # It was written anew, with the content that it had.
                    tree, now = self.before[0], self.host.tree()
                    ledger = f"/var/lib/pulumi-systemd/{SCOPE}/ledger.json"
                    self.assertEqual(tree.pop(ledger)[2], now.pop(ledger)[2])
                    self.assertEqual((now, self.host.running_set()), (tree, self.before[1]))

    def test_nothing_was_changed_is_told_only_of_what_had_not_begun(self) -> None:
        wanted = self.changed()
        for step, told in (("observe", "; nothing was changed on the host"), ("tidy", "")):
            with mock.patch(f"pulumi_systemd_host.transaction.{step}", side_effect=OSError(28, "No space left", "x")):
                with self.subTest(step), self.assertRaisesRegex(HostError, f"^x: No space left{told}$"):
                    self.apply(wanted)

    def test_what_is_not_back_is_told_with_its_path(self) -> None:
        wanted = self.changed()
        wanted = replace(wanted, units=[*wanted.units, service("bad.service", "bad")])
        problems = [OSError(28, "No space left"), MemoryError(), OSError(28, "No space left", "/etc/.temporary")]
        with mock.patch("pulumi_systemd_host.pending.restore_path", side_effect=[*problems, *[False] * 9]):
            with self.assertRaisesRegex(HostError, "not back are:") as caught:
                self.apply(wanted)
        told = str(caught.exception).split("not back are:")[1].splitlines()[1:4]
        self.assertEqual(told[0], "  /etc/orders/api.env: No space left")
        self.assertRegex(told[1], "^  /etc/systemd/system/a.service: a fault in .*: MemoryError$")
        self.assertRegex(told[2], "^  /etc/systemd/system/.*.service: /etc/.temporary: No space left$")

    def test_a_disk_that_stays_full_from_any_step_on_has_room_for_the_way_back(self) -> None:
        taken_back = 0
        for at in range(1, 200):
            self.fresh_host()
            wanted = self.changed()
            steps = 0

            def full_from(call: Callable[..., Any]) -> Callable[..., Any]:
                def guarded(*arguments: Any, **options: Any) -> Any:
                    nonlocal steps
                    if self.guarding and (call is not REAL_OPEN or arguments[1] & os.O_EXCL):
                        steps += 1
                        if steps >= at:
                            raise OSError(errno.ENOSPC, "No space left on device")
                    return call(*arguments, **options)

                return guarded

            with contextlib.ExitStack() as patches:
                for name in ("open", "write", "symlink", "mkdir", "link"):
                    patches.enter_context(mock.patch.object(os, name, full_from(getattr(os, name))))
                try:
                    self.apply(wanted)
                    break
                except HostError as problem:
                    taken_back += "is back on its previous state" in str(problem)
            now, before = self.host.tree(), self.before[0]
            self.assertEqual(without_own(now), without_own(before), f"step {at}")
            self.assertEqual(self.host.running_set(), self.before[1], f"step {at}")
            self.assertNotIn(f"/var/lib/pulumi-systemd/{SCOPE}/pending", now, f"step {at}")
        self.assertGreater(taken_back, 5)

    def test_a_sigterm_while_another_failure_is_on_its_way_is_taken_back_too(self) -> None:
        class Late(Transaction):
            """The signal comes right before the program stops listening to it."""

            comes = False

            def __setattr__(self, name: str, value: Any) -> None:
                if name == "interruptible" and self.comes:
                    Late.comes = False
                    self._interrupted(signal.SIGTERM, None)
                super().__setattr__(name, value)

            def _tell_swaps(self) -> None:
                Late.comes = True
                raise HostError("it failed")

        wanted = self.changed()
        with mock.patch(f"{__name__}.Transaction", Late):
            with self.assertRaisesRegex(HostError, "told to end(.|\n)*back on its previous state"):
                self.apply(wanted)
        self.assertEqual((self.host.tree(), self.host.running_set()), self.before)


class Faults(WithHost):
    """Fails and kills the program at every one of its steps; the host must end as before, or as asked."""

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
            # A real sync would only cost time: no power is cut here.
            return None if call is REAL_FSYNC else call(*arguments, **options)

        return guarded

    def scenario(self) -> tuple[Bundle, Bundle]:
        first, second = self.archive("#!/bin/sh\n# 1\n"), self.archive("#!/bin/sh\n# 2\n")
        a = service("a.service", restart_on_releases=["orders"])
        before = bundle(
            [a, service("b.service"), service("same.service"), unit("t.timer", "[Timer]\nOnCalendar=daily\n")],
            files=[env("first-value"), File("/etc/gone/file", 0o640, "x", False)],
            releases=[first],
        )
        after = bundle(
            [a, service("b.service", "other"), service("same.service"), service("new.service")],
            files=[env("second-value"), File("/etc/added/dir/file", 0o644, "y", False)],
            releases=[second],
            users=[User("orders", "orders", "/x")],
        )
        return before, after

    def attempts(self, failure: Callable[[], BaseException]) -> Iterator[tuple[int, Bundle, Bundle, bool]]:
        """Runs the scenario once per step with a failure there, each time on a fresh host, until no step is left."""
        at = 0
        while True:
            at += 1
            self.fresh_host()
            before, after = self.scenario()
            self.apply(before)
            self.tree, self.running = self.host.tree(), self.host.running_set()
            self.same = self.host.running["same.service"]
            self.host.steps, self.host.fail_at, self.host.failure = 0, at, failure()
            try:
                self.apply(after)
                ended = True
            except (HostError, Crash, MemoryError):
                ended = False
            reached = self.host.steps >= at
            self.host.fail_at, self.host.dead = None, False
            if not reached:
                return
            yield at, before, after, ended

    def assert_as_before(self, at: int) -> None:
        self.assertEqual(without_own(self.host.tree()), without_own(self.tree), f"step {at}")
        self.assertEqual(self.host.running_set(), self.running, f"step {at}")
        self.assertEqual(self.host.running["same.service"], self.same, f"step {at}")
        self.assertEqual(self.host.accounts, set(), f"step {at}")

    def assert_as_asked(self, after: Bundle, at: int) -> None:
        tree = self.host.tree()
        for wanted in after.units:
            self.assertEqual(tree[wanted.path][2], wanted.digests.file, f"step {at}")
        self.assertEqual(sorted(self.host.running), sorted(unit.name for unit in after.units), f"step {at}")
        self.assertNotIn("/etc/gone", tree)
        self.assertEqual(self.host.running["same.service"], self.same, f"step {at}")
        self.assertEqual(tree["/opt/orders/current"], after.releases[0].directory)
        self.assertNotIn(f"/var/lib/pulumi-systemd/{SCOPE}/pending", tree)

    def test_a_kill_at_every_step_is_undone_by_the_next_run(self) -> None:
        count = 0
        for at, before, after, ended in self.attempts(Crash):
            count += 1
            ledger = read_ledger(self.host, SCOPE)
            committed = ledger is not None and ledger.generation == 2
            if ended or committed:
                self.apply(after)
                self.assert_as_asked(after, at)
            elif at % 2:
                self.apply(before)
                self.assert_as_before(at)
            else:
                self.apply(after)
                self.assert_as_asked(after, at)
            leftovers = [path for path in self.host.tree() if "pulumi-systemd-t" in path]
            self.assertEqual(leftovers, [], f"step {at}")
        self.assertGreater(count, 60)

    def test_an_error_at_every_step_is_undone_at_once(self) -> None:
        self.assert_undone_at_every_step(lambda: OSError(28, "No space left on device"))

    def test_a_fault_of_the_program_at_every_step_is_undone_at_once(self) -> None:
        with mock.patch("pulumi_systemd_host.transaction.write_quietly") as journal:
            self.assert_undone_at_every_step(MemoryError)
        self.assertRegex(journal.call_args_list[0].args[1], "Traceback(.|\n)*MemoryError")

    def assert_undone_at_every_step(self, failure: Callable[[], BaseException]) -> None:
        count = 0
        for at, _before, after, ended in self.attempts(failure):
            count += 1
            ledger = read_ledger(self.host, SCOPE)
            if ended or (ledger and ledger.generation == 2):
                self.apply(after)
                self.assert_as_asked(after, at)
            else:
                self.assert_as_before(at)
                self.assertNotIn(f"/var/lib/pulumi-systemd/{SCOPE}/pending", self.host.tree())
        self.assertGreater(count, 60)


if __name__ == "__main__":
    unittest.main()
