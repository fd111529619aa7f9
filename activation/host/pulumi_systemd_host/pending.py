"""The record of a transaction that has begun to change the host, and the way back from it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Callable

from .enablement import concerns, enablement_directories, enablement_links
from .errors import HostError, problem_text
from .exit_status import told
from .files import (
    link_atomically,
    make_directories,
    remove_empty_directory,
    remove_file,
    remove_tree,
    sync_directory,
    temporary_name,
    write_atomically,
)
from .moving import is_of_others
from .pulled_up import stop_pulled_up
from .record import UNREADABLE, NewerRecordError, check_paths, check_readable, record
from .rolling import rolled
from .saved import SavedPath, restore_path
from .system import System
from .systemctl import UnitState
from .transient import end_left_behind
from .units import Units
from .users import known_accounts, known_groups, remove_copies, remove_halves, remove_users

# Of a transaction, and of a kept content: no path.
NAME = re.compile(r"[A-Za-z0-9-]*")


@dataclass
class SavedUnit:
    """How a unit was before."""

    running: bool
    looping: bool
    job: bool
    invocation: str
    queued: bool = False


@dataclass
class Pending:
    """Everything that the way back needs. Written and synced before the first change."""

    scope: str
    transaction: str
    generation: int
    # Of the boot in which it began: after another one nothing of it runs any more.
    boot: str = ""
    switching: bool = False
    paths: list[SavedPath] = field(default_factory=list)
    temporaries: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    trees: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    link_directories: list[str] = field(default_factory=list)
    units: dict[str, SavedUnit] = field(default_factory=dict)
    involved: list[str] = field(default_factory=list)
    # Those that it may have stopped or restarted, also through systemd. None: any of `units`.
    affected: list[str] | None = None
    # Those that did not run, and that systemd may have started for what it started.
    pulled_up: list[str] = field(default_factory=list)
    reloaded: list[str] = field(default_factory=list)
    # Slices in which limits of running units change.
    slices: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass
class Undone:
    """What the way back could not restore, in words. Empty lists: the host is as before."""

    files: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    # What is not as before and was left so, since it may be the doing of others.
    left: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.files or self.units)


def saved_unit(state: UnitState) -> SavedUnit:
    return SavedUnit(state.running, state.in_restart_loop, state.is_job, state.invocation, state.queued)


def write_pending(directory: str, pending: Pending, mtime_ns: int | None = None) -> None:
    path = os.path.join(directory, "pending.json")
    data = json.dumps({"format": 1, **asdict(pending)}, indent=1, sort_keys=True).encode("utf-8")
    check_readable(path, lambda: _parsed(data))
    write_atomically(path, data, 0o600, "pending", mtime_ns=mtime_ns)
    sync_directory(directory)


def read_pending(directory: str) -> Pending | None:
    """The record in `directory`. A directory without one belongs to a run that ended before it changed anything."""
    try:
        with open(os.path.join(directory, "pending.json"), "rb") as source:
            return _parsed(source.read())
    except FileNotFoundError:
        return None
    except NewerRecordError:
        raise HostError(
            f"{directory} was written by a newer pulumi-systemd: use that one to finish its transaction"
        ) from None
    except UNREADABLE:
        raise HostError(
            f"{directory}/pending.json is damaged: see what it lists, put it right by hand, remove {directory}"
        ) from None


def _parsed(data: bytes) -> Pending:
    value: dict[str, Any] = json.loads(data.decode("utf-8"))
    if value.pop("format") != 1:
        raise NewerRecordError
    pending = record(Pending, value)
    check_paths([saved.path for saved in pending.paths])
    check_paths([*pending.temporaries, *pending.directories, *pending.trees])
    check_paths([*pending.links, *pending.link_directories])
    if not all(NAME.fullmatch(name) for name in (pending.transaction, *(saved.backup for saved in pending.paths))):
        raise ValueError
    return pending


def undo(system: System, directory: str, pending: Pending, wait_sec: float, at_boot: bool = False) -> Undone:
    """
    Put the host back to what `pending` says. It can be run again at any time: it repairs only what differs.

    Units that the transaction did not touch are left alone. Never raises for one failed step: it goes on to the next.

    At boot nothing of it runs yet. What the half-changed disk made systemd want to start is taken off its list, and
    what ran before is put on it; no start is waited for, since each waits for this.
    """
    undone = Undone()
    attempt(undone.units, lambda: end_left_behind(system, pending.transaction))
    units = Units(system, wait_sec, system.now() + max(3 * wait_sec, 120.0))
    states = attempt(undone.units, lambda: units.show(pending.units)) or {}
    enabled = {os.path.basename(path) for path in pending.links}
    extra = [
        name
        for name, state in states.items()
        if name in pending.involved
        and (
            state.running
            or state.in_restart_loop
            or (state.queued and not (name in enabled if at_boot else pending.units[name].queued))
        )
        and not (pending.units[name].running or pending.units[name].looping)
    ]
    if extra and pending.switching:
        attempt(undone.units, lambda: units.stop(extra))
    others = attempt(undone.files, lambda: _leave_to_others(system, directory, pending, undone)) or set()
    changed = _restore_files(system, directory, pending, undone)
    changed = attempt(undone.files, lambda: _restore_links(system, pending, undone, others)) or changed
    if changed or pending.switching:
        attempt(undone.units, units.daemon_reload)
        attempt(undone.units, lambda: units.apply_limits(pending.slices, f"{pending.transaction}-undo"))
        attempt(undone.units, lambda: units.reset_failed(pending.involved))
    bring_back = _bring_back_later if at_boot else _bring_back
    attempt(undone.units, lambda: bring_back(units, pending, undone))
    if pending.switching and not at_boot:
        undone.left += attempt(undone.units, lambda: stop_pulled_up(units, pending.pulled_up)) or []
    _remove_accounts(system, directory, pending, undone)
    attempt(undone.files, lambda: _settle(system, pending, undone))
    return undone


def attempt(problems: list[str], step: Callable[[], Any], path: str = "") -> Any:
    """
    The result of a step of the way back. Whatever goes wrong in it is told, and the next one follows.

    `path`: what it is to put back.
    """
    try:
        return step()
    except Exception as problem:  # noqa: BLE001
        text = problem_text(problem, path or "the host")
        problems.append(text if path in text else f"{path}: {text}")
        return None


def _leave_to_others(system: System, directory: str, pending: Pending, undone: Undone) -> set[str]:
    """Take off the record what somebody else changed where nothing was moved yet; the paths."""
    if not pending.switching:
        pending.paths = []
        return set()
    of_others = {
        saved.path
        for saved in pending.paths
        if is_of_others(system, system.at(temporary_name(saved.path, pending.transaction)), saved)
    }
    if of_others:
        pending.paths = [saved for saved in pending.paths if saved.path not in of_others]
        try:
            # Its time tells since when accounts may have been made.
            write_pending(directory, pending, os.stat(os.path.join(directory, "pending.json")).st_mtime_ns)
        except OSError as problem:
            undone.files.append(str(problem))
            # The next try knows by them what was not moved.
            pending.temporaries = []
    return of_others


def _restore_files(system: System, directory: str, pending: Pending, undone: Undone) -> bool:
    changed = False

    def restore(saved: SavedPath) -> bool:
        # Under another name than what was staged: that one tells what was not moved.
        return restore_path(system, directory, saved, f"{pending.transaction}-undo")

    for saved in pending.paths:
        changed = bool(attempt(undone.files, lambda saved=saved: restore(saved), saved.path)) or changed  # type: ignore[misc]
    for path in pending.temporaries:
        attempt(undone.files, lambda path=path: remove_tree(system.at(path)), path)  # type: ignore[misc]
    for path in pending.trees:
        attempt(undone.files, lambda path=path: remove_tree(system.at(path)), path)  # type: ignore[misc]
    for path in reversed(pending.directories):
        remove_empty_directory(system.at(path))
    return changed


def _restore_links(system: System, pending: Pending, undone: Undone, others: set[str]) -> bool:
    """Put back the links of `systemctl enable` for the units of this transaction; others stay as they are."""
    if not pending.switching:
        return False
    changed = False
    tag = pending.transaction
    now = enablement_links(system)
    left = {system.at(path) for path in others}
    names = {*pending.involved, *pending.units}
    for path, target in now.items():
        if path not in pending.links and path not in left and concerns(path, target, names):
            changed = True
            attempt(undone.files, lambda path=path: remove_file(path), path)  # type: ignore[misc]
    for path, target in pending.links.items():
        if now.get(path) != target and path not in left and concerns(path, target, names):
            changed = True
            attempt(undone.files, lambda path=path: make_directories(os.path.dirname(path)), path)  # type: ignore[misc]
            attempt(undone.files, lambda path=path, target=target: link_atomically(path, target, tag), path)  # type: ignore[misc]
    for path in enablement_directories(system):
        if path not in pending.link_directories:
            remove_empty_directory(path)
    return changed


def _bring_back_later(units: Units, pending: Pending, undone: Undone) -> None:
    ran = [name for name, before in pending.units.items() if (before.running or before.looping) and not before.job]
    states: dict[str, UnitState] = attempt(undone.units, lambda: units.show(ran)) or {}
    again = [name for name, state in states.items() if state.loaded and not state.running]
    if again:
        attempt(undone.units, lambda: units.start_later(again))


def _settle(system: System, pending: Pending, undone: Undone) -> None:
    """The record of the way back goes next: what it did must be on disk before."""
    paths = [*(saved.path for saved in pending.paths), *pending.temporaries, *pending.trees]
    directories = {os.path.dirname(system.at(path)) for path in paths}
    for directory in sorted(directories | set(enablement_directories(system))):
        if os.path.isdir(directory):
            attempt(undone.files, lambda directory=directory: sync_directory(directory))  # type: ignore[misc]


def _bring_back(units: Units, pending: Pending, undone: Undone) -> None:
    """Run again what ran before and does not, or runs with the definition that was taken back."""
    states: dict[str, UnitState] = attempt(undone.units, lambda: units.show(pending.units)) or {}
    again = []
    for name, before in pending.units.items():
        state = states.get(name)
        if (not before.running and not before.looping) or before.job or state is None:
            continue
        if state.running and state.invocation == before.invocation:
            continue
        if pending.affected is None or (pending.switching and name in pending.affected):
            again.append(name)
        elif before.running and not state.running:
            undone.left.append(f"{name} ended meanwhile ({told(state)}), which this change did not touch")
    if not again:
        _reload_again(units, pending, states, undone)
        return
    sockets = [name for name in again if name.endswith(".socket")]
    served = {service for socket in sockets for service in states[socket].words("Triggers")}
    serving = [name for name in served if name in states and states[name].running]
    again = list(dict.fromkeys([*again, *(name for name in serving if pending.units[name].running)]))
    stuck = [name for name in again if states[name].active == "deactivating"]
    if stuck:
        attempt(undone.units, lambda: units.kill(stuck))
    if serving:
        attempt(undone.units, lambda: units.stop(serving))
    roll = rolled(again, pending.units)
    attempt(undone.units, lambda: units.bring_up([name for name in again if name not in roll], []))
    for name in roll:
        attempt(undone.units, lambda name=name: units.bring_up([name], []))  # type: ignore[misc]
    _reload_again(units, pending, states, undone)
    after: dict[str, UnitState] = attempt(undone.units, lambda: units.show(again)) or {}
    for name, state in after.items():
        if pending.units[name].running and not state.running:
            undone.units.append(f"{name} is not running again: {told(state)}")


def _reload_again(units: Units, pending: Pending, states: dict[str, UnitState], undone: Undone) -> None:
    names = [
        name
        for name in pending.reloaded
        if name in states and states[name].running and states[name].invocation == pending.units[name].invocation
    ]
    if names:
        attempt(undone.units, lambda: units.reload(names))


def _remove_accounts(system: System, directory: str, pending: Pending, undone: Undone) -> None:
    def remove() -> None:
        seconds = 30.0
        there = known_accounts(system, pending.users, seconds)
        groups = known_groups(system, pending.groups, seconds)
        if there or groups:
            undone.files += remove_users(system, sorted(there), sorted(groups), seconds)
        remove_halves(system, pending.users, pending.groups, seconds)
        # The record was written for the last time right before accounts were made.
        remove_copies(system, os.stat(os.path.join(directory, "pending.json")).st_mtime)

    if pending.users or pending.groups:
        attempt(undone.files, remove)
