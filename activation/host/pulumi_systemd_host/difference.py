"""In what a file on the host differs from the one that is asked for, told without any of its values."""

from __future__ import annotations

from .files import Found
from .plan_shape import Write

NAMED = 8
MASK = "/dev/null"


def difference(now: Found, content: bytes | None, wanted: Write) -> str:
    """
    How `now`, with `content` where that could be read, differs from `wanted`: names of directives and numbers of lines.

    A file of others may hold secrets, also in a unit: nothing of its text is repeated.
    """
    if now.kind == "link":
        return "it masks the unit" if now.target == MASK else f"it is a symbolic link to {now.target}"
    if now.kind == "directory":
        return "it is a directory"
    if now.kind != "file":
        return "it is a special file"
    if content is None or wanted.secret:
        return "its content differs"
    if wanted.is_unit:
        return _directives(content, wanted.data)
    ours, theirs = wanted.data.splitlines(), content.splitlines()
    line = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
    return f"it differs from line {line + 1} on ({len(content)} bytes there, {len(wanted.data)} wanted)"


def _directives(there: bytes, wanted: bytes) -> str:
    theirs, ours = directives(there.decode("utf-8", "replace")), directives(wanted.decode("utf-8"))
    parts = [
        (sorted(key for key in theirs if key in ours and theirs[key] != ours[key]), "{} differ"),
        (sorted(key for key in theirs if key not in ours), "only on the host: {}"),
        (sorted(key for key in ours if key not in theirs), "only wanted: {}"),
    ]
    told = [form.format(_named(keys)) for keys, form in parts if keys]
    return "; ".join(told) or "only comments, order or blanks differ"


def _named(keys: list[tuple[str, str]]) -> str:
    shown = [f"[{section}] {key}=" for section, key in keys[:NAMED]]
    return ", ".join(shown) + (f" and {len(keys) - NAMED} more" if len(keys) > NAMED else "")


def directives(text: str) -> dict[tuple[str, str], list[str]]:
    """The values of each directive of a unit file by section and key (systemd.syntax(7)). X- sections do not count."""
    found: dict[tuple[str, str], list[str]] = {}
    section, waiting = "", ""
    for raw in text.splitlines():
        line = waiting + raw
        if not waiting and line.lstrip()[:1] in ("", "#", ";"):
            continue
        if waiting and raw.lstrip()[:1] in ("#", ";"):
            continue
        if line.endswith("\\"):
            waiting = line[:-1] + " "
            continue
        waiting = ""
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            section = stripped[1:-1]
        elif "=" in stripped and not section.startswith("X-"):
            key, _, value = stripped.partition("=")
            found.setdefault((section, key.strip()), []).append(value.strip())
    return found
