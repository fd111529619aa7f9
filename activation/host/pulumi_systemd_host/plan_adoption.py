"""The part of the plan about what others made: keeping off it, taking it over, and giving it back."""

from __future__ import annotations

import os
import re

from .bundle import Bundle, Unit, is_template
from .decide import APPLIED_BY_DAEMON_RELOAD
from .difference import difference
from .enablement import UNITS, links_of
from .files import Found
from .install_section import install_words
from .ledger import Ledger, LedgerUnit
from .plan_shape import Action, Observation, Plan, Write
from .saved import SavedPath
from .systemctl import UnitState

# systemd prefers what it finds here to a unit file in /etc/systemd/system (systemd.unit(5), unit file load path).
STRONGER = (
    "/etc/systemd/system.control/",
    "/run/systemd/system.control/",
    "/run/systemd/transient/",
    "/run/systemd/generator.early/",
)
ORIGINS = {
    "/usr/lib/systemd/": "a package's",
    "/lib/systemd/": "a package's",
    "/run/systemd/generator": "made by a generator of systemd at every boot and reload",
    "/run/systemd/": "made since the last boot",
}
DROP_IN = re.compile(r"/(?:etc|run|usr/local/lib|usr/lib|lib)/systemd/system(?:\.control)?/([^/]+)\.d/")
INSTANCE = re.compile(r"@[^@]*\.(?=[a-z]+$)")
# Stopping one of these takes a file system away from whatever uses it.
STAYS_MOUNTED = (".mount", ".automount", ".swap")


def other_scope(path: str, seen: Observation) -> str:
    """What of another scope `path` would be, lie under, or lie above; empty if nothing."""
    for way in dict.fromkeys((path, seen.real.get(path, path))):
        drop_in = DROP_IN.match(way)
        for claim, scope in seen.claims.items():
            if claim == way:
                return f"belongs to {scope}, another scope on this host"
            if way.startswith(f"{claim}/"):
                return f"lies under {claim}, which belongs to {scope}, another scope on this host"
            if claim.startswith(f"{way}/"):
                return f"has {claim} below it, which belongs to {scope}, another scope on this host"
            if drop_in and claim.startswith(f"{UNITS}/") and _changes(drop_in.group(1), os.path.basename(claim)):
                return f"changes {os.path.basename(claim)}, which belongs to {scope}, another scope on this host"
    return ""


def _changes(name: str, unit: str) -> bool:
    """Whether a drop-in for `name` is one of `unit`, of its template, or of one of its instances."""
    return name in (unit, _template(unit)) or _template(name) == unit


def _template(name: str) -> str:
    return INSTANCE.sub("@.", name)


def plan_homes(made: Plan, bundle: Bundle, seen: Observation) -> None:
    """Two accounts with one home would own each other's files."""
    for user in bundle.users:
        other, scope = seen.homes_elsewhere.get(user.home, ("", ""))
        if other and other != user.name:
            made.conflicts.append(
                f"{user.home} as the home of {user.name} is that of {other} already, which belongs to {scope}, "
                "another scope on this host"
            )


def take_over(made: Plan, write: Write, adopt: list[str], seen: Observation) -> bool:
    """Plans what lies where a file of ours goes: whether it is taken over. If not, that is a conflict."""
    now = seen.found(write.path)
    told = difference(now, seen.foreign.get(write.path), write)
    if now.kind in ("directory", "other"):
        made.conflicts.append(f"{write.path} is already there and was not written by this scope: {told}")
        return False
    if write.path not in adopt:
        made.conflicts.append(f"{write.path} is already there and was not written by this scope: {told}")
        made.adoptable.append(write.path)
        return False
    made.adopted.add(write.path)
    if not write.is_unit:
        made.actions.append(Action(write.path, "adopt", [told]))
    return True


def plan_unit_name(made: Plan, unit: Unit, before: LedgerUnit | None, adopt: list[str], seen: Observation) -> None:
    """Plans what else on the host has the unit's name. Systemd has it from a package, a generator, or as an alias."""
    if before:
        return
    state = seen.state(unit.name)
    fragment = seen.templates.get(unit.name, "") if unit.is_template else state.get("FragmentPath")
    if state.get("Id") not in ("", unit.name):
        made.conflicts.append(
            f"{unit.name} is already a name of {state.get('Id')} on this host: define {state.get('Id')} itself, "
            "or choose another name"
        )
    elif fragment.startswith(STRONGER):
        made.conflicts.append(
            f"{unit.name} is already defined by {fragment}, which systemd prefers to {unit.path}: "
            "stop the unit, or remove that"
        )
    elif state.get("LoadState") == "masked":
        if not seen.found(unit.path).exists and not _may_take(made, unit, adopt):
            made.conflicts.append(f"{unit.name} is masked until the next boot; `systemctl unmask --runtime` frees it")
    elif fragment and fragment != unit.path:
        elsewhere = seen.found(fragment)
        if elsewhere.kind == "file" and elsewhere.digest == unit.digests.file:
            return
        if not _may_take(made, unit, adopt):
            made.conflicts.append(f"{unit.name} is already defined by {fragment}{_origin(fragment)} on this host")


def plan_aliases(made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> None:
    """A name that is asked for with Alias= would silently override the unit that has it."""
    names = {unit.name for unit in bundle.units}
    for unit in bundle.units:
        if unit.name not in (*made.enable, *made.reenable):
            continue
        for alias in install_words(unit.content, "Alias"):
            path = seen.alias_files.get(alias, "")
            other = other_scope(f"{UNITS}/{alias}", seen)
            target = os.path.basename(seen.found(path).target)
            if alias == unit.name or (not other and alias not in names and (not path or path in made.remove)):
                continue
            if target == unit.name or target in old.units:
                # The link was made before.
                continue
            by = other or (f"is that of {path}{_origin(path)} on this host" if path else "is a unit of this scope too")
            made.conflicts.append(
                f"{unit.name} asks for the name {alias} (Alias=), and that {by}: choose another name, or free that one"
            )


def plan_also(made: Plan, bundle: Bundle) -> None:
    """What Also= names is enabled and disabled together with the unit: it must not be of others."""
    names = {unit.name for unit in bundle.units}
    for unit in bundle.units:
        if unit.name not in (*made.enable, *made.reenable):
            continue
        for other in install_words(unit.content, "Also"):
            template = re.sub("@[^@]+[.]", "@.", other)
            if other not in names and template not in names:
                made.conflicts.append(
                    f"{unit.name}: Also= names {other}, which is not a unit of this scope and would be enabled and "
                    f"disabled with it: take it out of Also="
                )


def is_there(unit: Unit, seen: Observation) -> bool:
    """Whether the host has a unit of this name, by whatever definition."""
    if unit.is_template:
        return seen.found(unit.path).exists or unit.name in seen.templates
    return seen.found(unit.path).exists or seen.state(unit.name).loaded


def _may_take(made: Plan, unit: Unit, adopt: list[str]) -> bool:
    if unit.path not in adopt:
        made.adoptable.append(unit.path)
        return False
    made.adopted.add(unit.path)
    return True


def _origin(fragment: str) -> str:
    return next((f" ({told})" for start, told in ORIGINS.items() if fragment.startswith(start)), "")


def plan_taken_over(made: Plan, unit: Unit, seen: Observation) -> None:
    """Plans what becomes of a unit that runs by the definition of somebody else. `seen` knows it by the same name."""
    now = seen.found(unit.path)
    state = seen.state(unit.name)
    fragment = now if now.exists else seen.found(state.get("FragmentPath"))
    if fragment.kind == "file" and fragment.digest == unit.digests.file:
        if now.exists:
            made.warnings.append(f"{unit.path} was already there with the same content and was taken over")
        if unit.activation == "started" and not unit.is_template and not state.running:
            made.start.append(unit.name)
            made.actions.append(Action(unit.name, "start", ["taken over, and not running"]))
        return
    told = difference(now, seen.foreign.get(unit.path), Write(unit.path, unit.data, 0, True)) if now.exists else ""
    source = told or (f"it was defined by {state.get('FragmentPath')}" if fragment.exists else "its file was gone")
    made.actions.append(Action(unit.name, "adopt", [source]))
    for name in seen.instances.get(unit.name, []) if unit.is_template else [unit.name]:
        _plan_definition_change(made, unit, name, seen.state(name))


def _plan_definition_change(made: Plan, unit: Unit, name: str, state: UnitState) -> None:
    """One unit or instance: what runs by the old definition ends by it, and what is wanted starts by the new one."""
    if not state.running:
        if unit.activation == "started" and not is_template(unit.name):
            made.start.append(name)
            made.actions.append(Action(name, "start", ["taken over"]))
        return
    refused = _refusal(unit, name, state)
    if refused:
        made.warnings.append(f"{name} was taken over, but {refused}")
        return
    _change_definition(made, name, "taken over")


def _refusal(unit: Unit, name: str, state: UnitState) -> str:
    if unit.on_change == "none":
        return "goes on with its old definition, because onChange is none"
    if name.endswith(STAYS_MOUNTED):
        return "stays mounted as it is until it is next mounted"
    if unit.activation == "on-demand" and state.is_job:
        return "is at work: its next run takes the new definition"
    return ""


def _change_definition(made: Plan, name: str, reason: str) -> None:
    """Stop by the loaded definition, start by the one that is read anew."""
    if name.endswith(APPLIED_BY_DAEMON_RELOAD):
        return
    (made.hold if name.endswith(".timer") else made.stop).append(name)
    made.start.append(name)
    made.actions.append(Action(name, "restart", [reason]))
    if name.endswith(".timer"):
        made.stamps_now.append(name)


def plan_return_of_unit(made: Plan, name: str, unit: LedgerUnit, old: Ledger, seen: Observation) -> None:
    """Plans giving back a unit that was there before: its file, its links, and whether it runs."""
    was = old.original_units[name]
    saved = old.originals.get(unit.path)
    same = plan_return_of_file(made, unit.path, unit.file, saved, seen)
    if links_of(seen.links, name, unit.path) != was.links:
        made.relink[name] = was.links
        made.daemon_reload = True
        made.actions.append(Action(name, "reenable", ["given back as it was found"]))
    if not same or saved in made.restore:
        made.daemon_reload = True
    if not same:
        made.actions.append(Action(name, "restore", ["given back as it was found"]))
    if name.endswith(".timer") and not was.stamp:
        made.stamps_gone.append(name)
    defined = bool(was.fragment) or bool(saved and saved.kind == "file")
    for each in seen.instances.get(name, []) if is_template(name) else [name]:
        state = seen.state(each)
        runs = state.active not in ("inactive", "failed")
        wanted = defined and (runs if is_template(name) else was.running)
        if each.endswith(STAYS_MOUNTED) and runs and defined:
            continue
        if runs and wanted and not same:
            _change_definition(made, each, "given back as it was found")
        elif runs and not wanted:
            made.stop.append(each)
            made.actions.append(Action(each, "stop", ["it did not run when it was taken over"]))
        elif wanted and not runs:
            made.start.append(each)
            made.actions.append(Action(each, "start", ["it ran when it was taken over"]))


def plan_return_of_file(made: Plan, path: str, digest: str, saved: SavedPath | None, seen: Observation) -> bool:
    """
    Plans giving back what lay at `path`, where we wrote content of `digest`. Whether the content stays the same.

    What a person changed since stays, and what was found is put beside it.
    """
    now = seen.found(path)
    if now.exists and not (now.kind == "file" and now.digest == digest):
        made.kept.add(path)
        beside = ""
        if saved and saved.kind == "file":
            made.aside.append(saved)
            beside = f"; what was there before this scope is put beside it as {aside_path(path)}"
        made.warnings.append(f"{path} was changed on the host after it was written, so it stays{beside}")
        return True
    if saved is None:
        made.remove += [path] if now.exists else []
        return not now.exists
    if _is_as_saved(now, saved):
        return True
    made.restore.append(saved)
    return saved.kind == "file" and saved.digest == now.digest


def aside_path(path: str) -> str:
    """Where something goes that cannot go back to `path`. systemd reads no file of such a name."""
    return f"{path}.before-pulumi-systemd"


def _is_as_saved(now: Found, saved: SavedPath) -> bool:
    if saved.kind == "link":
        return now.kind == "link" and now.target == saved.target
    return (now.kind, now.digest, now.mode, now.uid, now.gid, now.mtime_ns) == (
        saved.kind,
        saved.digest,
        saved.mode,
        saved.uid,
        saved.gid,
        saved.mtime_ns,
    )


def plan_drop_ins(made: Plan, bundle: Bundle, seen: Observation) -> None:
    """Reports drop-ins that a person made: they stay, and they change what a reviewer saw."""
    ours = {file.path for file in bundle.files}
    for unit in bundle.units:
        found = [path for path in seen.state(unit.name).words("DropInPaths") if path not in ours]
        found = [path for path in found if path.startswith(("/etc/systemd/", "/run/systemd/"))]
        if found:
            made.warnings.append(
                f"{unit.name} has drop-ins that are not of this scope and stay: {', '.join(found)}; "
                f"`systemctl cat {unit.name}` shows what they change"
            )
