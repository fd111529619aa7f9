"""Units that systemd starts because ours want or require them: on the way back they go down again."""

from __future__ import annotations

import re
from typing import Iterable

from .bundle import Bundle, Unit, is_template
from .bundle_values import UNIT_NAME
from .plan_shape import Observation, Plan
from .systemctl import PROPERTIES, show
from .units import Units

PULLS = re.compile(r"^\s*(?:Requires|BindsTo|Wants|Upholds)\s*=(.*)$", re.MULTILINE)
# Mounts and devices come and go for reasons of their own, targets are no processes.
KINDS = (".service", ".socket", ".timer", ".path")
NEEDED_BY = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo", "WantedBy", "UpheldBy")


def pulled_names(units: Iterable[Unit]) -> set[str]:
    """The units that those of the bundle name. A name with a specifier is known to systemd alone."""
    words = {word for unit in units for line in PULLS.findall(unit.content) for word in line.split()}
    return {word for word in words if UNIT_NAME.fullmatch(word) and word.endswith(KINDS) and not is_template(word)}


def pulled_up(bundle: Bundle, made: Plan, seen: Observation, involved: set[str]) -> list[str]:
    """The units that do not run and that the plan's starts pull up, by way of our idle ones too."""
    units = {unit.name: unit for unit in bundle.units}
    units.update(
        {name: units[template] for template, names in seen.instances.items() for name in names if template in units}
    )
    found: set[str] = set()
    waiting = [*made.start, *made.restart, *made.follow]
    while waiting:
        name = waiting.pop()
        further = pulled_names([units[name]] if name in units else []) - found
        found |= further
        waiting += further
    states = [seen.state(name) for name in sorted((found & set(seen.states)) - involved)]
    return [state.name for state in states if not (state.running or state.in_restart_loop or state.queued)]


def stop_pulled_up(units: Units, names: list[str]) -> list[str]:
    """Stop those of `names` that run by now. Left running, and told, is what others may have come to use."""
    if not names:
        return []
    found = show(units.system, names, units.left(), (*PROPERTIES, "WantedBy", "UpheldBy"))
    # A job ends by itself.
    up = {name: state for name, state in found.items() if (state.running or state.queued) and not state.is_job}
    users = {
        name: [each for key in (*NEEDED_BY, "TriggeredBy") for each in state.words(key)] for name, state in up.items()
    }
    running = {
        each for each, state in units.show(each for found in users.values() for each in found).items() if state.running
    }
    left = {name: "it may be in use over D-Bus" for name, state in up.items() if state.get("Type") == "dbus"}
    moved = True
    while moved:
        moved = False
        for name in sorted(set(up) - set(left)):
            user = next((each for each in users[name] if each in running and (each not in up or each in left)), "")
            if user:
                left[name] = f"{user} may need it"
                moved = True
    units.stop(name for name in up if name not in left)
    return [f"{name} was started with this change and stays up, since {why}" for name, why in sorted(left.items())]
