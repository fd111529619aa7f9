"""What root does with a request: checks of the host, and a unit that outlives the connection."""

from __future__ import annotations

import json
import os
import pwd
from dataclasses import asdict
from typing import TYPE_CHECKING

from .asking import Request, Result, at_work, begin, sweep
from .bundle_reader import parse_bundle
from .errors import HostError
from .files import make_directories
from .lock import DIRECTORY
from .system import Host
from .systemctl import version
from .waiting import follow, run_unit

if TYPE_CHECKING:
    # Only a rollback on the host needs it; an update does without, and is quicker.
    from .generations import Back

OLDEST_SYSTEMD = 247


def go_back(program: bytes, bundle: bytes, back: Back) -> Result:
    """Bring the host to `bundle`, that of a kept generation, for the person who asks for it; how it ended."""
    return as_root("rollback", program, bundle, pwd.getpwuid(0).pw_dir, json.dumps(asdict(back)).encode("utf-8"))


def as_root(operation: str, program: bytes, bundle: bytes, login_home: str, back: bytes = b"") -> Result:
    """Check the host, and have systemd run the transaction, or attach to one that is at work on the same already."""
    os.umask(0o077)
    system = Host()
    if not os.path.isdir("/run/systemd/system"):
        raise HostError("systemd does not run this host (its PID 1 is something else)")
    found = version(system)
    if found < OLDEST_SYSTEMD:
        raise HostError(f"this host has systemd {found}; {OLDEST_SYSTEMD} or newer is needed")
    if operation == "status":
        from .status import run_status

        return run_status(system, bundle)
    if operation == "logs":
        from .logs import run_logs

        return run_logs(system, bundle)
    asked = parse_bundle(bundle)
    if operation == "look":
        from .look import look

        return Result(0, look(system, asked))
    make_directories(DIRECTORY, 0o700)
    sweep()
    request = Request(asked.scope, operation, asked.digest)
    scratch = at_work(request)
    if scratch:
        return follow(system, scratch, asked)
    scratch = begin(request, program, bundle, back)
    return run_unit(system, scratch, operation, login_home, asked)
