"""How a scope is now, for `pulumi-systemd status`: once, or again and again over one connection. Nothing is changed."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import Any

from pulumi_systemd_health.strict_json import Fields, MalformedError, parsed_json

from .asking import Result
from .command_view import hold_view
from .errors import HostError
from .health_command import PROGRAMS, overview
from .holding import read_hold, valid
from .ledger import Ledger, read_ledger
from .look import findings_of, unless_busy
from .observe import boot_id
from .system import System
from .systemctl import version
from .unit_view import unit_views
from .writing import write_quietly

# To compare files takes longer than to ask systemd.
DRIFT_EVERY_SEC = 60.0
LONGEST_WATCH_SEC = 86_400.0
LONGEST_PAUSE_SEC = 3600
CHECK_KEYS = ("check", "group", "unit", "state", "status", "since", "outageSince", "heldUntil")


def run_status(system: System, asked: bytes) -> Result:
    """Answer a request of activation/host-status.ts. One that watches ends when nobody reads any more."""
    try:
        fields = Fields(parsed_json(asked.decode("utf-8", "replace")), "", ("format", "scope", "everySec"))
        fields.integer("format", 1, 1)
        scope, every = fields.text("scope"), fields.integer("everySec", 0, LONGEST_PAUSE_SEC)
    except MalformedError as problem:
        raise HostError(f"the request for a status is not well-formed: {problem}") from None
    begin = system.now()
    drift: dict[str, Any] = {}
    looked = begin - 2 * DRIFT_EVERY_SEC
    while True:
        if system.now() - looked >= DRIFT_EVERY_SEC:
            drift, looked = _drift(system, scope), system.now()
        text = json.dumps({**_view(system, scope), **drift}, ensure_ascii=True, separators=(",", ":"))
        if not every:
            return Result(0, text)
        if not write_quietly(1, f"{text}\n") or system.now() - begin > LONGEST_WATCH_SEC:
            return Result(0, "")
        system.sleep(every)


def _view(system: System, scope: str) -> dict[str, Any]:
    now = time.time()
    ledger = read_ledger(system, scope) or Ledger(scope)
    return {
        "format": 1,
        "scope": scope,
        "hostname": os.uname().nodename,
        "systemd": version(system),
        "generation": ledger.generation,
        "at": ledger.at,
        "now": now,
        "booted": bool(ledger.generation) and ledger.boot != boot_id(system),
        "hold": hold_view(valid(ledger.hold, now) or valid(read_hold(system), now)),
        "rolledBack": asdict(ledger.rolled_back) if ledger.rolled_back else None,
        "units": unit_views(system, ledger, now, system.now()),
        **_health(system, ledger),
    }


def _health(system: System, ledger: Ledger) -> dict[str, Any]:
    """The checks of the scope's own stack. That they cannot be asked hides nothing else."""
    programs = [path for path in ledger.files if path.startswith(f"{PROGRAMS}/")]
    try:
        checks = [each for path in programs for each in overview(system.at(path))]
    except HostError as problem:
        return {"health": [], "healthProblem": str(problem)}
    return {"health": [{key: each.get(key) for key in CHECK_KEYS} for each in checks], "healthProblem": ""}


def _drift(system: System, scope: str) -> dict[str, Any]:
    with unless_busy(system) as busy:
        found = []
        if not busy:
            ledger = read_ledger(system, scope) or Ledger(scope)
            found = findings_of(system, ledger, version(system))
        findings = [{"kind": each.kind, "unit": each.unit, "path": each.path} for each in found]
        return {"busy": busy, "findings": findings}
