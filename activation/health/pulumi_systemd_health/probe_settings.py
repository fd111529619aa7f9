"""What a probe looks at. components/health-probe-args.ts writes these; a deploy's health gate reads the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from .strict_json import Fields, MalformedError


@dataclass(frozen=True)
class HttpProbe:
    """A GET that must be answered. `status` None stands for 200 to 399."""

    timeout_sec: float
    url: str
    status: int | None = None
    contains: str | None = None
    # The least time for which the certificate must still be valid.
    certificate_sec: float | None = None
    # A file of certificates to trust in place of the system's.
    ca_file: str | None = None
    # Connect here, whatever host and port the URL names.
    unix_socket: str | None = None


@dataclass(frozen=True)
class TcpProbe:
    """A port that must accept a connection."""

    timeout_sec: float
    host: str
    port: int


@dataclass(frozen=True)
class UnixSocketProbe:
    """A stream socket in the file system that must accept a connection."""

    timeout_sec: float
    path: str


@dataclass(frozen=True)
class CommandProbe:
    """A program that must end with exit status 0, as root without capabilities or as another user."""

    timeout_sec: float
    command: tuple[str, ...]
    user: str | None = None
    # Words before the command: a program that becomes another user and then runs it.
    run_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileProbe:
    """A file that must have been written lately; of several that a pattern matches, the newest."""

    timeout_sec: float
    path: str
    max_age_sec: float
    min_bytes: int


@dataclass(frozen=True)
class DiskProbe:
    """A file system that must have room for data and for names."""

    timeout_sec: float
    path: str
    min_free_bytes: int | None
    min_free_percent: float | None


@dataclass(frozen=True)
class MemoryProbe:
    """A unit whose processes together must use at most so much memory."""

    timeout_sec: float
    unit: str
    max_bytes: int


@dataclass(frozen=True)
class UnitProbe:
    """A unit that must be active."""

    timeout_sec: float
    unit: str


@dataclass(frozen=True)
class TimerProbe:
    """A timer whose runs must take place, and do well. `memory` is a file for what was seen of them."""

    timeout_sec: float
    timer: str
    # How late a run may be, beyond what the timer itself leaves to chance.
    grace_sec: float
    memory: str = ""


Probe = Union[
    HttpProbe, TcpProbe, UnixSocketProbe, CommandProbe, FileProbe, DiskProbe, MemoryProbe, UnitProbe, TimerProbe
]

KINDS = "http, tcp, unix-socket, command, file, disk, memory, unit, timer"


def probe_of(value: object, path: str) -> Probe:
    """The probe that a JSON object describes. Raises MalformedError."""
    kind = value.get("kind") if isinstance(value, dict) else None

    def fields(*keys: str) -> tuple[Fields, float]:
        found = Fields(value, path, ("kind", "timeoutSec", *keys))
        return found, found.number("timeoutSec", 0.001)

    if kind == "http":
        given, seconds = fields("url", "status", "contains", "certificateSec", "caFile", "unixSocket")
        return HttpProbe(
            seconds,
            given.text("url"),
            None if given.raw("status") is None else given.integer("status", 100, 599),
            given.optional_text("contains"),
            None if given.raw("certificateSec") is None else given.number("certificateSec"),
            given.optional_text("caFile"),
            given.optional_text("unixSocket"),
        )
    if kind == "tcp":
        given, seconds = fields("host", "port")
        return TcpProbe(seconds, given.text("host"), given.integer("port", 1, 65535))
    if kind == "unix-socket":
        given, seconds = fields("path")
        return UnixSocketProbe(seconds, given.text("path"))
    if kind == "command":
        given, seconds = fields("command", "user")
        command = given.texts("command")
        if not command or not command[0]:
            raise MalformedError(f"{given.path('command')} names no program")
        return CommandProbe(seconds, tuple(command), given.optional_text("user"))
    if kind == "file":
        given, seconds = fields("path", "maxAgeSec", "minBytes")
        return FileProbe(seconds, given.text("path"), given.number("maxAgeSec"), given.integer("minBytes", 0, 1 << 62))
    if kind == "disk":
        given, seconds = fields("path", "minFreeBytes", "minFreePercent")
        return DiskProbe(
            seconds,
            given.text("path"),
            None if given.raw("minFreeBytes") is None else given.integer("minFreeBytes", 0, 1 << 62),
            None if given.raw("minFreePercent") is None else given.number("minFreePercent"),
        )
    if kind == "memory":
        given, seconds = fields("unit", "maxBytes")
        return MemoryProbe(seconds, given.text("unit"), given.integer("maxBytes", 1, 1 << 62))
    if kind == "unit":
        given, seconds = fields("unit")
        return UnitProbe(seconds, given.text("unit"))
    if kind == "timer":
        given, seconds = fields("timer", "graceSec")
        return TimerProbe(seconds, given.text("timer"), given.number("graceSec"))
    raise MalformedError(f"{path}.kind is not one of {KINDS}")
