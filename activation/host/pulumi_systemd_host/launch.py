"""From the SSH login to the transaction: sudo, checks of the host, and a unit that outlives the connection."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pwd
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from typing import IO

from .bundle import parse_bundle
from .errors import HostError
from .files import make_directories, remove_tree, stage_file
from .lock import DIRECTORY
from .look import look
from .system import ENVIRONMENT, Host, write_quietly
from .systemctl import version

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
# The way back has its own time (see pending.undo); these only end a program that hangs for another reason.
STOP_SEC = 900
SPARE_SEC = 3600
ABANDONED_SEC = 3600
BUS = "/run/dbus/system_bus_socket"


def enter(operation: str, program: bytes, payload: bytes, login_home: str | None, under_sudo: bool) -> int:
    """The whole run as the SSH command sees it; its exit status. Prints the receipt or the error."""
    try:
        password, bundle = _sudo_password(payload)
        if os.geteuid() != 0:
            if under_sudo:
                raise HostError("sudo did not make this program root: this host's sudoers runs it as another user")
            return _through_sudo(operation, program, bundle, password)
        code, text = _as_root(operation, program, bundle, login_home or pwd.getpwuid(0).pw_dir)
    except HostError as problem:
        code, text = 1, str(problem)
    except OSError as problem:
        code, text = 1, f"{problem.filename or 'the host program'}: {problem.strerror or problem}"
    write_quietly(1, text.rstrip("\n") + "\n")
    if operation == "destroy" and code == 0:
        # Nobody reads the receipt of a resource that is gone.
        for warning in json.loads(text)["warnings"]:
            write_quietly(2, f"warning: {warning}\n")
    return TOLD_UNDER_SUDO if code and under_sudo else code


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


def _as_root(operation: str, program: bytes, bundle: bytes, login_home: str) -> tuple[int, str]:
    os.umask(0o077)
    system = Host()
    if not os.path.isdir("/run/systemd/system"):
        raise HostError("systemd does not run this host (its PID 1 is something else)")
    found = version(system)
    if found < OLDEST_SYSTEMD:
        raise HostError(f"this host has systemd {found}; {OLDEST_SYSTEMD} or newer is needed")
    asked = parse_bundle(bundle)
    if operation == "look":
        return 0, look(system, asked)
    make_directories(DIRECTORY, 0o700)
    _sweep()
    transaction = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(3)}"
    scratch = os.path.join(DIRECTORY, transaction)
    os.mkdir(scratch, 0o700)
    alive = os.open(os.path.join(scratch, "alive"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(alive, fcntl.LOCK_SH)
    try:
        stage_file(os.path.join(scratch, "program.py"), program, 0o600)
        stage_file(os.path.join(scratch, "bundle.json"), bundle, 0o600)
        seconds = asked.transaction_sec + SPARE_SEC
        status = _run_unit(system, operation, transaction, login_home, seconds)
        return _result(scratch, transaction, status)
    finally:
        remove_tree(scratch)
        os.close(alive)


def _run_unit(system: Host, operation: str, transaction: str, login_home: str, seconds: int) -> str:
    """Run the transaction as a unit of systemd's own and wait for its end. What went wrong with that, if anything."""
    scratch = os.path.join(DIRECTORY, transaction)
    unit = f"pulumi-systemd-{transaction}.service"
    talks = _bus_answers()
    argv = ["systemd-run", "--quiet", "--collect", f"--unit={unit}", "--service-type=exec"]
    argv += [f"--description=pulumi-systemd {operation} {transaction}"]
    properties = ("KillMode=mixed", f"TimeoutStopSec={STOP_SEC}", f"RuntimeMaxSec={seconds}", "UMask=0077")
    argv += [f"--property={each}" for each in properties]
    # Without the message bus systemd-run can neither wait nor pass pipes on.
    argv += ["--pipe", "--wait"] if talks else []
    argv += ["--", sys.executable, "-I", f"{scratch}/program.py", operation]
    argv += [f"--transaction={transaction}", f"--login-home={login_home}"]
    stdout = None if talks else subprocess.DEVNULL
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=None if talks else subprocess.PIPE,
            env=ENVIRONMENT,
            timeout=seconds + STOP_SEC,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "it did not end in time"
    if talks:
        return f"systemd-run ended with status {done.returncode}"
    if done.returncode != 0:
        return f"systemd-run failed: {(done.stderr or b'').decode('utf-8', 'replace').strip()}"
    begin = time.monotonic()
    while not os.path.exists(os.path.join(scratch, "result.json")) and time.monotonic() - begin < seconds + STOP_SEC:
        time.sleep(0.1)
        if time.monotonic() - begin > 2 and system.run(["systemctl", "is-active", "--quiet", unit], 20).code != 0:
            break
    return "it ended early"


def _bus_answers() -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(5)
        return probe.connect_ex(BUS) == 0


def _result(scratch: str, transaction: str, status: str) -> tuple[int, str]:
    try:
        with open(os.path.join(scratch, "result.json"), encoding="utf-8") as source:
            value = json.load(source)
        return int(value["code"]), str(value["text"])
    except (OSError, ValueError, KeyError):
        return 1, (
            f"the transaction {transaction} ended without a result ({status}): it was killed, or could not be started. "
            f"`journalctl -u pulumi-systemd-{transaction}.service` on the host tells more. "
            "Run `pulumi up` again: it takes back what was left half done"
        )


def _sweep() -> None:
    """Remove what runs left behind that nobody waits for any more. A living one holds a lock on its own directory."""
    for name in os.listdir(DIRECTORY):
        path = os.path.join(DIRECTORY, name)
        if not os.path.isdir(path) or os.path.islink(path):
            continue
        try:
            alive = os.open(os.path.join(path, "alive"), os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            if time.time() - os.lstat(path).st_mtime > ABANDONED_SEC:
                remove_tree(path)
            continue
        try:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_tree(path)
        except BlockingIOError:
            pass
        finally:
            os.close(alive)
