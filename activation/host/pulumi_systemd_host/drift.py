"""How a host differs from what was applied last: a pure function of the ledger and of what was found."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .files import Found
from .ledger import Ledger, LedgerUnit
from .plan import UNIT_MODE
from .plan_shape import Observation
from .systemctl import UnitState

NEXT_UP = "the next `pulumi up` that runs here"
# Drop-ins below these are a person's; those in /usr/lib are the distribution's.
FOREIGN_ROOTS = ("/etc/", "/run/")
MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Finding:
    """One difference. `repaired`: the next transaction puts it right; else `repair` is for a person."""

    kind: str
    unit: str
    path: str
    found: str
    expected: str
    repair: str
    repaired: bool


def drift(ledger: Ledger, seen: Observation, systemd: int, edited: dict[str, list[str]]) -> list[Finding]:
    """
    Every difference, files first.

    `systemd`: the host's major version; `edited`: files of each release directory that were changed after it was put in
    place.
    """
    found: list[Finding] = []
    as_written = f"as generation {ledger.generation} wrote it"
    for path, file in sorted(ledger.files.items()):
        found += _file("", path, seen.found(path), file.digest, file.mode, seen.owner, as_written)
    for name, unit in sorted(ledger.units.items()):
        found += _file(name, unit.path, seen.found(unit.path), unit.file, UNIT_MODE, seen.owner, as_written)
    found += _releases(ledger, seen, edited)
    for name in sorted(name for name, ours in ledger.users.items() if ours and name not in seen.accounts):
        found.append(Finding("account", "", "", "missing", f"the account {name}", NEXT_UP, True))
    booted = ledger.boot != seen.boot
    for name, unit in sorted(ledger.units.items()):
        for each in seen.instances.get(name, []) if name.rpartition(".")[0].endswith("@") else [name]:
            found += _unit(each, unit, seen.state(each), ledger, booted)
            found += _foreign_fragment(each, unit, seen.state(each), seen.found(unit.path))
    if ledger.systemd not in (0, systemd):
        found.append(
            Finding(
                "systemd",
                "",
                "",
                f"systemd {systemd}",
                f"systemd {ledger.systemd}, as at generation {ledger.generation}",
                f"nothing to repair; say `systemd: {systemd}` of this host so that its units are checked for it",
                False,
            )
        )
    return found


def _file(
    unit: str, path: str, now: Found, digest: str, mode: int, owner: tuple[int, int], as_written: str
) -> list[Finding]:
    if not now.exists:
        return [Finding("file-missing", unit, path, "missing", as_written, NEXT_UP, True)]
    if now.kind == "link" and now.target == "/dev/null":
        return [Finding("masked", unit, path, "masked", as_written, NEXT_UP, True)]
    if now.kind != "file":
        kept = now.kind == "link"
        repair = NEXT_UP if kept else f"remove it on the host, then {NEXT_UP}"
        what = f"a link to {now.target}" if kept else f"a {now.kind}"
        return [Finding("file-replaced", unit, path, what, as_written, repair, kept)]
    if now.digest != digest:
        return [Finding("file-changed", unit, path, f"other content, since {_utc(now)}", as_written, NEXT_UP, True)]
    if (now.mode, now.uid, now.gid) != (mode, *owner):
        there, wanted = _rights(now.mode, now.uid, now.gid), _rights(mode, *owner)
        return [Finding("file-mode", unit, path, there, wanted, NEXT_UP, True)]
    return []


def _rights(mode: int, uid: int, gid: int) -> str:
    return f"mode {mode:04o}, owner {uid}:{gid}"


def _utc(found: Found) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.mtime_ns // 1_000_000_000))


def _releases(ledger: Ledger, seen: Observation, edited: dict[str, list[str]]) -> list[Finding]:
    found = []
    for release in ledger.releases:
        if not release.current:
            continue
        directory, link = seen.found(release.directory), seen.found(release.link)
        if directory.kind != "directory":
            found.append(Finding("release-missing", "", release.directory, "missing", "the release", NEXT_UP, True))
        if link.kind != "link" or link.target != release.directory:
            there = f"a link to {link.target}" if link.kind == "link" else "missing" if not link.exists else link.kind
            ours = link.kind in ("link", "absent")
            repair = NEXT_UP if ours else f"remove it on the host, then {NEXT_UP}"
            expected = f"a link to {release.directory}"
            found.append(Finding("release-link", "", release.link, there, expected, repair, ours))
        paths = edited.get(release.directory, [])
        for path in paths[:5]:
            more = f" ({len(paths) - 5} more)" if len(paths) > 5 and path == paths[4] else ""
            repair = f"`rm -r {release.directory}` on the host, then {NEXT_UP}: it unpacks the release anew"
            found.append(
                Finding("release-edited", "", path, f"changed on the host{more}", "as it was shipped", repair, False)
            )
    return found


def _unit(name: str, unit: LedgerUnit, state: UnitState, ledger: Ledger, booted: bool) -> list[Finding]:
    found = []

    def add(kind: str, there: str, expected: str, repair: str, repaired: bool, path: str = "") -> None:
        found.append(Finding(kind, name, path, there, expected, repair, repaired))

    for path in state.words("DropInPaths"):
        if path.startswith(FOREIGN_ROOTS) and path not in ledger.claims():
            repair = f"remove it and run `systemctl daemon-reload`, or write what it says into {name} here"
            add("drop-in", "a drop-in of somebody else", "none", repair, False, path)
    if state.get("NeedDaemonReload") == "yes":
        add("daemon-reload", "loaded before its files changed", "loaded as on disk", NEXT_UP, True)
    wanted = unit.activation == "started"
    file_state = state.get("UnitFileState")
    if unit.enabled and file_state == "disabled" and "@" not in name:
        kept = not (state.running or state.failed or not wanted)
        repair = f"`systemctl enable {name}`: it was stopped too, so it is left to a person" if kept else NEXT_UP
        add("enablement", "disabled", "enabled", repair, not kept)
    if state.failed and (wanted or not state.is_job):
        repaired = wanted
        repair = f"{NEXT_UP} starts it" if repaired else f"`systemctl reset-failed {name}` after mending the reason"
        add("failed", f"failed ({state.result})", "running" if wanted else "not failed", repair, repaired)
    elif state.failed:
        repair = f"look at `journalctl -u {name}`; its next run clears it"
        add("failed", f"its last run failed ({state.result})", "a run that succeeds", repair, False)
    elif wanted and not state.running and not state.is_job and not state.condition_failed:
        if booted and not state.ran_since_boot:
            add("stopped", "not started since the host booted", "running", f"{NEXT_UP} starts it", True)
        else:
            since = f"{state.active} ({state.sub})"
            repair = f"`systemctl start {name}`: what a person stopped is left so"
            add("stopped", since, "running", repair, False)
    if _is_stale(unit, state, booted):
        repair = f"`systemctl restart {name}`"
        add("stale-process", "older than its unit, secrets or release", "started after them", repair, False)
    return found


def _foreign_fragment(name: str, unit: LedgerUnit, state: UnitState, own: Found) -> list[Finding]:
    """What stands in the place of the unit's own file, where that file is as it should be."""
    fragment = state.get("FragmentPath")
    if own.kind != "file" or "@" in name:
        return []
    if state.get("LoadState") == "masked":
        repair = f"`systemctl unmask --runtime {name}`"
        return [Finding("masked", name, fragment, "masked", "not masked", repair, False)]
    if fragment not in ("", unit.path):
        return [Finding("fragment", name, fragment, "it defines the unit", unit.path, f"remove {fragment}", False)]
    return []


def _is_stale(unit: LedgerUnit, state: UnitState, booted: bool) -> bool:
    """Whether its process began before the definition, secret or release that it should have was applied."""
    started = state.get("ExecMainStartTimestampMonotonic")
    if booted or not state.running or not started.isdigit() or started == "0":
        return False
    return int(started) < unit.fresh * MICROSECONDS


def undeployed(ledger: Ledger, wanted: Ledger) -> list[Finding]:
    """What a program would send now and was not applied. `wanted`: the ledger that it would leave, as far as known."""
    found: list[Finding] = []
    of = f"generation {ledger.generation}" if ledger.generation else "nothing of this scope was ever applied"

    def add(unit: str, path: str, there: str, expected: str) -> None:
        found.append(Finding("undeployed", unit, path, there, expected, "`pulumi up`", True))

    for name in sorted({*ledger.units, *wanted.units}):
        old, new = ledger.units.get(name), wanted.units.get(name)
        if new is None:
            add(name, "", f"{of} has it", "not in the program any more")
        elif old is None:
            add(name, new.path, f"not in {of}" if ledger.generation else of, "new in the program")
        elif old.restart != new.restart:
            add(name, new.path, f"as in {of}", "changed in the program so that it restarts")
        elif (old.file, old.install, old.reload) != (new.file, new.install, new.reload):
            add(name, new.path, f"as in {of}", "changed in the program, without a restart")
    for path in sorted({*ledger.files, *wanted.files}):
        before, after = ledger.files.get(path), wanted.files.get(path)
        if after is None:
            add("", path, f"{of} has it", "not in the program any more")
        elif before is None:
            add("", path, f"not in {of}" if ledger.generation else of, "new in the program")
        elif (before.digest, before.mode) != (after.digest, after.mode):
            add("", path, f"as in {of}", "changed in the program")
    for release in wanted.releases:
        current = ledger.current_release(release.name)
        if current is None or current.sha256 != release.sha256:
            there = f"release {current.sha256[:12]}" if current else "no release of this name"
            add("", release.link, there, f"release {release.sha256[:12]}")
    return found
