"""The failures that this program reports."""

from __future__ import annotations


class HostError(Exception):
    """A failure that a person can act on. Its text is the whole message."""


class BundleError(HostError):
    """The bundle is not one that this program understands. The text names the path and never repeats content."""


class OverdueError(HostError):
    """A command or a wait passed its bound."""


class UnitsDownError(HostError):
    """Units did not reach the state that was asked for. `ended` has the runs that ended and were started again."""

    def __init__(self, message: str, units: list[str], ended: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.units = units
        self.ended = ended or {}


class NotConfirmedError(HostError):
    """A change that had to be confirmed was not, in time."""


class InterruptedRunError(Exception):
    """The transaction was told to end (SIGTERM). No HostError: it must pass every place that tolerates a failure."""


def is_foreseen(problem: Exception) -> bool:
    """Whether its own text is for people; anything else is a fault of this program."""
    return isinstance(problem, (HostError, InterruptedRunError, OSError))


def problem_text(problem: Exception, path: str = "the host") -> str:
    """What to tell a person of a failure of any kind, at `path`. Only a HostError may have more than one line."""
    if isinstance(problem, OSError):
        # Of two names, the second is the one that was to be made.
        name = problem.filename2 or problem.filename or path
        return f"{name}: {problem.strerror or problem}"
    if is_foreseen(problem):
        return str(problem)
    words = " ".join(str(problem).split())
    return f"a fault in pulumi-systemd's host program: {type(problem).__name__}{f': {words}' if words else ''}"
