"""What a person sees: every check of this scope, its state, its history, what is left of its budget."""

from __future__ import annotations

import time
from typing import Sequence

from .decision import next_step, span
from .errors import BrokenCheckError
from .group import group_at, group_names, history_path, report_path, state_path
from .history import HistoryEntry, loaded_history
from .hold import EVERY_CHECK, holds_at
from .places import Places
from .report import loaded_report
from .settings import Check
from .state import State, loaded_states
from .strict_json import MalformedError
from .units import systemctl_output

SHOWN_HISTORY = 5
# What is well again is of interest the next morning.
RECENT_SEC = 86_400.0


def overview_of(places: Places, only: Sequence[str], now: float) -> list[dict[str, object]]:
    """Every check as an object for JSON; `only` names groups or checks. Raises BrokenCheckError."""
    found: list[dict[str, object]] = []
    holds = holds_at(places.reports, now)
    for name in group_names(places):
        group = group_at(places, name)
        report = loaded_report(report_path(places, name))
        try:
            states = loaded_states(state_path(places, name))
        except MalformedError:
            states = {}
        history = loaded_history(history_path(places, name))
        due = _next_run(group.timer)
        for check in group.checks:
            if only and check.name not in only and name not in only:
                continue
            state = states.get(check.name, State(check.unit))
            seen = report.checks.get(check.name) if report is not None else None
            held = max(holds.get(check.name, 0.0), holds.get(EVERY_CHECK, 0.0))
            used = [moment for moment in state.actions if now - moment < check.within_sec]
            found.append(
                {
                    "check": check.name,
                    "group": name,
                    "unit": check.unit,
                    "state": seen.phase if seen is not None else "not checked",
                    "status": seen.status if seen is not None else "not checked since boot",
                    "since": seen.since if seen is not None else None,
                    "checked": seen.seen if seen is not None else None,
                    "nextCheck": due,
                    "outageSince": state.outage.since if state.outage is not None else None,
                    "actionsUsed": used,
                    "maxActions": check.max_actions,
                    "withinSec": check.within_sec,
                    "actionsLeft": max(0, check.max_actions - len(used)),
                    "nextAction": _next_action(check, state, seen.next_action if seen is not None else None),
                    "nextActionNotBefore": seen.next_action if seen is not None else None,
                    "heldUntil": held if held > now else None,
                    "history": [_entry(each) for each in history if each.check == check.name][-20:],
                }
            )
    return found


def _next_action(check: Check, state: State, until: float | None) -> str | None:
    if not check.ladder or check.max_actions == 0:
        return None
    step = next_step(check, state)
    if step is None:
        return None
    what = f"{step.verb} {step.unit}".rstrip()
    if state.outage is None:
        return f"{what}, when {check.fail_after} of {check.fail_of} checks failed"
    return what if until is None or not state.opened else f"{what}, once"


def _next_run(timer: str) -> str | None:
    try:
        shown = systemctl_output("show", "--no-pager", "--value", "-p", "NextElapseUSecRealtime", "--", timer).strip()
    except BrokenCheckError:
        return None
    return shown or None


def _entry(each: HistoryEntry) -> dict[str, object]:
    return {"at": each.at, "event": each.event, "text": each.text}


def table_of(overview: Sequence[dict[str, object]], now: float) -> list[str]:
    """The same as lines for a terminal."""
    if not overview:
        return ["there is no check on this host"]
    rows = [("CHECK", "STATE", "FOR", "CHECKED", "BUDGET", "NEXT ACTION")]
    for each in overview:
        left, most = each["actionsLeft"], each["maxActions"]
        within = span(float(str(each["withinSec"])))
        budget = f"{left} of {most} left in {within}" if most and each["nextAction"] else "only tells"
        held = each["heldUntil"]
        state = str(each["state"])
        state = f"{state}, held" if held is not None and state != "held" else state
        when = each["nextActionNotBefore"]
        action = str(each["nextAction"] or "-")
        if isinstance(when, float) and when > now:
            action = f"{action} in {span(when - now)}"
        if isinstance(held, float):
            action = f"none, held for {span(held - now)}"
        rows.append((str(each["check"]), state, _ago(each["since"], now), _ago(each["checked"], now), budget, action))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for each in overview:
        history = each["history"]
        ill = each["state"] not in ("healthy", "not checked")
        told = history if isinstance(history, list) else []
        shown = told if ill else [entry for entry in told if now - entry["at"] < RECENT_SEC]
        if ill or shown:
            lines += ["", f"{each['check']}: {each['status']}"]
        for entry in shown[-SHOWN_HISTORY:]:
            stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry["at"]))
            lines.append(f"  {stamp}  {entry['event']}: {entry['text']}")
    return lines


def _ago(moment: object, now: float) -> str:
    return span(now - moment).split(" and ")[0] if isinstance(moment, float) else "-"
