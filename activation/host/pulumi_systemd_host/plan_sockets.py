"""The part of the plan that keeps sockets and the services behind them apart."""

from __future__ import annotations

from .bundle import Bundle
from .order import is_trigger
from .plan_shape import Action, Observation, Plan


def plan_sockets(made: Plan, bundle: Bundle, seen: Observation) -> None:
    """
    Stops services around a change of their socket, and holds what could start a stopped service meanwhile.

    systemd refuses to start a socket whose service runs ("Socket service already active, refusing"). A service that is
    only restarted needs neither: its socket stays open.
    """
    by_name = {unit.name: unit for unit in bundle.units}
    going = set(made.stop)
    for socket in [name for name in (*made.start, *made.restart, *made.stop) if name.endswith(".socket")]:
        served = set(seen.state(socket).words("Triggers"))
        served |= {unit.name for unit in bundle.units if socket in unit.triggered_by}
        for service in sorted(served & set(by_name)):
            if seen.state(service).running and service not in going:
                _stop_around(made, service, socket)
                going.add(service)
    for service in [name for name in made.stop if not is_trigger(name)]:
        triggers = set(seen.state(service).words("TriggeredBy"))
        triggers |= set(by_name[service].triggered_by if service in by_name else [])
        for trigger in sorted(triggers):
            if seen.state(trigger).running and trigger not in (*made.stop, *made.hold, *made.restart, *made.start):
                made.hold.append(trigger)
                made.actions.append(Action(trigger, "stop", [f"held while {service} is stopped"]))
                if trigger in by_name or service in by_name or service in made.start:
                    made.start.append(trigger)
                    made.actions.append(Action(trigger, "start", [f"held while {service} was stopped"]))


def _stop_around(made: Plan, service: str, socket: str) -> None:
    made.stop.append(service)
    made.actions.append(Action(service, "stop", [f"{socket} changes"]))
    for verbs in (made.restart, made.reload):
        if service in verbs:
            verbs.remove(service)
    reasons = [f"{socket} changed"]
    for action in list(made.actions):
        if action.unit == service and action.action in ("restart", "reload"):
            made.actions.remove(action)
            reasons = action.reasons + reasons
    if service not in made.start:
        made.start.append(service)
    made.actions.append(Action(service, "start", reasons))
