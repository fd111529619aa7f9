"""What `pulumi-systemd-host` shows, as data: the same for JSON and for people."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from .generations import changes, read_generations
from .holding import read_hold, valid
from .ledger import Hold, Ledger, scope_directory
from .system import System
from .systemctl import version
from .unit_view import unit_views


def status_view(system: System, ledgers: list[Ledger], now: float) -> dict[str, Any]:
    """Every scope with its generation, what holds it, and its units as systemd shows them."""
    return {
        "format": 1,
        "hostname": os.uname().nodename,
        "systemd": version(system),
        "hold": hold_view(valid(read_hold(system), now)),
        "scopes": [_scope(system, ledger, now) for ledger in ledgers],
    }


def _scope(system: System, ledger: Ledger, now: float) -> dict[str, Any]:
    directory = scope_directory(system, ledger.scope)
    return {
        "scope": ledger.scope,
        "generation": ledger.generation,
        "at": ledger.at,
        "transaction": ledger.transaction,
        "pending": os.path.isdir(os.path.join(directory, "pending")),
        "hold": hold_view(valid(ledger.hold, now)),
        "rolledBack": asdict(ledger.rolled_back) if ledger.rolled_back else None,
        "releases": {each.name: each.sha256 for each in ledger.releases if each.current},
        "adopted": sorted({*ledger.originals, *(ledger.units[name].path for name in ledger.original_units)}),
        "units": unit_views(system, ledger, now, system.now()),
    }


def hold_view(hold: Hold | None) -> dict[str, Any] | None:
    return asdict(hold) if hold else None


def generations_view(system: System, ledger: Ledger) -> dict[str, Any]:
    """The kept generations of one scope, newest first, each with the names of what differs from the one before."""
    kept = read_generations(os.path.join(scope_directory(system, ledger.scope), "generations"))
    found = []
    before: dict[str, Any] | None = None
    for number, each in kept.items():
        found.append(
            {
                "generation": number,
                "current": number == ledger.generation,
                "at": each.at,
                "transaction": each.transaction,
                "origin": asdict(each.origin),
                "changes": None if before is None else changes(before, each.bundle),
            }
        )
        before = each.bundle
    return {"scope": ledger.scope, "keeps": ledger.keep, "generations": found[::-1]}
