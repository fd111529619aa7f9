"""What stays on the host beside the ledgers: a copy of this program, and the unit that runs it after a restart."""

from __future__ import annotations

import os
import sys

from .files import (
    file_sha256,
    link_atomically,
    make_directories,
    remove_empty_directory,
    remove_file,
    remove_temporaries,
    sync_directory,
    temporary_name,
    text_of,
    write_atomically,
)
from .launcher import PROGRAM, drop_launcher
from .ledger import ROOT
from .system import System

NAME = "pulumi-systemd-recovery.service"
UNIT = f"/etc/systemd/system/{NAME}"
LINK = f"/etc/systemd/system/sysinit.target.wants/{NAME}"
# A restart must not wait for ever for what cannot be taken back.
TIMEOUT_SEC = 300
TAG = "keeping"


def unittext_of(python: str, made: list[str]) -> str:
    """
    The unit that takes back, before anything else of the host starts, what a restart has cut off.

    `made` are the directories that were made for its link. On a boot after which nothing is pending it is skipped.
    """
    return f"""\
# Written by pulumi-systemd; it goes with the last stack on this host.
[Unit]
Description=Take back what a restart cut off of a pulumi-systemd transaction
ConditionPathExistsGlob={ROOT}/*/*/*/pending
DefaultDependencies=no
RequiresMountsFor={ROOT} /etc/systemd/system
After=local-fs.target systemd-remount-fs.service
Before=sysinit.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart={python} -I {PROGRAM} recover --boot
TimeoutStartSec={TIMEOUT_SEC}
UMask=0077

[Install]
WantedBy=sysinit.target

[X-Installation]
MadeDirectories={" ".join(made)}
"""


def put_keeping(system: System, program: str) -> None:
    """Have the copy of `program` (a path) and the unit on the host, before the first change that may be cut off."""
    make_directories(system.at(ROOT), 0o700)
    _sweep(system)
    kept, unit, link = system.at(PROGRAM), system.at(UNIT), system.at(LINK)
    if not os.path.isfile(kept) or file_sha256(kept) != file_sha256(program):
        with open(program, "rb") as source:
            write_atomically(kept, source.read(), 0o600, TAG)
    made = _made(unit)
    if not os.path.isfile(unit) or not os.path.islink(link):
        wants = os.path.dirname(LINK)
        made += [wants] if not os.path.isdir(system.at(wants)) and wants not in made else []
    text = unittext_of(sys.executable, made)
    if text_of(unit) != text:
        write_atomically(unit, text.encode("utf-8"), 0o644, TAG)
    if not os.path.islink(link) or os.readlink(link) != UNIT:
        make_directories(os.path.dirname(link))
        link_atomically(link, UNIT, TAG)


def drop_keeping(system: System) -> None:
    """Take both away when no stack has anything on the host any more. The host's lock must be held."""
    root = system.at(ROOT)
    _sweep(system)
    if os.path.isdir(root) and any(not name.startswith(".") for name in os.listdir(root)):
        return
    unit, link = system.at(UNIT), system.at(LINK)
    made = _made(unit)
    if remove_file(link):
        sync_directory(os.path.dirname(link))
    for directory in made:
        path = system.at(directory)
        if not remove_empty_directory(path) and not os.listdir(path):
            # The unit's file goes last: it knows what was made.
            os.rmdir(path)
    if remove_file(unit):
        sync_directory(os.path.dirname(unit))
    drop_launcher(system)
    remove_file(system.at(PROGRAM))
    remove_empty_directory(root)


def _sweep(system: System) -> None:
    """Remove what writes of these files left that were cut off."""
    remove_temporaries(system.at(ROOT))
    for path in (UNIT, LINK):
        remove_file(temporary_name(system.at(path), TAG))


def _made(unit: str) -> list[str]:
    lines = text_of(unit).splitlines()
    words = [line.partition("=")[2].split() for line in lines if line.startswith("MadeDirectories=")]
    return words[0] if words else []
