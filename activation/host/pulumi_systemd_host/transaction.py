"""One transaction on a host: it reaches the state of the bundle, or the host is back on the state it had."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from typing import Any

from .bundle import Bundle
from .errors import HostError, InterruptedRunError, UnitsDownError
from .exit_status import told
from .files import remove_tree
from .generation import drop_archives, next_ledger, tidy
from .journal import journal_lines
from .ledger import Ledger, other_ledgers, read_ledger, remove_ledger, write_ledger
from .lock import host_lock
from .observe import observe
from .originals import drop_originals
from .pending import Pending, Undone, read_pending, undo
from .plan import plan
from .plan_shape import Action, Observation, Plan
from .receipt import Receipt
from .redaction import Redactor
from .staging import stage
from .switching import switch
from .system import System
from .systemctl import UnitState, version
from .units import Units
from .work import Work

# Telling what happened has its own time: that of the transaction may be used up.
STORY_SEC = 60.0


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
        self.redactor = redactor
        self.pending: Pending | None = None
        self.interruptible = False
        self.systemd = 0
        # Destroying is applying nothing: the same plan, the same way back.
        empty = replace(bundle, users=[], files=[], releases=[], units=[])
        self.work = Work(
            system=system,
            units=Units(system, bundle.wait_sec, system.now() + bundle.transaction_sec),
            given=bundle,
            bundle=empty if operation == "destroy" else bundle,
            transaction=transaction,
            scratch=scratch,
            login_home=login_home,
        )

    def run(self) -> Receipt:
        """Carry it out. Raises HostError with the whole story when the host is not in the state that was asked for."""
        work = self.work
        for file in work.given.files:
            if file.secret:
                self.redactor.add(file.content)
        holder = f"{work.given.scope} ({self.operation}, {work.transaction})"
        signal.signal(signal.SIGTERM, self._interrupted)
        self.interruptible = True
        try:
            with host_lock(self.system, holder, work.units.left()):
                self.interruptible = False
                return self._run_alone()
        except InterruptedRunError as problem:
            raise HostError(f"{problem}; nothing was changed on the host") from None
        except OSError as problem:
            raise HostError(f"{_told(problem)}; nothing was changed on the host") from None

    def _run_alone(self) -> Receipt:
        # Asked now: once the new state counts, nothing that can fail may come before the receipt.
        self.systemd = self.work.systemd = version(self.system)
        self._finish_crashed()
        old = read_ledger(self.system, self.work.given.scope)
        if self.operation == "destroy" and old is None:
            remove_ledger(self.system, self.work.given.scope)
            return self._receipt("destroyed", 0)
        old = old or Ledger(self.work.given.scope)
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
        """Take back what an earlier run of this scope left half done, or finish what only lacked its tidying up."""
        work = self.work
        if not os.path.isdir(work.pending_directory):
            return
        pending = read_pending(work.pending_directory)
        ledger = read_ledger(self.system, work.given.scope)
        if ledger and pending and ledger.transaction == pending.transaction:
            tidy(work, ledger)
            return
        if pending:
            undone = undo(self.system, work.pending_directory, pending, work.given.wait_sec)
            if undone.files:
                listed = "".join(f"\n  {line}" for line in undone.files)
                raise HostError(
                    f"the transaction {pending.transaction} was cut off and could not be taken back:{listed}"
                )
            work.warnings.append(f"the transaction {pending.transaction} was cut off; it was taken back first")
            work.warnings += undone.units
        self._forget(ledger or Ledger(work.given.scope))

    def _forget(self, old: Ledger) -> None:
        """Leave nothing of a transaction that was taken back. Its uploads are still where they were."""
        remove_tree(self.work.pending_directory)
        drop_archives(self.work, old)
        drop_originals(self.work, old)
        if not old.generation:
            remove_ledger(self.system, old.scope)

    def _learn_old_secrets(self, old: Ledger) -> None:
        for path, file in old.files.items():
            if file.secret:
                try:
                    with open(self.system.at(path), encoding="utf-8", errors="replace") as source:
                        self.redactor.add(source.read())
                except OSError:
                    continue

    def _change(self, old: Ledger) -> Receipt:
        work = self.work
        seen = observe(self.system, old, work.bundle, other_ledgers(self.system, work.given.scope), work.units.left())
        made = plan(old, work.bundle, seen)
        if made.conflicts:
            listed = "".join(f"\n  {line}" for line in dict.fromkeys(made.conflicts))
            raise HostError(
                f"these are not this scope's to change; nothing was changed on the host:{listed}{_how_to_adopt(made)}"
            )
        work.warnings += made.warnings
        if not made.changes_host and self.operation == "apply" and not made.adopted:
            return self._unchanged(old, made, seen)
        try:
            pending = stage(work, old, made, seen, self._begun)
            switch(work, old, made, pending, seen)
            states = self._final_states()
            # From here on an end is no reason to go back: it comes too late, or finds nothing to interrupt.
            self.interruptible = False
            after = next_ledger(work, old, made, seen, pending.directories)
            write_ledger(self.system, after)
        except (HostError, InterruptedRunError, OSError) as problem:
            self.interruptible = False
            raise HostError(self._taken_back(problem, old)) from None
        tidy(work, after)
        if self.operation == "destroy":
            self._remove_ledger()
            return self._receipt("destroyed", old.generation, made.actions)
        return self._receipt("applied", after.generation, made.actions, states)

    def _remove_ledger(self) -> None:
        """After a destroy. The ledger is empty by then: if it stays, that is no reason to fail."""
        try:
            remove_ledger(self.system, self.work.given.scope)
        except OSError as problem:
            self.work.warnings.append(f"the empty ledger could not be removed: {_told(problem)}")

    def _begun(self, pending: Pending) -> None:
        self.pending = pending

    def _unchanged(self, old: Ledger, made: Plan, seen: Observation) -> Receipt:
        states = self._final_states()
        after = next_ledger(self.work, old, made, seen, [])
        after.generation, after.transaction = old.generation, old.transaction
        if after != old:
            write_ledger(self.system, after)
        tidy(self.work, after)
        return self._receipt("unchanged", old.generation, made.actions, states)

    def _final_states(self) -> dict[str, UnitState]:
        units = self.work.bundle.units
        shown = self.work.units.show(unit.name for unit in units if not unit.is_template)
        return {unit.name: shown.get(unit.name, UnitState(unit.name, {})) for unit in units}

    def _taken_back(self, problem: Exception, old: Ledger) -> str:
        """Undo, and tell the whole story."""
        story = [_told(problem) if isinstance(problem, OSError) else str(problem)]
        if isinstance(problem, UnitsDownError):
            story += self._about(problem)
        if self.pending is None:
            self._forget(old)
            return "\n".join(story)
        started = self.pending.switching
        undone = self._undo(self.pending, old)
        if started or not undone.clean:
            story.append(_way_back(undone, old))
        return "\n".join(story)

    def _undo(self, pending: Pending, old: Ledger) -> Undone:
        work = self.work
        written = read_ledger(self.system, old.scope)
        if written and written.transaction == work.transaction:
            # Its last write failed after the rename. While it is there, a crash would count this transaction as done.
            write_ledger(self.system, old)
        undone = undo(self.system, work.pending_directory, pending, work.given.wait_sec)
        if not undone.files:
            self._forget(old)
        return undone

    def _about(self, problem: UnitsDownError) -> list[str]:
        lines: list[str] = []
        units = Units(self.system, STORY_SEC, self.system.now() + STORY_SEC)
        try:
            for name, state in units.show(problem.units).items():
                ended = problem.ended.get(name, "")
                lines.append(f"{name}: {'it ended and systemd started it again' if ended else told(state)}")
                lines += [f"    {line}" for line in journal_lines(self.system, state, ended)]
        except HostError as further:
            lines.append(str(further))
        return lines

    def _receipt(
        self,
        outcome: str,
        generation: int,
        actions: list[Action] | None = None,
        states: dict[str, UnitState] | None = None,
    ) -> Receipt:
        return Receipt(
            scope=self.work.given.scope,
            outcome=outcome,
            generation=generation,
            transaction=self.work.transaction,
            systemd=self.systemd,
            hostname=os.uname().nodename,
            daemon_reloads=self.work.units.daemon_reloads,
            actions=actions or [],
            states=states or {},
            warnings=self.work.warnings,
        )


def _how_to_adopt(made: Plan) -> str:
    if not made.adoptable:
        return ""
    listed = ", ".join(json.dumps(path) for path in dict.fromkeys(made.adoptable))
    return (
        f"\nNext: rename what is yours; or take it over with `adopt: [{listed}]` on the Host, "
        "which keeps what is there and gives it back when it leaves the program."
    )


def _told(problem: OSError) -> str:
    return f"{problem.filename or 'the host'}: {problem.strerror or problem}"


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
