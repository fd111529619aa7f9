"""What the last run of each group found, for people and for the next run. It lies in /run: a reboot starts afresh."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from .strict_json import Fields, MalformedError, parsed_json

REPORT_FORMAT = 1
LONGEST_REPORT = 8 << 20
REPORT_KEYS = ("phase", "status", "since", "seen", "next_action")


@dataclass(frozen=True)
class CheckReport:
    """How one check is. Times are Unix times in seconds; `since` is when `phase` began."""

    phase: str
    status: str
    since: float
    seen: float
    next_action: float | None


@dataclass(frozen=True)
class GroupReport:
    """`begun` is CLOCK_MONOTONIC in seconds when the last run looked which groups are due."""

    begun: float
    checks: dict[str, CheckReport]


def report_text(report: GroupReport) -> str:
    return json.dumps({"format": REPORT_FORMAT, **asdict(report)})


def report_of(text: str) -> GroupReport:
    """The report in a file's text. Raises MalformedError."""
    fields = Fields(parsed_json(text), "", ("format", "begun", "checks"), others=True)
    fields.integer("format", REPORT_FORMAT, REPORT_FORMAT)
    checks = fields.raw("checks")
    if not isinstance(checks, dict):
        raise MalformedError("checks is not an object")
    return GroupReport(fields.number("begun"), {name: _check_report(value, name) for name, value in checks.items()})


def _check_report(value: object, name: str) -> CheckReport:
    fields = Fields(value, f"checks.{name}", REPORT_KEYS, others=True)
    return CheckReport(
        fields.text("phase"),
        fields.text("status"),
        fields.number("since"),
        fields.number("seen"),
        None if fields.raw("next_action") is None else fields.number("next_action"),
    )


def loaded_report(path: str) -> GroupReport | None:
    """The report of the last run since boot, None where there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as source:
            return report_of(source.read(LONGEST_REPORT))
    except (OSError, UnicodeDecodeError, MalformedError):
        return None


def save_report(path: str, report: GroupReport) -> None:
    """Write it so that no reader sees half of it. It need not outlive a power cut. Raises OSError."""
    draft = f"{path}.new"
    with open(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w", encoding="utf-8"
    ) as target:
        target.write(report_text(report))
    os.replace(draft, path)
