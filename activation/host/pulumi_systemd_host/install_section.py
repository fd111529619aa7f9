"""What the [Install] section of a unit names."""

from __future__ import annotations

from .difference import directives


def install_words(text: str, key: str) -> list[str]:
    """The names that `key` lists, since it was last emptied. What a specifier stands for is known to systemd alone."""
    found: list[str] = []
    for value in directives(text).get(("Install", key), []):
        found = [*found, *value.split()] if value else []
    return [word for word in dict.fromkeys(found) if "%" not in word]
