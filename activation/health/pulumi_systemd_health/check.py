"""One check from its settings file to its end."""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import Sequence

from .decision import ERROR, WARNING, Condition, Decision, Sight, decide, span
from .errors import BrokenCheckError
from .hold import lease_left, transactions_kept_out
from .probes import verdict_of_all
from .settings import Settings, settings_of
from .state import State, loaded_state, save_state
from .strict_json import MalformedError
from .units import UnitView, restart_problem, system_stopping, unit_view

USAGE = "usage: NAME.py SETTINGS, as NAME.service runs it: `systemctl start NAME.service`"


def main(arguments: Sequence[str]) -> int:
    """
    Make one check. The exit status is 0 when the check was made, whatever it found and did, and 1 when it could not be.
    """
    state_directory, lock_directory = os.environ.get("STATE_DIRECTORY"), os.environ.get("RUNTIME_DIRECTORY")
    if len(arguments) != 1 or not state_directory or not lock_directory:
        say(ERROR, USAGE)
        return 1
    try:
        # While a transaction is under way the files may be half old and half new, so it is the first thing to look at.
        with transactions_kept_out(lock_directory) as free:
            if not free:
                show_status("not checked: a deploy is under way")
                return 0
            settings = settings_at(arguments[0])
        view = unit_view(settings.unit)
        sight = probed(settings, view)
        if sight.condition is not Condition.UNHEALTHY:
            return concluded(settings, sight, state_directory)
        # Kept out until the restart is over: a deploy waits for it, and then sees the unit as it is.
        with transactions_kept_out(lock_directory) as free:
            held = held_by(lock_directory, free)
            return concluded(settings, confirmed(sight, view, unit_view(settings.unit), held), state_directory)
    except BrokenCheckError as problem:
        say(ERROR, f"the check could not be made: {problem}")
        show_status(f"not checked: {problem}")
        return 1


def settings_at(path: str) -> Settings:
    """The settings in a file. Raises BrokenCheckError."""
    try:
        with open(path, encoding="utf-8") as source:
            return settings_of(source.read())
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise BrokenCheckError(f"{path} cannot be read: {reason}") from None
    except MalformedError as problem:
        raise BrokenCheckError(f"{path}: {problem}") from None


def probed(settings: Settings, view: UnitView) -> Sight:
    """The unit as systemd and the probes see it."""
    if view.condition is not None:
        return sight_of(view)
    if not settings.probes:
        return Sight(Condition.HEALTHY, f"active ({view.reason})")
    verdict = verdict_of_all(settings.probes, settings.timeout_sec, settings.confidential)
    condition = Condition.HEALTHY if verdict.ok else Condition.UNHEALTHY
    return Sight(condition, verdict.reason, view.since_start, "", view.hopeless)


def sight_of(view: UnitView, held: str = "") -> Sight:
    """What a view says by itself, without a probe."""
    return Sight(view.condition or Condition.HEALTHY, view.reason, view.since_start, held, view.hopeless)


def confirmed(first: Sight, before: UnitView, after: UnitView, held: str) -> Sight:
    """
    The sight that is acted on. A person or systemd may have stopped or restarted the unit while the probes ran: what
    they found is then not true of what runs now.
    """
    if after.condition is not None:
        return sight_of(after, held)
    if before.condition is not None or after.invocation != before.invocation:
        return Sight(Condition.BUSY, "it was restarted during the check")
    return Sight(first.condition, first.reason, after.since_start, held, after.hopeless)


def held_by(lock_directory: str, free: bool) -> str:
    """Why nothing may be done now, or nothing."""
    if not free:
        return "a deploy is under way"
    if system_stopping():
        return "the system is going down"
    try:
        left = lease_left(lock_directory, time.time())
    except ValueError as problem:
        say(WARNING, str(problem))
        return ""
    return f"held for {span(left)} by a lease" if left > 0 else ""


def concluded(settings: Settings, sight: Sight, state_directory: str) -> int:
    """Decide, tell, remember, and act, in this order: what is done without being remembered has no bound."""
    known, fresh = remembered(settings, state_directory)
    decision = decide(known, sight, time.time(), settings)
    for message in decision.messages:
        say(message.priority, f"{settings.unit}: {message.text}")
    show_status(decision.status)
    if fresh or decision.state != known:
        try:
            save_state(state_directory, decision.state)
        except OSError as problem:
            raise BrokenCheckError(
                f"{state_directory} cannot be written ({problem.strerror}), so nothing is done about {settings.unit}"
            ) from None
    return acted(settings, decision)


def remembered(settings: Settings, directory: str) -> tuple[State, bool]:
    """The state of the last check, and whether it is a new one that must be written."""
    try:
        state = loaded_state(directory)
    except MalformedError as problem:
        say(WARNING, f"the state in {directory} is broken ({problem}): starting with an empty one")
        return State(settings.unit), True
    if state is None or state.unit != settings.unit:
        return State(settings.unit), state is not None
    return state, False


def acted(settings: Settings, decision: Decision) -> int:
    if decision.restart:
        problem = restart_problem(settings.unit)
        if problem:
            say(ERROR, f"{settings.unit}: the restart failed: {problem}")
    return 0


def say(priority: int, text: str) -> None:
    """One line for the journal at a priority of syslog(3)."""
    line = " ".join(text.split("\n"))
    sys.stderr.write(f"<{priority}>{line}\n")
    sys.stderr.flush()


def show_status(text: str) -> None:
    """Set the line that `systemctl status` shows. Nothing depends on it."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    name = f"\0{address[1:]}" if address.startswith("@") else address
    line = " ".join(text.split("\n"))
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(f"STATUS={line}".encode("utf-8", "replace"), name)
    except OSError:
        return


def ended(arguments: list[str] | None = None) -> None:
    """Run `main` and end the process at once, whatever probe still hangs."""
    code = main(sys.argv[1:] if arguments is None else arguments)
    sys.stderr.flush()
    os._exit(code)
