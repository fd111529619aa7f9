"""Changes of running units: stop, reload, restart, start, and waiting until they are what they should be."""

from __future__ import annotations

from typing import Iterable

from .errors import HostError, OverdueError, UnitsDownError
from .exit_status import told
from .order import is_trigger, order_by_dependency, phases
from .system import Completed, System
from .systemctl import UnitState, first_line, show

LOOK_SEC = 0.5
KILL_SEC = 15.0
DESCRIBE = 3


class Units:
    """Verbs on units, each with a bound. `left` gives the seconds that remain of the whole."""

    def __init__(self, system: System, wait_sec: float, ends_at: float) -> None:
        self.system = system
        self.wait_sec = wait_sec
        self.ends_at = ends_at
        self.daemon_reloads = 0

    def left(self) -> float:
        """Seconds for the next wait. Raises OverdueError when the whole has no time left."""
        remaining = self.ends_at - self.system.now()
        if remaining <= 0:
            raise OverdueError("the transaction's time (bounds.transactionSec) is used up")
        return min(self.wait_sec, remaining)

    def systemctl(self, verb: list[str], names: list[str], waiting: str = "") -> Completed:
        return self.system.run(["systemctl", *verb, "--", *names], self.left(), waiting or None)

    def show(self, names: Iterable[str]) -> dict[str, UnitState]:
        return show(self.system, names, self.left())

    def daemon_reload(self) -> None:
        done = self.system.run(["systemctl", "daemon-reload"], max(self.left(), 30), "systemd to read its units again")
        self.daemon_reloads += 1
        if done.code != 0:
            raise HostError(f"systemctl daemon-reload failed: {first_line(done)}")

    def apply_limits(self, slices: list[str], transaction: str) -> None:
        """
        Have systemd write changed limits to the cgroups of running units.

        247 and 252 do so at the daemon-reload. 257 waits until a unit starts in the same slice, so
        one that does nothing is started in each.
        """
        for number, name in enumerate(slices):
            argv = ["systemd-run", "--quiet", "--collect", f"--unit=pulumi-systemd-limits-{transaction}-{number}"]
            done = self.system.run([*argv, f"--slice={name}", "--", "/bin/true"], self.left())
            if done.code != 0:
                raise HostError(f"the limits of units in {name} could not be applied: {first_line(done)}")

    def enablement(self, verb: str, names: list[str]) -> None:
        """enable, disable or reenable, without a daemon-reload of its own."""
        if not names:
            return
        done = self.systemctl(["--no-reload", "--quiet", verb], names)
        if done.code != 0:
            raise HostError(f"systemctl {verb} {' '.join(names)} failed: {first_line(done)}")

    def reset_failed(self, names: Iterable[str]) -> None:
        """Forget failures and start counters. A unit that systemd has not loaded has none, and says so: no matter."""
        listed = sorted(set(names))
        if listed:
            self.systemctl(["reset-failed"], listed)

    def stop(self, names: Iterable[str]) -> None:
        """Stop units: first what could start others, then the rest."""
        listed = list(dict.fromkeys(names))
        for group in ([name for name in listed if is_trigger(name)], [name for name in listed if not is_trigger(name)]):
            if not group:
                continue
            # A connection that still waits in a socket starts its service as soon as that has ended, and the service
            # the sockets that it requires: their stop would be cancelled.
            sockets = [name for name in group if name.endswith(".socket")]
            verb = ["--job-mode=replace-irreversibly", "stop"] if sockets else ["stop"]
            try:
                done = self.systemctl(verb, group, f"{named(group)} to stop")
            except OverdueError:
                done = self.kill(group)
            if done.code != 0:
                raise HostError(f"systemctl stop {' '.join(group)} failed: {first_line(done)}")
            # Such a connection leaves its socket as failed, since its service could not be started.
            self.reset_failed(sockets)

    def kill(self, names: list[str]) -> Completed:
        """End units whose ExecStop= hangs or that ignore SIGTERM: our bounds are shorter than the units' own may be."""
        self.system.run(["systemctl", "kill", "--signal=SIGKILL", "--", *names], KILL_SEC)
        return self.system.run(["systemctl", "stop", "--", *names], KILL_SEC, f"{named(names)} to stop")

    def reload(self, names: list[str]) -> None:
        if not names:
            return
        done = self.systemctl(["reload"], names, f"{named(names)} to reload")
        if done.code != 0:
            raise UnitsDownError(f"reload of {named(names)} failed: {first_line(done)}", names)

    def start_later(self, names: list[str]) -> None:
        """Ask for the start of units and do not wait for it."""
        done = self.systemctl(["--no-block", "start"], names)
        if done.code != 0:
            raise HostError(f"systemctl start {' '.join(names)} failed: {first_line(done)}")

    def bring_up(self, restart: Iterable[str], start: Iterable[str]) -> None:
        """Restart and start units, sockets first and timers last, each wave in the order of After=."""
        names = [*restart, *start]
        after = self._after(names)
        for restarting, starting in phases(order_by_dependency(restart, after), order_by_dependency(start, after)):
            for verb, group in (("restart", restarting), ("start", starting)):
                if group:
                    self._bring_up(verb, group)

    def _bring_up(self, verb: str, group: list[str]) -> None:
        try:
            done = self.systemctl([verb], group, f"{named(group)} to become ready")
        except OverdueError as problem:
            late = [name for name, state in self.show(group).items() if not settled(state)]
            raise UnitsDownError(f"{named(late or group)}: not ready in time ({problem})", late or group) from None
        if done.code != 0:
            states = self.show(group)
            down = [name for name in group if not settled(states[name])]
            if down:
                raise UnitsDownError(f"{named(down)} did not come up", down)
            raise UnitsDownError(f"systemctl {verb} {' '.join(group)} failed: {first_line(done)}", group)

    def _after(self, names: list[str]) -> dict[str, list[str]]:
        if len(names) < 2:
            return {}
        found = show(self.system, names, self.left(), ("Id", "LoadState", "After"))
        return {name: state.words("After") for name, state in found.items()}

    def settle(self, seconds: dict[str, float], fresh: set[str]) -> list[str]:
        """
        Watch units for the seconds given for each: they must stay up, the same run of them, without a restart.

        `fresh`: those that were just started, whose count of automatic restarts began anew.

        Warnings about units that are down with a reason (a Condition). Raises UnitsDownError at the first that falls.
        """
        warnings: list[str] = []
        begin = self.system.now()
        first: dict[str, UnitState] = {}
        waiting = dict(seconds)
        while waiting:
            states = self.show(waiting)
            elapsed = self.system.now() - begin
            down = []
            ended: dict[str, str] = {}
            for name, state in states.items():
                reference = first.setdefault(name, state)
                if state.condition_failed and state.active == "inactive" and state.result == "success":
                    warnings.append(f"{name} is not running: a Condition of it is not met")
                    del waiting[name]
                elif restarted_between(reference, state) or (name in fresh and state.get("NRestarts") not in ("", "0")):
                    down.append(name)
                    ended[name] = reference.invocation
                elif not settled(state):
                    down.append(name)
                elif elapsed >= waiting[name]:
                    del waiting[name]
            if down:
                raise UnitsDownError(f"{named(down)} did not stay up", down, ended)
            if waiting:
                self.system.sleep(min(LOOK_SEC, max(max(waiting.values()) - elapsed, 0.05)))
                self.left()
        return warnings


def settled(state: UnitState) -> bool:
    """Whether a unit that should be up is: active, or a job that is done."""
    if state.active in ("active", "reloading", "refreshing"):
        return True
    return state.active == "inactive" and state.result == "success" and (state.is_job or state.condition_failed)


def restarted_between(first: UnitState, then: UnitState) -> bool:
    """Whether systemd started the unit again by itself between two looks."""
    if first.get("NRestarts") != then.get("NRestarts"):
        return True
    return bool(first.invocation and then.invocation and first.invocation != then.invocation)


def named(names: Iterable[str]) -> str:
    """A few unit names for a person."""
    listed = list(names)
    if len(listed) <= DESCRIBE:
        return ", ".join(listed)
    return f"{', '.join(listed[:DESCRIBE])} and {len(listed) - DESCRIBE} more"


def described(states: Iterable[UnitState]) -> list[str]:
    return [f"{state.name}: {told(state)}" for state in states]
