"""Asking for a transaction: its directory under /run, which all who wait for the same one share."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from dataclasses import asdict, dataclass

from .files import remove_tree, stage_file
from .lock import DIRECTORY

ABANDONED_SEC = 3600
RESULT = "result.json"
REQUEST = "request.json"
PROGRAM = "program.py"
BACK = "back.json"
ALIVE = "alive"
PROGRESS = "progress"
# Beside them: answers of scopes that have no ledger (answer.py).
ANSWERS = "answers"


@dataclass(frozen=True)
class Request:
    """What is asked for. `digest` is of the bundle, secrets and all: it stays on this host."""

    scope: str
    operation: str
    digest: str


@dataclass(frozen=True)
class Result:
    """How a transaction ended. `kept` names the files that hold it until the one who asked has it."""

    code: int
    text: str
    kept: tuple[str, ...] = ()


class Scratch:
    """The directory of one transaction. It stays while anybody holds it; the last one takes it away."""

    def __init__(self, transaction: str, alive: int) -> None:
        self.transaction = transaction
        self.alive = alive

    def at(self, name: str) -> str:
        return os.path.join(DIRECTORY, self.transaction, name)

    def progress(self, since: int) -> bytes:
        """What the transaction has noted from byte `since` on."""
        try:
            with open(self.at(PROGRESS), "rb") as source:
                source.seek(since)
                return source.read()
        except OSError:
            return b""

    def has(self, name: str) -> bool:
        return os.path.exists(self.at(name))

    def result(self) -> Result | None:
        """The result, once there is one."""
        try:
            with open(self.at(RESULT), encoding="utf-8") as source:
                value = json.load(source)
            return Result(int(value["code"]), str(value["text"]), tuple(str(path) for path in value["kept"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def release(self) -> None:
        try:
            fcntl.flock(self.alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(os.path.join(DIRECTORY, self.transaction))
        except BlockingIOError:
            pass
        finally:
            os.close(self.alive)


def begin(request: Request, program: bytes, bundle: bytes, back: bytes = b"") -> Scratch:
    """A new transaction's directory, with everything that it needs. `back`: what a rollback needs besides."""
    transaction = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{os.urandom(3).hex()}"
    hidden = os.path.join(DIRECTORY, f".{transaction}")
    os.mkdir(hidden, 0o700)
    scratch = Scratch(transaction, os.open(os.path.join(hidden, ALIVE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    fcntl.flock(scratch.alive, fcntl.LOCK_SH)
    # Seen by others before it is locked, it would be one that nobody waits for any more.
    os.rename(hidden, os.path.join(DIRECTORY, transaction))
    try:
        stage_file(scratch.at(PROGRAM), program, 0o600)
        stage_file(scratch.at("bundle.json"), bundle, 0o600)
        if back:
            stage_file(scratch.at(BACK), back, 0o600)
        stage_file(scratch.at(REQUEST), json.dumps(asdict(request)).encode("utf-8"), 0o600)
    except BaseException:
        scratch.release()
        raise
    return scratch


def at_work(request: Request) -> Scratch | None:
    """The transaction that is at work on the same request already, if there is one."""
    for name in sorted(os.listdir(DIRECTORY)):
        scratch = _held(name)
        if scratch is None:
            continue
        if _request(scratch) == request and not scratch.has(RESULT):
            return scratch
        scratch.release()
    return None


def sweep() -> None:
    """Remove what runs left behind that nobody waits for any more: each who waits holds a lock in the directory."""
    for name in os.listdir(DIRECTORY):
        scratch = _held(name)
        if scratch:
            scratch.release()
            continue
        path = os.path.join(DIRECTORY, name)
        try:
            info = os.lstat(path)
            if name != ANSWERS and stat.S_ISDIR(info.st_mode) and time.time() - info.st_mtime > ABANDONED_SEC:
                remove_tree(path)
        except FileNotFoundError:
            # Another run has just given its directory the name that all see, or has swept it away.
            pass


def _held(name: str) -> Scratch | None:
    if name.startswith("."):
        return None
    try:
        alive = os.open(os.path.join(DIRECTORY, name, ALIVE), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if os.fstat(alive).st_nlink:
            return Scratch(name, alive)
    except BlockingIOError:
        pass
    # Its last reader is taking it away.
    os.close(alive)
    return None


def _request(scratch: Scratch) -> Request | None:
    try:
        with open(scratch.at(REQUEST), encoding="utf-8") as source:
            return Request(**json.load(source))
    except (OSError, ValueError, TypeError):
        return None
