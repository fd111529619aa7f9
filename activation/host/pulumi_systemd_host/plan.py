"""What a transaction will do and why: a pure function of the ledger, the bundle and what was observed on the host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .bundle import Bundle, Release, Unit
from .decide import Decision, decide
from .environment_target import LINK, Target, link_target
from .files import sha256_hex
from .ledger import Ledger, LedgerUnit
from .plan_adoption import (
    is_there,
    other_scope,
    plan_aliases,
    plan_also,
    plan_drop_ins,
    plan_homes,
    plan_return_of_file,
    plan_return_of_unit,
    plan_taken_over,
    plan_unit_name,
    take_over,
)
from .plan_neighbours import Neighbours
from .plan_shape import Action, Observation, Plan, Write

PERSISTENT = re.compile(r"^\s*Persistent\s*=\s*(?:1|y|yes|t|true|on)\s*$", re.MULTILINE | re.IGNORECASE)
UNIT_MODE = 0o644
# Below these systemd reads drop-ins too, which are files beside the units. activation/plan.ts mirrors it.
READ_BY_SYSTEMD = (
    "/etc/systemd/system/",
    "/run/systemd/system/",
    "/usr/local/lib/systemd/system/",
    "/usr/lib/systemd/system/",
    "/lib/systemd/system/",
)
# The order in which the actions of a receipt happen.
STEPS = (
    *("none", "adopt", "build", "check", "pre-start", "reload-manager", "stop", "disable", "remove", "restore"),
    *("enable", "reenable", "reload", "restart", "start", "post-start"),
)


@dataclass(frozen=True)
class Beside:
    """What changes beside the units: files and files that go, by path with the reason, and names of releases."""

    files: dict[str, str]
    gone: dict[str, str]
    releases: set[str]

    def reasons(self, named: list[str], before: list[str]) -> list[str]:
        """Those of the files that a unit names, and of the ones that go and that it named before."""
        changed = [self.files[path] for path in named if path in self.files]
        return changed + [self.gone[path] for path in before if path in self.gone]


def plan(old: Ledger, bundle: Bundle, seen: Observation) -> Plan:
    """The whole plan. It reads nothing but its arguments."""
    made = Plan()
    _plan_users(made, old, bundle, seen)
    plan_homes(made, bundle, seen)
    files = _plan_files(made, old, bundle, seen)
    beside = Beside(files, _gone_files(old, bundle, seen), _plan_releases(made, old, bundle, seen))
    _plan_hooks(made, old, bundle, beside.releases)
    for unit in bundle.units:
        _plan_unit(made, old, unit, bundle.adopt, seen, beside)
    _plan_removals(made, old, bundle, seen)
    plan_aliases(made, old, bundle, seen)
    plan_also(made, bundle)
    plan_drop_ins(made, bundle, seen)
    moved = [*(write.path for write in made.writes), *made.remove, *(saved.path for saved in made.restore)]
    made.daemon_reload = made.daemon_reload or any(path.startswith(READ_BY_SYSTEMD) for path in moved)
    Neighbours(made, old, bundle, seen).plan()
    going_on = {*made.stop, *made.hold, *made.restart, *made.follow, *made.start}
    made.limits = [name for name in made.limits if name not in going_on]
    made.warnings += [warning for name, warning in made.left_as_is.items() if name not in going_on]
    made.actions.sort(key=lambda action: STEPS.index(action.action))
    return made


def _plan_users(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> None:
    made.users = [user for user in bundle.users if user.name not in seen.accounts]
    # A group beside that of the account's own name is asked for by itself.
    others = {user.group for user in bundle.users if user not in made.users and user.group != user.name}
    made.groups = sorted(others - seen.groups - {user.group for user in made.users})
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
        write = Write(file.path, file.data, file.mode, False, file.secret)
        reason = _plan_write(made, write, file.path in old.files, bundle.adopt, seen)
        entry = old.files.get(file.path)
        if reason and entry and entry.digest != seen.found(file.path).digest:
            reason = f"{file.path} differed on the host"
        elif not reason and entry and entry.digest != sha256_hex(file.data):
            # Somebody wrote the same before us: what runs may have read the old content.
            reason = f"{file.path} changed"
        if reason:
            changed[file.path] = reason
    return changed


def _gone_files(old: Ledger, bundle: Bundle, seen: Observation) -> dict[str, str]:
    """The files of ours that go, or that what was there before comes back for; for each the reason."""
    kept = {*(file.path for file in bundle.files), *(unit.path for unit in bundle.units)}
    going = {path: file for path, file in old.files.items() if path not in kept}
    return {
        path: f"{path} is gone"
        for path, file in going.items()
        if path in old.originals or not (file.adopted or seen.found(path).digest != file.digest)
    }


def _plan_write(made: Plan, write: Write, ours: bool, adopt: list[str], seen: Observation) -> str:
    """Plans one file or unit file; the reason if its content changes."""
    now = seen.found(write.path)
    digest = sha256_hex(write.data)
    same = now.kind == "file" and now.digest == digest
    other = other_scope(write.path, seen)
    if other:
        made.conflicts.append(f"{write.path} {other}")
        return ""
    if not ours and now.exists:
        if same:
            made.adopted.add(write.path)
        elif not take_over(made, write, adopt, seen):
            return ""
    if now.kind in ("directory", "other"):
        made.conflicts.append(f"{write.path} is a {'directory' if now.kind == 'directory' else 'special file'} by now")
        return ""
    if same and (now.mode, now.uid, now.gid) == (write.mode, *seen.owner):
        return ""
    made.writes.append(write)
    if same:
        return ""
    return f"{write.path} changed" if now.exists else f"{write.path} is new"


def _plan_releases(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> set[str]:
    """Plans the releases; the names of those that change."""
    changed: set[str] = set()
    known = {release.directory: release for release in old.releases}
    links = {release.link for release in old.releases}
    for release in bundle.releases:
        directory, link = seen.found(release.directory), seen.found(release.link)
        for path in (release.directory, release.link):
            other = other_scope(path, seen)
            if other:
                made.conflicts.append(f"{path} {other}")
        unpacked = known.get(release.directory)
        if directory.exists and not (unpacked and directory.kind == "directory"):
            made.conflicts.append(f"{release.directory} is already there and was not made by this scope")
        elif directory.exists and unpacked and unpacked.sha256 != release.sha256:
            made.conflicts.append(f"{release.directory} holds another release: each needs a directory of its own")
        elif not directory.exists:
            made.unpack.append(release)
        if link.exists and (link.kind != "link" or release.link not in links):
            made.conflicts.append(f"{release.link} is already there and was not made by this scope ({link.kind})")
        elif link.target != release.directory:
            made.links.append(release)
        _plan_environment(made, old, release, seen)
        current = old.current_release(release.name)
        renewed = release in made.unpack or release in made.build or release in made.rebind
        if renewed or release in made.links or not current or current.sha256 != release.sha256:
            changed.add(release.name)
    return changed


def _plan_environment(made: Plan, old: Ledger, release: Release, seen: Observation) -> None:
    target = seen.environments.get(release.name)
    if target is None:
        return
    there = seen.found(target.directory)
    if target.directory in seen.claims:
        made.conflicts.append(
            f"{target.directory} belongs to {seen.claims[target.directory]}, another scope on this host"
        )
    ours = target.directory in {known.environment for known in old.releases}
    if there.exists and not (ours and there.kind == "directory"):
        made.conflicts.append(f"{target.directory} is already there and was not made by this scope")
    elif not there.exists:
        made.build.append(release)
        made.actions.append(Action(release.name, "build", [_why_built(old, release, target)]))
    link = seen.found(f"{release.directory}/{LINK}")
    if release not in made.unpack and (link.kind, link.target) != ("link", link_target(release, target)):
        made.rebind.append(release)


def _why_built(old: Ledger, release: Release, target: Target) -> str:
    current = old.current_release(release.name)
    how = f"its environment, for Python {target.python.version}, by {'uv' if target.uv else 'pip'}"
    if current is None or not current.environment:
        return f"{how}: new"
    if current.environment == target.directory:
        return f"{how}: it was gone from the host"
    if current.lock == (release.environment.digest if release.environment else ""):
        return f"{how}: the host's interpreter is another one"
    return f"{how}: lock, wheels or wanted interpreter changed"


def _plan_hooks(made: Plan, old: Ledger, bundle: Bundle, changed: set[str]) -> None:
    known = {release.directory: release.hooks for release in old.releases}
    directories = {release.name: release.directory for release in bundle.releases}
    for hook in bundle.hooks:
        is_new = known.get(directories[hook.release], {}).get(f"{hook.kind} {hook.unit}") != hook.digest
        if is_new or (hook.release in changed and hook.kind != "pre-start"):
            made.hooks.append(hook)
            reason = f"release {hook.release} changed" if hook.release in changed else "new"
            made.actions.append(Action(hook.unit, hook.kind, [reason]))


def _plan_unit(
    made: Plan,
    old: Ledger,
    unit: Unit,
    adopt: list[str],
    seen: Observation,
    beside: Beside,
) -> None:
    before = old.units.get(unit.name)
    now = seen.found(unit.path)
    plan_unit_name(made, unit, before, adopt, seen)
    ours = before is not None and before.path == unit.path
    _plan_write(made, Write(unit.path, unit.data, UNIT_MODE, True), ours, adopt, seen)
    written = bool(made.writes) and made.writes[-1].path == unit.path
    if written:
        made.daemon_reload = True
    drifted = ours and before is not None and now.digest != before.file
    if before and before.path != unit.path:
        made.remove.append(before.path)
        made.daemon_reload = True
    _plan_enablement(made, unit, before, seen)
    if before is None and is_there(unit, seen):
        plan_taken_over(made, unit, seen)
        return
    outside = beside.reasons(unit.restart_on_files, before.restart_on if before else [])
    outside += [f"release {name} changed" for name in unit.restart_on_releases if name in beside.releases]
    reread = beside.reasons(unit.reload_on_files, before.reload_on if before else [])
    booted = old.boot != seen.boot
    names = seen.instances.get(unit.name, []) if unit.is_template else [unit.name]
    for name in names:
        state = seen.state(name)
        decision = decide(unit, before, state, drifted, outside, booted, reread)
        _add(made, name, decision, unit)
        if before is None:
            continue
        if unit.activation == "on-demand" and decision.reasons and not (state.running or state.is_job):
            made.idle.append(name)
        if state.running and unit.digests.limits != before.limits and unit.digests.file != before.file:
            made.limits.append(name)
    if written and not any(action.unit in {unit.name, *names} for action in made.actions):
        why = "only its file changed: applied by daemon-reload" if before else "new"
        if before and unit.name in seen.connections:
            why = "connections at work are left to finish; the next one takes the change"
        made.actions.append(Action(unit.name, "reload-manager", [why]))
    if not unit.is_template and seen.state(unit.name).get("NeedDaemonReload") == "yes":
        made.daemon_reload = True


def _add(made: Plan, name: str, decision: Decision, unit: Unit) -> None:
    if decision.verb == "none":
        if decision.warning:
            made.left_as_is[name] = decision.warning
        if decision.reasons and decision.reasons != ["new"]:
            made.actions.append(Action(name, "none", decision.reasons))
        return
    made.actions.append(Action(name, decision.verb, decision.reasons))
    if name.endswith(".socket") and decision.verb == "restart":
        # In two halves: another socket may take its address, and its service must not be started in between.
        made.actions.pop()
        made.stop.append(name)
        made.start.append(name)
        made.actions.append(Action(name, "stop", [*decision.reasons, "it is closed until it is started again"]))
        made.actions.append(Action(name, "start", decision.reasons))
        return
    by_verb = {"start": made.start, "restart": made.restart, "reload": made.reload, "stop": made.stop}
    if not name.endswith(".timer"):
        by_verb[decision.verb].append(name)
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
        elif before is None and file_state.startswith("enabled"):
            made.disable.append(unit.name)
            made.actions.append(Action(unit.name, "disable", ["taken over: it has no [Install] section"]))
        return
    if before is None and file_state.startswith("enabled"):
        if seen.found(unit.path).digest != unit.digests.file:
            # Its links may be those of another [Install] section, or lead to a file elsewhere.
            made.reenable.append(unit.name)
            made.actions.append(Action(unit.name, "reenable", ["taken over"]))
    elif before is None:
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
            made.left_disabled.append(unit.name)
            made.warnings.append(f"{unit.name} was disabled by hand and was left so")
    if unit.name in made.enable or unit.name in made.reenable:
        made.daemon_reload = True


def _plan_removals(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> None:
    wanted = {unit.name for unit in bundle.units}
    for name, unit in old.units.items():
        if name in wanted:
            continue
        if name in old.original_units:
            plan_return_of_unit(made, name, unit, old, seen)
            continue
        now = seen.found(unit.path)
        if unit.adopted:
            made.warnings.append(f"{name} was there before and stays as it is")
            continue
        instances = seen.instances.get(name, []) if name.rpartition(".")[0].endswith("@") else [name]
        stopped = [each for each in instances if seen.state(each).active not in ("inactive", "failed")]
        stopped += seen.connections.get(name, [])
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
        if path in paths:
            continue
        if path in old.originals:
            plan_return_of_file(made, path, file.digest, old.originals[path], seen)
        elif not now.exists:
            continue
        elif file.adopted:
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
