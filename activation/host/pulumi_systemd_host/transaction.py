"""One transaction on a host: it reaches the state of the bundle, or the host is back on the state it had."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import replace
from typing import Any

from .bundle import Bundle, Release
from .errors import HostError, InterruptedRunError, UnitsDownError
from .exit_status import told
from .files import (
    free_bytes,
    link_atomically,
    make_directories,
    missing_directories,
    remove_empty_directory,
    remove_file,
    remove_tree,
    sha256_hex,
    stage_file,
    sync_directory,
    temporary_name,
)
from .journal import journal_lines
from .ledger import (
    Ledger,
    LedgerFile,
    LedgerRelease,
    LedgerUnit,
    other_ledgers,
    read_ledger,
    remove_ledger,
    scope_directory,
    write_ledger,
)
from .lock import host_lock
from .observe import boot_id, enablement_directories, enablement_links, observe, stamp_path
from .pending import Pending, Undone, read_pending, save_path, saved_unit, undo, write_pending
from .plan import Action, Observation, Plan, plan
from .receipt import Receipt
from .redaction import Redactor
from .releases import keep_archive, remove_upload, unpack
from .system import System
from .systemctl import UnitState, version
from .units import Units
from .users import create_users, remove_users
from .verify import verify

SPARE_BYTES = 4 << 20
ON_CALENDAR = re.compile(r"^\s*OnCalendar\s*=(.*\S)", re.MULTILINE)
DUE = re.compile(r"^\s*From now: .* ago$", re.MULTILINE)


class Transaction:
    """One run of `apply` or `destroy` for one scope."""

    def __init__(
        self,
        system: System,
        operation: str,
        bundle: Bundle,
        transaction: str,
        scratch: str,
        login_home: str | None,
        redactor: Redactor,
    ) -> None:
        self.system = system
        self.operation = operation
        self.given = bundle
        self.transaction = transaction
        self.scratch = scratch
        self.login_home = login_home
        self.redactor = redactor
        self.directory = scope_directory(system, bundle.scope)
        self.pending_directory = os.path.join(self.directory, "pending")
        self.units = Units(system, bundle.wait_sec, system.now() + bundle.transaction_sec)
        self.warnings: list[str] = []
        self.pending: Pending | None = None
        self.interruptible = False
        # Destroying is applying nothing: the same plan, the same way back.
        if operation == "destroy":
            self.bundle = replace(bundle, users=[], files=[], releases=[], units=[])
        else:
            self.bundle = bundle

    def run(self) -> Receipt:
        """Carry it out. Raises HostError with the whole story when the host is not in the state that was asked for."""
        for file in self.given.files:
            if file.secret:
                self.redactor.add(file.content)
        holder = f"{self.given.scope} ({self.operation}, {self.transaction})"
        signal.signal(signal.SIGTERM, self._interrupted)
        self.interruptible = True
        try:
            with host_lock(self.system, holder, self.units.left()):
                self.interruptible = False
                return self._run_alone()
        except InterruptedRunError as problem:
            raise HostError(f"{problem}; nothing was changed on the host") from None

    def _run_alone(self) -> Receipt:
        self._finish_crashed()
        old = read_ledger(self.system, self.given.scope)
        if self.operation == "destroy" and old is None:
            remove_ledger(self.system, self.given.scope)
            return self._receipt("destroyed", 0)
        old = old or Ledger(self.given.scope)
        self._learn_old_secrets(old)
        self.interruptible = True
        try:
            return self._change(old)
        finally:
            self.interruptible = False

    def _interrupted(self, _number: int, _frame: Any) -> None:
        if self.interruptible:
            self.interruptible = False
            raise InterruptedRunError("the transaction was told to end (SIGTERM)")

    def _finish_crashed(self) -> None:
        """Take back what an earlier run of this scope left half done."""
        if not os.path.isdir(self.pending_directory):
            return
        pending = read_pending(self.pending_directory)
        ledger = read_ledger(self.system, self.given.scope)
        if pending and not (ledger and ledger.transaction == pending.transaction):
            undone = undo(self.system, self.pending_directory, pending, self.given.wait_sec)
            if undone.files:
                listed = "".join(f"\n  {line}" for line in undone.files)
                raise HostError(
                    f"the transaction {pending.transaction} was cut off and could not be taken back:{listed}"
                )
            self.warnings.append(f"the transaction {pending.transaction} was cut off; it was taken back first")
            self.warnings += undone.units
        remove_tree(self.pending_directory)

    def _learn_old_secrets(self, old: Ledger) -> None:
        for path, file in old.files.items():
            if file.secret:
                try:
                    with open(self.system.at(path), encoding="utf-8", errors="replace") as source:
                        self.redactor.add(source.read())
                except OSError:
                    continue

    def _change(self, old: Ledger) -> Receipt:
        others = other_ledgers(self.system, self.given.scope)
        seen = observe(self.system, old, self.bundle, others, self.units.left())
        made = plan(old, self.bundle, seen)
        if made.conflicts:
            listed = "".join(f"\n  {line}" for line in dict.fromkeys(made.conflicts))
            raise HostError(f"these are not this scope's to change; nothing was changed on the host:{listed}")
        self.warnings += made.warnings
        if not made.changes_host and self.operation == "apply" and not made.adopted:
            return self._unchanged(old, made, seen)
        try:
            self._switch(old, made, self._stage(old, made, seen), seen)
            states = self._final_states()
            # From here on the new state counts. An end in between is finished by the next run.
            self.interruptible = False
            return self._commit(old, made, seen, states)
        except (HostError, InterruptedRunError, OSError) as problem:
            self.interruptible = False
            raise HostError(self._taken_back(problem, old)) from None

    def _unchanged(self, old: Ledger, made: Plan, seen: Observation) -> Receipt:
        after = self._next_ledger(old, made, seen)
        after.generation, after.transaction = old.generation, old.transaction
        if after != old:
            write_ledger(self.system, after)
        self._remove_uploads()
        return self._receipt("unchanged", old.generation, made.actions, self._final_states())

    # -- stage: nothing that the host uses is touched -------------------------------------------------------------

    def _stage(self, old: Ledger, made: Plan, seen: Observation) -> Pending:
        self._check_room(made)
        make_directories(self.directory, 0o700)
        remove_tree(self.pending_directory)
        make_directories(self.pending_directory, 0o700)
        pending = self._record(old, made, seen)
        write_pending(self.pending_directory, pending)
        self.pending = pending
        for path in pending.directories:
            make_directories(self.system.at(path))
        for release in made.unpack:
            self._unpack(release)
        for write in made.writes:
            stage_file(self._temporary(write.path), write.data, write.mode)
        moved = {release.name for release in (*made.unpack, *made.links)}
        changed = {os.path.basename(write.path) for write in made.writes if write.is_unit}
        changed |= {unit.name for unit in self.bundle.units if moved & set(unit.restart_on_releases)}
        self.warnings += verify(
            self.system,
            self.bundle.units,
            changed,
            os.path.join(self.scratch, "units"),
            self._will_be_executable,
            self.units.left(),
        )
        return pending

    def _temporary(self, path: str) -> str:
        return temporary_name(self.system.at(path), self.transaction)

    def _check_room(self, made: Plan) -> None:
        needed: dict[int, int] = {}
        shown: dict[int, str] = {}
        for write in made.writes:
            at = os.path.dirname(self.system.at(write.path))
            while at not in ("", "/") and not os.path.isdir(at):
                at = os.path.dirname(at)
            device = os.stat(at).st_dev
            needed[device] = needed.get(device, SPARE_BYTES) + len(write.data)
            shown[device] = at
        for device, size in needed.items():
            if free_bytes(shown[device]) < size:
                raise HostError(f"no room on the file system of {shown[device]}: {size} bytes are needed")

    def _record(self, old: Ledger, made: Plan, seen: Observation) -> Pending:
        paths = [write.path for write in made.writes] + [release.link for release in made.links] + made.remove
        paths += [stamp_path(timer) for timer in (*made.stamps_now, *made.stamps_gone)]
        targets = [write.path for write in made.writes]
        targets += [path for release in (*made.unpack, *made.links) for path in (release.directory, release.link)]
        targets += [stamp_path(timer) for timer in made.stamps_now]
        directories: dict[str, None] = {}
        for path in targets:
            directories.update(dict.fromkeys(missing_directories(self.system.at(path))))
        root = self.system.at("/").rstrip("/")
        involved = {*made.touched, *made.gone, *made.enable, *made.reenable, *made.disable}
        involved |= {os.path.basename(write.path) for write in made.writes if write.is_unit}
        return Pending(
            scope=self.given.scope,
            transaction=self.transaction,
            operation=self.operation,
            generation=old.generation,
            paths=[
                save_path(self.system, self.pending_directory, number, path)
                for number, path in enumerate(dict.fromkeys(paths))
            ],
            temporaries=[temporary_name(path, self.transaction) for path in targets],
            directories=[path[len(root) :] for path in directories],
            trees=[release.directory for release in made.unpack],
            links=enablement_links(self.system),
            link_directories=enablement_directories(self.system),
            units={name: saved_unit(state) for name, state in seen.states.items()},
            involved=sorted(involved),
            reloaded=made.reload,
            users=[user.name for user in made.users],
            groups=sorted({user.group for user in made.users} - seen.groups),
        )

    def _unpack(self, release: Release) -> None:
        archives = os.path.join(self.directory, "releases")
        make_directories(archives, 0o700)
        kept = os.path.join(archives, f"{release.sha256}.tar")
        keep_archive(release, self.login_home, kept)
        unpack(self.system, release, kept, self._temporary(release.directory), self.units.left())

    def _will_be_executable(self, path: str) -> bool | None:
        """Whether `path` will be a program once files and releases are in place; nothing if it is not one of ours."""
        for file in self.bundle.files:
            if file.path == path:
                return bool(file.mode & 0o111)
        for release in self.bundle.releases:
            for prefix in (release.link, release.directory):
                if path.startswith(f"{prefix}/"):
                    staged = self._temporary(release.directory)
                    base = staged if os.path.isdir(staged) else self.system.at(release.directory)
                    program = os.path.join(base, path[len(prefix) + 1 :])
                    return os.path.isfile(program) and bool(os.stat(program).st_mode & 0o111)
        return None

    # -- switch: from the first move on, every failure leads to the way back ---------------------------------------

    def _switch(self, old: Ledger, made: Plan, pending: Pending, seen: Observation) -> None:
        pending.switching = True
        write_pending(self.pending_directory, pending)
        create_users(self.system, made.users, self.scratch, self.units.left())
        self._move_files(made)
        self.units.stop([*made.hold, *made.stop])
        # `systemctl disable` of a name without a file is an error.
        there = [name for name in made.disable if os.path.lexists(self.system.at(old.units[name].path))]
        self.units.enablement("disable", there)
        for path in made.remove:
            remove_file(self.system.at(path))
            sync_directory(os.path.dirname(self.system.at(path)))
        for timer in made.stamps_gone:
            remove_file(self.system.at(stamp_path(timer)))
        self.units.enablement("enable", made.enable)
        self.units.enablement("reenable", made.reenable)
        # `Also=` of a disabled unit may have taken another one along.
        if made.disable:
            self.units.enablement("enable", [unit.name for unit in self.bundle.units if unit.enabled])
        if made.daemon_reload:
            self.units.daemon_reload()
        self.units.reset_failed([*made.touched, *made.gone])
        self._set_stamps(made.stamps_now)
        self.units.reload(made.reload)
        self.units.bring_up(made.restart, made.start)
        self._bring_up_neighbours(made, seen)
        self._watch(made, seen)
        self.warnings += remove_users(self.system, made.users_gone, made.groups_gone, self.units.left())

    def _move_files(self, made: Plan) -> None:
        for release in made.unpack:
            target = self.system.at(release.directory)
            os.rename(self._temporary(release.directory), target)
            sync_directory(os.path.dirname(target))
        directories: set[str] = set()
        for write in made.writes:
            target = self.system.at(write.path)
            os.replace(self._temporary(write.path), target)
            directories.add(os.path.dirname(target))
        for directory in sorted(directories):
            sync_directory(directory)
        for release in made.links:
            link_atomically(self.system.at(release.link), release.directory, self.transaction)

    def _set_stamps(self, timers: list[str]) -> None:
        """Move the stamps of last runs to now where the timer would catch up at once on a schedule it did not have."""
        contents = {unit.name: unit.content for unit in self.bundle.units}
        for timer in timers:
            path = self.system.at(stamp_path(timer))
            if os.path.isfile(path) and self._is_due(contents[timer], int(os.stat(path).st_mtime)):
                os.utime(path)

    def _is_due(self, content: str, last_run: int) -> bool:
        calendars = [value.strip() for value in ON_CALENDAR.findall(content)]
        argv = ["systemd-analyze", "calendar", f"--base-time=@{last_run}", "--", *calendars]
        done = self.system.run(argv, self.units.left())
        return done.code != 0 or bool(DUE.search(done.out))

    def _bring_up_neighbours(self, made: Plan, seen: Observation) -> None:
        """Start again what stopped only because one of our units did (Requires=, BindsTo=, PartOf= on it)."""
        if not (made.stop or made.hold or made.restart):
            return
        planned = {*made.touched, *made.gone}
        before = [
            name for name, state in seen.states.items() if state.running and not state.is_job and name not in planned
        ]
        now = self.units.show(before)
        down = [name for name in before if now[name].active == "inactive" and _depends_on(seen, name, planned)]
        down = [name for name in down if now[name].loaded]
        if down:
            self.units.bring_up([], down)
        for name in before:
            state = now[name]
            if name in down or (
                seen.state(name).invocation and state.invocation != seen.state(name).invocation and state.running
            ):
                self.warnings.append(f"{name} was restarted by systemd, because it depends on a unit that was")

    def _watch(self, made: Plan, seen: Observation) -> None:
        touched = [*made.restart, *made.start, *made.reload]
        seconds = {unit.name: unit.settle_sec for unit in self.bundle.units}
        fresh = {*made.restart, *made.start}
        self.warnings += self.units.settle({name: seconds.get(name, 0.0) for name in touched}, fresh)
        states = self.units.show(made.restart)
        stale = [
            name
            for name, state in states.items()
            if state.invocation and state.invocation == seen.state(name).invocation
        ]
        if stale:
            raise UnitsDownError(f"{', '.join(stale)}: systemd did not restart it", stale)

    def _final_states(self) -> dict[str, UnitState]:
        shown = self.units.show(unit.name for unit in self.bundle.units if not unit.is_template)
        return {unit.name: shown.get(unit.name, UnitState(unit.name, {})) for unit in self.bundle.units}

    # -- the end ---------------------------------------------------------------------------------------------------

    def _commit(self, old: Ledger, made: Plan, seen: Observation, states: dict[str, UnitState]) -> Receipt:
        after = self._next_ledger(old, made, seen)
        write_ledger(self.system, after)
        remove_tree(self.pending_directory)
        self._remove_uploads()
        wanted = {release.directory for release in after.releases}
        for release in old.releases:
            if release.directory not in wanted:
                remove_tree(self.system.at(release.directory))
        self._drop_archives({release.sha256 for release in after.releases})
        self._drop_directories(after)
        if self.operation == "destroy":
            remove_ledger(self.system, self.given.scope)
            return self._receipt("destroyed", old.generation, made.actions)
        return self._receipt("applied", after.generation, made.actions, states)

    def _next_ledger(self, old: Ledger, made: Plan, seen: Observation) -> Ledger:
        bundle = self.bundle
        current = [LedgerRelease(r.name, r.sha256, r.directory, r.link, True) for r in bundle.releases]
        wanted = {release.directory for release in current}
        names = {release.name for release in current}
        previous: dict[str, LedgerRelease] = {}
        for release in old.releases:
            # The one before stays for a quick way back; a release that is current again is not its own predecessor.
            if (
                release.name in names
                and release.directory not in wanted
                and (release.current or release.name not in previous)
            ):
                previous[release.name] = replace(release, current=False)
        directories = [*old.directories, *(self.pending.directories if self.pending else [])]
        return Ledger(
            scope=old.scope,
            generation=old.generation + 1,
            transaction=self.transaction,
            boot=seen.boot or boot_id(self.system),
            users={
                user.name: old.users.get(user.name, False) or user.name not in seen.accounts for user in bundle.users
            },
            groups={
                user.group: old.groups.get(user.group, False) or user.group not in seen.groups for user in bundle.users
            },
            files={
                file.path: LedgerFile(
                    sha256_hex(file.data),
                    file.mode,
                    file.secret,
                    file.path in made.adopted or (file.path in old.files and old.files[file.path].adopted),
                )
                for file in bundle.files
            },
            units={
                unit.name: LedgerUnit(
                    unit.path,
                    unit.digests.file,
                    unit.digests.restart,
                    unit.digests.reload,
                    unit.digests.install,
                    unit.enabled,
                    unit.activation,
                    unit.path in made.adopted or (unit.name in old.units and old.units[unit.name].adopted),
                )
                for unit in bundle.units
            },
            releases=current + list(previous.values()),
            directories=list(dict.fromkeys(directories)),
        )

    def _remove_uploads(self) -> None:
        if self.login_home:
            for release in self.given.releases:
                remove_upload(release, self.login_home)

    def _drop_archives(self, wanted: set[str]) -> None:
        archives = os.path.join(self.directory, "releases")
        if os.path.isdir(archives):
            for name in os.listdir(archives):
                if name.partition(".")[0] not in wanted:
                    remove_file(os.path.join(archives, name))
            remove_empty_directory(archives)

    def _drop_directories(self, after: Ledger) -> None:
        """Remove directories that we made and that hold nothing any more."""
        left = [path for path in after.directories if os.path.lexists(self.system.at(path))]
        for path in sorted(left, key=len, reverse=True):
            if remove_empty_directory(self.system.at(path)):
                left.remove(path)
        if left != after.directories and self.operation != "destroy":
            after.directories = left
            write_ledger(self.system, after)

    def _taken_back(self, problem: Exception, old: Ledger) -> str:
        """Undo, and tell the whole story."""
        story = [str(problem)]
        if isinstance(problem, OSError):
            story = [f"{problem.filename or 'the host'}: {problem.strerror or problem}"]
        if isinstance(problem, UnitsDownError):
            story += self._about(problem)
        if self.pending is None:
            remove_tree(self.pending_directory)
            self._tidy(old)
            return "\n".join(story)
        started = self.pending.switching
        undone = undo(self.system, self.pending_directory, self.pending, self.given.wait_sec)
        if not undone.files:
            remove_tree(self.pending_directory)
            self._tidy(old)
        if started or not undone.clean:
            story.append(_way_back(undone, old))
        return "\n".join(story)

    def _tidy(self, old: Ledger) -> None:
        """Leave nothing of a failed transaction beside the ledger. Its uploads are still where they were."""
        self._drop_archives({release.sha256 for release in old.releases})
        if old.generation == 0:
            remove_ledger(self.system, self.given.scope)

    def _about(self, problem: UnitsDownError) -> list[str]:
        lines: list[str] = []
        ends = self.units.ends_at
        # Telling what happened has its own time: the transaction's may be used up.
        self.units.ends_at = self.system.now() + 60
        try:
            for name, state in self.units.show(problem.units).items():
                ended = problem.ended.get(name, "")
                lines.append(f"{name}: {'it ended and systemd started it again' if ended else told(state)}")
                lines += [f"    {line}" for line in journal_lines(self.system, state, ended)]
        except HostError as further:
            lines.append(str(further))
        self.units.ends_at = ends
        return lines

    def _receipt(
        self,
        outcome: str,
        generation: int,
        actions: list[Action] | None = None,
        states: dict[str, UnitState] | None = None,
    ) -> Receipt:
        return Receipt(
            scope=self.given.scope,
            outcome=outcome,
            generation=generation,
            transaction=self.transaction,
            systemd=version(self.system),
            hostname=os.uname().nodename,
            daemon_reloads=self.units.daemon_reloads,
            actions=actions or [],
            states=states or {},
            warnings=self.warnings,
        )


def _depends_on(seen: Observation, name: str, planned: set[str]) -> bool:
    keys = ("RequiredBy", "BoundBy", "ConsistsOf")
    return any(name in seen.state(ours).words(key) for ours in planned for key in keys)


def _way_back(undone: Undone, old: Ledger) -> str:
    state = f"generation {old.generation}" if old.generation else "as before the first `pulumi up`"
    if undone.clean:
        return (
            f"The host is back on its previous state ({state}): files, links, enablement and what was running.\n"
            "Next: put right what is named above, then run `pulumi up` again."
        )
    listed = "".join(f"\n  {line}" for line in [*undone.files, *undone.units])
    return (
        f"The way back to the previous state ({state}) did not wholly succeed; not back are:{listed}\n"
        "Next: put these right on the host, then run `pulumi up` again."
    )
