"""What a check looks at and how far it may go. The file is written by components/health-check.ts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .strict_json import Fields, MalformedError, parsed_json

SETTINGS_FORMAT = 1
DAYS_100_SEC = 8_640_000.0


@dataclass(frozen=True)
class HttpProbe:
    """A GET that must be answered. `status` None stands for 200 to 399."""

    url: str
    status: int | None
    contains: str | None


@dataclass(frozen=True)
class TcpProbe:
    """A port that must accept a connection."""

    host: str
    port: int


@dataclass(frozen=True)
class CommandProbe:
    """A program that must end with exit status 0."""

    command: tuple[str, ...]


Probe = Union[HttpProbe, TcpProbe, CommandProbe]


@dataclass(frozen=True)
class Settings:
    """One check. Times are in seconds."""

    name: str
    unit: str
    probes: tuple[Probe, ...]
    timeout_sec: float
    fail_after: int
    grace_sec: float
    max_restarts: int
    within_sec: float
    backoff_sec: float
    # Whether the probes hold a secret, so that messages say less of them.
    confidential: bool


def settings_of(text: str) -> Settings:
    """The settings in a file's text. Raises MalformedError."""
    fields = Fields(
        parsed_json(text),
        "",
        (
            "format",
            "name",
            "unit",
            "probes",
            "timeoutSec",
            "failAfter",
            "graceSec",
            "maxRestarts",
            "withinSec",
            "backoffSec",
            "confidential",
        ),
    )
    fields.integer("format", SETTINGS_FORMAT, SETTINGS_FORMAT)
    return Settings(
        name=fields.text("name"),
        unit=fields.text("unit"),
        probes=tuple(_probe(item, f"probes[{index}]") for index, item in enumerate(fields.items("probes"))),
        timeout_sec=fields.number("timeoutSec", 0.001),
        fail_after=fields.integer("failAfter", 1, 1000),
        grace_sec=fields.number("graceSec"),
        max_restarts=fields.integer("maxRestarts", 0, 1000),
        within_sec=min(fields.number("withinSec", 1), DAYS_100_SEC),
        backoff_sec=fields.number("backoffSec"),
        confidential=fields.flag("confidential"),
    )


def _probe(value: object, path: str) -> Probe:
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "http":
        fields = Fields(value, path, ("kind", "url", "status", "contains"))
        status = None if fields.raw("status") is None else fields.integer("status", 100, 599)
        return HttpProbe(fields.text("url"), status, fields.optional_text("contains"))
    if kind == "tcp":
        fields = Fields(value, path, ("kind", "host", "port"))
        return TcpProbe(fields.text("host"), fields.integer("port", 1, 65535))
    if kind == "command":
        fields = Fields(value, path, ("kind", "command"))
        command = fields.texts("command")
        if not command or not command[0]:
            raise MalformedError(f"{fields.path('command')} names no program")
        return CommandProbe(tuple(command))
    raise MalformedError(f"{path}.kind is not one of http, tcp, command")
