"""The step from the login user to root. It loads little, since the program is then loaded once more."""

from __future__ import annotations

import os
import pwd
import re
import signal
import subprocess
import sys
import threading
from typing import IO, Any

from .errors import HostError
from .writing import write_quietly

# What this program ends with under sudo after it has told what is wrong: sudo itself ends with 1.
TOLD_UNDER_SUDO = 10
# How long sudo may take until it lets the program in: behind it may be a directory that does not answer.
SUDO_SEC = 120
PROMPT = "pulumi-systemd: sudo asks for the password"
READY = "pulumi-systemd: sudo let it in"
BOOTSTRAP = (
    f"import sys;sys.stderr.write('{READY}\\n');sys.stderr.flush();"
    "i=sys.stdin.buffer;p=i.read(int(i.readline()));exec(p)"
)


def through_sudo(operation: str, program: bytes, bundle: bytes, password: str | None) -> int:
    """Run this program again as root; the exit status for the SSH command. It has told everything by then."""
    account = pwd.getpwuid(os.getuid())
    python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
    # With a password sudo reads its standard input, which then is the program's: each waits for the other's line.
    how = ["-n"] if password is None else ["-S", "-p", f"{PROMPT}\n"]
    argv = ["sudo", *how, "--", python, "-Ic", BOOTSTRAP, operation, "--under-sudo", f"--login-home={account.pw_dir}"]
    try:
        # What it says is matched in English below.
        environment = {**os.environ, "LC_ALL": "C"}
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        into, errors = child.stdin, child.stderr
    except FileNotFoundError:
        raise HostError(
            f"{account.pw_name} is not root and this host has no sudo: install it, or log in as root"
        ) from None
    if into is None or errors is None:
        raise HostError("the pipes to sudo could not be made")
    said: list[str] = []
    asked = 0
    relay: threading.Thread | None = None

    def overdue(_number: int, _frame: Any) -> None:
        words = "; ".join(filter(None, said)) or "nothing"
        raise HostError(
            f"sudo on this host did not let {account.pw_name} in within {SUDO_SEC} s: does it wait for a directory "
            f"(LDAP, SSSD) that does not answer? Try `sudo -v` there. It said: {words}"
        )

    signal.signal(signal.SIGALRM, overdue)
    signal.alarm(SUDO_SEC)
    try:
        for raw in errors:
            line = _line(raw)
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
                said.append(line)
        else:
            code = child.wait()
            raise HostError(_sudo_problem(account.pw_name, said, code, asked))
        signal.alarm(0)
        relay = threading.Thread(target=_relay, args=(errors,), daemon=True)
        relay.start()
        into.write(b"%d\n" % len(program) + program + bundle)
        into.close()
    except BrokenPipeError:
        if relay is None:
            # It ended right after it had asked: what it said last tells why.
            said += [_line(raw) for raw in errors]
            raise HostError(_sudo_problem(account.pw_name, said, child.wait(), asked)) from None
    finally:
        signal.alarm(0)
    code = child.wait()
    relay.join(5)
    if code == 0:
        return 0
    if code == TOLD_UNDER_SUDO:
        return 1
    raise HostError(f"the host program ended as root with status {code} and without a word: was it killed?")


def _line(raw: bytes) -> str:
    line = raw.decode("utf-8", "replace").rstrip("\n")
    return line[5:].strip() if line.startswith("sudo:") else line


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
