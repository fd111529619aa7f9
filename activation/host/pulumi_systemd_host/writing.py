"""Writing to whoever may be gone."""

from __future__ import annotations

import os
import sys


def write_quietly(descriptor: int, text: str) -> bool:
    """Write to a pipe whose reader may be gone: a lost connection is no reason to stop. Whether all was written."""
    data = text.encode("utf-8", "backslashreplace")
    try:
        if descriptor == 1:
            sys.stdout.flush()
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        return False
    return True
