"""Waiting for a transaction: for the unit that was just started, or for one that was found at work."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import time

from .asking import PROGRAM, REQUEST, RESULT, Result, Scratch
from .bundle import Bundle
from .confirmation import ASKS, AWAITING, EXPIRED, confirm
from .errors import HostError
from .keeping import NAME
from .system import ENVIRONMENT, Host, System
from .writing import write_quietly

# The way back has its own time (see pending.undo); these only end a program that hangs for another reason.
STOP_SEC = 900
SPARE_SEC = 3600
LOOK_SEC = 0.05
# How often systemd is asked whether the unit still runs, where its end is not told.
ASK_SEC = 2.0
BUS = "/run/dbus/system_bus_socket"


def run_unit(system: Host, scratch: Scratch, operation: str, login_home: str, asked: Bundle) -> Result:
    """Run the transaction as a unit of systemd's own and wait for its result, or until it waits to be confirmed."""
    talks = _bus_answers()
    with tempfile.TemporaryFile() as said:
        client = subprocess.Popen(
            _command(scratch, operation, login_home, asked, talks),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=ENVIRONMENT,
        )
        try:
            result = _wait(system, scratch, asked, client if talks else None)
            if result:
                return result
            status = _status(client)
            result = _result_of_way_back(system, scratch) or _result_that_counts(system, scratch, asked)
            if result:
                return result
            said.seek(0)
            words = said.read().decode("utf-8", "replace").strip()
            return _no_result(scratch, f"{status}: {words}" if words else status)
        finally:
            # Of a change that waits to be confirmed: its unit goes on without this client.
            if client.poll() is None:
                client.terminate()
                _status(client)
            scratch.release()


def follow(system: Host, scratch: Scratch, asked: Bundle) -> Result:
    """Wait for a transaction that somebody else started; if it waits to be confirmed already, this confirms it."""
    try:
        if scratch.has(AWAITING) and confirm(scratch.at("")):
            system.note(f"confirmed the transaction {scratch.transaction}")
        elif not scratch.has(EXPIRED):
            system.note(f"the transaction {scratch.transaction} is at work on the same already: waiting for it")
        result = _wait(system, scratch, asked, None) or _result_that_counts(system, scratch, asked)
        return result or _no_result(scratch, "another run had started it")
    finally:
        scratch.release()


def longest(asked: Bundle) -> int:
    """Seconds after which a transaction has ended in any case: it may wait for another one as long as it may take."""
    return 2 * asked.transaction_sec + asked.confirm_sec + SPARE_SEC


def _command(scratch: Scratch, operation: str, login_home: str, asked: Bundle, talks: bool) -> list[str]:
    unit = _unit(scratch)
    program = f"{sys.executable} -I {scratch.at(PROGRAM)}"
    argv = ["systemd-run", "--quiet", "--collect", f"--unit={unit}", "--service-type=exec"]
    argv += [f"--description=pulumi-systemd {operation} {scratch.transaction}"]
    properties = ["KillMode=mixed", f"TimeoutStopSec={STOP_SEC}", f"RuntimeMaxSec={longest(asked)}", "UMask=0077"]
    # Killed, out of memory or hanging: systemd itself takes back what the program cannot any more. Where that is killed
    # too, the unit for a restart does.
    properties += [f"OnFailure={NAME}"]
    recovery = f"{program} recover --transaction={scratch.transaction}"
    properties += [
        f"ExecStopPost=/bin/sh -c '[ -e {scratch.at(RESULT)} ] || [ ! -e {scratch.at(REQUEST)} ] || exec {recovery}'"
    ]
    argv += [f"--property={each}" for each in properties]
    # Without the message bus systemd-run cannot wait. It passes no pipes on in any case: systemd would hold them, and
    # with them the SSH session, until the unit ends; a change that waits to be confirmed must let the session end.
    argv += ["--wait"] if talks else []
    return [
        *argv,
        "--",
        *program.split(),
        operation,
        f"--transaction={scratch.transaction}",
        f"--login-home={login_home}",
    ]


def _wait(system: Host, scratch: Scratch, asked: Bundle, client: subprocess.Popen[bytes] | None) -> Result | None:
    """The result; nothing when the unit ended without one. `client` ends with the unit."""
    begin = time.monotonic()
    ask = begin + ASK_SEC
    shown = 0
    confirming = not scratch.has(AWAITING) and not scratch.has("confirmed")
    while time.monotonic() - begin < longest(asked) + STOP_SEC:
        if client:
            ended = _ended(client)
        else:
            time.sleep(LOOK_SEC)
            ended = False
            if time.monotonic() > ask:
                ended = not _runs(system, scratch)
                ask = time.monotonic() + ASK_SEC
        shown += _show(scratch.progress(shown))
        # With a client the end of the unit comes first, so that nothing of it is left when this run has ended.
        if ended or not client:
            result = scratch.result()
            if result or ended:
                return result
        if confirming and scratch.has(AWAITING):
            return Result(1, f"{ASKS} within {asked.confirm_sec} s; `pulumi up` confirms it by itself")
    return None


def _result_of_way_back(system: System, scratch: Scratch) -> Result | None:
    """Where the unit's own way back was killed too, the unit for a restart makes it, and then tells the result."""
    begin = time.monotonic()
    while time.monotonic() - begin < STOP_SEC:
        done = system.run(["systemctl", "show", "--property=ActiveState", "--property=Job", NAME], 20)
        lines = done.out.split()
        is_at_work = "ActiveState=activating" in lines or any(re.fullmatch("Job=[1-9][0-9]*", line) for line in lines)
        result = scratch.result()
        if result or not is_at_work:
            return result
        time.sleep(LOOK_SEC)
    return None


def _result_that_counts(system: System, scratch: Scratch, asked: Bundle) -> Result | None:
    """Killed when its new state counted already and nothing was left to do but to tell: the disk has its answer."""
    from .answer import committed_answer

    found = committed_answer(system, asked.scope, scratch.transaction)
    return Result(0, next(iter(found.values())).text, tuple(found)) if found else None


def _show(notes: bytes) -> int:
    """Pass progress on; how many bytes that were."""
    if notes:
        write_quietly(2, notes.decode("utf-8", "replace"))
    return len(notes)


def _status(client: subprocess.Popen[bytes]) -> str:
    """How the client ended. One that does not is killed: its unit is systemd's, and goes on."""
    try:
        return f"systemd-run ended with status {client.wait(STOP_SEC)}"
    except subprocess.TimeoutExpired:
        client.kill()
        return f"systemd-run did not end in {STOP_SEC} s"


def _ended(client: subprocess.Popen[bytes]) -> bool:
    try:
        client.wait(LOOK_SEC)
    except subprocess.TimeoutExpired:
        return False
    return True


def _runs(system: Host, scratch: Scratch) -> bool:
    try:
        done = system.run(["systemctl", "show", "--property=ActiveState", _unit(scratch)], 20)
    except HostError:
        return True
    return done.code != 0 or done.out.strip() not in ("ActiveState=inactive", "ActiveState=failed")


def _unit(scratch: Scratch) -> str:
    return f"pulumi-systemd-{scratch.transaction}.service"


def _bus_answers() -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        return probe.connect_ex(BUS) == 0


def _no_result(scratch: Scratch, status: str) -> Result:
    return Result(
        1,
        f"the transaction {scratch.transaction} ended without a result ({status}): it was killed, or could not be "
        f"started. `journalctl -u {_unit(scratch)}` on the host tells more. "
        "Run `pulumi up` again: it takes back what was left half done, if anything was",
    )
