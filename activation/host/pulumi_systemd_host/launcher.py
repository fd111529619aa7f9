"""The command `pulumi-systemd-host` of this host: a few lines that run the kept copy of this program."""

from __future__ import annotations

import os
import sys

from .files import remove_file, sync_directory, temporary_name, write_atomically
from .holding import COMMAND
from .ledger import ROOT
from .system import System

# No scope begins with a dot.
PROGRAM = f"{ROOT}/.program.py"
PATH = f"/usr/local/sbin/{COMMAND}"
MARK = "# Written by pulumi-systemd; it goes with the last stack on this host."
TAG = "launcher"


def launcher_text(python: str) -> str:
    """The text of the command. Without root it cannot even be loaded: what is kept beside it holds secrets."""
    return f"""\
#!/bin/sh
{MARK}
[ "$(id -u)" = 0 ] || {{ echo "this needs root, for what is kept holds secrets: sudo {COMMAND} $*" >&2; exit 1; }}
exec {python} -I {PROGRAM} command "$@"
"""


def put_launcher(system: System) -> list[str]:
    """Have the command on the host; warnings where it cannot be. A transaction does not depend on it."""
    path, text = system.at(PATH), launcher_text(sys.executable)
    instead = f"`{sys.executable} -I {PROGRAM} command` does the same"
    if not os.path.isdir(os.path.dirname(path)):
        return [f"there is no {os.path.dirname(PATH)}, so {COMMAND} is not on this host; {instead}"]
    now = _text(path)
    if now is not None and MARK not in now.splitlines()[:2]:
        return [f"{PATH} is somebody else's and stays, so {COMMAND} is not on this host; {instead}"]
    if now != text or os.lstat(path).st_mode & 0o7777 != 0o755:
        try:
            write_atomically(path, text.encode("utf-8"), 0o755, TAG)
        except OSError as problem:
            return [f"{PATH} cannot be written ({problem.strerror}); {instead}"]
    return []


def drop_launcher(system: System) -> None:
    """Take the command away, if it is ours."""
    path = system.at(PATH)
    if not os.path.isdir(os.path.dirname(path)):
        return
    remove_file(temporary_name(path, TAG))
    now = _text(path)
    if now is not None and MARK in now.splitlines()[:2]:
        remove_file(path)
        sync_directory(os.path.dirname(path))


def _text(path: str) -> str | None:
    """The content of what lies there; nothing where nothing lies. What is no file has content of nobody."""
    if not os.path.lexists(path):
        return None
    if os.path.islink(path) or not os.path.isfile(path):
        return ""
    with open(path, encoding="utf-8", errors="replace") as source:
        return source.read(4096)
