"""What this scope took over from others: kept beside the ledger until it is given back."""

from __future__ import annotations

import os
from dataclasses import replace

from .bundle import Bundle
from .enablement import links_of
from .errors import HostError
from .files import make_directories, remove_empty_directory, remove_file, sha256_hex, sync_directory
from .ledger import Ledger, OriginalUnit
from .plan_adoption import aside_path, is_there
from .plan_shape import Observation, Plan
from .saved import SavedPath, restore_path, save_path
from .work import Work


def original_name(path: str) -> str:
    """The name under which the content of what lay at `path` is kept."""
    return sha256_hex(path.encode("utf-8"))[:32]


def keep_originals(work: Work, made: Plan, seen: Observation) -> None:
    """Copy what the plan takes over, before anything is changed. Raises HostError if it is not what was looked at."""
    paths = sorted(path for path in made.adopted if seen.found(path).exists)
    if not paths:
        return
    make_directories(work.originals, 0o700)
    for path in paths:
        saved = save_path(work.system, work.originals, original_name(path), path)
        if saved != new_originals(made, seen)[path]:
            raise HostError(f"{path} was changed while it was being taken over: is somebody else at work on this host?")
    sync_directory(work.originals)


def new_originals(made: Plan, seen: Observation) -> dict[str, SavedPath]:
    """What the plan takes over, by path. A file that only a package has elsewhere stays there and is not among them."""
    found = {path: seen.found(path) for path in made.adopted if seen.found(path).exists}
    return {
        path: SavedPath(
            path,
            now.kind,
            original_name(path) if now.kind == "file" else "",
            now.mode,
            now.uid,
            now.gid,
            now.mtime_ns,
            now.target,
            now.digest,
        )
        for path, now in found.items()
    }


def new_original_units(old: Ledger, bundle: Bundle, seen: Observation) -> dict[str, OriginalUnit]:
    """How the units were that the plan takes over."""
    taken = [unit for unit in bundle.units if unit.name not in old.units and is_there(unit, seen)]
    found = {}
    for unit in taken:
        state = seen.state(unit.name)
        fragment = seen.templates.get(unit.name, "") if unit.is_template else state.get("FragmentPath")
        found[unit.name] = OriginalUnit(
            running=state.running and not state.is_job,
            fragment="" if state.get("LoadState") == "masked" else fragment,
            links=links_of(seen.links, unit.name, unit.path),
            stamp=unit.name in seen.stamps,
        )
    return found


def give_back(work: Work, made: Plan) -> None:
    """Put back what lay at a path, or beside it where a person has put something else since."""
    for saved in made.restore:
        restore_path(work.system, work.originals, saved, work.transaction)
    for saved in made.aside:
        path = aside_path(saved.path)
        if os.path.lexists(work.system.at(path)):
            work.warnings.append(f"{path} was there already: what lay at {saved.path} could not be put there")
            continue
        restore_path(work.system, work.originals, replace(saved, path=path), work.transaction)


def drop_originals(work: Work, ledger: Ledger) -> None:
    """Remove the kept content of what `ledger` does not have."""
    wanted = {saved.backup for saved in ledger.originals.values()}
    if os.path.isdir(work.originals):
        for name in os.listdir(work.originals):
            if name not in wanted:
                remove_file(os.path.join(work.originals, name))
        remove_empty_directory(work.originals)
