"""What the checks of a HealthCheck look at, and how far they may go. components/health-check.ts writes the file."""

from __future__ import annotations

from dataclasses import dataclass

from .probe_settings import Probe, probe_of
from .strict_json import Fields, MalformedError, parsed_json

SETTINGS_FORMAT = 2
DAYS_100_SEC = 8_640_000.0


@dataclass(frozen=True)
class Step:
    """
    One rung of the ladder. `verb` is `restart` or `reload`, both of the check's own unit, `start` of `unit`, which is a
    hook, or `rollback` of the update that brought the unit, when that came less than `newer_sec` ago.
    """

    verb: str
    unit: str = ""
    newer_sec: int = 0

    @property
    def is_rollback(self) -> bool:
        return self.verb == "rollback"


@dataclass(frozen=True)
class Check:
    """One check. Times are in seconds."""

    name: str
    # None: what is checked is no unit, such as the room on a disk.
    unit: str | None
    probes: tuple[Probe, ...]
    # Names of checks of the same group. While one of them is not well, this one is left alone.
    depends_on: tuple[str, ...]
    # The unit is acted on when `fail_after` of the last `fail_of` checks failed.
    fail_after: int
    fail_of: int
    grace_sec: float
    ladder: tuple[Step, ...]
    max_actions: int
    within_sec: float
    backoff_sec: float
    backoff_max_sec: float
    jitter: float
    half_open_after_sec: float
    remind_every_sec: float
    stable_for_sec: float
    # Whether the probes hold a secret, so that messages say less of them.
    confidential: bool


@dataclass(frozen=True)
class Group:
    """The checks of one HealthCheck, those before others that these depend on."""

    name: str
    # Timers that make the checks due.
    timer: str
    # The service whose process makes them.
    service: str
    notify: tuple[str, ...]
    log_file: str | None
    checks: tuple[Check, ...]


def group_of(text: str) -> Group:
    """The settings in a file's text. Raises MalformedError."""
    fields = Fields(parsed_json(text), "", ("format", "name", "timer", "service", "notify", "logFile", "checks"))
    fields.integer("format", SETTINGS_FORMAT, SETTINGS_FORMAT)
    checks = [_check(item, f"checks[{index}]") for index, item in enumerate(fields.items("checks"))]
    if not checks:
        raise MalformedError("checks is empty")
    return Group(
        name=fields.text("name"),
        timer=fields.text("timer"),
        service=fields.text("service"),
        notify=tuple(fields.texts("notify")),
        log_file=fields.optional_text("logFile"),
        checks=_dependencies_first(checks),
    )


def _check(value: object, path: str) -> Check:
    fields = Fields(
        value,
        path,
        (
            "name",
            "unit",
            "probes",
            "dependsOn",
            "failAfter",
            "failOf",
            "graceSec",
            "actions",
            "maxActions",
            "withinSec",
            "backoffSec",
            "backoffMaxSec",
            "jitter",
            "halfOpenAfterSec",
            "remindEverySec",
            "stableForSec",
            "confidential",
        ),
    )
    fail_after = fields.integer("failAfter", 1, 1000)
    check = Check(
        name=fields.text("name"),
        unit=fields.optional_text("unit"),
        probes=tuple(
            probe_of(item, f"{fields.path('probes')}[{index}]") for index, item in enumerate(fields.items("probes"))
        ),
        depends_on=tuple(fields.texts("dependsOn")),
        fail_after=fail_after,
        fail_of=fields.integer("failOf", fail_after, 1000),
        grace_sec=fields.number("graceSec"),
        ladder=tuple(_step(text, fields.path("actions")) for text in fields.texts("actions")),
        max_actions=fields.integer("maxActions", 0, 1000),
        within_sec=min(fields.number("withinSec", 1), DAYS_100_SEC),
        backoff_sec=fields.number("backoffSec"),
        backoff_max_sec=fields.number("backoffMaxSec"),
        jitter=fields.number("jitter"),
        half_open_after_sec=fields.number("halfOpenAfterSec"),
        remind_every_sec=fields.number("remindEverySec"),
        stable_for_sec=fields.number("stableForSec"),
        confidential=fields.flag("confidential"),
    )
    if check.unit is None and any(step.verb != "start" for step in check.ladder):
        raise MalformedError(f"{path} has no unit that could be restarted or reloaded")
    return check


def _step(text: str, path: str) -> Step:
    verb, _, unit = text.partition(" ")
    if (verb in ("restart", "reload") and not unit) or (verb == "start" and unit):
        return Step(verb, unit)
    if verb == "rollback" and unit.isdigit():
        return Step(verb, newer_sec=int(unit))
    raise MalformedError(f"{path} holds something that is not restart, reload, start UNIT or rollback SECONDS")


def _dependencies_first(checks: list[Check]) -> tuple[Check, ...]:
    by_name = {check.name: check for check in checks}
    if len(by_name) != len(checks):
        raise MalformedError("two checks have the same name")
    ordered: dict[str, Check] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name not in by_name:
            raise MalformedError(f"the check {above[-1]} depends on {name}, which is not there")
        if name in above:
            raise MalformedError(f"the check {name} depends on itself")
        for other in by_name[name].depends_on:
            visit(other, (*above, name))
        ordered.setdefault(name, by_name[name])

    for check in checks:
        visit(check.name, ())
    return tuple(ordered.values())
