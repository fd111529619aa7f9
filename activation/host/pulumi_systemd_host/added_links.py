"""Links that a person made for our units, by `systemctl add-wants` or for an instance: reenable would drop them."""

from __future__ import annotations

import os

from .bundle import Unit
from .enablement import UNITS, enablement_links, links_of
from .install_section import install_links
from .ledger import Ledger
from .pending import Pending
from .plan_shape import Plan
from .work import Work


def added_links(work: Work, old: Ledger, made: Plan, pending: Pending) -> dict[str, str]:
    """Those that no [Install] asked for until now: path to target. Where that is not known, what goes is told."""
    links = {path: to for path, to in enablement_links(work.system).items() if path.startswith(work.system.at(UNITS))}
    found: dict[str, str] = {}
    for unit in work.bundle.units:
        text = _text_before(work, unit, old, pending)
        asked = None if text is None else install_links(unit.name, text)
        wanted = {work.system.at(path) for path in asked or install_links(unit.name, unit.content) or ()}
        of_unit = links_of(links, unit.name, work.system.at(unit.path))
        others = {path: target for path, target in of_unit.items() if path not in wanted}
        if asked is not None:
            found.update(others)
        elif others and unit.name in made.reenable and unit.name in old.units:
            work.warnings.append(
                f"{unit.name}: its links are made anew, and whether a person made these is not known, so they go: "
                f"{', '.join(sorted(others))}"
            )
    return found


def _text_before(work: Work, unit: Unit, old: Ledger, pending: Pending) -> str | None:
    """What we wrote last; nothing where the file was another one by now."""
    before = old.units.get(unit.name)
    saved = next((saved for saved in pending.paths if saved.path == unit.path), None)
    if before is None or (saved and saved.digest != before.file):
        return None
    if saved is None:
        return unit.content if before.file == unit.digests.file else None
    with open(os.path.join(work.pending_directory, saved.backup), encoding="utf-8") as source:
        return source.read()
