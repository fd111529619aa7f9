"""What `OnFailure=NOTIFIER@%n.service` runs: a unit has failed, and people are told with what it wrote last."""

from __future__ import annotations

import os
import time

from .decision import ERROR
from .errors import BrokenCheckError
from .event import Event, new_id
from .journal import journal_tail, say
from .notice import host_name, keep_for, start_deliveries
from .notifier_settings import NotifierSettings
from .places import Places
from .redaction import Redactor
from .state import save_text
from .units import systemctl_output

FAILURE_PROPERTIES = ("Result", "ExecMainCode", "ExecMainStatus", "NRestarts", "InvocationID", "Description")
SIGNALS = {"6": "SIGABRT", "9": "SIGKILL", "11": "SIGSEGV", "15": "SIGTERM"}


def tell_failure(places: Places, settings: NotifierSettings, unit: str) -> int:
    """Keep the event and start its delivery. 0 when it is kept, or was told a moment ago."""
    now = time.time()
    stamp = os.path.join(places.spool(settings.name), f"told-{unit.replace('/', '-')}")
    ago = _age_of(stamp, now)
    if ago is not None and ago < settings.quiet_sec:
        say(5, f"{unit} failed again, told {ago:.0f} s ago: not told before {settings.quiet_sec:.0f} s are over")
        return 0
    redactor = Redactor(places.secret_files)
    properties, text = failure_of(unit)
    lines = (
        journal_tail(unit, properties.get("InvocationID", ""), settings.journal_lines) if settings.journal_lines else []
    )
    struck = tuple(redactor.redact(line) for line in lines)
    event = Event(new_id(), now, host_name(), unit, unit, "failed", ERROR, redactor.redact(text), struck)
    try:
        keep_for(places, [settings.name], event)
        save_text(stamp, f"{now:.0f}\n")
    except OSError as problem:
        say(ERROR, f"{problem.filename} cannot be written ({problem.strerror}), so nobody is told: {event.summary}")
        return 1
    start_deliveries(places, [settings.name])
    return 0


def _age_of(path: str, now: float) -> float | None:
    try:
        return max(0.0, now - os.stat(path).st_mtime)
    except OSError:
        return None


def failure_of(unit: str) -> tuple[dict[str, str], str]:
    """What systemd knows of the end of a unit, and a sentence about it."""
    try:
        out = systemctl_output("show", "--no-pager", "-p", ",".join(FAILURE_PROPERTIES), "--", unit)
    except BrokenCheckError as problem:
        return {}, f"{unit} failed; systemd says no more: {problem}"
    properties = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    result, code, status = (properties.get(name, "") for name in ("Result", "ExecMainCode", "ExecMainStatus"))
    how = f"result {result or 'unknown'}"
    if code == "1" and status not in ("", "0"):
        how += f", exit status {status}"
    elif code in ("2", "3") and status:
        how += f", killed by {SIGNALS.get(status, f'signal {status}')}"
    again = properties.get("NRestarts", "0")
    restarts = f", after {again} automatic restarts" if again not in ("", "0") else ""
    return properties, f"{unit} ({properties.get('Description', '')}) failed: {how}{restarts}"
