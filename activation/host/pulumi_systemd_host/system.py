"""The machine as the rest of the program sees it: commands with a bound, time, and a root that tests can move."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import Protocol

from .errors import HostError, OverdueError
from .writing import write_quietly

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}

# Waits shorter than this are not worth a line of progress; then one line each further interval.
FIRST_PROGRESS_SEC = 2.0
PROGRESS_SEC = 10.0


@dataclass(frozen=True)
class Completed:
    """How a command ended. `code` is negative for a signal."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Piped:
    """How a command ended that was given bytes. `code` is negative for a signal."""

    code: int
    out: bytes
    err: str


class System(Protocol):
    """What the transaction needs of a machine."""

    def at(self, path: str) -> str:
        """Where `path` of the host lies for this process."""
        ...

    def run(
        self, argv: list[str], seconds: float, waiting: str | None = None, env: dict[str, str] | None = None
    ) -> Completed:
        """Run a command to its end. Raises OverdueError after `seconds`; `waiting` names the wait in progress lines."""
        ...

    def pipe(self, argv: list[str], data: bytes, seconds: float) -> Piped:
        """Run a command with `data` on its standard input to its end. Raises OverdueError after `seconds`."""
        ...

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def note(self, line: str) -> None:
        """Show one line of progress. It may be lost."""
        ...


class Host:
    """
    The machine that this process runs on.

    Lines of progress go to `notes`, a file that those who wait read along, else to standard error.
    """

    def __init__(self, notes: int = 2) -> None:
        self.notes = notes

    def at(self, path: str) -> str:
        return path

    def run(
        self, argv: list[str], seconds: float, waiting: str | None = None, env: dict[str, str] | None = None
    ) -> Completed:
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**ENVIRONMENT, **(env or {})},
                cwd="/",
            )
        except OSError as problem:
            raise HostError(f"{argv[0]} cannot be run on this host: {problem.strerror}") from None
        begin = self.now()
        shown = begin + FIRST_PROGRESS_SEC
        try:
            while True:
                left = begin + seconds - self.now()
                if left <= 0:
                    raise OverdueError(f"{waiting or ' '.join(argv[:3])}: no end after {seconds:.0f} s")
                try:
                    out, err = process.communicate(timeout=min(left, max(shown - self.now(), 0.05)))
                    break
                except subprocess.TimeoutExpired:
                    if waiting and self.now() >= shown:
                        self.note(f"waiting for {waiting} ({self.now() - begin:.0f} s)")
                        shown = self.now() + PROGRESS_SEC
                    elif self.now() >= shown:
                        shown = self.now() + PROGRESS_SEC
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return Completed(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def pipe(self, argv: list[str], data: bytes, seconds: float) -> Piped:
        try:
            done = subprocess.run(
                argv, check=False, input=data, capture_output=True, env=ENVIRONMENT, cwd="/", timeout=seconds
            )
        except OSError as problem:
            raise HostError(f"{argv[0]} cannot be run on this host: {problem.strerror}") from None
        except subprocess.TimeoutExpired:
            raise OverdueError(f"{' '.join(argv[:3])}: no end after {seconds:.0f} s") from None
        return Piped(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def note(self, line: str) -> None:
        write_quietly(self.notes, line + "\n")
