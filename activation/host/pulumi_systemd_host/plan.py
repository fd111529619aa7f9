"""What a transaction will do and why: a pure function of the ledger, the bundle and what was observed on the host."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Iterable

from .bundle import Bundle, Release, Unit, User
from .files import ABSENT, Found, sha256_hex
from .ledger import Ledger, LedgerUnit
from .systemctl import UnitState

TRIGGERS = (".socket", ".timer", ".path", ".automount")
APPLIED_BY_DAEMON_RELOAD = (".slice", ".target")
# systemd measures these from a moment that has passed: a timer that is started with one of them can fire at once.
ONCE_PAST = re.compile(r"^\s*On(?:Boot|Startup|Active)Sec\s*=\s*\S", re.MULTILINE)
PERSISTENT = re.compile(r"^\s*Persistent\s*=\s*(?:1|y|yes|t|true|on)\s*$", re.MULTILINE | re.IGNORECASE)
UNIT_MODE = 0o644
# The order in which the actions of a receipt happen.
STEPS = ("none", "stop", "disable", "remove", "enable", "reenable", "reload", "restart", "start")


@dataclass(frozen=True)
class Observation:
    """The host as it was before the transaction."""

    states: dict[str, UnitState]
    disk: dict[str, Found]
    boot: str
    accounts: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    instances: dict[str, list[str]] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    accounts_elsewhere: set[str] = field(default_factory=set)

    def state(self, name: str) -> UnitState:
        return self.states.get(name) or UnitState(name, {})

    def found(self, path: str) -> Found:
        return self.disk.get(path, ABSENT)


@dataclass(frozen=True)
class Action:
    """One line of the receipt."""

    unit: str
    action: str
    reasons: list[str]


@dataclass(frozen=True)
class Write:
    """A file to be written whole."""

    path: str
    data: bytes
    mode: int
    is_unit: bool


@dataclass
class Plan:
    """Everything that the transaction will do, in the order in which it is done."""

    conflicts: list[str] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    unpack: list[Release] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    links: list[Release] = field(default_factory=list)
    hold: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    disable: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    enable: list[str] = field(default_factory=list)
    reenable: list[str] = field(default_factory=list)
    stamps_now: list[str] = field(default_factory=list)
    stamps_gone: list[str] = field(default_factory=list)
    daemon_reload: bool = False
    reload: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    users_gone: list[str] = field(default_factory=list)
    groups_gone: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    adopted: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)

    @property
    def changes_host(self) -> bool:
        """Whether carrying it out would change anything but the ledger."""
        return bool(
            self.users
            or self.unpack
            or self.writes
            or self.links
            or self.stop
            or self.hold
            or self.disable
            or self.remove
            or self.enable
            or self.reenable
            or self.daemon_reload
            or self.reload
            or self.restart
            or self.start
            or self.gone
            or self.users_gone
            or self.groups_gone
        )

    @property
    def touched(self) -> list[str]:
        """Units that are stopped, started, restarted or reloaded."""
        return list(dict.fromkeys([*self.hold, *self.stop, *self.reload, *self.restart, *self.start]))


@dataclass(frozen=True)
class Decision:
    """What one unit needs. `verb` is none, start, restart or reload."""

    verb: str
    reasons: list[str]
    warning: str | None = None


def is_trigger(name: str) -> bool:
    return name.endswith(TRIGGERS)


def decide(
    unit: Unit, old: LedgerUnit | None, state: UnitState, drifted: bool, beside: list[str], booted: bool
) -> Decision:
    """
    What one unit needs, given the ledger's `old` entry and its `state`.

    `drifted`: its file on disk is not what the ledger says; `beside`: reasons from its restartOn list; `booted`: the
    host has booted since the ledger was written.
    """
    if old is None:
        return _decide_new(unit, state)
    restart = list(beside)
    reload: list[str] = []
    if unit.digests.file != old.file:
        if unit.digests.restart != old.restart:
            restart.insert(0, "restart digest differs")
        if unit.digests.reload != old.reload:
            reload.append("reload digest differs")
    if drifted:
        restart.append("its file differed on the host")
    reasons = restart + reload
    if not reasons:
        return _decide_unchanged(unit, state, booted)
    if unit.on_change == "none":
        return Decision(
            "none",
            [*reasons, "not applied: onChange is none"],
            f"{unit.name}: {', '.join(reasons)}; not applied to the running unit because onChange is none",
        )
    if unit.name.endswith(APPLIED_BY_DAEMON_RELOAD) and state.running:
        return Decision("none", [*reasons, "applied by daemon-reload"])
    if not state.running:
        return _decide_changed_but_down(unit, state, reasons, booted)
    if unit.activation == "on-demand" and state.is_job and unit.on_change == "auto":
        note = "is at work: its next run takes the change"
        return Decision("none", [*reasons, note], f"{unit.name} {note}")
    if unit.name.endswith(".timer") and ONCE_PAST.search(unit.content) and state.sub != "elapsed":
        return Decision("none", [*reasons, "applied by daemon-reload: a restart could make it fire"])
    wants_reload = unit.on_change == "reload" or (unit.on_change == "auto" and not restart)
    if wants_reload and state.get("CanReload") == "yes":
        return Decision("reload", reasons)
    if wants_reload:
        reasons.append("it cannot reload")
    return Decision("restart", reasons)


def _decide_new(unit: Unit, state: UnitState) -> Decision:
    if unit.activation == "on-demand" or state.running:
        return Decision("none", ["new"])
    return Decision("start", ["new"])


def _decide_unchanged(unit: Unit, state: UnitState, booted: bool) -> Decision:
    if unit.activation != "started" or state.running:
        return Decision("none", [])
    if state.in_restart_loop:
        return Decision("start", ["it kept failing and being restarted"])
    if state.failed:
        return Decision("start", [f"it had failed ({state.result})"])
    if state.condition_failed:
        return Decision("none", [], f"{unit.name} is not running: a Condition of it is not met")
    if booted and not state.ran_since_boot:
        return Decision("start", ["it was not started since the host booted"])
    if state.is_job:
        return Decision("none", [])
    return Decision("none", [], _stopped(unit))


def _decide_changed_but_down(unit: Unit, state: UnitState, reasons: list[str], booted: bool) -> Decision:
    if unit.activation == "on-demand":
        if state.in_restart_loop:
            return Decision("restart", reasons)
        return Decision("none", [*reasons, "not running: its next start takes the change"])
    if state.failed:
        return Decision("start", [*reasons, f"it had failed ({state.result})"])
    if state.is_job or state.condition_failed or (booted and not state.ran_since_boot):
        return Decision("start", reasons)
    return Decision("none", [*reasons, "left stopped"], _stopped(unit))


def _stopped(unit: Unit) -> str:
    return (
        f"{unit.name} is not running: it was stopped by hand or ended by itself, and was left so; "
        f"`systemctl start {unit.name}` starts it"
    )


def plan(old: Ledger, bundle: Bundle, seen: Observation) -> Plan:
    """The whole plan. It reads nothing but its arguments."""
    made = Plan()
    _plan_users(made, old, bundle, seen)
    changed_files = _plan_files(made, old, bundle, seen)
    changed_releases = _plan_releases(made, old, bundle, seen)
    for unit in bundle.units:
        _plan_unit(made, old, unit, seen, changed_files, changed_releases)
    _plan_removals(made, old, bundle, seen)
    _plan_sockets(made, bundle, seen)
    made.actions.sort(key=lambda action: STEPS.index(action.action))
    return made


def _plan_users(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> None:
    made.users = [user for user in bundle.users if user.name not in seen.accounts]
    wanted = {user.name for user in bundle.users}
    for name in _accounts_gone(made, "user", old.users, wanted, seen.accounts, seen.accounts_elsewhere):
        made.users_gone.append(name)
    wanted = {user.group for user in bundle.users}
    for name in _accounts_gone(made, "group", old.groups, wanted, seen.groups, seen.accounts_elsewhere):
        made.groups_gone.append(name)


def _accounts_gone(
    made: Plan, kind: str, ours: dict[str, bool], wanted: set[str], there: set[str], elsewhere: set[str]
) -> list[str]:
    gone = [name for name, made_by_us in ours.items() if made_by_us and name in there and name not in wanted]
    made.warnings += [f"{kind} {name} stays: another scope on this host uses it" for name in gone if name in elsewhere]
    return [name for name in gone if name not in elsewhere]


def _plan_files(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> dict[str, str]:
    """Plans the files; for each whose content changes, the reason."""
    changed: dict[str, str] = {}
    for file in bundle.files:
        reason = _plan_write(made, Write(file.path, file.data, file.mode, False), file.path in old.files, seen)
        if reason:
            entry = old.files.get(file.path)
            now = seen.found(file.path)
            if entry and entry.digest != now.digest:
                reason = f"{file.path} differed on the host"
            changed[file.path] = reason
    return changed


def _plan_write(made: Plan, write: Write, ours: bool, seen: Observation) -> str:
    """Plans one file or unit file; the reason if its content changes."""
    now = seen.found(write.path)
    digest = sha256_hex(write.data)
    same = now.kind == "file" and now.digest == digest
    if write.path in seen.claims:
        made.conflicts.append(f"{write.path} belongs to {seen.claims[write.path]}, another scope on this host")
        return ""
    if not ours and now.exists:
        if not same:
            made.conflicts.append(f"{write.path} is already there and was not written by this scope ({_kind(now)})")
            return ""
        made.adopted.add(write.path)
    if now.kind in ("directory", "other"):
        made.conflicts.append(f"{write.path} is {_kind(now)} where a file must go")
        return ""
    if same and (now.mode, now.uid, now.gid) == (write.mode, 0, 0):
        return ""
    made.writes.append(write)
    if same:
        return ""
    return f"{write.path} changed" if now.exists else f"{write.path} is new"


def _kind(found: Found) -> str:
    return {"link": "a symbolic link", "directory": "a directory", "file": "with other content"}.get(
        found.kind, "a special file"
    )


def _plan_releases(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> set[str]:
    """Plans the releases; the names of those that change."""
    changed: set[str] = set()
    known = {release.directory: release for release in old.releases}
    links = {release.link for release in old.releases}
    for release in bundle.releases:
        directory, link = seen.found(release.directory), seen.found(release.link)
        for path in (release.directory, release.link):
            if path in seen.claims:
                made.conflicts.append(f"{path} belongs to {seen.claims[path]}, another scope on this host")
        unpacked = known.get(release.directory)
        if directory.exists and not (unpacked and directory.kind == "directory"):
            made.conflicts.append(f"{release.directory} is already there and was not made by this scope")
        elif directory.exists and unpacked and unpacked.sha256 != release.sha256:
            made.conflicts.append(f"{release.directory} holds another release: each needs a directory of its own")
        elif not directory.exists:
            made.unpack.append(release)
        if link.exists and (link.kind != "link" or release.link not in links):
            made.conflicts.append(f"{release.link} is already there and was not made by this scope ({_kind(link)})")
        elif link.target != release.directory:
            made.links.append(release)
        current = old.current_release(release.name)
        if release in made.unpack or release in made.links or not current or current.sha256 != release.sha256:
            changed.add(release.name)
    return changed


def _plan_unit(
    made: Plan,
    old: Ledger,
    unit: Unit,
    seen: Observation,
    changed_files: dict[str, str],
    changed_releases: set[str],
) -> None:
    before = old.units.get(unit.name)
    now = seen.found(unit.path)
    _check_unit_name(made, unit, before, seen)
    _plan_write(
        made, Write(unit.path, unit.data, UNIT_MODE, True), before is not None and before.path == unit.path, seen
    )
    written = bool(made.writes) and made.writes[-1].path == unit.path
    if written:
        made.daemon_reload = True
    drifted = before is not None and before.path == unit.path and now.digest != before.file
    if before and before.path != unit.path:
        made.remove.append(before.path)
        made.daemon_reload = True
    _plan_enablement(made, unit, before, seen)
    beside = [changed_files[path] for path in unit.restart_on_files if path in changed_files]
    beside += [f"release {name} changed" for name in unit.restart_on_releases if name in changed_releases]
    booted = old.boot != seen.boot
    names = seen.instances.get(unit.name, []) if unit.is_template else [unit.name]
    for name in names:
        state = seen.state(name)
        if before is None and unit.path in made.adopted:
            if unit.activation == "started" and not state.running:
                _add(made, name, Decision("start", ["taken over, and not running"]), unit)
            continue
        _add(made, name, decide(unit, before, state, drifted, beside, booted), unit)
    if unit.path in made.adopted:
        made.warnings.append(f"{unit.path} was already there with the same content and was taken over")
    if written and before and not any(action.unit == unit.name for action in made.actions):
        made.actions.append(Action(unit.name, "none", ["only its file changed: applied by daemon-reload"]))
    if not unit.is_template and seen.state(unit.name).get("NeedDaemonReload") == "yes":
        made.daemon_reload = True


def _check_unit_name(made: Plan, unit: Unit, before: LedgerUnit | None, seen: Observation) -> None:
    state = seen.state(unit.name)
    if before or unit.is_template or not state.loaded:
        return
    fragment = state.get("FragmentPath")
    if state.get("LoadState") == "masked":
        made.conflicts.append(f"{unit.name} is masked on this host; `systemctl unmask {unit.name}` frees it")
    elif state.get("Id") not in ("", unit.name):
        made.conflicts.append(f"{unit.name} is already a name of {state.get('Id')} on this host")
    elif fragment and fragment != unit.path:
        elsewhere = seen.found(fragment)
        if elsewhere.kind != "file" or elsewhere.digest != unit.digests.file:
            made.conflicts.append(f"{unit.name} is already defined by {fragment} on this host")


def _add(made: Plan, name: str, decision: Decision, unit: Unit) -> None:
    if decision.warning:
        made.warnings.append(decision.warning)
    if decision.verb == "none":
        if decision.reasons and decision.reasons != ["new"]:
            made.actions.append(Action(name, "none", decision.reasons))
        return
    made.actions.append(Action(name, decision.verb, decision.reasons))
    if not name.endswith(".timer"):
        {"start": made.start, "restart": made.restart, "reload": made.reload}[decision.verb].append(name)
        return
    made.start.append(name)
    if decision.verb == "restart":
        # Stopped before the daemon-reload: that alone could make it fire by its new schedule.
        made.hold.append(name)
    if PERSISTENT.search(unit.content):
        # A stamp from before would make it catch up at once: a changed schedule is no reason to run.
        made.stamps_now.append(name)


def _plan_enablement(made: Plan, unit: Unit, before: LedgerUnit | None, seen: Observation) -> None:
    state = seen.state(unit.name)
    file_state = state.get("UnitFileState")
    if not unit.enabled:
        if before and before.enabled:
            made.disable.append(unit.name)
            made.actions.append(Action(unit.name, "disable", ["it has no [Install] section any more"]))
        return
    if before is None:
        if unit.path in made.adopted and file_state.startswith("enabled"):
            return
        made.enable.append(unit.name)
        made.actions.append(Action(unit.name, "enable", ["new"]))
    elif unit.digests.install != before.install or not before.enabled:
        made.reenable.append(unit.name)
        made.actions.append(Action(unit.name, "reenable", ["install digest differs"]))
    elif file_state == "disabled" and not unit.is_template:
        if state.running or state.failed or unit.activation == "on-demand":
            made.enable.append(unit.name)
            made.actions.append(Action(unit.name, "enable", ["it was disabled on the host"]))
        else:
            made.warnings.append(f"{unit.name} was disabled by hand and was left so")
    if unit.name in made.enable or unit.name in made.reenable:
        made.daemon_reload = True


def _plan_removals(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> None:
    wanted = {unit.name for unit in bundle.units}
    for name, unit in old.units.items():
        if name in wanted:
            continue
        now = seen.found(unit.path)
        if unit.adopted:
            made.warnings.append(f"{name} was there before and stays as it is")
            continue
        instances = seen.instances.get(name, []) if name.rpartition(".")[0].endswith("@") else [name]
        stopped = [each for each in instances if seen.state(each).active not in ("inactive", "failed")]
        made.stop += stopped
        made.actions += [Action(each, "stop", ["no longer wanted"]) for each in stopped]
        made.gone.append(name)
        if unit.enabled:
            made.disable.append(name)
        if now.kind == "file" and now.digest == unit.file:
            made.remove.append(unit.path)
            made.actions.append(Action(name, "remove", ["no longer wanted"]))
        elif now.exists:
            made.kept.add(unit.path)
            made.warnings.append(f"{unit.path} was changed on the host after it was written, so it stays")
        made.daemon_reload = True
        if name.endswith(".timer"):
            made.stamps_gone.append(name)
    paths = {file.path for file in bundle.files} | {unit.path for unit in bundle.units}
    for path, file in old.files.items():
        now = seen.found(path)
        if path in paths or not now.exists:
            continue
        if file.adopted:
            made.warnings.append(f"{path} was there before and stays as it is")
        elif now.kind == "file" and now.digest == file.digest:
            made.remove.append(path)
        else:
            made.kept.add(path)
            made.warnings.append(f"{path} was changed on the host after it was written, so it stays")
    links = {release.link for release in bundle.releases}
    for release in old.releases:
        now = seen.found(release.link)
        if release.current and release.link not in links and now.exists:
            if now.kind == "link" and now.target == release.directory:
                made.remove.append(release.link)
            else:
                made.kept.add(release.link)
                made.warnings.append(f"{release.link} was changed on the host after it was made, so it stays")


def _plan_sockets(made: Plan, bundle: Bundle, seen: Observation) -> None:
    """
    Stops services around a change of their socket, and holds what could start a stopped service meanwhile.

    systemd refuses to start a socket whose service runs ("Socket service already active, refusing"). A service that is
    only restarted needs neither: its socket stays open.
    """
    by_name = {unit.name: unit for unit in bundle.units}
    going = set(made.stop)
    for socket in [name for name in (*made.start, *made.restart, *made.stop) if name.endswith(".socket")]:
        served = set(seen.state(socket).words("Triggers"))
        served |= {unit.name for unit in bundle.units if socket in unit.triggered_by}
        for service in sorted(served & set(by_name)):
            if seen.state(service).running and service not in going:
                _stop_around(made, service, socket)
                going.add(service)
    for service in [name for name in made.stop if not is_trigger(name)]:
        triggers = set(seen.state(service).words("TriggeredBy"))
        triggers |= set(by_name[service].triggered_by if service in by_name else [])
        for trigger in sorted(triggers):
            if seen.state(trigger).running and trigger not in (*made.stop, *made.hold, *made.restart, *made.start):
                made.hold.append(trigger)
                made.actions.append(Action(trigger, "stop", [f"held while {service} is stopped"]))
                if trigger in by_name or service in by_name:
                    made.start.append(trigger)
                    made.actions.append(Action(trigger, "start", [f"held while {service} was stopped"]))


def _stop_around(made: Plan, service: str, socket: str) -> None:
    made.stop.append(service)
    made.actions.append(Action(service, "stop", [f"{socket} changes"]))
    for verbs in (made.restart, made.reload):
        if service in verbs:
            verbs.remove(service)
    reasons = [f"{socket} changed"]
    for action in list(made.actions):
        if action.unit == service and action.action in ("restart", "reload"):
            made.actions.remove(action)
            reasons = action.reasons + reasons
    if service not in made.start:
        made.start.append(service)
    made.actions.append(Action(service, "start", reasons))


def order_by_dependency(names: Iterable[str], after: dict[str, list[str]]) -> list[str]:
    """`names` so that each comes after the ones it names in `after`; a cycle is broken where it is met."""
    listed = sorted(set(names))
    done: list[str] = []
    visiting: set[str] = set()

    def visit(name: str) -> None:
        if name in done or name in visiting:
            return
        visiting.add(name)
        for earlier in sorted(set(after.get(name, [])) & set(listed)):
            visit(earlier)
        done.append(name)

    for name in listed:
        visit(name)
    return done


def phases(restart: Iterable[str], start: Iterable[str]) -> list[tuple[list[str], list[str]]]:
    """Restarts and starts in three waves: sockets, then services and the rest, then timers and paths."""
    waves: list[tuple[list[str], list[str]]] = [([], []), ([], []), ([], [])]
    for column, names in enumerate((restart, start)):
        for name in names:
            wave = 0 if name.endswith(".socket") else 2 if name.endswith((".timer", ".path")) else 1
            waves[wave][column].append(name)
    return [wave for wave in waves if wave[0] or wave[1]]
