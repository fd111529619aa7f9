"""Strikes secrets out of everything that leaves the host program."""

from __future__ import annotations

import re
from typing import Iterable, Pattern

from .structured_secrets import structured_values

MARK = "[secret]"
SHORTEST_VALUE = 4
SHORTEST_LINE = 8

ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=(.*)")
ESCAPE = re.compile(r"\\(.)")


class Redactor:
    """Knows the secrets of a transaction and removes them from text."""

    def __init__(self, contents: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._pattern: Pattern[str] | None = None
        for content in contents:
            self.add(content)

    def add(self, content: str) -> None:
        """Learn the content of a secret file: whole, each long line, and each value in it."""
        self._secrets |= secrets_in(content)
        longest_first = sorted(self._secrets, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(secret) for secret in longest_first)) if longest_first else None

    def redact(self, text: str) -> str:
        """`text` with `[secret]` in place of every secret."""
        return self._pattern.sub(MARK, text) if self._pattern else text


def secrets_in(content: str) -> set[str]:
    """The strings of a secret file that must not be shown."""
    found = {content, content.strip()}
    joined = content.replace("\\\n", "")
    for line in {*content.splitlines(), *joined.splitlines()}:
        text = line.strip()
        match = ASSIGNMENT.fullmatch(line)
        if match:
            found |= _values(match.group(1).strip())
        elif len(text) >= SHORTEST_LINE and not text.startswith("-----"):
            found.add(text)
    for match in re.finditer(r"(?<!\w)[A-Za-z_][A-Za-z0-9_]*=\"((?:[^\"\\]|\\.)*)\"", content, re.DOTALL):
        found |= _values(match.group(1))
    # A variable may hold JSON as well.
    for text in {content, *(value for value in found if value[:1] in ("{", "["))}:
        found |= structured_values(text)
    return {secret for secret in found if len(secret.strip()) >= SHORTEST_VALUE}


def _values(raw: str) -> set[str]:
    """The forms in which one value can show up: as written, without its quotes, without its escapes, line by line."""
    forms = {raw}
    if len(raw) >= 2 and raw[0] == raw[-1] and raw[0] in "\"'":
        forms.add(raw[1:-1])
    forms |= {ESCAPE.sub(r"\1", form) for form in forms}
    return forms | {line.strip() for form in forms for line in form.splitlines() if len(line.strip()) >= SHORTEST_LINE}
