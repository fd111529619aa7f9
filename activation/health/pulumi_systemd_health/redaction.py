"""Strikes secrets out of what is sent away: those that this host's services hold, and whatever looks like one."""

from __future__ import annotations

import os
import re
from typing import Iterable, Pattern

MARK = "[secret]"
SHORTEST_VALUE = 4
LONGEST_SECRET_FILE = 1 << 20
# Below the directory of our files: one directory for each service, one file for each of its credentials.
CREDENTIALS = "credentials"

ASSIGNMENT = re.compile(r"\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=(.*)")
ESCAPE = re.compile(r"\\(.)")
# `password=...`, `"apiKey": "..."`, `Authorization: Bearer ...`, `https://user:password@host`.
LOOKS_SECRET = re.compile(
    r"(?i)((?:passw(?:or)?d|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?[\"']?\s*[=:]\s*[\"']?)"
    r"([^\s\"'&,;]+)"
)
BEARER = re.compile(r"(?i)(\b(?:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{8,})")
USER_INFO = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:)([^\s/@]+)(@)")


class Redactor:
    """Knows the secrets of this host and removes them from text."""

    def __init__(self, directory: str) -> None:
        self._pattern = _pattern_of(_secrets_below(directory))

    def redact(self, text: str) -> str:
        known = self._pattern.sub(MARK, text) if self._pattern else text
        known = USER_INFO.sub(rf"\1{MARK}\3", known)
        known = BEARER.sub(rf"\1{MARK}", known)
        return LOOKS_SECRET.sub(rf"\1{MARK}", known)


def _secrets_below(directory: str) -> set[str]:
    """The values in every environment file of services, their credentials, and the secrets of notifiers."""
    found: set[str] = set()
    for folder, _, names in os.walk(directory):
        for name in names:
            if not name.endswith(".env") and os.path.join(directory, CREDENTIALS, "") not in os.path.join(folder, ""):
                continue
            try:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as source:
                    text = source.read(LONGEST_SECRET_FILE)
            except OSError:
                continue
            found |= _values(text)
    return found


def _values(text: str) -> set[str]:
    """Each value, as it is written and as the process receives it, and each of its lines."""
    found: set[str] = set()
    for line in text.splitlines():
        match = ASSIGNMENT.match(line)
        written = (match.group(1) if match else line).strip()
        plain = written[1:-1] if len(written) > 1 and written[0] == written[-1] and written[0] in "\"'" else written
        found |= {written, plain, ESCAPE.sub(r"\1", plain)}
    return {value for value in found if len(value) >= SHORTEST_VALUE}


def _pattern_of(secrets: Iterable[str]) -> Pattern[str] | None:
    # The longest first: one secret may begin with another.
    ordered = sorted(secrets, key=lambda secret: (-len(secret), secret))
    return re.compile("|".join(re.escape(secret) for secret in ordered)) if ordered else None
