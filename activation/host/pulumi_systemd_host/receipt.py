"""The receipt: mirrors activation/receipt.ts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from .plan_shape import Action
from .redaction import Redactor
from .swap_meter import Swap
from .systemctl import UnitState


@dataclass
class Receipt:
    """What was reached, for the receiver of standard output."""

    scope: str
    outcome: str
    generation: int
    transaction: str
    systemd: int
    hostname: str
    daemon_reloads: int = 0
    actions: list[Action] = field(default_factory=list)
    states: dict[str, UnitState] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    swaps: list[Swap] = field(default_factory=list)

    def to_json(self, redactor: Redactor) -> str:
        """One line of JSON. Everything that is free text passes the redactor."""
        value = {
            "format": 1,
            "scope": self.scope,
            "outcome": self.outcome,
            "generation": self.generation,
            "transaction": self.transaction,
            "systemd": self.systemd,
            "hostname": self.hostname,
            "daemonReloads": self.daemon_reloads,
            "actions": [
                {
                    "unit": action.unit,
                    "action": action.action,
                    "reasons": [redactor.redact(reason) for reason in action.reasons],
                }
                for action in self.actions
            ],
            "units": [
                {
                    "name": name,
                    "activeState": state.active,
                    "subState": state.sub,
                    "result": state.result,
                    "unitFileState": state.get("UnitFileState"),
                    "invocationId": state.invocation,
                }
                for name, state in self.states.items()
            ],
            "swaps": [
                {
                    "unit": swap.unit,
                    "address": redactor.redact(swap.address),
                    "kind": swap.kind,
                    "made": swap.made,
                    "refused": swap.refused,
                    "failed": swap.failed,
                    "worstMs": swap.worst_ms,
                    "problems": [redactor.redact(problem) for problem in swap.problems],
                }
                for swap in self.swaps
            ],
            "warnings": [redactor.redact(warning) for warning in dict.fromkeys(self.warnings)],
        }
        return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def repeated(receipt: Receipt, earlier: dict[str, Any]) -> Receipt:
    """`receipt`, which found nothing to do, with what the `earlier` one had done and could not tell."""
    actions = [Action(str(each["unit"]), str(each["action"]), list(each["reasons"])) for each in earlier["actions"]]
    return replace(
        receipt,
        outcome="applied",
        transaction=str(earlier["transaction"]),
        daemon_reloads=int(earlier["daemonReloads"]),
        actions=actions + receipt.actions,
        swaps=[_swap(each) for each in earlier.get("swaps", [])],
        warnings=[
            *(str(warning) for warning in earlier["warnings"]),
            *receipt.warnings,
            f"the transaction {earlier['transaction']} did this; its connection was lost before it could tell",
        ],
    )


def _swap(value: dict[str, Any]) -> Swap:
    made, refused, failed, worst_ms = (int(value[key]) for key in ("made", "refused", "failed", "worstMs"))
    return Swap(
        value["unit"], value["address"], value["kind"], made, refused, failed, worst_ms, list(value["problems"])
    )
