"""Before the switch: everything is written beside its place and checked; nothing that the host uses is touched."""

from __future__ import annotations

import os
from typing import Callable

from .affected import affected_units
from .asking import PROGRAM
from .bundle import Release
from .enablement import concerns, enablement_directories, enablement_links
from .environment_target import LINK, link_target
from .environments import build
from .errors import HostError
from .files import free_bytes, make_directories, missing_directories, remove_tree, stage_file, temporary_name
from .keeping import put_keeping
from .launcher import put_launcher
from .ledger import Ledger
from .observe import stamp_path
from .originals import keep_originals
from .pending import Pending, saved_unit, write_pending
from .plan_adoption import aside_path
from .plan_shape import Observation, Plan
from .pulled_up import pulled_up
from .releases import keep_archive, unpack
from .saved import save_path
from .verify import verify
from .work import Work

SPARE_BYTES = 4 << 20


def stage(work: Work, old: Ledger, made: Plan, seen: Observation, begun: Callable[[Pending], None]) -> Pending:
    """
    Put everything beside where it goes, and check it. The record of the way back is written first; `begun` gets it.

    Raises HostError when something is wrong with it; what was put there is then taken away by the way back.
    """
    _check_room(work, made)
    make_directories(work.directory, 0o700)
    remove_tree(work.pending_directory)
    make_directories(work.pending_directory, 0o700)
    put_keeping(work.system, os.path.join(work.scratch, PROGRAM))
    work.warnings += put_launcher(work.system)
    pending = _record(work, old, made, seen)
    write_pending(work.pending_directory, pending)
    begun(pending)
    keep_originals(work, made, seen)
    for path in pending.directories:
        make_directories(work.system.at(path))
    for release in made.unpack:
        _unpack(work, release, seen)
    for release in made.build:
        build(work, release, seen.environments[release.name], made.build.index(release))
    for write in made.writes:
        stage_file(work.temporary(write.path), write.data, write.mode)
    for release in made.links:
        os.symlink(release.directory, work.temporary(release.link))
    moved = {release.name for release in (*made.unpack, *made.build, *made.rebind, *made.links)}
    changed = {os.path.basename(write.path) for write in made.writes if write.is_unit}
    changed |= {unit.name for unit in work.bundle.units if moved & set(unit.restart_on_releases)}
    work.warnings += verify(
        work.system,
        work.bundle.units,
        changed,
        os.path.join(work.scratch, "units"),
        lambda path: _will_be_executable(work, path),
        work.units.left(),
        work.systemd,
    )
    return pending


def _check_room(work: Work, made: Plan) -> None:
    needed: dict[int, int] = {}
    shown: dict[int, str] = {}
    for write in made.writes:
        at = os.path.dirname(work.system.at(write.path))
        while at not in ("", "/") and not os.path.isdir(at):
            at = os.path.dirname(at)
        device = os.stat(at).st_dev
        needed[device] = needed.get(device, SPARE_BYTES) + len(write.data)
        shown[device] = at
    for device, size in needed.items():
        if free_bytes(shown[device]) < size:
            raise HostError(f"no room on the file system of {shown[device]}: {size} bytes are needed")


def _record(work: Work, old: Ledger, made: Plan, seen: Observation) -> Pending:
    paths = [write.path for write in made.writes] + [release.link for release in made.links]
    paths += made.remove + made.remove_late
    paths += [f"{release.directory}/{LINK}" for release in made.rebind]
    paths += [stamp_path(timer) for timer in (*made.stamps_now, *made.stamps_gone)]
    paths += [saved.path for saved in made.restore] + [aside_path(saved.path) for saved in made.aside]
    targets = [write.path for write in made.writes]
    targets += [saved.path for saved in made.restore] + [aside_path(saved.path) for saved in made.aside]
    targets += [path for release in (*made.unpack, *made.links) for path in (release.directory, release.link)]
    environments = [seen.environments[release.name].directory for release in made.build]
    targets += environments
    targets += [stamp_path(timer) for timer in made.stamps_now]
    directories: dict[str, None] = {}
    for path in targets:
        directories.update(dict.fromkeys(missing_directories(work.system.at(path))))
    root = work.system.at("/").rstrip("/")
    involved = {*made.touched, *made.gone, *made.enable, *made.reenable, *made.disable, *made.relink}
    involved |= {os.path.basename(write.path) for write in made.writes if write.is_unit}
    links = enablement_links(work.system)
    paths += [path[len(root) :] for path, target in links.items() if concerns(path, target, involved)]
    return Pending(
        scope=work.given.scope,
        transaction=work.transaction,
        generation=old.generation,
        boot=seen.boot,
        paths=[
            save_path(work.system, work.pending_directory, f"{number:04d}", path, itself=True)
            for number, path in enumerate(dict.fromkeys(paths))
        ],
        temporaries=[temporary_name(path, work.transaction) for path in targets],
        directories=[path[len(root) :] for path in directories],
        trees=[release.directory for release in made.unpack] + environments,
        links=links,
        link_directories=enablement_directories(work.system),
        units={name: saved_unit(state) for name, state in seen.states.items()},
        involved=sorted(involved),
        affected=affected_units(work.bundle, made, seen, involved),
        pulled_up=pulled_up(work.bundle, made, seen, involved),
        reloaded=made.reload,
        slices=made.limited_slices(seen),
        users=[user.name for user in made.users],
        groups=sorted({*made.groups, *(user.group for user in made.users)} - seen.groups),
    )


def _unpack(work: Work, release: Release, seen: Observation) -> None:
    make_directories(work.archives, 0o700)
    kept = work.archive(release.code)
    keep_archive(release.code, work.login_home, kept)
    staged = work.temporary(release.directory)
    unpack(work.system, release.code, kept, staged, work.units.left())
    target = seen.environments.get(release.name)
    if target:
        os.symlink(link_target(release, target), os.path.join(staged, LINK))


def _will_be_executable(work: Work, path: str) -> bool | None:
    """Whether `path` will be a program once files and releases are in place; nothing if it is not one of ours."""
    for file in work.bundle.files:
        if file.path == path:
            return bool(file.mode & 0o111)
    for release in work.bundle.releases:
        for prefix in (release.link, release.directory):
            if path.startswith(f"{prefix}/"):
                staged = work.temporary(release.directory)
                base = staged if os.path.isdir(staged) else work.system.at(release.directory)
                program = os.path.join(base, path[len(prefix) + 1 :])
                return os.path.isfile(program) and bool(os.stat(program).st_mode & 0o111)
    return None
