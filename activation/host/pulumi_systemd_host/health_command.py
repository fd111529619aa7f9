"""`pulumi-systemd-host health`: asks the checks' own program of each stack, which activation/health has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, Sequence

from .errors import HostError
from .system import System

# One program for each stack, named after it. It is there for a Notifier alone as well.
PROGRAMS = "/usr/local/lib/pulumi-systemd/health"
# A check that is made now waits for its probes and for what is done about them.
ANSWER_SEC = 1800.0


def run_health(system: System, verb: str, words: Sequence[str], checks: Sequence[str], as_json: bool) -> int:
    """
    Do `verb` of the checks' programs, with `words`, about those checks or groups of checks, or all; the exit status.
    Raises HostError where there are none, or not those.
    """
    programs = programs_of(system)
    wanted = _wanted(programs, checks) if checks else {path: [] for path in programs}
    if as_json:
        found = [each for path, names in wanted.items() for each in overview(path, names)]
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return 0
    codes = []
    for path, names in wanted.items():
        if len(programs) > 1:
            sys.stdout.write(f"{scope_of(path)}:\n")
        sys.stdout.flush()
        codes.append(_asked(path, [verb, *words, *names], None).returncode)
    return max(codes)


def show_log(system: System, options: Sequence[str], checks: Sequence[str]) -> int:
    """What the checks told, by journalctl with these options; its exit status. Raises HostError as `run_health`."""
    programs = programs_of(system)
    wanted = _wanted(programs, checks) if checks else {path: [] for path in programs}
    matches = [match for path, names in wanted.items() for match in ("+", *log_matches(path, names))][1:]
    try:
        return subprocess.run(["journalctl", *options, *matches], check=False).returncode
    except OSError as problem:
        raise HostError(f"journalctl cannot be run on this host: {problem.strerror}") from None
    except KeyboardInterrupt:
        return 130


def log_matches(path: str, names: Sequence[str]) -> list[str]:
    """What journalctl takes for all that one program told, or told of those checks and groups of checks."""
    found = [f"PULUMI_SYSTEMD_SCOPE={scope_of(path)}"]
    if names:
        checks = [each["check"] for each in overview(path, names)]
        found += [f"PULUMI_SYSTEMD_CHECK={check}" for check in checks]
    return found


def programs_of(system: System) -> list[str]:
    """The checks' programs of this host. Raises HostError where there is none."""
    directory = system.at(PROGRAMS)
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    found = [os.path.join(directory, name) for name in names if name.endswith(".py")]
    if not found:
        raise HostError("there is no health check on this host: a HealthCheck of a stack brings them")
    return found


def scope_of(path: str) -> str:
    return os.path.basename(path)[: -len(".py")]


def overview(path: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Every check of one program, or those, each with the stack that it belongs to. Raises HostError."""
    done = _asked(path, ["status", "--json", *names], subprocess.PIPE)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise HostError(f"{path} status --json ended with {done.returncode}, and gave no JSON") from None
    return [{"stack": scope_of(path), **each} for each in found]


def _wanted(programs: Sequence[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Of each program the checks and groups that were named and are its own. Raises HostError for one of nobody."""
    known = {path: {each[key] for each in overview(path) for key in ("check", "group")} for path in programs}
    there = sorted(set().union(*known.values()))
    for name in names:
        if name not in there:
            raise HostError(f"{name} is no check on this host; there are: {', '.join(there) or 'none'}")
    wanted = {path: [name for name in names if name in own] for path, own in known.items()}
    return {path: own for path, own in wanted.items() if own}


def _asked(path: str, words: Sequence[str], out: int | None) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", path, *words]
    try:
        return subprocess.run(argv, stdout=out, check=False, text=True, timeout=ANSWER_SEC)
    except subprocess.TimeoutExpired:
        raise HostError(f"{path} {words[0]}: no end in {ANSWER_SEC:.0f} s") from None
