"""In which order units are started."""

from __future__ import annotations

from typing import Iterable

TRIGGERS = (".socket", ".timer", ".path", ".automount")


def is_trigger(name: str) -> bool:
    return name.endswith(TRIGGERS)


def order_by_dependency(names: Iterable[str], after: dict[str, list[str]]) -> list[str]:
    """`names` so that each comes after the ones it names in `after`; a cycle is broken where it is met."""
    listed = sorted(set(names))
    done: list[str] = []
    visiting: set[str] = set()

    def visit(name: str) -> None:
        if name in done or name in visiting:
            return
        visiting.add(name)
        for earlier in sorted(set(after.get(name, [])) & set(listed)):
            visit(earlier)
        done.append(name)

    for name in listed:
        visit(name)
    return done


def phases(restart: Iterable[str], start: Iterable[str]) -> list[tuple[list[str], list[str]]]:
    """Restarts and starts in three waves: sockets, then services and the rest, then timers and paths."""
    waves: list[tuple[list[str], list[str]]] = [([], []), ([], []), ([], [])]
    for column, names in enumerate((restart, start)):
        for name in names:
            wave = 0 if name.endswith(".socket") else 2 if name.endswith((".timer", ".path")) else 1
            waves[wave][column].append(name)
    return [wave for wave in waves if wave[0] or wave[1]]
