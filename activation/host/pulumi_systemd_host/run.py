"""The transaction inside its unit, and what systemd runs when that one was cut off."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
import traceback

from .answer import Answer, keep_answer, kept_answers
from .asking import ALIVE, BACK, PROGRESS, REQUEST, RESULT, Result, Scratch
from .bundle_reader import parse_bundle
from .errors import HostError, NotConfirmedError, problem_text
from .files import write_atomically
from .generations import Back
from .ledger import read_ledger
from .lock import DIRECTORY, host_lock
from .recovery import Recovered, recover_all
from .redaction import Redactor
from .sealing import unguessable
from .system import Host, System
from .transaction import Transaction

# Of the bundle that is gone nothing is known here; no wait of the way back may be longer.
RECOVERY_WAIT_SEC = 120.0
LOCK_SEC = 600.0


def run_transaction(operation: str, transaction: str, login_home: str | None) -> int:
    """The transaction itself, inside its unit. The result goes to disk; the one who asked may be gone."""
    os.umask(0o077)
    scratch = os.path.join(DIRECTORY, transaction)
    alive = os.open(os.path.join(scratch, ALIVE), os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(alive, fcntl.LOCK_SH)
    redactor = Redactor()
    notes = os.open(os.path.join(scratch, PROGRESS), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    system = Host(notes)
    kept: list[str] = []
    failure: Answer | None = None
    scope = ""
    is_half_done = False
    try:
        path = os.path.join(scratch, "bundle.json")
        with open(path, "rb") as source:
            data = source.read()
        # It holds secrets and is not needed again.
        os.unlink(path)
        bundle = unguessable(system, parse_bundle(data))
        scope = bundle.scope
        back = _back(scratch)
        # Who goes back on the host waits for the answer there: it is not the next update's to tell.
        failure = None if back else Answer(transaction, operation, bundle.digest, 1, "")
        work = Transaction(system, operation, bundle, transaction, scratch, login_home, redactor, back)
        try:
            code, text = 0, work.run().to_json(redactor)
        finally:
            kept, is_half_done = work.kept, work.is_half_done
    except HostError as problem:
        code, text = 1, redactor.redact(str(problem))
        unconfirmed = isinstance(problem.__cause__, NotConfirmedError)
    except Exception:  # noqa: BLE001
        code, text = 1, redactor.redact("a fault in pulumi-systemd's host program:\n" + traceback.format_exc())
        unconfirmed = False
    if code and failure:
        kept = [*kept, *_keep(system, scope, failure, text, unconfirmed)]
    write_result(scratch, Result(code, text, tuple(kept)))
    # Nobody may wait any more.
    Scratch(transaction, alive).release()
    # A failure that was told is none of the unit: that would be one that nobody has told. But one that is half done is:
    # systemd starts the unit for a restart then, which tries the way back once more (`OnFailure=`, waiting.py).
    return 1 if code and is_half_done else 0


def _back(scratch: str) -> Back | None:
    try:
        with open(os.path.join(scratch, BACK), encoding="utf-8") as source:
            return Back(**json.load(source))
    except FileNotFoundError:
        return None


def run_recovery(transaction: str | None, at_boot: bool) -> int:
    """
    Put right what was cut off: at boot, or as the last step of a unit whose `transaction` left no result.

    Its exit status is 0 when the host is as it was, or as it was asked to be.
    """
    os.umask(0o077)
    system = Host()
    try:
        holder = "the way back from a transaction that was cut off"
        with host_lock(system, holder, LOCK_SEC):
            found = recover_all(system, RECOVERY_WAIT_SEC, at_boot)
    except (HostError, OSError) as problem:
        found = [Recovered("", transaction or "", "nothing was taken back", [problem_text(problem)])]
    for one in found:
        lines = [one.told, *(f"  not back: {line}" for line in one.problems)]
        sys.stderr.write("".join(f"{line}\n" for line in lines))
    try:
        for each in [transaction] if transaction else [one.transaction for one in found]:
            _tell(system, each, found)
        # They have failed, and systemd keeps them for somebody to see: it is told here.
        names = [f"pulumi-systemd-{one.transaction}.service" for one in found if one.transaction and not transaction]
        if names:
            system.run(["systemctl", "reset-failed", "--", *names], 20)
    except (HostError, OSError) as problem:
        sys.stderr.write(f"the one who asked could not be told: {problem_text(problem)}\n")
    return 1 if any(one.problems and not one.committed for one in found) else 0


def write_result(scratch: str, result: Result) -> None:
    value = {"code": result.code, "text": result.text, "kept": list(result.kept)}
    write_atomically(os.path.join(scratch, RESULT), json.dumps(value).encode("utf-8"), 0o600, "result")


def _tell(system: System, transaction: str, found: list[Recovered]) -> None:
    """The result of a transaction that could not write its own, where somebody may wait for it: not after a restart."""
    scratch = os.path.join(DIRECTORY, transaction)
    if os.path.exists(os.path.join(scratch, RESULT)):
        # It told what happened, and that it is half done: only the way back was tried once more.
        return
    try:
        with open(os.path.join(scratch, REQUEST), encoding="utf-8") as source:
            scope = str(json.load(source)["scope"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    kept = kept_answers(system, scope)
    ended = " ".join(word for word in (os.environ.get("EXIT_CODE", ""), os.environ.get("EXIT_STATUS", "")) if word)
    ended = ended or "and so was its way back"
    own = [one for one in found if one.transaction == transaction]
    answers = {path: one for path, one in kept.items() if one.transaction == transaction and one.code == 0}
    if (not own or own[0].committed) and answers:
        result = Result(0, next(iter(answers.values())).text, tuple(answers))
    else:
        story = [f"the host program was ended from outside while it worked on the transaction {transaction} ({ended})"]
        for one in own:
            story += [one.told, *one.problems]
        if not own:
            story += ["nothing was changed on the host, or an earlier step took it back"]
        story += ["Next: run `pulumi up` again."]
        result = Result(1, "\n".join(story))
    write_result(scratch, result)


def _keep(system: System, scope: str, failure: Answer, text: str, unconfirmed: bool) -> list[str]:
    """Keep the failure for the next run. It is told all the same when that does not succeed."""
    answer = Answer(
        failure.transaction, failure.operation, failure.digest, 1, text, unconfirmed=unconfirmed, at=time.time()
    )
    try:
        return [keep_answer(system, scope, answer, beside_ledger=read_ledger(system, scope) is not None)]
    except (HostError, OSError):
        return []
