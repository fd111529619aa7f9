"""From the SSH login to the transaction: sudo, checks of the host, and a unit that outlives the connection."""

from __future__ import annotations

import base64
import json
import os
import pwd
import re
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import IO

from .answer import forget_answers
from .asking import Request, Result, at_work, begin, sweep
from .bundle import parse_bundle
from .errors import HostError
from .files import make_directories
from .generations import Back
from .heard import was_heard
from .lock import DIRECTORY
from .look import look
from .system import Host, write_quietly
from .systemctl import version
from .waiting import follow, run_unit

OLDEST_SYSTEMD = 247
# What this program ends with under sudo after it has told what is wrong: sudo itself ends with 1.
TOLD_UNDER_SUDO = 10
SUDO_LINE = b"sudo "
PROMPT = "pulumi-systemd: sudo asks for the password"
READY = "pulumi-systemd: sudo let it in"
BOOTSTRAP = (
    f"import sys;sys.stderr.write('{READY}\\n');sys.stderr.flush();"
    "i=sys.stdin.buffer;p=i.read(int(i.readline()));exec(p)"
)


def enter(operation: str, program: bytes, payload: bytes, login_home: str | None, under_sudo: bool) -> int:
    """The whole run as the SSH command sees it; its exit status. Prints the receipt or the error."""
    try:
        password, bundle = _sudo_password(payload)
        if os.geteuid() != 0:
            if under_sudo:
                raise HostError("sudo did not make this program root: this host's sudoers runs it as another user")
            return _through_sudo(operation, program, bundle, password)
        result = _as_root(operation, program, bundle, login_home or pwd.getpwuid(0).pw_dir)
    except HostError as problem:
        result = Result(1, str(problem))
    except OSError as problem:
        result = Result(1, f"{problem.filename or 'the host program'}: {problem.strerror or problem}")
    written = write_quietly(1, result.text.rstrip("\n") + "\n")
    if operation == "destroy" and result.code == 0:
        # Nobody reads the receipt of a resource that is gone.
        for warning in json.loads(result.text)["warnings"]:
            write_quietly(2, f"warning: {warning}\n")
    if written and result.kept and was_heard(1):
        forget_answers(result.kept)
    return TOLD_UNDER_SUDO if result.code and under_sudo else result.code


def _sudo_password(payload: bytes) -> tuple[str | None, bytes]:
    """The password of the login user, which may stand in a line before the bundle, and the bundle."""
    if not payload.startswith(SUDO_LINE):
        return None, payload
    line, _, bundle = payload.partition(b"\n")
    try:
        return base64.b64decode(line[len(SUDO_LINE) :], validate=True).decode("utf-8"), bundle
    except ValueError:
        raise HostError("the line before the bundle is not what this program expects") from None


def _through_sudo(operation: str, program: bytes, bundle: bytes, password: str | None) -> int:
    account = pwd.getpwuid(os.getuid())
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
    # With a password sudo reads its standard input, which then is the program's: each waits for the other's line.
    how = ["-n"] if password is None else ["-S", "-p", f"{PROMPT}\n"]
    argv = ["sudo", *how, "--", python, "-Ic", BOOTSTRAP, operation, "--under-sudo", f"--login-home={account.pw_dir}"]
    try:
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        into, errors = child.stdin, child.stderr
    except FileNotFoundError:
        raise HostError(
            f"{account.pw_name} is not root and this host has no sudo: install it, or log in as root"
        ) from None
    if into is None or errors is None:
        raise HostError("the pipes to sudo could not be made")
    said: list[str] = []
    asked = 0
    try:
        for raw in errors:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line == PROMPT and (password is None or asked):
                # A second try with the same password would only bring the account nearer to a lock.
                into.close()
                asked += 1
            elif line == PROMPT:
                into.write(password.encode("utf-8") + b"\n" if password is not None else b"")
                into.flush()
                asked += 1
            elif line == READY:
                break
            else:
                said.append(line[5:].strip() if line.startswith("sudo:") else line)
        else:
            code = child.wait()
            raise HostError(_sudo_problem(account.pw_name, said, code, asked))
        relay = threading.Thread(target=_relay, args=(errors,), daemon=True)
        relay.start()
        into.write(b"%d\n" % len(program) + program + bundle)
        into.close()
    except BrokenPipeError:
        pass
    code = child.wait()
    relay.join(5)
    if code == 0:
        return 0
    if code == TOLD_UNDER_SUDO:
        return 1
    raise HostError(f"the host program ended as root with status {code} and without a word: was it killed?")


def _relay(source: IO[bytes]) -> None:
    for raw in source:
        write_quietly(2, raw.decode("utf-8", "replace"))


def _sudo_problem(name: str, said: list[str], code: int, asked: int) -> str:
    text = "; ".join(line for line in said if line)
    if asked:
        return f"sudo on this host does not accept the password that was given for {name} (sudoPassword)"
    if re.search("password is required|terminal is required|authenticat", text):
        return (
            f"sudo asks {name} for a password on this host; allow it without one "
            f"(`{name} ALL=(ALL) NOPASSWD: ALL` in /etc/sudoers.d), give it (sudoPassword), or log in as root"
        )
    if re.search("not allowed|not in the sudoers|may not run", text):
        return f"sudo does not let {name} run python3 as root on this host: {text}"
    return f"sudo failed on this host: {text or f'status {code}, no message'}"


def go_back(program: bytes, bundle: bytes, back: Back) -> Result:
    """Bring the host to `bundle`, that of a kept generation, for the person who asks for it; how it ended."""
    return _as_root("rollback", program, bundle, pwd.getpwuid(0).pw_dir, json.dumps(asdict(back)).encode("utf-8"))


def _as_root(operation: str, program: bytes, bundle: bytes, login_home: str, back: bytes = b"") -> Result:
    os.umask(0o077)
    system = Host()
    if not os.path.isdir("/run/systemd/system"):
        raise HostError("systemd does not run this host (its PID 1 is something else)")
    found = version(system)
    if found < OLDEST_SYSTEMD:
        raise HostError(f"this host has systemd {found}; {OLDEST_SYSTEMD} or newer is needed")
    asked = parse_bundle(bundle)
    if operation == "look":
        return Result(0, look(system, asked))
    make_directories(DIRECTORY, 0o700)
    sweep()
    request = Request(asked.scope, operation, asked.digest)
    scratch = at_work(request)
    if scratch:
        return follow(system, scratch, asked)
    scratch = begin(request, program, bundle, back)
    return run_unit(system, scratch, operation, login_home, asked)
