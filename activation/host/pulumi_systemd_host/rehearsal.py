"""What a rollback would do, without doing it."""

from __future__ import annotations

from .command_text import action_lines
from .generations import Generation
from .ledger import Ledger, other_ledgers
from .observe import observe
from .plan import plan
from .system import System

LOOK_SEC = 60.0


def rehearsed(system: System, ledger: Ledger, target: Generation) -> tuple[list[str], list[str]]:
    """The actions of the plan, and what stands in its way. Nothing is changed."""
    bundle = target.parsed()
    made = plan(ledger, bundle, observe(system, ledger, bundle, other_ledgers(system, ledger.scope), LOOK_SEC))
    missing = {release.directory for release in made.unpack} - {release.directory for release in ledger.releases}
    conflicts = made.conflicts + [f"its code is not on this host any more: {path}" for path in sorted(missing)]
    actions = [{"action": each.action, "unit": each.unit, "reasons": each.reasons} for each in made.actions]
    return action_lines(actions), conflicts
