"""Finishes or takes back what a transaction left that was cut off: killed, out of memory, or by a restart."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field

from .answer import Answer, answer_path, forget_answers, keep_answer
from .bundle import Bundle
from .errors import HostError, problem_text
from .files import remove_empty_directory, remove_temporaries, remove_tree
from .generation import drop_unlisted, tidy
from .keeping import drop_keeping
from .ledger import ROOT, Ledger, read_ledger, remove_ledger
from .observe import boot_id
from .pending import Pending, Undone, attempt, read_pending, undo
from .programs import remove_unfinished
from .system import System
from .units import Units
from .work import Work
from .writing import write_quietly


@dataclass
class Recovered:
    """What was found of one scope. `problems` are what could not be put right; `stuck`: files are among them."""

    scope: str
    transaction: str
    told: str
    problems: list[str] = field(default_factory=list)
    committed: bool = False
    stuck: bool = False


def recover_all(system: System, wait_sec: float, at_boot: bool = False) -> list[Recovered]:
    """
    Put every scope's cut-off transaction right. The host's lock must be held.

    At boot the units of what was cut off before it are only asked to start: their start waits for this.
    """
    found = []
    base = system.at(ROOT)
    for directory in sorted(glob.glob(os.path.join(glob.escape(base), "*", "*", "*", "pending"))):
        scope = os.path.relpath(os.path.dirname(directory), base)
        try:
            remove_temporaries(os.path.dirname(directory))
            one = _recover(system, scope, directory, wait_sec, at_boot)
        except Exception as problem:  # noqa: BLE001 the next scope's is put right all the same
            told = f"what a cut-off transaction of {scope} left"
            one = Recovered(scope, "", told, [problem_text(problem)], stuck=True)
        if one:
            found.append(one)
    unswept: list[str] = []
    for sweep in (lambda: _sweep(base), lambda: remove_unfinished(system), lambda: drop_keeping(system)):
        attempt(unswept, sweep)
    # It changes nothing for anybody, and the next run sweeps again: the journal of this one has it.
    write_quietly(2, "".join(f"what earlier runs left could not be removed: {each}\n" for each in unswept))
    return found


def _sweep(base: str) -> None:
    """Remove folders of scopes that a first transaction made, and that was killed before anything was in them."""
    for depth in ("*/*/*", "*/*", "*"):
        for directory in glob.glob(os.path.join(glob.escape(base), depth)):
            remove_empty_directory(directory)


def _recover(system: System, scope: str, directory: str, wait_sec: float, at_boot: bool) -> Recovered | None:
    pending = read_pending(directory)
    ledger = read_ledger(system, scope)
    if pending is None:
        # It had not changed anything yet.
        _forget(_work(system, scope, "", wait_sec), ledger)
        return None
    if ledger and ledger.transaction == pending.transaction:
        work = _work(system, scope, pending.transaction, wait_sec)
        tidy(work, ledger)
        told = f"the transaction {pending.transaction} was cut off after its new state counted; it was tidied up"
        return Recovered(scope, pending.transaction, told, work.warnings, True)
    booted = pending.boot != boot_id(system)
    at_boot = at_boot and booted
    if booted:
        # Nothing goes on that ran before.
        pending.affected, pending.pulled_up = None, []
    undone = undo(system, directory, pending, wait_sec, at_boot)
    when = "by a restart of the host" if at_boot else "before it ended"
    told = f"the transaction {pending.transaction} was cut off {when}; it was taken back"
    told += "".join(f"; left as it is: {line}" for line in undone.left)
    if not undone.files:
        attempt(undone.files, lambda: _forget(_work(system, scope, pending.transaction, wait_sec), ledger))
    if at_boot:
        _keep(system, scope, pending, undone, told, ledger)
    problems = undone.files + undone.units
    return Recovered(scope, pending.transaction, told, problems, stuck=bool(undone.files))


def _keep(system: System, scope: str, pending: Pending, undone: Undone, told: str, ledger: Ledger | None) -> None:
    """The next run tells what happened, since nobody listens now."""
    text = "\n".join([told, *undone.files, *undone.units])
    try:
        keep_answer(system, scope, Answer(pending.transaction, "", "", 1, text), beside_ledger=ledger is not None)
    except (HostError, OSError):
        # It is in the journal of this boot too.
        return


def _forget(work: Work, ledger: Ledger | None) -> None:
    """Leave nothing of a transaction that was taken back. Its uploads are still where they were."""
    scope = work.given.scope
    remove_tree(work.pending_directory)
    forget_answers([answer_path(work.system, scope, work.transaction)])
    drop_unlisted(work, ledger or Ledger(scope))
    if not (ledger and ledger.generation):
        remove_ledger(work.system, scope)


def _work(system: System, scope: str, transaction: str, wait_sec: float) -> Work:
    nothing = Bundle(scope, [], [], [], [], int(wait_sec), int(wait_sec))
    units = Units(system, wait_sec, system.now() + wait_sec)
    return Work(system, units, nothing, nothing, transaction, scratch="", login_home=None)
