from __future__ import annotations

import unittest
from dataclasses import replace
from typing import Any

from pulumi_systemd_host_under_test import API, sha, state, unit

from pulumi_systemd_host.bundle import Bundle, File, Release, Unit, User
from pulumi_systemd_host.decide import decide
from pulumi_systemd_host.files import Found, sha256_hex
from pulumi_systemd_host.ledger import Ledger, LedgerFile, LedgerRelease, LedgerUnit
from pulumi_systemd_host.order import order_by_dependency, phases
from pulumi_systemd_host.plan import plan
from pulumi_systemd_host.plan_shape import Observation, Plan
from pulumi_systemd_host.systemctl import UnitState

BOOT = "boot-1"
CHANGED = API + "Nice=1\n"


def ledger_unit(of: Unit, **changes: Any) -> LedgerUnit:
    digests = of.digests
    entry = LedgerUnit(
        of.path, digests.file, digests.restart, digests.reload, digests.install, of.enabled, of.activation
    )
    entry = replace(entry, limits=digests.limits, manager=digests.manager, memory_max=of.memory_max)
    return replace(entry, **changes)


def bundle(units: list[Unit], **changes: Any) -> Bundle:
    values: dict[str, Any] = {"users": [], "files": [], "releases": [], "transaction_sec": 100, "wait_sec": 10}
    return Bundle(scope="a/b/c", units=units, **{**values, **changes})


def on_disk(text: str, mode: int = 0o644) -> Found:
    return Found("file", sha256_hex(text.encode()), mode)


def planned(
    before: list[Unit],
    after: list[Unit],
    states: list[UnitState] | None = None,
    disk: dict[str, Found] | None = None,
    **changes: Any,
) -> Plan:
    """The plan from `before`, applied and untouched, to `after`."""
    old = Ledger("a/b/c", 1, "t", BOOT, units={each.name: ledger_unit(each) for each in before})
    found = {each.path: on_disk(each.content) for each in before}
    found.update(disk or {})
    shown = {each.name: state(each.name) for each in before}
    shown.update({each.name: each for each in states or []})
    return plan(old, bundle(after, **changes), Observation(states=shown, disk=found, boot=BOOT))


def told(made: Plan) -> list[str]:
    return [f"{action.action} {action.unit}: {'; '.join(action.reasons)}" for action in made.actions]


class Decide(unittest.TestCase):
    def test_table(self) -> None:
        same, restart = unit(), unit(content=CHANGED, restart="2")
        reload = unit(content=CHANGED, reload="2", can_reload=True)
        only_file, manager = unit(content=CHANGED), unit(content=CHANGED, manager="2")
        up, failed = state(), state(active="failed", sub="failed", Result="exit-code")
        loop = state(active="activating", sub="auto-restart", Result="exit-code")
        down = state(active="inactive", sub="dead")
        fresh = state(active="inactive", sub="dead", ActiveEnterTimestampMonotonic="0")
        reloads = state(CanReload="yes")
        job_down = state(active="inactive", sub="dead", Type="oneshot")
        job_up = state(active="activating", sub="start", Type="oneshot")
        unmet = state(active="inactive", sub="dead", ConditionResult="no", ConditionTimestampMonotonic="5")
        cases: list[tuple[str, Unit, UnitState, str]] = [
            ("nothing differs", same, up, "none"),
            ("only the file", only_file, up, "none"),
            ("restart digest, running", restart, up, "restart"),
            ("restart digest, reloading", restart, state(active="reloading"), "restart"),
            ("restart digest, activating", restart, state(active="activating", sub="start"), "restart"),
            ("restart digest, stopped by hand", restart, down, "none"),
            ("restart digest, failed", restart, failed, "start"),
            ("restart digest, crash loop", restart, loop, "start"),
            ("restart digest, done oneshot", restart, job_down, "start"),
            ("restart digest, condition unmet", restart, unmet, "start"),
            ("reload digest, can reload", reload, reloads, "reload"),
            ("reload digest, cannot", reload, up, "restart"),
            ("reload digest, cannot any more", replace(reload, can_reload=False), reloads, "restart"),
            ("a limit of memory goes down", unit(content=CHANGED, limits="2", memory_max=1e6), up, "restart"),
            ("another limit", unit(content=CHANGED, limits="2"), up, "none"),
            ("both digests", unit(content=CHANGED, restart="2", reload="2"), reloads, "restart"),
            ("unchanged, failed", same, failed, "start"),
            ("unchanged, crash loop", same, loop, "start"),
            ("unchanged, stopped by hand", same, down, "none"),
            ("unchanged, done oneshot", same, job_down, "none"),
            ("unchanged, condition unmet", same, unmet, "none"),
            ("on-demand, inactive", unit(content=CHANGED, restart="2", activation="on-demand"), down, "none"),
            ("on-demand, failed", unit(content=CHANGED, restart="2", activation="on-demand"), failed, "none"),
            ("on-demand, running", unit(content=CHANGED, restart="2", activation="on-demand"), up, "restart"),
            ("on-demand oneshot at work", unit(content=CHANGED, restart="2", activation="on-demand"), job_up, "none"),
            ("onChange none", unit(content=CHANGED, restart="2", on_change="none"), up, "none"),
            ("onChange reload", replace(restart, on_change="reload", can_reload=True), reloads, "reload"),
            ("onChange restart", unit(content=CHANGED, reload="2", on_change="restart"), reloads, "restart"),
            ("onChange restart, what the manager applies", replace(manager, on_change="restart"), up, "restart"),
            ("onChange restart, only the file", unit(content=CHANGED, on_change="restart"), up, "none"),
            ("never ran, same boot", same, fresh, "none"),
        ]
        for label, wanted, now, verb in cases:
            with self.subTest(label):
                self.assertEqual(decide(wanted, ledger_unit(unit()), now, False, [], False).verb, verb)

    def test_a_socket_follows_its_file(self) -> None:
        wanted = replace(unit(content=CHANGED, restart="2", on_change="none"), name="web.socket")
        self.assertEqual(decide(wanted, ledger_unit(unit()), state(active="active"), False, [], False).verb, "restart")

    def test_a_daemon_that_becomes_a_job_of_something_else_is_stopped_and_not_run(self) -> None:
        job = unit(content=CHANGED, restart="2", activation="on-demand", is_job=True)
        self.assertEqual(decide(job, ledger_unit(unit()), state(), False, [], False).verb, "stop")
        started = replace(job, activation="started")
        self.assertEqual(decide(started, ledger_unit(unit()), state(), False, [], False).verb, "restart")
        made = planned([unit()], [job])
        self.assertEqual((made.stop, made.start, made.restart), (["api.service"], [], []))

    def test_after_a_boot(self) -> None:
        fresh = state(active="inactive", sub="dead", ActiveEnterTimestampMonotonic="0")
        decision = decide(unit(), ledger_unit(unit()), fresh, False, [], True)
        self.assertEqual((decision.verb, decision.reasons), ("start", ["it was not started since the host booted"]))

    def test_warns_of_a_unit_that_was_stopped_by_hand(self) -> None:
        for wanted in (unit(), unit(content=CHANGED, restart="2")):
            decision = decide(wanted, ledger_unit(unit()), state(active="inactive", sub="dead"), False, [], False)
            self.assertEqual(decision.verb, "none")
            self.assertIn("stopped by hand", decision.warning or "")

    def test_a_changed_timer_that_could_fire_is_not_restarted(self) -> None:
        old = unit("t.timer", "[Timer]\nOnBootSec=5min\n")
        new = unit("t.timer", "[Timer]\nOnBootSec=6min\n", restart="2", counts_from_the_past=True)
        waiting, elapsed = state("t.timer", sub="waiting"), state("t.timer", sub="elapsed")
        self.assertEqual(decide(new, ledger_unit(old), waiting, False, [], False).verb, "none")
        decision = decide(new, ledger_unit(old), elapsed, False, [], False)
        self.assertEqual((decision.verb, decision.warning is None), ("none", False))

    def test_a_unit_is_to_be_started_that_was_on_demand(self) -> None:
        old = ledger_unit(unit(activation="on-demand", enabled=False))
        self.assertEqual(decide(unit(), old, state(active="inactive", sub="dead"), False, [], False).verb, "start")
        self.assertEqual(decide(unit(), old, state(), False, [], False).verb, "none")

    def test_digests_of_an_equal_file_do_not_count(self) -> None:
        old = ledger_unit(unit(), restart=sha("computed otherwise by an older release"))
        self.assertEqual(decide(unit(), old, state(), False, [], False).verb, "none")


class PlanWhole(unittest.TestCase):
    def test_nothing_differs(self) -> None:
        made = planned([unit()], [unit()])
        self.assertFalse(made.changes_host)
        self.assertEqual(made, Plan())

    def test_first_apply(self) -> None:
        absent = UnitState("api.service", {"LoadState": "not-found"})
        made = plan(Ledger("a/b/c"), bundle([unit()]), Observation({"api.service": absent}, {}, BOOT))
        self.assertEqual(told(made), ["enable api.service: new", "start api.service: new"])
        self.assertTrue(made.daemon_reload)
        self.assertEqual([write.path for write in made.writes], ["/etc/systemd/system/api.service"])

    def test_only_the_changed_unit_is_touched(self) -> None:
        other = unit("b.service")
        made = planned([unit(), other], [unit(content=CHANGED, restart="2"), other])
        self.assertEqual(told(made), ["restart api.service: restart digest differs"])
        self.assertEqual(made.touched, ["api.service"])

    def test_only_the_file_differs(self) -> None:
        made = planned([unit()], [unit(content=CHANGED)])
        self.assertEqual((made.touched, made.daemon_reload), ([], True))
        self.assertEqual(told(made), ["reload-manager api.service: only its file changed: applied by daemon-reload"])

    def test_install_differs(self) -> None:
        made = planned([unit()], [unit(content=CHANGED, install="2")])
        self.assertEqual((made.reenable, made.touched), (["api.service"], []))

    def test_a_unit_loses_its_install_section(self) -> None:
        made = planned([unit()], [unit(content=CHANGED, install="2", enabled=False)])
        self.assertEqual((made.disable, made.reenable, made.enable), (["api.service"], [], []))

    def test_drift_of_a_unit_file(self) -> None:
        made = planned([unit()], [unit()], disk={unit().path: on_disk("somebody's")})
        self.assertEqual(told(made), ["restart api.service: its file differed on the host"])
        self.assertEqual(len(made.writes), 1)

    def test_drift_of_a_mode_needs_no_restart(self) -> None:
        made = planned([unit()], [unit()], disk={unit().path: on_disk(API, 0o666)})
        self.assertEqual((len(made.writes), made.touched), (1, []))

    def test_disabled_on_the_host(self) -> None:
        made = planned([unit()], [unit()], [state(UnitFileState="disabled")])
        self.assertEqual(told(made), ["enable api.service: it was disabled on the host"])
        down = state(active="inactive", sub="dead", UnitFileState="disabled")
        made = planned([unit()], [unit()], [down])
        self.assertFalse(made.changes_host)
        self.assertEqual(len(made.warnings), 2)

    def test_a_file_beside_a_unit(self) -> None:
        env = File("/etc/x.env", 0o600, "A=2\n", True)
        watcher = unit(restart_on_files=[env.path])
        old = Ledger("a/b/c", 1, "t", BOOT, units={watcher.name: ledger_unit(watcher)})
        old.files[env.path] = LedgerFile(sha("A=1\n"), 0o600, True)
        for content, reason in (("A=1\n", "/etc/x.env changed"), ("A=9\n", "/etc/x.env differed on the host")):
            disk = {watcher.path: on_disk(API), env.path: on_disk(content, 0o600)}
            made = plan(old, bundle([watcher], files=[env]), Observation({watcher.name: state()}, disk, BOOT))
            self.assertEqual(told(made), [f"restart api.service: {reason}"])
            self.assertFalse(made.daemon_reload)

    def test_conflicts(self) -> None:
        env = File("/etc/x.env", 0o600, "A=2\n", False)
        release = Release("r", sha("r"), "r.tar", "/opt/r/1", "/opt/r/current")
        cases: list[tuple[dict[str, Found], dict[str, str], list[str]]] = [
            ({env.path: on_disk("foreign")}, {}, ["/etc/x.env is already there"]),
            ({env.path: Found("directory")}, {}, ["/etc/x.env is already there"]),
            ({env.path: Found("link", target="/x")}, {}, ["/etc/x.env is already there"]),
            ({unit().path: on_disk("foreign")}, {}, [f"{unit().path} is already there"]),
            ({release.directory: Found("directory")}, {}, ["/opt/r/1 is already there"]),
            ({release.link: Found("link", target="/x")}, {}, ["/opt/r/current is already there"]),
            ({}, {env.path: "a/b/d"}, ["/etc/x.env belongs to a/b/d, another scope"]),
            ({}, {release.link: "a/b/d"}, ["/opt/r/current belongs to a/b/d, another scope"]),
        ]
        for disk, claims, conflicts in cases:
            with self.subTest(conflicts):
                seen = Observation({}, disk, BOOT, claims=claims)
                made = plan(Ledger("a/b/c"), bundle([unit()], files=[env], releases=[release]), seen)
                self.assertEqual([each[: len(c)] for each, c in zip(made.conflicts, conflicts)], conflicts)
                self.assertEqual(len(made.conflicts), len(conflicts))

    def test_equal_content_is_taken_over_without_a_restart(self) -> None:
        seen = Observation({"api.service": state()}, {unit().path: on_disk(API)}, BOOT)
        made = plan(Ledger("a/b/c"), bundle([unit()]), seen)
        self.assertEqual((made.conflicts, made.writes, made.touched, made.adopted), ([], [], [], {unit().path}))

    def test_a_unit_of_that_name_elsewhere(self) -> None:
        elsewhere = state(FragmentPath="/lib/systemd/system/api.service")
        for content, conflicts in (("other", 1), (API, 0)):
            disk = {"/lib/systemd/system/api.service": on_disk(content)}
            made = plan(Ledger("a/b/c"), bundle([unit()]), Observation({"api.service": elsewhere}, disk, BOOT))
            self.assertEqual(len(made.conflicts), conflicts)

    def test_an_alias_of_another_unit(self) -> None:
        seen = Observation({"api.service": state(Id="web.service")}, {}, BOOT)
        made = plan(Ledger("a/b/c"), bundle([unit()]), seen)
        self.assertEqual(
            made.conflicts,
            [
                "api.service is already a name of web.service on this host: define web.service itself, or choose another name"
            ],
        )

    def test_removal(self) -> None:
        timer = unit("t.timer", "[Timer]\nOnCalendar=daily\nPersistent=true\n")
        made = planned([unit(), timer], [])
        self.assertEqual(told(made), [
            "stop api.service: no longer wanted",
            "stop t.timer: no longer wanted",
            "remove api.service: no longer wanted",
            "remove t.timer: no longer wanted",
        ])  # fmt: skip
        self.assertEqual(made.stamps_gone, ["t.timer"])
        self.assertEqual(made.disable, ["api.service", "t.timer"])

    def test_removal_keeps_what_a_person_changed(self) -> None:
        made = planned([unit()], [], disk={unit().path: on_disk("mine now")})
        self.assertEqual((made.remove, made.stop, made.kept), ([], ["api.service"], {unit().path}))

    def test_a_file_that_goes_counts_for_what_named_it(self) -> None:
        path = "/etc/a.conf"
        api, other = unit(), unit("other.service")
        for entry, digest, restarted in (
            (LedgerFile(sha("text"), 0o644, False), sha("text"), ["api.service"]),
            # It stays: somebody changed it, or it was there before.
            (LedgerFile(sha("text"), 0o644, False), sha("else"), []),
            (LedgerFile(sha("text"), 0o644, False, adopted=True), sha("text"), []),
        ):
            units = {"api.service": ledger_unit(api, restart_on=[path]), "other.service": ledger_unit(other)}
            old = Ledger("a/b/c", 1, "t", BOOT, units=units, files={path: entry})
            disk = {each.path: on_disk(each.content) for each in (api, other)}
            disk[path] = Found("file", digest, 0o644)
            states = {each.name: state(each.name) for each in (api, other)}
            made = plan(old, bundle([api, other]), Observation(states=states, disk=disk, boot=BOOT))
            self.assertEqual(made.restart, restarted, entry)

    def test_a_group_beside_an_account_that_is_there_is_made(self) -> None:
        seen = Observation(states={}, disk={}, boot=BOOT, accounts={"svc", "own"}, groups={"svc"})
        users = [User("svc", "shared", "/x"), User("own", "own", "/y"), User("new", "new", "/z")]
        made = plan(Ledger("a/b/c"), bundle([], users=users), seen)
        self.assertEqual((made.users, made.groups), ([users[2]], ["shared"]))

    def test_users(self) -> None:
        ours, theirs = User("ours", "ours", "/x"), User("theirs", "theirs", "/x")
        old = Ledger("a/b/c", 1, "t", BOOT, users={"gone": True, "shared": True, "found": False})
        seen = Observation({}, {}, BOOT, accounts={"theirs", "gone", "shared", "found"}, accounts_elsewhere={"shared"})
        made = plan(old, bundle([], users=[ours, theirs]), seen)
        self.assertEqual((made.users, made.users_gone), ([ours], ["gone"]))
        self.assertEqual(made.warnings, ["user shared stays: another scope on this host uses it"])

    def test_a_new_release(self) -> None:
        old_release = LedgerRelease("r", sha("1"), "/opt/r/1", "/opt/r/current", True)
        new = Release("r", sha("2"), "r.tar", "/opt/r/2", "/opt/r/current")
        user = unit(restart_on_releases=["r"])
        old = Ledger("a/b/c", 1, "t", BOOT, units={user.name: ledger_unit(user)}, releases=[old_release])
        disk = {user.path: on_disk(API), "/opt/r/1": Found("directory"), new.link: Found("link", target="/opt/r/1")}
        made = plan(old, bundle([user], releases=[new]), Observation({user.name: state()}, disk, BOOT))
        self.assertEqual((made.unpack, made.links), ([new], [new]))
        self.assertEqual(told(made), ["restart api.service: release r changed"])


class Sockets(unittest.TestCase):
    SOCKET = unit("api.socket", "[Socket]\nListenStream=8000\n")
    SERVICE = unit(activation="on-demand", triggered_by=["api.socket"])
    STATES = (state(TriggeredBy="api.socket"), state("api.socket", sub="running", Triggers="api.service"))

    def test_a_service_restart_never_touches_its_socket(self) -> None:
        changed = replace(unit(content=CHANGED, restart="2"), activation="on-demand", triggered_by=["api.socket"])
        made = planned([self.SOCKET, self.SERVICE], [self.SOCKET, changed], list(self.STATES))
        self.assertEqual(made.touched, ["api.service"])
        self.assertEqual((made.restart, made.stop, made.hold), (["api.service"], [], []))

    def test_a_changed_socket_stops_its_service_first(self) -> None:
        changed = unit("api.socket", "[Socket]\nListenStream=8001\n", restart="2")
        made = planned([self.SOCKET, self.SERVICE], [changed, self.SERVICE], list(self.STATES))
        both = ["api.socket", "api.service"]
        self.assertEqual((made.stop, made.restart, made.start), (both, [], both))

    def test_a_changed_socket_leaves_an_idle_service_idle(self) -> None:
        changed = unit("api.socket", "[Socket]\nListenStream=8001\n", restart="2")
        idle = state(active="inactive", sub="dead", TriggeredBy="api.socket")
        made = planned([self.SOCKET, self.SERVICE], [changed, self.SERVICE], [idle, self.STATES[1]])
        self.assertEqual((made.stop, made.restart, made.start), (["api.socket"], [], ["api.socket"]))

    def test_a_running_service_gains_a_socket(self) -> None:
        changed = replace(unit(content=CHANGED, restart="2"), triggered_by=["api.socket"])
        absent = UnitState("api.socket", {"LoadState": "not-found"})
        made = planned([unit()], [changed, self.SOCKET], [absent])
        self.assertEqual((made.stop, made.restart), (["api.service"], []))
        self.assertEqual(made.start, ["api.socket", "api.service"])

    def test_a_service_loses_its_socket(self) -> None:
        changed = unit(content=CHANGED, restart="2")
        made = planned([self.SOCKET, self.SERVICE], [changed], list(self.STATES))
        self.assertEqual(made.stop, ["api.socket", "api.service"])
        self.assertEqual((made.restart, made.start), ([], ["api.service"]))

    def test_what_could_start_a_stopped_service_is_held(self) -> None:
        second = unit("api-admin.socket", "[Socket]\nListenStream=9000\nService=api.service\n")
        changed = unit("api.socket", "[Socket]\nListenStream=8001\n", restart="2")
        service = replace(self.SERVICE, triggered_by=["api.socket", "api-admin.socket"])
        states = [
            state(TriggeredBy="api.socket api-admin.socket"),
            self.STATES[1],
            state("api-admin.socket", Triggers="api.service"),
        ]
        made = planned([self.SOCKET, service, second], [changed, service, second], states)
        self.assertEqual((made.hold, made.stop), (["api-admin.socket"], ["api.socket", "api.service"]))
        self.assertEqual(made.start, ["api.socket", "api.service", "api-admin.socket"])

    def test_a_socket_goes_to_another_service_and_stays_open(self) -> None:
        renamed = unit("api.socket", "[Socket]\nListenStream=8000\nService=web.service\n", manager="2")
        web = unit("web.service", activation="on-demand", triggered_by=["api.socket"])
        made = planned([self.SOCKET, self.SERVICE], [renamed, web], list(self.STATES))
        self.assertEqual((made.stop, made.late, made.start), ([], ["api.service"], ["web.service"]))
        self.assertEqual((made.remove, made.remove_late), ([], ["/etc/systemd/system/api.service"]))

    def test_systemd_restarts_what_requires_a_restarted_unit(self) -> None:
        front = unit("front.service", stops_with=["api.service"])
        states = [state(RequiredBy="front.service"), state("front.service")]
        made = planned([unit(), front], [unit(content=CHANGED, restart="2"), front], states)
        self.assertEqual((made.restart, made.follow, made.stop), (["api.service"], ["front.service"], []))

    def test_what_becomes_bound_to_a_unit_that_is_not_up_stops_and_starts(self) -> None:
        front = unit("front.service", on_change="none")
        bound = unit("front.service", CHANGED, restart="2", on_change="none", binds_to=["api.service"])
        stopped = (["front.service"], ["front.service"])
        cases = {
            "new": ([front], [state("front.service")], (["front.service"], ["api.service", "front.service"])),
            "idle": (
                [unit(activation="on-demand"), front],
                [state(active="inactive", sub="dead"), state("front.service")],
                stopped,
            ),
            "up": ([unit(activation="on-demand"), front], [state(), state("front.service")], ([], [])),
            "bound before": (
                [unit(activation="on-demand"), front],
                [state(active="inactive", sub="dead", BoundBy="front.service"), state("front.service")],
                ([], []),
            ),
            "down itself": (
                [unit(activation="on-demand"), replace(front, activation="on-demand")],
                [state(active="inactive", sub="dead"), state("front.service", active="inactive", sub="dead")],
                ([], []),
            ),
        }
        for case, (old, states, expected) in cases.items():
            with self.subTest(case):
                api = unit(activation="started" if case == "new" else "on-demand")
                wanted = replace(bound, activation=old[-1].activation)
                made = planned(old, [api, wanted], states)
                self.assertEqual((made.stop, made.start), expected)

    def test_an_idle_unit_that_changes_is_looked_at_again(self) -> None:
        changed = replace(unit(content=CHANGED, restart="2"), activation="on-demand", triggered_by=["api.socket"])
        idle = state(active="inactive", sub="dead", TriggeredBy="api.socket")
        made = planned([self.SOCKET, self.SERVICE], [self.SOCKET, changed], [idle, self.STATES[1]])
        self.assertEqual((made.idle, made.touched), (["api.service"], []))


class Order(unittest.TestCase):
    def test_dependencies_come_first(self) -> None:
        after = {"a.service": ["c.service", "elsewhere.service"], "c.service": ["b.service"]}
        self.assertEqual(
            order_by_dependency(["a.service", "b.service", "c.service"], after), ["b.service", "c.service", "a.service"]
        )

    def test_a_cycle_ends(self) -> None:
        self.assertEqual(sorted(order_by_dependency(["a", "b"], {"a": ["b"], "b": ["a"]})), ["a", "b"])

    def test_waves(self) -> None:
        self.assertEqual(
            phases(["a.service", "a.socket"], ["t.timer", "b.service"]),
            [(["a.socket"], []), (["a.service"], ["b.service"]), ([], ["t.timer"])],
        )


if __name__ == "__main__":
    unittest.main()
