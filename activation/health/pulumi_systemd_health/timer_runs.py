"""
Whether the runs of a timer take place, and do well. When a run is due, systemd says from the calendars that it has
loaded, so nothing is told twice. What was seen is kept in a file: a reboot hides no missed run.
"""

from __future__ import annotations

import calendar
import json
import os
import re
import time
from dataclasses import asdict, dataclass, replace

from .command import completed, first_line
from .errors import BrokenCheckError
from .probe_settings import TimerProbe
from .state import save_text
from .strict_json import Fields, MalformedError, parsed_json
from .time_span import seconds_of_span

CALENDAR = re.compile(r"^TimersCalendar=\{ OnCalendar=(.*?) ; next_elapse=", re.MULTILINE)
ELAPSE = re.compile(r"(?:Next elapse|\(in UTC\)): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", re.MULTILINE)
TIMER_PROPERTIES = "LoadState,ActiveState,SubState,Unit,TimersCalendar,RandomizedDelayUSec,AccuracyUSec"
SERVICE_PROPERTIES = "ActiveState,Result,ExecMainCode,ExecMainStatus,InactiveExitTimestampMonotonic"
RUNS_FORMAT = 1
# The clocks are read one after the other, so the same start looks a little earlier or later each time.
SAME_START_SEC = 2.0


@dataclass(frozen=True)
class Runs:
    """What is remembered of a timer. Times are Unix times in seconds; `first` is when it was first looked at."""

    first: float
    # Start of the last run that was seen, 0 for none.
    begun: float = 0.0
    # Why that run did not do well, or nothing.
    failed: str = ""
    # When the next run after that is due, None for never, and the calendars that say so.
    due: float | None = None
    calendars: tuple[str, ...] = ()
    ended: bool = True
    # The runs, by their start, of which the start and the end were told to those who want to hear of each.
    told_begun: float = 0.0
    told_ended: float = 0.0


def timer_problem(probe: TimerProbe) -> str | None:
    """What is wrong with the runs of the timer. Raises BrokenCheckError where systemd does not say."""
    now = time.time()
    shown = _unit_shown(probe.timer, TIMER_PROPERTIES, probe.timeout_sec)
    timer = _unit_properties(shown)
    if timer.get("LoadState") != "loaded":
        return f"its unit file is {timer.get('LoadState')}"
    if timer.get("ActiveState") != "active":
        return f"it is {timer.get('ActiveState')}, so nothing runs at its times"
    service = _unit_properties(_unit_shown(service_of(probe.timer, timer), SERVICE_PROPERTIES, probe.timeout_sec))
    known = loaded_runs(probe.memory)
    before = known or Runs(now)
    runs = with_run(before, service, now, time.monotonic())
    if known is None:
        # What ran before anybody looked is no news.
        runs = replace(runs, told_begun=runs.begun, told_ended=runs.begun if runs.ended else 0.0)
    calendars = tuple(CALENDAR.findall(shown))
    if (runs.begun, calendars) != (before.begun, before.calendars):
        base = max(runs.first, runs.begun)
        runs = replace(runs, due=next_due(calendars, base, probe.timeout_sec), calendars=calendars)
    if runs != before and probe.memory:
        save_runs(probe.memory, runs)
    late = probe.grace_sec + sum(
        seconds_of_span(timer.get(name, "0")) or 0.0 for name in ("RandomizedDelayUSec", "AccuracyUSec")
    )
    return _runs_problem(runs, timer, service, now - late, time.monotonic() - late)


def service_of(timer: str, properties: dict[str, str] | None = None) -> str:
    """The service whose runs the timer makes, also where runs queue up behind a unit that waits."""
    shown = properties if properties is not None else _unit_properties(_unit_shown(timer, "Unit", 10.0))
    stem, started = timer[: -len(".timer")], shown.get("Unit", "")
    return f"{stem}.service" if started in ("", f"{stem}-due.service") else started


def with_run(runs: Runs, service: dict[str, str], now: float, monotonic: float) -> Runs:
    """What is remembered after a look at the service. While it runs, how the run before ended stays."""
    stamp = service.get("InactiveExitTimestampMonotonic", "0")
    if not stamp.isdigit() or stamp == "0":
        return runs  # It has not run since boot.
    begun = now - monotonic + int(stamp) / 1e6
    if abs(begun - runs.begun) > SAME_START_SEC:
        # A clock that was set changes what a start before it was.
        runs = replace(runs, begun=min(begun, now))
    if service.get("ActiveState") in ("activating", "deactivating", "reloading", "refreshing"):
        return replace(runs, ended=False)
    result = service.get("Result", "")
    runs = replace(runs, ended=True)
    if result == "success":
        return replace(runs, failed="")
    code, status = service.get("ExecMainCode"), service.get("ExecMainStatus")
    how = f"{result}, exit status {status}" if code == "1" else result
    how = "it did not end in time" if result == "timeout" else how
    return replace(runs, failed=f"the run of {utc_text(runs.begun)} failed: {how}")


def _runs_problem(runs: Runs, timer: dict[str, str], service: dict[str, str], latest: float, up: float) -> str | None:
    if runs.due is not None and runs.due < latest and up > 0:
        running = ", since the run before it had not ended" if service.get("ActiveState") == "activating" else ""
        return f"the run that was due at {utc_text(runs.due)} did not take place{running}"
    if runs.failed:
        return runs.failed
    return "it will not elapse again" if timer.get("SubState") == "elapsed" else None


def next_due(calendars: tuple[str, ...], after: float, seconds: float) -> float | None:
    """The first time after `after` that one of the calendars names. Raises BrokenCheckError."""
    if not calendars:
        return None
    done = completed(("systemd-analyze", "calendar", f"--base-time=@{int(after)}", "--", *calendars), seconds)
    if done.code != 0:
        raise BrokenCheckError(f"systemd-analyze calendar failed: {first_line(done.out) or done.code}")
    moments = (calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")) for text in ELAPSE.findall(done.out))
    return min(map(float, moments), default=None)


def utc_text(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def loaded_runs(path: str) -> Runs | None:
    """What was remembered, None where there is nothing that can be read: then it begins anew."""
    try:
        with open(path, encoding="utf-8") as source:
            value = parsed_json(source.read(1 << 16))
        fields = Fields(value, "", ("format", *Runs.__dataclass_fields__), others=True)
        fields.integer("format", RUNS_FORMAT, RUNS_FORMAT)
        failed = fields.raw("failed")
        return Runs(
            first=fields.number("first"),
            begun=fields.number("begun"),
            failed=failed if isinstance(failed, str) else "",
            due=None if fields.raw("due") is None else fields.number("due"),
            calendars=tuple(fields.texts("calendars")),
            ended=fields.flag("ended"),
            told_begun=fields.number("told_begun"),
            told_ended=fields.number("told_ended"),
        )
    except (OSError, UnicodeDecodeError, MalformedError):
        return None


def save_runs(path: str, runs: Runs) -> None:
    """Raises OSError."""
    save_text(path, json.dumps({"format": RUNS_FORMAT, **asdict(runs)}) + "\n")


def untold_runs(runs: Runs) -> tuple[list[tuple[str, str]], Runs]:
    """What is to be told of single runs, each an event and its text, and what is remembered when it was."""
    told: list[tuple[str, str]] = []
    if runs.begun and runs.told_begun != runs.begun:
        told.append(("run-started", f"the run of {utc_text(runs.begun)} has begun"))
    if runs.begun and runs.ended and runs.told_ended != runs.begun:
        event = "run-failed" if runs.failed else "run-succeeded"
        told.append((event, runs.failed or f"the run of {utc_text(runs.begun)} did well"))
    ended = runs.begun if runs.ended else runs.told_ended
    return told, replace(runs, told_begun=runs.begun, told_ended=ended)


def runs_path(states: str, group: str, timer: str) -> str:
    return os.path.join(states, f"{group}.{timer}.runs")


def _unit_shown(unit: str, properties: str, seconds: float) -> str:
    done = completed(("systemctl", "show", "--no-pager", "-p", properties, "--", unit), seconds)
    if done.code != 0:
        raise BrokenCheckError(f"systemctl show {unit} failed: {first_line(done.out) or done.code}")
    return done.out


def _unit_properties(shown: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
