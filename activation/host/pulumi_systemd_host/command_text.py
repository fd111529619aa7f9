"""What `pulumi-systemd-host` shows, as text for a person."""

from __future__ import annotations

from typing import Any, Sequence

from .generations import Back, Generation
from .holding import COMMAND, moment, rollback_told, told
from .ledger import Hold, Ledger, RolledBack

NAMED = 6


def status_text(view: dict[str, Any]) -> str:
    """The text of `status`."""
    lines = [f"{view['hostname']}: systemd {view['systemd']}"]
    if view["hold"]:
        lines.append(f"this host is {told(Hold(**view['hold']))}; `{COMMAND} resume` ends it")
    for scope in view["scopes"]:
        lines += ["", f"{scope['scope']}: generation {scope['generation']} since {moment(scope['at'])}"]
        if scope["pending"]:
            lines.append("  a transaction is at work, or was cut off")
        if scope["rolledBack"]:
            ledger = Ledger(scope["scope"], rolled_back=RolledBack(**scope["rolledBack"]))
            lines.append(f"  {rollback_told(ledger)}")
        if scope["hold"]:
            lines.append(f"  {told(Hold(**scope['hold']))}; `{COMMAND} resume` ends it")
        rows = [
            (unit["name"], f"{unit['activeState']} ({unit['subState']})", unit["unitFileState"], _result(unit))
            for unit in scope["units"]
        ]
        lines += [f"  {line}" for line in table(rows)]
        lines += [f"  taken over: {path}" for path in scope["adopted"]]
    return "".join(f"{line}\n" for line in lines)


def _result(unit: dict[str, Any]) -> str:
    return "" if unit["result"] == "success" else f"result {unit['result']}"


def generations_text(found: list[dict[str, Any]]) -> str:
    """The text of `generations`."""
    lines = []
    for scope in found:
        lines += ["", f"{scope['scope']}: the last {scope['keeps']} are kept"]
        rows = [
            (
                f"{'*' if each['current'] else ' '} {each['generation']}",
                moment(each["at"]),
                _origin(each["origin"]),
                _changes(each["changes"]),
            )
            for each in scope["generations"]
        ]
        lines += [f"  {line}" for line in table(rows)] or ["  none yet: the next update keeps one"]
    return "".join(f"{line}\n" for line in lines[1:])


def _origin(origin: dict[str, Any]) -> str:
    if origin["kind"] == "up":
        return "pulumi up"
    why = f": {origin['reason']}" if origin["reason"] else ""
    return f"back to {origin['to']} by {origin['who']}{why}"


def _changes(names: list[str] | None) -> str:
    if names is None:
        return "the oldest that is kept"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (", ".join(names[:NAMED]) + more) or "nothing that runs"


def plan_text(ledger: Ledger, target: Generation, actions: list[str], conflicts: list[str]) -> str:
    """The text of `rollback --dry-run`."""
    if conflicts:
        head = f"{ledger.scope} cannot go back to generation {target.number}:"
        return "".join(f"{line}\n" for line in [head, *(f"  {line}" for line in conflicts)])
    head = (
        f"{ledger.scope} would go from generation {ledger.generation} back to {target.number} of {moment(target.at)}:"
    )
    listed = [f"  {line}" for line in actions] or ["  no unit would be touched"]
    return "".join(f"{line}\n" for line in [head, *listed])


def receipt_text(scope: str, to: int, receipt: dict[str, Any], back: Back, now: float) -> str:
    """The text of a rollback that went well."""
    lines = [f"{scope} is back on what generation {to} was; this is generation {receipt['generation']}."]
    lines += [f"  {line}" for line in action_lines(receipt["actions"])]
    lines += [f"warning: {warning}" for warning in receipt["warnings"]]
    if back.hold_sec:
        lines.append(f"Updates are held off until {moment(now + back.hold_sec)}; `{COMMAND} resume` lets them in.")
    else:
        lines.append("The next update of a changed program replaces this.")
    return "".join(f"{line}\n" for line in lines)


def action_lines(actions: list[dict[str, Any]]) -> list[str]:
    """One line for each action: `restart api.service: restart digest differs`."""
    return [
        f"{each['action']} {each['unit']}: {', '.join(each['reasons'])}" for each in actions if each["action"] != "none"
    ]


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows with their columns in line."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
