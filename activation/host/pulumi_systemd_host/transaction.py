"""One transaction on a host: it reaches the state of the bundle, or the host is back on the state it had."""

from __future__ import annotations

import json
import os
import signal
import time
import traceback
from dataclasses import replace
from typing import Any

from .answer import Answer, answer_path, forget_answers, keep_answer, kept_answers
from .bundle import Bundle
from .bystanders import fallen_bystanders
from .confirmation import await_confirmation
from .enablement import UNITS, enablement_directories
from .environments import index_secrets
from .errors import (
    HostError,
    InterruptedRunError,
    NotConfirmedError,
    UnitsDownError,
    is_foreseen,
    problem_text,
)
from .exit_status import told
from .files import content_of, remove_temporaries, remove_tree, sync_directory
from .generation import drop_unlisted, next_ledger, settle_uploads, tidy
from .generations import (
    Back,
    Origin,
    content_digest,
    read_generations,
    update_generation,
    write_generation,
)
from .holding import refuse_if_held, rollback_refusal, rollback_told
from .journal import journal_lines
from .keeping import drop_keeping
from .ledger import Hold, Ledger, RolledBack, other_ledgers, read_ledger, remove_ledger, write_ledger
from .lock import host_lock
from .observe import observe
from .pending import Pending, Undone, attempt, undo
from .plan import plan
from .plan_shape import Action, Observation, Plan
from .receipt import Receipt, repeated
from .recovery import recover_all
from .redaction import Redactor
from .sealing import Sealer, refuse_if_too_old, sealed_bundle, sealed_on
from .staging import stage
from .swap_meter import Swap
from .switching import switch
from .system import System
from .systemctl import UnitState, version
from .units import Units
from .work import Work
from .writing import write_quietly

# Telling what happened has its own time: that of the transaction may be used up.
STORY_SEC = 60.0
# An attempt to confirm that reaches the host this much after its time is no new wish to change it.
LATE_SEC = 60.0


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
        back: Back | None = None,
    ) -> None:
        self.system = system
        self.operation = operation
        self.redactor = redactor
        # Set where a person on the host goes back to an earlier generation; `bundle` is then that one's.
        self.back = back
        self.pending: Pending | None = None
        self.interruptible = False
        self.systemd = 0
        self.swaps: list[Swap] = []
        # Files that hold answers which nobody is known to have got: those of earlier runs, and this one's.
        self.kept: list[str] = []
        self.carried: list[Answer] = []
        # Destroying is applying nothing: the same plan, the same way back.
        empty = replace(bundle, users=[], files=[], releases=[], hooks=[], units=[])
        self.work = Work(
            system=system,
            units=Units(system, bundle.wait_sec, system.now() + bundle.transaction_sec),
            given=bundle,
            bundle=empty if operation == "destroy" else bundle,
            transaction=transaction,
            scratch=scratch,
            login_home=login_home,
            destroys=operation == "destroy",
        )
        self.sealer = Sealer(system, self.work.units.left)

    def run(self) -> Receipt:
        """Carry it out. Raises HostError with the whole story when the host is not in the state that was asked for."""
        work = self.work
        for file in work.given.files:
            if file.secret:
                self.redactor.add(file.content)
                self.redactor.add(file.plain.decode("utf-8", "replace"))
        for release in work.given.releases:
            for secret in index_secrets(release.environment) if release.environment else []:
                self.redactor.add(secret)
        holder = f"{work.given.scope} ({self.operation}, {work.transaction})"
        signal.signal(signal.SIGTERM, self._interrupted)
        self.interruptible = True
        try:
            with host_lock(self.system, holder, work.given.transaction_sec):
                self.interruptible = False
                return self._run_alone()
        except (InterruptedRunError, OSError) as problem:
            known = "; nothing was changed on the host" if self.pending is None else ""
            raise HostError(f"{problem_text(problem)}{known}") from None

    def _run_alone(self) -> Receipt:
        # Asked now: once the new state counts, nothing that can fail may come before the receipt.
        self.systemd = self.work.systemd = version(self.system)
        # It may have waited for the lock: that was not its own time.
        self.work.units.ends_at = self.system.now() + self.work.given.transaction_sec
        if self.back is None:
            scope = self.work.given.scope
            refuse_if_held(self.system, read_ledger(self.system, scope), scope, time.time())
        try:
            self._finish_crashed()
            if self.back is None:
                self._take_over_answers()
            old = read_ledger(self.system, self.work.given.scope)
            if self.operation == "destroy" and old is None:
                remove_ledger(self.system, self.work.given.scope)
                settle_uploads(self.work)
                return self._receipt("destroyed", 0)
            old = old or Ledger(self.work.given.scope)
            self._learn_old_secrets(old)
            self._seal()
            self._answer_rollback(old)
            self.interruptible = True
            return self._change(old)
        finally:
            self.interruptible = False
            self._drop_keeping()

    def _drop_keeping(self) -> None:
        try:
            drop_keeping(self.system)
        except Exception as problem:  # noqa: BLE001 the new state may count already
            told = problem_text(problem)
            self.work.warnings.append(f"what is kept for a restart of the host could not be removed: {told}")

    def _take_over_answers(self) -> None:
        """What earlier runs of this scope answered, and nobody is known to have got: this run tells it."""
        work = self.work
        remove_temporaries(work.directory)
        found = kept_answers(self.system, work.given.scope)
        self.kept += found
        self.carried = list(found.values())
        for answer in self.carried:
            same = (answer.operation, answer.digest) == (self.operation, work.given.digest)
            if answer.unconfirmed and same and 0 <= time.time() - answer.at < LATE_SEC:
                raise HostError(answer.text)
            if not same or answer.code:
                work.warnings.append(_told_late(answer))

    def _answer_rollback(self, old: Ledger) -> None:
        """What an update does after a person went back on the host: it says so, and does not just bring it all back."""
        if self.back or not old.rolled_back:
            return
        if self.operation == "apply" and content_digest(json.loads(self.work.given.raw)) == old.rolled_back.asked:
            raise HostError(rollback_refusal(old))
        self.work.warnings.append(f"{rollback_told(old)}; this update replaces that")

    def _interrupted(self, _number: int, _frame: Any) -> None:
        if self.interruptible:
            self.interruptible = False
            raise InterruptedRunError("the transaction was told to end (SIGTERM)")

    def _finish_crashed(self) -> None:
        """Take back what an earlier run left half done, or finish what only lacked its tidying up. Of any scope."""
        work = self.work
        for one in recover_all(self.system, work.given.wait_sec):
            listed = "".join(f"\n  {line}" for line in one.problems)
            if one.stuck and one.scope == work.given.scope:
                raise HostError(f"what an earlier transaction left half done could not be taken back:{listed}")
            work.warnings.append(f"{one.told}{listed}" if one.scope == work.given.scope else f"{one.scope}: {one.told}")

    def _forget(self, old: Ledger) -> None:
        """Leave nothing of a transaction that was taken back. Its uploads are still where they were."""
        remove_tree(self.work.pending_directory)
        drop_unlisted(self.work, old)
        if not old.generation:
            remove_ledger(self.system, old.scope)

    def _learn_old_secrets(self, old: Ledger) -> None:
        for path, file in old.files.items():
            if file.secret:
                content = content_of(self.system.at(path))
                if content is not None:
                    self._learn(content.decode("utf-8", "replace"), file.seal)

    def _learn(self, content: str, seal: str) -> None:
        self.redactor.add(content)
        try:
            secret = self.sealer.opened(seal, content) if seal else None
        except HostError:
            # A host without systemd-creds by now is to be left all the same.
            if self.operation != "destroy":
                raise
            secret = None
        if secret is not None:
            self.redactor.add(secret.decode("utf-8", "replace"))

    def _seal(self) -> None:
        """From here on the bundle has no secret that may not be on a disk. It was read with them, into memory."""
        work = self.work
        if self.operation == "destroy":
            return
        refuse_if_too_old(work.bundle, self.systemd)
        for file in work.bundle.files:
            if file.seal and not file.to_seal:
                self._learn(file.content, file.seal)
        known = sealed_on(self.system, work.generations)
        work.given = work.bundle = sealed_bundle(self.sealer, work.bundle, known)

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
        if not made.changes_host and self.operation != "destroy" and not made.adopted:
            return self._unchanged(old, made, seen)
        try:
            after, states = self._reach(old, made, seen)
        except Exception as problem:  # noqa: BLE001 whatever it is, the host may be half changed
            cause = problem if isinstance(problem, NotConfirmedError) else None
            raise HostError(self._taken_back(problem, old)) from cause
        tidy(work, after)
        if self.operation == "destroy":
            forget_answers(self.kept)
            self._remove_ledger()
            return self._receipt("destroyed", old.generation, made.actions)
        return self._receipt("applied", after.generation, made.actions, states)

    def _reach(self, old: Ledger, made: Plan, seen: Observation) -> tuple[Ledger, dict[str, UnitState]]:
        """Have the new state on the host, and count. A SIGTERM comes out of here as an error or not at all."""
        work = self.work
        try:
            pending = stage(work, old, made, seen, self._begun)
            switch(work, old, made, pending, seen)
            self._tell_swaps()
            if self.operation == "apply" and work.given.confirm_sec:
                asked = self.system.now()
                await_confirmation(self.system, work.scratch, work.given.confirm_sec)
                # To wait for a person is none of its own time.
                work.units.ends_at += self.system.now() - asked
            states = self._final_states()
            work.warnings += fallen_bystanders(work, made, seen, states)
            # From here on an end is no reason to go back: it comes too late, or finds nothing to interrupt.
            self.interruptible = False
            after = next_ledger(work, old, made, seen, pending.directories)
            self._settle_links()
            if self.operation != "destroy":
                self._keep_generation(old, after)
            if self.operation == "apply":
                self._keep(self._receipt("applied", after.generation, made.actions, states))
            write_ledger(self.system, after)
            return after, states
        finally:
            self.interruptible = False

    @property
    def is_half_done(self) -> bool:
        """Whether the record of the way back is still there, so that somebody has to take it."""
        return self.pending is not None and os.path.isdir(self.work.pending_directory)

    def _tell_swaps(self) -> None:
        self.swaps = self.work.swaps.end()
        for swap in self.swaps:
            self.system.note(self.redactor.redact(swap.told))

    def _keep_generation(self, old: Ledger, after: Ledger) -> None:
        back = self.back
        if back is None:
            write_generation(self.work, after, Origin("up"))
            return
        after.rolled_back = self._rolled_back(old, back)
        if back.hold_sec:
            after.hold = Hold(back.who, after.at, after.at + back.hold_sec, back.reason or f"rolled back to {back.to}")
        write_generation(self.work, after, Origin("rollback", back.to, back.who, back.reason))

    def _rolled_back(self, old: Ledger, back: Back) -> RolledBack | None:
        """The note for the next update; none when the host is then again on what the last update asked for."""
        before = old.rolled_back
        left = before.left if before else old.generation
        generation = read_generations(self.work.generations).get(left)
        asked = before.asked if before else content_digest(generation.bundle) if generation else ""
        if content_digest(json.loads(self.work.given.raw)) == asked:
            return None
        return RolledBack(back.to, left, asked, time.time(), back.who, back.reason)

    def _remove_ledger(self) -> None:
        """After a destroy. The ledger is empty by then: if it stays, that is no reason to fail."""
        try:
            remove_ledger(self.system, self.work.given.scope)
        except OSError as problem:
            self.work.warnings.append(f"the empty ledger could not be removed: {problem_text(problem)}")

    def _settle_links(self) -> None:
        """The new state counts once the ledger is on disk: what systemctl did must be there before."""
        for directory in [self.system.at(UNITS), *enablement_directories(self.system)]:
            if os.path.isdir(directory):
                sync_directory(directory)

    def _keep(self, receipt: Receipt) -> None:
        """Written before the ledger: it counts once that does."""
        work = self.work
        text = receipt.to_json(self.redactor)
        answer = Answer(work.transaction, self.operation, work.given.digest, 0, text)
        self.kept.append(keep_answer(self.system, work.given.scope, answer, beside_ledger=True))

    def _begun(self, pending: Pending) -> None:
        self.pending = pending

    def _unchanged(self, old: Ledger, made: Plan, seen: Observation) -> Receipt:
        states = self._final_states()
        after = next_ledger(self.work, old, made, seen, [])
        after.generation, after.transaction, after.at = old.generation, old.transaction, old.at
        if self.back:
            raise HostError(f"the host is as generation {self.back.to} asks for already; nothing was changed")
        if old.generation:
            update_generation(self.work, after)
        if after != old:
            write_ledger(self.system, after)
        tidy(self.work, after)
        receipt = self._receipt("unchanged", old.generation, made.actions, states)
        for answer in self.carried:
            same = (answer.operation, answer.digest) == (self.operation, self.work.given.digest)
            if same and answer.receipt and answer.transaction == old.transaction:
                return repeated(receipt, answer.receipt)
        return receipt

    def _final_states(self) -> dict[str, UnitState]:
        units = self.work.bundle.units
        shown = self.work.units.show(unit.name for unit in units if not unit.is_template)
        return {unit.name: shown.get(unit.name, UnitState(unit.name, {})) for unit in units}

    def _taken_back(self, problem: Exception, old: Ledger) -> str:
        """Undo, and tell the whole story."""
        story = [problem_text(problem)]
        if not is_foreseen(problem):
            attempt([], lambda: self._trace(problem))
        if isinstance(problem, UnitsDownError):
            story += attempt(story, lambda: self._about(problem)) or []
        if self.pending is None:
            attempt(story, lambda: self._forget(old))
            return "\n".join(story)
        stays = self._why_ledger_stays(old)
        if stays:
            # The old files under a ledger with the new ones would be half of each. This way the next run tidies up.
            story.append(f"The host stays on the new state: its ledger could not be taken back ({stays}).")
            return "\n".join([*story, f"Next: put right what is named above, then {_again(self.back)}."])
        started = self.pending.switching
        undone = self._undo(self.pending, old)
        story += [swap.told for swap in self.work.swaps.end()]
        if started or not undone.clean:
            story.append(_way_back(undone, old, self.back))
        return "\n".join(story)

    def _why_ledger_stays(self, old: Ledger) -> str:
        """What keeps the ledger of the new state on the disk; empty where the old one is there (again)."""
        problems: list[str] = []

        def counts() -> bool:
            written = read_ledger(self.system, old.scope)
            return written is not None and written.transaction == self.work.transaction

        if attempt([], counts):
            # Its last write failed after the rename. While it is there, a crash would count this transaction as done.
            attempt(problems, lambda: write_ledger(self.system, old))
        return problems[0] if problems and attempt([], counts) else ""

    def _undo(self, pending: Pending, old: Ledger) -> Undone:
        work = self.work
        own = answer_path(self.system, old.scope, work.transaction)
        forget_answers([own])
        self.kept = [path for path in self.kept if path != own]
        undone = undo(self.system, work.pending_directory, pending, work.given.wait_sec)
        if not undone.files:
            attempt(undone.files, lambda: self._forget(old))
        return undone

    def _trace(self, problem: Exception) -> None:
        """A fault of this program, for the journal of its unit."""
        lines = traceback.format_exception(type(problem), problem, problem.__traceback__)
        write_quietly(2, self.redactor.redact("".join(lines)))

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
            swaps=self.swaps,
        )


def _how_to_adopt(made: Plan) -> str:
    if not made.adoptable:
        return ""
    listed = ", ".join(json.dumps(path) for path in dict.fromkeys(made.adoptable))
    return (
        f"\nNext: rename what is yours; or take it over with `adopt: [{listed}]` on the Host, "
        "which keeps what is there and gives it back when it leaves the program."
    )


def _told_late(answer: Answer) -> str:
    did = [f"{action['action']} {action['unit']}" for action in answer.receipt.get("actions", [])]
    text = f"it went well: {', '.join(did) or 'nothing had to be done'}" if answer.code == 0 else answer.text
    return f"the transaction {answer.transaction}, whose connection was lost before it could tell, ended so: {text}"


def _again(back: Back | None) -> str:
    return "try again" if back else "run `pulumi up` again"


def _way_back(undone: Undone, old: Ledger, back: Back | None) -> str:
    again = _again(back)
    state = f"generation {old.generation}" if old.generation else "as before the first `pulumi up`"
    left = "".join(f"\nLeft as it is: {line}." for line in undone.left)
    if undone.clean:
        return (
            f"The host is back on its previous state ({state}): files, links, enablement and what was running.{left}\n"
            f"Next: put right what is named above, then {again}."
        )
    listed = "".join(f"\n  {line}" for line in [*undone.files, *undone.units])
    return (
        f"The way back to the previous state ({state}) did not wholly succeed; not back are:{listed}{left}\n"
        f"Next: put these right on the host, then {again}."
    )
