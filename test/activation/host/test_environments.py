from __future__ import annotations

import errno
import os
import sys
import tempfile
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from pulumi_systemd_host_under_test import ScriptedSystem, sha, unit

from pulumi_systemd_host.bundle import Bundle, Environment, Hook, Release, Upload
from pulumi_systemd_host.environment_target import Target, environment_target, link_target
from pulumi_systemd_host.environments import build, build_script, index_secrets, seal
from pulumi_systemd_host.errors import HostError
from pulumi_systemd_host.files import Found
from pulumi_systemd_host.generation import next_releases
from pulumi_systemd_host.hooks import with_staged_files
from pulumi_systemd_host.interpreters import Interpreter
from pulumi_systemd_host.ledger import Ledger, LedgerRelease
from pulumi_systemd_host.plan import plan
from pulumi_systemd_host.plan_shape import Observation
from pulumi_systemd_host.system import Completed
from pulumi_systemd_host.units import Units
from pulumi_systemd_host.work import Work

LOCK = [("requirements.txt", "flask==3.0.0\n")]
ENVIRONMENT = Environment(
    digest=sha("lock"),
    directory="/opt/app/environments",
    lock_kind="requirements",
    inputs=LOCK,
    hashed=True,
    python=None,
    installer="auto",
    uv=None,
    wheelhouse=None,
    wheel=None,
    pip_conf=None,
    uv_toml=None,
    build_sec=600,
)
RELEASE = Release("app", sha("a"), "a.tar", "/opt/app/releases/1", "/opt/app/current", 2, ENVIRONMENT)


def answer(version: str, soabi: str = "cpython-311", pip: bool = True) -> Completed:
    return Completed(0, f'{{"version": "{version}", "tag": "{soabi}", "pip": {str(pip).lower()}}}\n', "")


class Host(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.system = ScriptedSystem(made.name)
        self.program("python3")
        self.system.answers["/usr/bin/python3 "] = answer("3.11")

    def program(self, name: str) -> None:
        path = self.system.at(f"/usr/bin/{name}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as target:
            target.write("#!/bin/sh\n")
        os.chmod(path, 0o755)

    def target(self, **changes: Any) -> str:
        found = environment_target(self.system, replace(RELEASE, environment=replace(ENVIRONMENT, **changes)))
        assert found
        return found.directory

    def test_the_directory_stands_for_lock_and_interpreter_and_nothing_else(self) -> None:
        first = self.target()
        self.assertRegex(first, r"^/opt/app/environments/[0-9a-f]{16}$")
        self.assertEqual(self.target(installer="pip", pip_conf="[global]\n", build_sec=1), first)
        self.assertNotEqual(self.target(digest=sha("other")), first)
        self.system.answers["/usr/bin/python3 "] = answer("3.13", "cpython-313")
        self.assertNotEqual(self.target(), first)

    def test_a_missing_interpreter_is_told_with_those_that_are_there(self) -> None:
        self.program("python3.9")
        self.program("python3.11")
        self.program("python3.11-config")
        self.system.answers["/usr/bin/python3.11 "] = answer("3.11")
        with self.assertRaisesRegex(HostError, r"no Python 3\.12; it has 3\.9 \(/usr/bin/python3\.9\), 3\.11 \(/usr"):
            self.target(python="3.12")
        with self.assertRaisesRegex(HostError, r"no /opt/py/bin/python; it has 3\.9"):
            self.target(python="/opt/py/bin/python")
        self.assertTrue(self.target(python="3.11"))

    def test_what_is_missing_to_install_is_told_before_anything_changes(self) -> None:
        self.system.answers["/usr/bin/python3 "] = answer("3.11", pip=False)
        with self.assertRaisesRegex(HostError, r"`apt install python3\.11-venv`.*; nothing was changed on the host"):
            self.target()
        with self.assertRaisesRegex(HostError, "a uv.lock is read by uv alone, and this host has no uv"):
            self.target(lock_kind="uv")
        self.program("uv")
        self.assertTrue(self.target(lock_kind="uv"))

    def script(self, **changes: Any) -> list[str]:
        wanted = replace(ENVIRONMENT, **changes)
        found = environment_target(self.system, replace(RELEASE, environment=wanted))
        assert found
        text = build_script(wanted, found, "/opt/app/environments/.in")
        return text.replace(found.directory, "ENV").splitlines()[1:]

    def test_the_build_with_pip(self) -> None:
        pip = "ENV/bin/python -m pip install --no-input --disable-pip-version-check --no-cache-dir"
        pip += " --no-warn-script-location"
        lock = "-r /opt/app/environments/.in/requirements.txt"
        self.assertEqual(self.script(), ["/usr/bin/python3 -m venv ENV", f"{pip} --require-hashes {lock}"])
        wheels = Upload("app", sha("w"), "w.tar")
        local = "--no-index --find-links=/opt/app/environments/.in/wheels"
        self.assertEqual(self.script(hashed=False, wheelhouse=wheels)[1:], [f"{pip} {local} {lock}"])
        self.assertEqual(
            self.script(lock_kind="none", inputs=[], wheel="app-1-py3-none-any.whl")[1:],
            [
                f"{pip} --no-index --no-deps /opt/app/environments/.in/app-1-py3-none-any.whl",
                "ENV/bin/python -m pip check",
            ],
        )

    def test_the_build_with_uv(self) -> None:
        self.program("uv")
        install = "/usr/bin/uv pip install --python ENV/bin/python --link-mode copy --compile-bytecode --require-hashes"
        self.assertEqual(
            self.script(),
            [
                "/usr/bin/uv venv --python /usr/bin/python3 ENV",
                f"{install} -r /opt/app/environments/.in/requirements.txt",
            ],
        )
        self.assertEqual(self.script(installer="pip")[0], "/usr/bin/python3 -m venv ENV")
        os.unlink(self.system.at("/usr/bin/uv"))
        fetched = self.script(uv="0.9.5", lock_kind="uv", inputs=[("uv.lock", ""), ("pyproject.toml", "")])
        self.assertIn("uv==0.9.5", fetched[1])
        self.assertRegex(fetched[4], "^/var/tmp/uv/bin/uv export --quiet --frozen --no-dev")

    def test_another_interpreter_rebuilds_and_moves_the_link_of_a_release_that_stays(self) -> None:
        before = environment_target(self.system, RELEASE)
        self.system.answers["/usr/bin/python3 "] = answer("3.13", "cpython-313")
        now = environment_target(self.system, RELEASE)
        assert before and now
        known = LedgerRelease("app", sha("a"), RELEASE.directory, RELEASE.link, True, before.directory, sha("lock"))
        seen = Observation(
            {},
            {
                RELEASE.directory: Found("directory"),
                RELEASE.link: Found("link", target=RELEASE.directory),
                f"{RELEASE.directory}/.venv": Found("link", target=link_target(RELEASE, before)),
                before.directory: Found("directory"),
            },
            "boot",
            environments={"app": now},
        )
        bundle = Bundle("a/b/c", [], [], [RELEASE], [unit(restart_on_releases=["app"])], 100, 10)
        made = plan(Ledger("a/b/c", 1, releases=[known]), bundle, seen)
        self.assertEqual((made.unpack, made.build, made.rebind, made.conflicts), ([], [RELEASE], [RELEASE], []))
        self.assertIn("the host's interpreter is another one", made.actions[0].reasons[0])


class FailingBuild(ScriptedSystem):
    """systemd to which no build comes to its end. `content`: the unit of the build."""

    content = ""
    output = ""

    def run(
        self, argv: list[str], seconds: float, waiting: str | None = None, env: dict[str, str] | None = None
    ) -> Completed:
        if argv[:2] == ["systemctl", "start"]:
            with open(self.at(f"/run/systemd/system/{argv[-1]}"), encoding="ascii") as source:
                self.content = source.read()
            if self.output:
                (log,) = (line.split(":", 1)[1] for line in self.content.splitlines() if "=file:" in line)
                with open(log, "w", encoding="ascii") as target:
                    target.write(self.output)
            return Completed(1, "", "Job failed.\n")
        return super().run(argv, seconds, waiting, env)


class Build(unittest.TestCase):
    def setUp(self) -> None:
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.system = FailingBuild(made.name)
        self.system.answers["systemctl show"] = Completed(0, "LoadState=loaded\nResult=exit-code\nInvocationID=1\n", "")
        said = '{"MESSAGE": "Failed at step NAMESPACE", "_COMM": "systemd", "_PID": "1", "INVOCATION_ID": "1"}\n'
        self.system.answers["journalctl --no-pager"] = Completed(0, said, "")

    def problem(self, wheel: str | None = None) -> str:
        bundle = Bundle("a/b/c", [], [], [RELEASE], [], 100, 10)
        scratch = self.system.at("/scratch")
        work = Work(self.system, Units(self.system, 10, 100), bundle, bundle, "t", scratch, None)
        os.makedirs(scratch)
        os.makedirs(work.pending_directory)
        wanted = replace(ENVIRONMENT, wheel=wheel, pip_conf="[global]\nindex-url = https://me:secret@pypi.example.org/simple\n")
        target = Target("/opt/app/environments/1", Interpreter("/usr/bin/python3", "3.9", "cpython-39", True), "")
        with self.assertRaises(HostError) as raised:
            build(work, replace(RELEASE, environment=wanted), target, 0)
        return str(raised.exception)

    def test_the_end_of_its_output_is_told(self) -> None:
        self.system.output = "Collecting flask\nERROR: no flask\n"
        problem = self.problem()
        self.assertIn("could not be built: Job failed.\n    Collecting flask\n    ERROR: no flask", problem)
        self.assertNotIn("NAMESPACE", problem)

    def test_a_release_on_another_file_system_has_its_wheel_copied(self) -> None:
        os.makedirs(self.system.at(RELEASE.directory))
        with open(self.system.at(f"{RELEASE.directory}/app-1-py3-none-any.whl"), "w", encoding="ascii"):
            pass
        with mock.patch.object(os, "link", side_effect=OSError(errno.EXDEV, "Invalid cross-device link")):
            self.assertIn("could not be built: Job failed.", self.problem("app-1-py3-none-any.whl"))

    def test_where_it_did_not_come_to_say_a_word_systemd_is_heard(self) -> None:
        self.assertIn("Failed at step NAMESPACE", self.problem())

    def test_systemd_247_starts_no_unit_that_has_credentials_a_sandbox_and_an_exec_start_pre(self) -> None:
        self.problem()
        self.assertIn("LoadCredential=pip.conf:", self.system.content)
        self.assertNotIn("ExecStartPre=", self.system.content)
        self.assertNotIn("secret", self.system.content)


class Secrets(unittest.TestCase):
    def test_credentials_are_known_in_every_form(self) -> None:
        conf = "[global]\nindex-url = https://me:p%40ss%2Fword@pypi.example.org/simple\n"
        found = index_secrets(replace(ENVIRONMENT, pip_conf=conf, uv_toml=""))
        self.assertEqual(set(found), {"me:p%40ss%2Fword", "me:p@ss/word", "p%40ss%2Fword", "p@ss/word"})

    def test_a_hook_before_the_switch_reads_the_new_secrets(self) -> None:
        content = "[Service]\nEnvironmentFile=/etc/a.env\nEnvironmentFile=-/etc/b.env\nLoadCredential=k:/etc/a.env\n"
        self.assertEqual(
            with_staged_files(content, {"/etc/a.env": "/etc/.new"}),
            "[Service]\nEnvironmentFile=/etc/.new\nEnvironmentFile=-/etc/b.env\nLoadCredential=k:/etc/.new\n",
        )


class Seal(unittest.TestCase):
    def test_nothing_is_left_writable_or_special(self) -> None:
        with tempfile.TemporaryDirectory() as base:
            os.mkdir(f"{base}/bin", 0o777)
            for name, mode in (("run", 0o4777), ("data", 0o666)):
                with open(f"{base}/bin/{name}", "w", encoding="ascii"):
                    pass
                os.chmod(f"{base}/bin/{name}", mode)
            os.symlink("/etc/passwd", f"{base}/bin/link")
            os.mkfifo(f"{base}/bin/pipe")
            before = os.stat("/etc/passwd")
            seal(base)
            modes = {name: oct(os.lstat(f"{base}/bin/{name}").st_mode & 0o7777) for name in ("run", "data")}
            self.assertEqual(modes, {"run": "0o755", "data": "0o644"})
            self.assertFalse(os.path.lexists(f"{base}/bin/pipe"))
            self.assertEqual(os.stat("/etc/passwd"), before)


class Hooks(unittest.TestCase):
    def hooks(self, old: LedgerRelease | None, directory: str = "/opt/app/releases/1") -> list[str]:
        release = Release("app", sha("a"), "a.tar", directory, "/opt/app/current", 2)
        found = [
            Hook("app", "api.service", kind, sha("command"), "", 10) for kind in ("check", "pre-start", "post-start")
        ]
        bundle = Bundle("a/b/c", [], [], [release], [unit()], 100, 10, hooks=found)
        disk = {
            "/opt/app/releases/1": Found("directory"),
            "/opt/app/current": Found("link", target="/opt/app/releases/1"),
        }
        ledger = Ledger("a/b/c", 1, releases=[old] if old else [])
        return [hook.kind for hook in plan(ledger, bundle, Observation({}, disk if old else {}, "boot")).hooks]

    def test_run_when_they_are_due(self) -> None:
        ran = {f"{kind} api.service": sha("command") for kind in ("check", "pre-start", "post-start")}
        known = LedgerRelease("app", sha("a"), "/opt/app/releases/1", "/opt/app/current", True, hooks=ran)
        self.assertEqual(self.hooks(None), ["check", "pre-start", "post-start"])
        self.assertEqual(self.hooks(known), [])
        self.assertEqual(self.hooks(replace(known, hooks={**ran, "pre-start api.service": "x"})), ["pre-start"])
        # Back to a release that is still there: its migrations have run.
        self.assertEqual(self.hooks(replace(known, current=False, sha256=sha("a"))), ["check", "post-start"])


class Keep(unittest.TestCase):
    def test_as_many_as_asked_newest_first(self) -> None:
        def known(number: int, current: bool) -> LedgerRelease:
            return LedgerRelease("app", sha(str(number)), f"/opt/app/releases/{number}", "/opt/app/current", current)

        old = Ledger("a/b/c", 5, releases=[known(5, True), known(4, False), known(3, False), known(2, False)])
        release = Release("app", sha("6"), "6.tar", "/opt/app/releases/6", "/opt/app/current", 2)
        bundle = Bundle("a/b/c", [], [], [release], [], 100, 10)
        kept = [each.directory[-1] for each in next_releases(bundle, old, Observation({}, {}, "boot"), set())]
        self.assertEqual(kept, ["6", "5", "4"])
        again = replace(release, sha256=sha("4"), directory="/opt/app/releases/4")
        kept = [
            each.directory[-1]
            for each in next_releases(replace(bundle, releases=[again]), old, Observation({}, {}, "boot"), set())
        ]
        self.assertEqual(kept, ["4", "5", "3"])
        needed = {"/opt/app/releases/2", "/opt/app/releases/1"}
        kept = [each.directory[-1] for each in next_releases(bundle, old, Observation({}, {}, "boot"), needed)]
        self.assertEqual(kept, ["6", "5", "4", "2"])


class RealInterpreter(unittest.TestCase):
    def test_the_question_is_answered(self) -> None:
        from pulumi_systemd_host.interpreters import interpreter
        from pulumi_systemd_host.system import Host as RealHost

        found = interpreter(RealHost(), sys.executable)
        self.assertEqual(found.version, f"{sys.version_info[0]}.{sys.version_info[1]}")
        self.assertIn(sys.implementation.name, found.tag)


if __name__ == "__main__":
    unittest.main()
