"""The end of a transaction that went well: the next generation, and tidying up after it."""

from __future__ import annotations

import os
import time
from dataclasses import replace

from .asking import PROGRAM
from .bundle import Bundle, Unit
from .data_directories import data_directories, used_elsewhere
from .errors import problem_text
from .files import file_sha256, remove_empty_directory, remove_file, remove_tree, sha256_hex
from .generations import drop_generations, release_directories
from .holding import valid
from .ledger import Leaving, Ledger, LedgerFile, LedgerRelease, LedgerUnit, write_ledger
from .observe import boot_id
from .originals import drop_originals, new_original_units, new_originals
from .plan_shape import Observation, Plan
from .programs import drop_programs, keep_program
from .releases import remove_forgotten_uploads, remove_upload
from .users import known_accounts, known_groups, remove_copies, remove_halves, remove_users
from .work import Work

TIDY_SEC = 30.0
TRIED_AGAIN = "tidying up did not succeed, the next run tries again"


def next_ledger(work: Work, old: Ledger, made: Plan, seen: Observation, directories: list[str]) -> Ledger:
    """The ledger once the plan is carried out. `directories`: those that this transaction made."""
    bundle = work.bundle
    paths = {*(file.path for file in bundle.files), *(unit.path for unit in bundle.units)}
    names_of_units = {unit.name for unit in bundle.units}
    needed = release_directories(work, old.generation + 1, bundle.keep_generations)
    releases = next_releases(bundle, old, seen, needed)
    kept = {path for release in releases for path in (release.directory, release.environment)}
    boot = seen.boot or boot_id(work.system)
    # Beside an account that was there no group of its own name is made.
    made_groups = {*made.groups, *(user.group for user in made.users)} - seen.groups
    return Ledger(
        scope=old.scope,
        generation=old.generation + 1,
        transaction=work.transaction,
        boot=boot,
        systemd=work.systemd,
        users={
            user.name: old.users.get(user.name, False)
            or user.name in old.leaving.users
            or user.name not in seen.accounts - seen.made_elsewhere
            for user in bundle.users
        },
        groups={
            user.group: old.groups.get(user.group, False)
            or user.group in old.leaving.groups
            or user.group in seen.groups & seen.made_elsewhere
            or user.group in made_groups
            for user in bundle.users
        },
        homes={user.name: user.home for user in bundle.users},
        at=time.time(),
        keep=bundle.keep_generations,
        hold=valid(old.hold, time.time()),
        files={
            file.path: LedgerFile(
                sha256_hex(file.data),
                file.mode,
                file.secret,
                file.path in made.adopted or (file.path in old.files and old.files[file.path].adopted),
                file.seal,
            )
            for file in bundle.files
        },
        units={
            unit.name: LedgerUnit(
                unit.path,
                unit.digests.file,
                unit.digests.restart,
                unit.digests.reload,
                unit.digests.install,
                unit.enabled,
                unit.activation,
                unit.path in made.adopted or (unit.name in old.units and old.units[unit.name].adopted),
                _fresh(work, old, unit, boot),
                unit.purge,
                unit.digests.limits,
                unit.digests.manager,
                unit.memory_max,
                unit.restart_on_files,
                unit.reload_on_files,
            )
            for unit in bundle.units
        },
        releases=releases,
        directories=list(dict.fromkeys([*old.directories, *directories, *_shared_directories(work, seen)])),
        originals={
            **{path: saved for path, saved in old.originals.items() if path in paths},
            **new_originals(made, seen),
        },
        original_units={
            **{name: was for name, was in old.original_units.items() if name in names_of_units},
            **new_original_units(old, bundle, seen),
        },
        leaving=Leaving(
            trees=[
                path
                for release in old.releases
                for path in (release.directory, release.environment)
                if path and path not in kept
            ]
            + purged(work, old, made),
            users=made.users_gone + _still_leaving(old.leaving.users, {user.name for user in bundle.users}, seen),
            groups=made.groups_gone + _still_leaving(old.leaving.groups, {user.group for user in bundle.users}, seen),
        ),
    )


def _still_leaving(before: list[str], wanted: set[str], seen: Observation) -> list[str]:
    """Accounts that an earlier run could not remove, and that nobody has come to use since."""
    return [name for name in before if name not in wanted and name not in seen.accounts_elsewhere]


def _shared_directories(work: Work, seen: Observation) -> list[str]:
    """Directories that another scope made and this one uses too."""
    bundle = work.bundle
    paths = [*(file.path for file in bundle.files), *(unit.path for unit in bundle.units)]
    paths += [path for release in bundle.releases for path in (release.directory, release.link)]
    return sorted(each for each in seen.made_elsewhere if any(path.startswith(f"{each}/") for path in paths))


def _fresh(work: Work, old: Ledger, unit: Unit, boot: str) -> float:
    """Since when a process of the unit has what this transaction brings; an earlier one is stale."""
    before = old.units.get(unit.name)
    files = {file.path: sha256_hex(file.data) for file in work.bundle.files}
    releases = {release.name: release.sha256 for release in work.bundle.releases}

    def same_release(name: str) -> bool:
        current = old.current_release(name)
        return current is not None and current.sha256 == releases.get(name)

    if (
        before is not None
        and before.restart == unit.digests.restart
        and all(path in old.files and old.files[path].digest == files.get(path) for path in unit.restart_on_files)
        and all(same_release(name) for name in unit.restart_on_releases)
    ):
        return before.fresh if old.boot == boot else 0.0
    # One that was taken over runs with the same content; it may have begun long ago.
    return work.begun if before is not None else 0.0


def next_releases(bundle: Bundle, old: Ledger, seen: Observation, needed: set[str]) -> list[LedgerRelease]:
    """
    The releases of `bundle`, and as many of the ones before as each keeps, newest first.

    `needed`: directories of those that stay in any case, also of services that are gone.
    """
    known = {release.directory: release.hooks for release in old.releases}
    found = []
    for release in bundle.releases:
        environment, target = release.environment, seen.environments.get(release.name)
        wheelhouse = environment.wheelhouse if environment else None
        ran = {f"{hook.kind} {hook.unit}": hook.digest for hook in bundle.hooks if hook.release == release.name}
        found.append(
            LedgerRelease(
                release.name,
                release.sha256,
                release.directory,
                release.link,
                True,
                target.directory if target else "",
                environment.digest if environment else "",
                wheelhouse.sha256 if wheelhouse else "",
                {**known.get(release.directory, {}), **ran},
            )
        )
    wanted = {release.directory for release in bundle.releases}
    # A release that is current again is not its own predecessor.
    before = [release for release in old.releases if release.directory not in wanted]
    keep = {release.name: release.keep for release in bundle.releases}
    for older in before:
        name = older.name
        keep[name] = keep.get(name, 0) - 1
        if keep[name] >= 0 or older.directory in needed:
            found.append(replace(older, current=False))
    return found


def purged(work: Work, old: Ledger, made: Plan) -> list[str]:
    """Directories that go with the units that go, but for those that a unit which stays, or another scope, has too."""
    staying = {path for unit in work.bundle.units for path in unit.purge}
    for unit in work.bundle.units:
        staying |= data_directories(unit.content)
    found = []
    going = list(dict.fromkeys(path for name in made.gone for path in old.units[name].purge))
    elsewhere = used_elsewhere(work.system, work.given.scope) if going else {}
    for path in going:
        if path in staying:
            continue
        shared = next((each for each in sorted(elsewhere) if f"{each}/".startswith(f"{path}/")), "")
        shared = shared or next((each for each in sorted(elsewhere) if path.startswith(f"{each}/")), "")
        if shared:
            work.warnings.append(
                f"{path} was not purged and stays: {elsewhere[shared]}, another scope on this host, uses {shared}"
            )
            continue
        try:
            target = os.readlink(work.system.at(path))
        except OSError:
            target = ""
        # Of a dynamic user's directory, this is only a link (systemd.exec(5), DynamicUser=).
        found += (
            [path] if target != f"private/{os.path.basename(path)}" else [f"{os.path.dirname(path)}/{target}", path]
        )
    return found


def tidy(work: Work, ledger: Ledger) -> None:
    """
    Remove what the committed `ledger` has no use for any more. It can be run again at any time.

    The new state counts already: a failure here is a warning, and the next run tries again.
    """
    try:
        for path in ledger.leaving.trees:
            remove_tree(work.system.at(path))
        users = known_accounts(work.system, ledger.leaving.users, TIDY_SEC)
        work.warnings += remove_users(work.system, sorted(users), ledger.leaving.groups, TIDY_SEC)
        if ledger.leaving.users or ledger.leaving.groups:
            remove_halves(work.system, ledger.leaving.users, ledger.leaving.groups, TIDY_SEC)
            record = os.path.join(work.pending_directory, "pending.json")
            # What a run that was cut off while it removed them has left since it wrote its record.
            if os.path.isfile(record):
                remove_copies(work.system, os.stat(record).st_mtime)
        drop_unlisted(work, ledger)
        settle_uploads(work)
        left = [path for path in ledger.directories if os.path.isdir(work.system.at(path))]
        for path in sorted(left, key=len, reverse=True):
            if remove_empty_directory(work.system.at(path)):
                left.remove(path)
            elif not os.listdir(work.system.at(path)):
                work.warnings.append(f"{TRIED_AGAIN}: {path}, which is empty, cannot be removed")
        # A process of an account that is left keeps it: the next run tries again.
        leaving = Leaving(
            users=sorted(known_accounts(work.system, ledger.leaving.users, TIDY_SEC)),
            groups=sorted(known_groups(work.system, ledger.leaving.groups, TIDY_SEC)),
        )
        if left != ledger.directories or ledger.leaving != leaving:
            ledger.directories, ledger.leaving = left, leaving
            write_ledger(work.system, ledger)
        remove_tree(work.pending_directory)
    except Exception as problem:  # noqa: BLE001 the new state counts, whatever it is
        work.warnings.append(f"{TRIED_AGAIN}: {problem_text(problem)}")


def drop_unlisted(work: Work, ledger: Ledger) -> None:
    """Remove what is kept beside the ledger and is of no use to it: archives, originals, generations."""
    drop_archives(work, ledger)
    drop_originals(work, ledger)
    drop_generations(work, ledger)


def drop_archives(work: Work, ledger: Ledger) -> None:
    """Remove the kept archives of releases that `ledger` does not have."""
    wanted = {sha256 for each in ledger.releases if each.current for sha256 in (each.sha256, each.wheelhouse)}
    if os.path.isdir(work.archives):
        for name in os.listdir(work.archives):
            if name.partition(".")[0] not in wanted or name.endswith(".part"):
                remove_file(os.path.join(work.archives, name))
        remove_empty_directory(work.archives)


def settle_uploads(work: Work) -> None:
    """Leave nothing in the login user's home: archives are kept beside the ledger, the program where all read it."""
    if not work.login_home:
        return
    own = os.path.join(work.scratch, PROGRAM)
    # Written when this run was asked for. What was uploaded since is for the next run, which waits for the lock.
    begun_ns = os.stat(own).st_mtime_ns
    for upload in (upload for release in work.given.releases for upload in release.uploads):
        remove_upload(upload, work.login_home, begun_ns)
    remove_forgotten_uploads(work.given.scope, work.login_home, begun_ns)
    if work.destroys:
        drop_programs(work.system, work.given.scope, work.login_home, begun_ns)
    else:
        program = file_sha256(own)
        keep_program(work.system, work.given.scope, program, work.login_home)
