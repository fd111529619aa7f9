"""The journal of a scope's units, for `pulumi-systemd logs`: a header line, then journalctl's own JSON."""

from __future__ import annotations

import calendar
import fnmatch
import json
import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Any

from pulumi_systemd_health.strict_json import Fields, MalformedError, parsed_json

from .asking import Result
from .errors import HostError
from .generations import Generation, read_generations
from .health_command import PROGRAMS, log_matches, overview
from .ledger import Ledger, read_ledger, scope_directory
from .system import ENVIRONMENT, System
from .writing import write_quietly

KEYS = (
    "format",
    "scope",
    "units",
    "checks",
    "follow",
    "lines",
    "priority",
    "since",
    "until",
    "invocation",
    "generation",
    "fields",
    "cursor",
)
TAIL = 10
MOST_LINES = 1_000_000
LOOK_SEC = 60.0
INVOCATION = re.compile(r"[0-9a-f]{32}")
PRIORITY = re.compile(r"[a-z0-9]+(\.\.[a-z0-9]+)?")
FIELD = re.compile(r"[A-Z0-9_]+")
CURSOR = re.compile(r"[0-9a-z=;]+")
TRANSACTION = re.compile(r"(\d{8}-\d{6})-")


@dataclass(frozen=True)
class LogRequest:
    """A request of activation/host-logs.ts. `lines`: None is all; `cursor`: where to begin, with that entry."""

    scope: str
    units: tuple[str, ...]
    # Names of checks and of groups of them, where what they told is wanted; empty for all.
    checks: tuple[str, ...] | None
    follow: bool
    lines: int | None
    priority: str | None
    since: str | None
    until: str | None
    invocation: str | None
    generation: int | None
    fields: tuple[str, ...]
    cursor: str | None


def log_request(asked: bytes) -> LogRequest:
    """Raises HostError for what is not well-formed."""
    try:
        fields = Fields(parsed_json(asked.decode("utf-8", "replace")), "", KEYS)
        fields.integer("format", 1, 1)
        return LogRequest(
            scope=fields.text("scope"),
            units=tuple(fields.texts("units")),
            checks=None if fields.raw("checks") is None else tuple(fields.texts("checks")),
            follow=fields.flag("follow"),
            lines=None if fields.raw("lines") is None else fields.integer("lines", 0, MOST_LINES),
            priority=_matching(fields, "priority", PRIORITY),
            since=fields.optional_text("since"),
            until=fields.optional_text("until"),
            invocation=_matching(fields, "invocation", INVOCATION),
            generation=None if fields.raw("generation") is None else _signed(fields),
            fields=tuple(_names(fields)),
            cursor=_matching(fields, "cursor", CURSOR),
        )
    except MalformedError as problem:
        raise HostError(f"the request for logs is not well-formed: {problem}") from None


def _matching(fields: Fields, key: str, pattern: re.Pattern[str]) -> str | None:
    text = fields.optional_text(key)
    if text is not None and not pattern.fullmatch(text):
        raise MalformedError(f"{fields.path(key)} is not of the form {pattern.pattern}")
    return text


def _names(fields: Fields) -> list[str]:
    names = fields.texts("fields")
    if not all(FIELD.fullmatch(name) for name in names):
        raise MalformedError("fields holds what is no name of a field")
    return names


def _signed(fields: Fields) -> int:
    value = fields.raw("generation")
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedError("generation is not a whole number")
    return value


def run_logs(system: System, asked: bytes) -> Result:
    """
    Print the header, then one JSON object for each entry of the journal, until there is no more, or nobody reads.

    The header says where the reading begins: a reader that is cut off before it had an entry begins there again.
    """
    request = log_request(asked)
    ledger = read_ledger(system, request.scope) or Ledger(request.scope)
    units = unit_patterns(ledger, request.units) if request.checks is None else []
    told = [] if request.checks is None else _told_by_checks(system, ledger, request.checks)
    header: dict[str, Any] = {"format": 1, "now": time.time(), "units": units or told, "start": None, "isShown": True}
    if not units and not told and request.invocation is None:
        return Result(0, json.dumps(header))
    # Not `--after-cursor`: where its entry is gone, or is of another unit, systemd 247 leaves out one too many.
    begin = [f"--cursor={request.cursor}"] if request.cursor else []
    chosen = [*_filters(request, units), *told, *_times(system, request, ledger)]
    if not request.follow:
        lines = [] if begin or request.lines is None else [f"--lines={request.lines}"]
        return _printed(header, request, [*chosen, *lines, *begin])
    if not begin:
        start, is_shown = _start(chosen, request)
        header.update(start=start, isShown=is_shown)
        begin = [f"--cursor={start}"] if start else []
        chosen = [each for each in chosen if not each.startswith("--since=")] if start else chosen
    return _printed(header, request, [*chosen, "--follow", "--no-tail", *begin])


def unit_patterns(ledger: Ledger, asked: tuple[str, ...]) -> list[str]:
    """What `journalctl --unit` takes, for the units of the ledger that are meant; of a template its instances."""
    found: list[str] = []
    for name in sorted(ledger.units):
        stem, at, suffix = name.partition("@.")
        if not at:
            found += [name] if not asked or any(fnmatch.fnmatchcase(name, each) for each in asked) else []
        elif not asked:
            found.append(f"{stem}@*.{suffix}")
        else:
            found += [each for each in asked if each.startswith(f"{stem}@") and each.endswith(f".{suffix}")]
    return list(dict.fromkeys(found))


def _told_by_checks(system: System, ledger: Ledger, names: tuple[str, ...]) -> list[str]:
    """What journalctl takes for what the scope's own checks told; nothing where it has none, or not those."""
    programs = [system.at(path) for path in sorted(ledger.files) if path.startswith(f"{PROGRAMS}/")]
    found: list[str] = []
    for path in programs:
        known = {each[key] for each in overview(path) for key in ("check", "group")} if names else set()
        own = [name for name in names if name in known]
        found += ["+", *log_matches(path, own)] if own or not names else []
    return found[1:]


def _filters(request: LogRequest, units: list[str]) -> list[str]:
    priority = [f"--priority={request.priority}"] if request.priority else []
    if request.invocation is not None:
        run = request.invocation
        return [*priority, f"_SYSTEMD_INVOCATION_ID={run}", "+", f"INVOCATION_ID={run}"]
    return [*priority, *(f"--unit={unit}" for unit in units)]


def _times(system: System, request: LogRequest, ledger: Ledger) -> list[str]:
    """From when to when. journalctl takes no begin beside a cursor, which is later anyway."""
    since, until = request.since, request.until
    if request.generation is not None:
        since, until = generation_times(system, ledger, request.generation)
    return [
        *([f"--since={since}"] if since and not request.cursor else []),
        *([f"--until={until}"] if until else []),
    ]


def generation_times(system: System, ledger: Ledger, wanted: int) -> tuple[str, str | None]:
    """
    When a generation began and ended, for journalctl. 0 is the present one, -1 the one before, as with its `--boot`.

    Raises HostError naming those that are kept.
    """
    kept = read_generations(os.path.join(scope_directory(system, ledger.scope), "generations"))
    numbers = list(kept)
    number = wanted if wanted > 0 else dict(zip(range(0, -len(numbers), -1), reversed(numbers))).get(wanted)
    if number is None or number not in kept:
        listed = ", ".join(map(str, numbers)) or "none"
        raise HostError(f"generation {wanted} of {ledger.scope} is not kept; kept are: {listed}")
    later = [each for each in numbers if each > number]
    return f"@{_begin(kept[number])}", f"@{_begin(kept[later[0]])}" if later else None


def _begin(generation: Generation) -> int:
    """When the transaction that made it began: its name says so. The units start before the generation is kept."""
    match = TRANSACTION.match(generation.transaction)
    return calendar.timegm(time.strptime(match.group(1), "%Y%m%d-%H%M%S")) if match else int(generation.at)


def _start(chosen: list[str], request: LogRequest) -> tuple[str | None, bool]:
    """
    The entry at which the reading begins, and whether that one is shown. Where there is no older one to be shown, it is
    the last of the whole journal. Raises HostError with journalctl's own words.
    """
    last = _first_cursor(["--lines=1"])
    bounded = request.lines is not None or (request.since is None and request.generation is None)
    lines = (TAIL if request.lines is None else request.lines) if bounded else None
    if lines != 0:
        first = _first_cursor([*chosen, *([] if lines is None else [f"--lines={lines}"])])
        if first:
            return first, True
    return last, False


def _first_cursor(arguments: list[str]) -> str | None:
    """The cursor of the first entry that journalctl shows; it need not come to its end."""
    process = _journalctl(["--output-fields=_PID", *arguments], subprocess.PIPE)
    bound = threading.Timer(LOOK_SEC, process.kill)
    bound.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
        if line:
            return str(json.loads(line)["__CURSOR"])
        _, err = process.communicate()
        if process.returncode:
            raise HostError(_told(process.returncode, err))
        return None
    finally:
        bound.cancel()
        process.kill()
        process.communicate()


def _printed(header: dict[str, Any], request: LogRequest, arguments: list[str]) -> Result:
    """The header and what journalctl prints, on standard output. It ends when nobody reads any more."""
    if not write_quietly(1, json.dumps(header) + "\n"):
        return Result(0, "")
    fields = [f"--output-fields={','.join(request.fields)}"] if request.fields else []
    process = _journalctl([*fields, *arguments], None)
    _, err = process.communicate()
    # A reader that is gone ends it by a signal.
    return Result(1, _told(process.returncode, err)) if process.returncode > 0 else Result(0, "")


def _journalctl(arguments: list[str], out: int | None) -> subprocess.Popen[bytes]:
    # systemd 247 colours its errors whoever reads them.
    env = {**ENVIRONMENT, "SYSTEMD_LOG_COLOR": "0"}
    argv = ["journalctl", "--no-pager", "--quiet", "--all", "--output=json", *arguments]
    try:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, env=env, cwd="/")
    except OSError as problem:
        raise HostError(f"journalctl cannot be run on this host: {problem.strerror}") from None


def _told(code: int, err: bytes) -> str:
    said = err.decode("utf-8", "replace").strip()
    return said or f"journalctl ended with {code}"
