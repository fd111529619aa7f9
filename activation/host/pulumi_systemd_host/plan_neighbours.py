"""The part of the plan that looks beside a unit. activation/plan-neighbours.ts mirrors it."""

from __future__ import annotations

from .bundle import Bundle
from .decide import NOT_APPLIED
from .ledger import Ledger
from .order import is_trigger
from .plan_shape import Action, Observation, Plan

TAKES_ALONG = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf", "PropagatesStopTo")


class Neighbours:
    """
    What a change does to the units beside it: services around a socket that closes, sockets that go from one service to
    another, triggers that are held, and units that systemd takes along.
    """

    def __init__(self, made: Plan, old: Ledger, bundle: Bundle, seen: Observation) -> None:
        self.made = made
        self.old = old
        self.seen = seen
        self.units = {unit.name: unit for unit in bundle.units}
        self.earlier = set(old.units)
        # Instances of a template go as units of their own, with its definition.
        for unit in bundle.units:
            for name in seen.instances.get(unit.name, []):
                self.units.setdefault(name, unit)
                self.earlier |= {name} if unit.name in old.units else set()

    def plan(self) -> None:
        self._hand_over()
        moved = True
        while moved:
            moved = self._stop_around_sockets()
            moved = self._take_along() or moved
            moved = self._hold() or moved

    def _stops(self, name: str) -> bool:
        return name in self.made.stop or name in self.made.hold

    def _runs(self, name: str) -> bool:
        state = self.seen.state(name)
        return state.running and name in self.earlier

    def _served(self, socket: str) -> tuple[set[str], set[str]]:
        """The units that a socket starts: before, as systemd has it, and after."""
        before = set(self.seen.state(socket).words("Triggers")) if socket in self.old.units else set()
        after = {name for name, unit in self.units.items() if socket in unit.triggered_by}
        return before & self.earlier, after

    def _hand_over(self) -> None:
        """A socket that stays open while the service behind it becomes another one."""
        made = self.made
        kept = [name for name in sorted(self.units) if name.endswith(".socket") and self._runs(name)]
        for socket in kept:
            if self._stops(socket) or socket in made.start or socket in made.restart:
                continue
            before, after = self._served(socket)
            lost, gained = sorted(before - after), sorted(after - before)
            for service in lost:
                if service in made.gone and service in made.stop:
                    self._stop_late(service)
                elif service in self.units:
                    self._restart(service, f"{socket} is no longer its socket")
            for service in gained:
                if service in self.earlier:
                    self._restart(service, f"{socket} is its socket now")
                elif service not in made.start and any(self.seen.state(each).running for each in lost):
                    made.start.append(service)
                    made.actions.append(Action(service, "start", [f"{socket} is its socket now"]))

    def _stop_late(self, service: str) -> None:
        made = self.made
        made.stop.remove(service)
        made.late.append(service)
        path = self.old.units[service].path
        if path in made.remove:
            made.remove.remove(path)
            made.remove_late.append(path)

    def _restart(self, service: str, reason: str) -> None:
        made = self.made
        if self.seen.state(service).is_job or not self._runs(service):
            return
        if self._stops(service) or service in (*made.start, *made.restart, *made.follow):
            return
        self._forget(service)
        made.restart.append(service)
        made.actions.append(Action(service, "restart", [reason]))

    def _forget(self, name: str, verbs: tuple[str, ...] = ("reload", "reload-manager", "none")) -> list[str]:
        """Take back what was planned for a unit; the reasons that it had."""
        made = self.made
        reasons = []
        for names in (made.reload, *([made.restart, made.follow] if "restart" in verbs else [])):
            if name in names:
                names.remove(name)
        for action in list(made.actions):
            if action.unit == name and action.action in verbs:
                made.actions.remove(action)
                reasons += [reason for reason in action.reasons if reason != NOT_APPLIED]
        return reasons

    def _stop_around_sockets(self) -> bool:
        """systemd refuses to start a socket whose service runs ("Socket service already active, refusing")."""
        made = self.made
        moved = False
        closing = [name for name in (*made.start, *made.stop, *made.hold) if name.endswith(".socket")]
        for socket in dict.fromkeys(closing):
            before, after = self._served(socket)
            for service in sorted((before | after) & set(self.units)):
                moved = self._stop_and_start(service, f"{socket} changes") or moved
        return moved

    def _stop_and_start(self, name: str, reason: str) -> bool:
        """Whether that changes the plan: what does not run, is stopped already or is started anyway is left."""
        made = self.made
        if not self._runs(name) or self._stops(name) or name in made.start:
            return False
        reasons = self._forget(name, ("reload", "reload-manager", "none", "restart"))
        made.stop.append(name)
        made.actions.append(Action(name, "stop", [reason]))
        made.start.append(name)
        made.actions.append(Action(name, "start", [*reasons, reason]))
        return True

    def _take_along(self) -> bool:
        """systemd stops and restarts what requires a unit together with it."""
        made = self.made
        moved = False
        for name in sorted({*made.stop, *made.hold}):
            along = {each for key in TAKES_ALONG for each in self.seen.state(name).words(key)}
            for dependant in sorted(along & set(self.units)):
                moved = self._stop_and_start(dependant, f"systemd stops it with {name}") or moved
        again = {*made.restart, *made.follow, *({*made.stop, *made.hold} & {*made.start})}
        for dependant, unit in sorted(self.units.items()):
            for name in sorted({*unit.stop_propagated_from} & again):
                moved = self._stop_and_start(dependant, f"systemd may stop it with {name}") or moved
        for dependant, name in self._become_bound():
            moved = self._stop_and_start(dependant, f"it becomes bound to {name}, which is not up yet") or moved
        for name in sorted({*made.restart, *made.follow}):
            for dependant in sorted(self.units):
                if name not in self.units[dependant].stops_with or not self._runs(dependant):
                    continue
                if self._stops(dependant) or dependant in (*made.restart, *made.follow, *made.start):
                    continue
                self._forget(dependant)
                made.follow.append(dependant)
                made.actions.append(Action(dependant, "restart", [f"systemd restarts it with {name}"]))
                moved = True
        return moved

    def _become_bound(self) -> list[tuple[str, str]]:
        """Units that gain BindsTo= to one that is not up when systemd reads that: they would end there and then."""
        return [
            (dependant, name)
            for dependant, unit in sorted(self.units.items())
            for name in unit.binds_to
            if dependant not in self.seen.state(name).words("BoundBy")
            and (self._stops(name) or not self.seen.state(name).running)
        ]

    def _hold(self) -> bool:
        """What could start a service while it is stopped is stopped with it."""
        made = self.made
        moved = False
        for service in [name for name in made.stop if not is_trigger(name)]:
            triggers = set(self.seen.state(service).words("TriggeredBy"))
            triggers |= set(self.units[service].triggered_by if service in self.units else [])
            for trigger in sorted(triggers):
                if self._stops(trigger) or trigger in made.start or not self.seen.state(trigger).running:
                    continue
                self._forget(trigger, ("reload", "reload-manager", "none", "restart"))
                made.hold.append(trigger)
                made.actions.append(Action(trigger, "stop", [f"held while {service} is stopped"]))
                moved = True
                if trigger in self.units or service in self.units:
                    made.start.append(trigger)
                    made.actions.append(Action(trigger, "start", [f"held while {service} was stopped"]))
        return moved
