"""Looks at a host and tells how it is: nothing is changed, and no unit of the transaction's kind is made."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Iterator

from .bundle import Bundle
from .drift import Finding, drift, undeployed
from .files import sha256_hex
from .holding import COMMAND, rollback_told, told, valid
from .ledger import Ledger, LedgerFile, LedgerRelease, LedgerUnit, read_ledger, scope_directory
from .lock import DIRECTORY
from .observe import boot_id, observe
from .plan_shape import Observation
from .sealing import Sealer, compared_bundle, sealed_on
from .system import System
from .systemctl import PROPERTIES, UnitState, show, version

LOOK_SEC = 60.0
FURTHER = ("DropInPaths", "ExecMainStartTimestampMonotonic", "StateChangeTimestamp")
# Python writes these beside what it imports; they are nobody's change.
WRITTEN_BY_PYTHON = ("__pycache__",)
# Between the last file of a release and its link lies the end of a transaction.
LINK_SLACK_NS = 1_000_000_000


def look(system: System, bundle: Bundle) -> str:
    """One line of JSON: mirrors activation/look-report.ts. No content of a file and no digest is in it."""
    with unless_busy(system) as busy:
        found = version(system)
        ledger = read_ledger(system, bundle.scope) or Ledger(bundle.scope)
        report: dict[str, Any] = {
            "format": 1,
            "scope": bundle.scope,
            "hostname": os.uname().nodename,
            "systemd": found,
            "generation": ledger.generation,
            "transaction": ledger.transaction,
            "booted": bool(ledger.generation) and ledger.boot != boot_id(system),
            "busy": busy,
            "units": [],
            "findings": [],
            "undeployed": [],
        }
        if not busy:
            seen = _seen(system, ledger)
            report["units"] = [_unit(name, seen.state(name)) for name in sorted(seen.states) if _ours(ledger, name)]
            report["findings"] = [asdict(finding) for finding in _findings(system, ledger, seen, found)]
            wanted = _wanted(_comparable(system, bundle))
            report["undeployed"] = [asdict(finding) for finding in undeployed(ledger, wanted)]
    return json.dumps(report, ensure_ascii=True, separators=(",", ":"))


@contextmanager
def unless_busy(system: System) -> Iterator[str]:
    """Keeps transactions out while it looks; gives who is at work when one is. It waits for nobody."""
    try:
        descriptor = os.open(os.path.join(system.at(DIRECTORY), "lock"), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        yield ""
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            holder = ""
        except BlockingIOError:
            holder = os.pread(descriptor, 500, 0).decode("utf-8", "replace").strip() or "another process"
        yield holder
    finally:
        os.close(descriptor)


def findings_of(system: System, ledger: Ledger, systemd: int) -> list[Finding]:
    """How the host differs from what was applied, where no transaction is at work."""
    return _findings(system, ledger, _seen(system, ledger), systemd)


def _findings(system: System, ledger: Ledger, seen: Observation, systemd: int) -> list[Finding]:
    return [
        *_cut_off(system, ledger),
        *_by_hand(ledger),
        *drift(ledger, seen, systemd, _edited(system, ledger)),
    ]


def _seen(system: System, ledger: Ledger) -> Observation:
    """What was observed for the ledger's own units, with the properties that only a look asks for."""
    empty = Bundle(ledger.scope, [], [], [], [], 1, 1)
    seen = observe(system, ledger, empty, [], LOOK_SEC)
    names = [name for name in seen.states if _ours(ledger, name)]
    more = show(system, names, LOOK_SEC, (*PROPERTIES, *FURTHER))
    return Observation(**{**vars(seen), "states": {**seen.states, **more}})


def _ours(ledger: Ledger, name: str) -> bool:
    stem, at, instance = name.partition("@")
    template = f"{stem}@.{instance.rpartition('.')[2]}" if at else ""
    return name in ledger.units or template in ledger.units


def _unit(name: str, state: UnitState) -> dict[str, str]:
    return {
        "name": name,
        "activeState": state.active,
        "subState": state.sub,
        "result": state.result,
        "unitFileState": state.get("UnitFileState"),
        "invocationId": state.invocation,
        "since": state.get("StateChangeTimestamp"),
    }


def _cut_off(system: System, ledger: Ledger) -> list[Finding]:
    path = os.path.join(scope_directory(system, ledger.scope), "pending")
    if not os.path.isdir(path):
        return []
    repair = "the next `pulumi up` of this stack takes it back or finishes it first"
    return [Finding("cut-off", "", "", "a transaction that was cut off", "none", repair, True)]


def _by_hand(ledger: Ledger) -> list[Finding]:
    back = ledger.rolled_back
    if back is None:
        return []
    held = valid(ledger.hold, time.time())
    found = f"{rollback_told(ledger)}{f'; {told(held)}' if held else ''}"
    repair = (
        f"an update of a changed program replaces it; `sudo {COMMAND} resume` on the host lets the same one in again"
    )
    return [Finding("rolled-back", "", "", found, f"generation {back.left}", repair, False)]


def _edited(system: System, ledger: Ledger) -> dict[str, list[str]]:
    """Files of each current release whose inode changed after the release was put in place."""
    found: dict[str, list[str]] = {}
    for release in ledger.releases:
        if not release.current:
            continue
        try:
            placed = os.lstat(system.at(release.link)).st_ctime_ns + LINK_SLACK_NS
        except OSError:
            continue
        base = system.at(release.directory)
        changed = []
        for directory, names, files in os.walk(base):
            names[:] = sorted(name for name in names if name not in WRITTEN_BY_PYTHON)
            for name in sorted(files):
                path = os.path.join(directory, name)
                try:
                    if os.lstat(path).st_ctime_ns > placed:
                        changed.append(release.directory + path[len(base) :])
                except FileNotFoundError:
                    continue
        found[release.directory] = changed
    return found


def _comparable(system: System, bundle: Bundle) -> Bundle:
    """The bundle with the encrypted credentials of this host, where their secrets are the same."""
    ends_at = system.now() + LOOK_SEC
    generations = os.path.join(scope_directory(system, bundle.scope), "generations")
    sealer = Sealer(system, lambda: ends_at - system.now())
    return compared_bundle(sealer, bundle, sealed_on(system, generations))


def _wanted(bundle: Bundle) -> Ledger:
    """The ledger that the bundle would leave, as far as it says so itself."""
    return Ledger(
        bundle.scope,
        files={file.path: LedgerFile(sha256_hex(file.data), file.mode, file.secret) for file in bundle.files},
        units={
            unit.name: LedgerUnit(
                unit.path,
                unit.digests.file,
                unit.digests.restart,
                unit.digests.reload,
                unit.digests.install,
                unit.enabled,
                unit.activation,
            )
            for unit in bundle.units
        },
        releases=[LedgerRelease(each.name, each.sha256, each.directory, each.link, True) for each in bundle.releases],
    )
