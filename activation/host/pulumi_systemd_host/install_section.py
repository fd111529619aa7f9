"""What the [Install] section of a unit names."""

from __future__ import annotations

from .difference import directives
from .enablement import UNITS

DIRECTORIES = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}


def install_words(text: str, key: str) -> list[str]:
    """The names that `key` lists, since it was last emptied. What a specifier stands for is known to systemd alone."""
    found: list[str] = []
    for value in directives(text).get(("Install", key), []):
        found = [*found, *value.split()] if value else []
    return [word for word in dict.fromkeys(found) if "%" not in word]


def install_links(name: str, text: str) -> set[str] | None:
    """The paths at which `systemctl enable` makes links for the unit `name`; nothing where a specifier decides."""
    values = [value for (section, _), values in directives(text).items() if section == "Install" for value in values]
    if any("%" in value for value in values):
        return None
    instance = "".join(install_words(text, "DefaultInstance")[-1:])
    own = name.replace("@.", f"@{instance}.")
    found = {f"{UNITS}/{alias}" for alias in install_words(text, "Alias")}
    for key, kind in DIRECTORIES.items():
        found |= {f"{UNITS}/{target}.{kind}/{own}" for target in install_words(text, key)}
    return found
