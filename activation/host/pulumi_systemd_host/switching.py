"""The switch: from its first move on, every failure leads to the way back."""

from __future__ import annotations

import os
import re

from .added_links import added_links
from .enablement import enablement_links, put_back_links, set_links
from .environment_target import LINK, link_target
from .errors import UnitsDownError
from .files import link_atomically, remove_file, sync_directory
from .hooks import run_hooks
from .ledger import Ledger
from .moving import move_staged
from .observe import stamp_path
from .originals import give_back
from .pending import Pending, write_pending
from .plan_neighbours import TAKES_ALONG
from .plan_shape import Observation, Plan
from .rolling import rolled, stopped_at
from .swap_targets import swap_targets
from .users import create_users
from .work import Work

ON_CALENDAR = re.compile(r"^\s*OnCalendar\s*=(.*\S)", re.MULTILINE)
DUE = re.compile(r"^\s*From now: .* ago$", re.MULTILINE)


def switch(work: Work, old: Ledger, made: Plan, pending: Pending, seen: Observation) -> None:
    pending.switching = True
    write_pending(work.pending_directory, pending)
    create_users(work.system, made.users, made.groups, work.scratch, work.units.left())
    _place_releases(work, made)
    run_hooks(work, made, ("check", "pre-start"))
    _move_files(work, made, seen)
    work.warnings += work.swaps.begin(swap_targets(work, made, seen))
    work.units.stop([*made.hold, *made.stop])
    _stop_latecomers(work, made)
    # `systemctl disable` of a name without a file is an error.
    paths = {unit.name: unit.path for unit in work.bundle.units}
    paths.update({name: unit.path for name, unit in old.units.items()})
    there = [name for name in made.disable if os.path.lexists(work.system.at(paths[name]))]
    links = enablement_links(work.system)
    work.units.enablement("disable", there)
    # `Also=` in a unit file takes units of others along, of which the plan does not know where it was applied before.
    put_back_links(work.system, links, paths, work.transaction)
    for path in made.remove:
        remove_file(work.system.at(path))
        sync_directory(os.path.dirname(work.system.at(path)))
    give_back(work, made)
    for name, links in made.relink.items():
        set_links(work.system, name, paths[name], links, work.transaction)
    for timer in made.stamps_gone:
        remove_file(work.system.at(stamp_path(timer)))
    work.units.enablement("enable", made.enable)
    added = added_links(work, old, made, pending) if made.reenable else {}
    work.units.enablement("reenable", made.reenable)
    put_back_links(work.system, added, (), work.transaction)
    # `Also=` of a disabled unit may have taken another one along.
    if made.disable:
        enabled = [unit.name for unit in work.bundle.units if unit.enabled]
        work.units.enablement("enable", [name for name in enabled if name not in made.left_disabled])
    if made.daemon_reload:
        work.units.daemon_reload()
        # A socket that goes on may have started its old service until here.
        _stop_latecomers(work, made)
    late = _catch_late_starts(work, made, seen)
    _hand_over(work, made)
    work.units.apply_limits(made.limited_slices(seen), work.transaction)
    work.units.reset_failed([*made.touched, *made.gone])
    _set_stamps(work, made.stamps_now)
    work.units.reload(made.reload)
    roll = rolled(made.restart, [unit.name for unit in work.bundle.units])
    at_once = [name for name in made.restart if name not in roll]
    work.units.bring_up([*at_once, *late], made.start)
    # systemd is at it; this waits for the end.
    work.units.bring_up([], made.follow)
    _bring_up_neighbours(work, made, seen)
    _watch(work, made, seen, [*at_once, *made.follow, *made.start, *made.reload])
    _roll(work, made, seen, roll)
    run_hooks(work, made, ("post-start",))


def _roll(work: Work, made: Plan, seen: Observation, roll: list[str]) -> None:
    """Restart instances one after the other, each once the one before is up and well."""
    for name in roll:
        _change_instance(work, made, seen, roll, name)
    if roll:
        _bring_up_neighbours(work, made, seen)


def _change_instance(work: Work, made: Plan, seen: Observation, roll: list[str], name: str) -> None:
    try:
        work.units.bring_up([name], [])
        _watch(work, made, seen, [name])
    except UnitsDownError as problem:
        raise UnitsDownError(f"{problem}; {stopped_at(roll, name)}", problem.units, problem.ended) from None


def _stop_latecomers(work: Work, made: Plan) -> None:
    """A timer or socket may have started its service after the look that the plan is made from. Now all are held."""
    single = [name for name in made.gone if not name.rpartition(".")[0].endswith("@") and name not in made.late]
    states = work.units.show(single)
    work.units.stop(name for name, state in states.items() if state.active not in ("inactive", "failed"))


def _catch_late_starts(work: Work, made: Plan, seen: Observation) -> list[str]:
    """
    On-demand units that something started since the look at the host, and that may run the old definition: they are
    restarted, as the plan says of such units if they run.

    They are not held: to stop a socket would refuse connections, and to stop a timer could lose a run.
    """
    states = work.units.show(made.idle)
    late = [name for name, state in states.items() if state.running and state.invocation != seen.state(name).invocation]
    work.warnings += [
        f"{name} was started during the switch, and is restarted with its new definition" for name in late
    ]
    return late


def _hand_over(work: Work, made: Plan) -> None:
    """Stop services whose socket already belongs to another one. They had their own definition until here."""
    if not made.late:
        return
    work.units.stop(made.late)
    for path in made.remove_late:
        remove_file(work.system.at(path))
        sync_directory(os.path.dirname(work.system.at(path)))
    work.units.daemon_reload()


def _place_releases(work: Work, made: Plan) -> None:
    """Have new releases at their own place, where nothing uses them yet."""
    for release in made.unpack:
        target = work.system.at(release.directory)
        os.rename(work.temporary(release.directory), target)
        sync_directory(os.path.dirname(target))


def _move_files(work: Work, made: Plan, seen: Observation) -> None:
    directories: set[str] = set()
    for write in made.writes:
        move_staged(work.system, work.temporary(write.path), write.path, seen.found(write.path))
        directories.add(os.path.dirname(work.system.at(write.path)))
    for directory in sorted(directories):
        sync_directory(directory)
    for release in made.rebind:
        environment = link_target(release, seen.environments[release.name])
        link_atomically(work.system.at(f"{release.directory}/{LINK}"), environment, work.transaction)
    for release in made.links:
        move_staged(work.system, work.temporary(release.link), release.link, seen.found(release.link))
        sync_directory(os.path.dirname(work.system.at(release.link)))


def _set_stamps(work: Work, timers: list[str]) -> None:
    """Move the stamps of last runs to now where the timer would catch up at once on a schedule it did not have."""
    contents = {unit.name: unit.content for unit in work.bundle.units}
    for timer in timers:
        path = work.system.at(stamp_path(timer))
        if os.path.isfile(path) and _is_due(work, contents[timer], int(os.stat(path).st_mtime)):
            os.utime(path)


def _is_due(work: Work, content: str, last_run: int) -> bool:
    calendars = [value.strip() for value in ON_CALENDAR.findall(content)]
    argv = ["systemd-analyze", "calendar", f"--base-time=@{last_run}", "--", *calendars]
    done = work.system.run(argv, work.units.left())
    return done.code != 0 or bool(DUE.search(done.out))


def _bring_up_neighbours(work: Work, made: Plan, seen: Observation) -> None:
    """Start again what stopped only because one of our units did (Requires=, BindsTo=, PartOf= on it)."""
    if not (made.stop or made.hold or made.late or made.restart):
        return
    planned = {*made.touched, *made.gone}
    before = [
        name
        for name, state in seen.states.items()
        if state.running and not state.is_job and name not in planned and _depends_on(seen, name, planned)
    ]
    now = work.units.show(before)
    down = [name for name in before if now[name].active == "inactive" and now[name].loaded]
    if down:
        work.units.bring_up([], down)
    for name in before:
        state = now[name]
        if name in down or (
            seen.state(name).invocation and state.invocation != seen.state(name).invocation and state.running
        ):
            warning = f"{name} was restarted by systemd, because it depends on a unit that was"
            work.warnings += [] if warning in work.warnings else [warning]


def _watch(work: Work, made: Plan, seen: Observation, touched: list[str]) -> None:
    """Units must stay up, be another run where they were restarted, and pass their gates."""
    seconds = {unit.name: unit.settle_sec for unit in work.bundle.units}
    fresh = {*made.restart, *made.follow, *made.start}
    work.warnings += work.units.settle({name: seconds.get(name, 0.0) for name in touched}, fresh)
    states = work.units.show(name for name in touched if name in made.restart or name in made.follow)
    stale = [
        name for name, state in states.items() if state.invocation and state.invocation == seen.state(name).invocation
    ]
    if stale:
        raise UnitsDownError(f"{', '.join(stale)}: systemd did not restart it", stale)
    gates = {unit.name: unit.gate for unit in work.bundle.units if unit.gate and unit.name in touched}
    if gates:
        # It loads the probes and what they speak, such as HTTP: most updates have no gate, and are quicker without.
        from .gate import pass_gates

        pass_gates(work.units, gates)


def _depends_on(seen: Observation, name: str, planned: set[str]) -> bool:
    return any(name in seen.state(ours).words(key) for ours in planned for key in TAKES_ALONG)
