"""The values inside a secret that is JSON, YAML, INI or TOML: a program that fails may print one of them alone."""

from __future__ import annotations

import json
import re
from typing import Any

SHORTEST_PART = 6
# What stands before the value in a line: `password: `, `db.password = `, `"password": `.
KEY = re.compile(r"[\"']?([A-Za-z_][\w.-]{0,63})[\"']?[ \t]{0,16}(?::[ \t]|=)")
# Keys whose values are names that messages need, such as those of units.
NAMING = re.compile(
    r"(?:.*[._-])?(?:user|username|login|host|hostname|name|dbname|database|port|type|scheme|driver)", re.IGNORECASE
)
# Words of settings, addresses of this machine, and numbers such as ports: no secrets, and often in messages.
HARMLESS = re.compile(
    r"[\d.,:+-]{1,7}|localhost|127\.0\.0\.1|0\.0\.0\.0|enabled|disabled|default|required|production|development",
    re.IGNORECASE,
)


def structured_values(content: str) -> set[str]:
    """What stands alone in `content` as the string of a JSON text, or to the right of a key of a line."""
    found = _json_strings(content)
    for line in content.splitlines():
        text = line.strip()
        item = text[2:].lstrip() if text.startswith("- ") else text
        match = KEY.match(item)
        if match is None:
            found |= {item} if item != text else set()
        elif not NAMING.fullmatch(match.group(1)):
            value = item[match.end() :].strip().rstrip(",")
            found |= {value, value.partition(" #")[0].rstrip()}
    found |= {value[1:-1] for value in found if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"}
    return {value for value in found if len(value) >= SHORTEST_PART and not HARMLESS.fullmatch(value)}


def _json_strings(content: str) -> set[str]:
    """The strings of a JSON text, each also as it is written in it, and line by line."""
    found: set[str] = set()
    try:
        parts: list[Any] = [json.loads(content)] if content.lstrip()[:1] in ("{", "[") else []
    except (ValueError, RecursionError):
        return found
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += [value for key, value in part.items() if not (isinstance(value, str) and NAMING.fullmatch(key))]
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, str):
            lines = [line.strip() for line in part.splitlines()]
            found |= {part, json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
            found |= {line for line in lines if not line.startswith("-----")}
    return found
