"""The units that a change may stop or restart, itself or through systemd: the way back leaves all others alone."""

from __future__ import annotations

from .bundle import Bundle
from .observe import conflicting
from .plan_neighbours import TAKES_ALONG
from .plan_shape import Observation, Plan


def affected_units(bundle: Bundle, made: Plan, seen: Observation, involved: set[str]) -> list[str]:
    """
    The units that are `involved`, those that read what changes when they start, those that systemd stops with them,
    and their triggers: a socket fails once its service has failed too often.
    """
    paths = {*(write.path for write in made.writes), *made.remove}
    releases = {release.name for release in (*made.unpack, *made.build, *made.rebind, *made.links)}
    readers = [
        unit
        for unit in bundle.units
        if paths & {*unit.restart_on_files, *unit.reload_on_files} or releases & {*unit.restart_on_releases}
    ]
    found = {*involved, *(unit.name for unit in readers)}
    found |= {name for template in found for name in seen.instances.get(template, [])}
    found |= conflicting(unit for unit in bundle.units if unit.name in found)
    waiting = list(found)
    while waiting:
        state = seen.state(waiting.pop())
        along = {name for key in TAKES_ALONG for name in state.words(key)} - found
        found |= along
        waiting += along
    found |= {trigger for name in found for trigger in seen.state(name).words("TriggeredBy")}
    return sorted(found & set(seen.states))
