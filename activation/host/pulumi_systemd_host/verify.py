"""`systemd-analyze verify` on the staged units. Its messages are judged; its exit code says too little."""

from __future__ import annotations

import os
import re
import shutil
from typing import Callable, Collection, Iterable

from .bundle import Unit
from .errors import HostError
from .files import stage_file
from .system import System

# Notes about units that work all the same. Each is an English message of systemd 247 to 257.
HARMLESS = re.compile(
    r"Special user nobody configured"
    r"|references a path below legacy directory"
    r"|output type syslog(?:\+console)? is obsolete"
    r"|uses KillMode=none"
    r"|uses (?:Memory|CPU|BlockIO|StartupCPU|StartupBlockIO)[A-Za-z]*=; please use"
    r"|setting is deprecated"
    r"|has been deprecated"
    r"|configures an IP firewall, but"
    r"|configures an IP firewall with BPF"
    r"|BPF is not supported|BPF support"
    r"|Support for option [A-Za-z]+= has been (?:removed|disabled)"
    r"|is configured, but .* (?:not supported|is prohibited|not available)"
)

# systemd 247 tells so of every template, though nothing is wrong.
CHATTER = "unit_file_find_fragment:"
PROGRAM = re.compile(r"^[ \t]*Exec[A-Za-z]+[ \t]*=[ \t]*([@:+!|-]*)[\"']?(/[^\s\"'%\\;]+)", re.MULTILINE)
NOT_EXECUTABLE = re.compile(r"Command (/.*?|[^/\s]+) is not executable: ")
# Where systemd looks a plain name up when it starts the unit. On 247 it does not when it verifies it.
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def verify(
    system: System,
    units: list[Unit],
    changed: Iterable[str],
    directory: str,
    will_be_executable: Callable[[str], bool | None],
    seconds: float,
    version: int,
) -> list[str]:
    """
    Check the units named in `changed` with all of `units` staged in `directory`; the harmless notes that were found.

    `will_be_executable` answers for programs that this transaction brings, and None for those of the host. Raises
    HostError listing everything that is wrong.
    """
    asked = set(changed)
    if not asked:
        return []
    os.mkdir(directory, 0o700)
    for unit in units:
        stage_file(os.path.join(directory, unit.name), unit.data, 0o644)
    names = {unit.name for unit in units}
    paths = [os.path.join(directory, _verifiable(name, names)) for name in sorted(asked)]
    for name in sorted(asked):
        instance = _verifiable(name, names)
        if instance != name:
            os.symlink(name, os.path.join(directory, instance))
    done = system.run(
        ["systemd-analyze", "verify", "--man=no", "--", *paths], seconds, env={"SYSTEMD_UNIT_PATH": f"{directory}:"}
    )
    errors, notes = judge(
        (done.err + "\n" + done.out).splitlines(),
        {unit.name: unit.path for unit in units},
        directory,
        lambda path: will_be_executable(path) is True or _is_found(path),
    )
    for unit in units:
        if unit.name in asked:
            missing = [path for path in programs(unit.content) if will_be_executable(path) is False]
            errors += [f"{unit.name}: {path} is no executable file in what is being brought there" for path in missing]
    if errors:
        listed = "".join(f"\n  {line}" for line in errors)
        raise HostError(
            f"systemd {version} of this host does not accept these units; nothing was changed on it:{listed}"
        )
    return notes


def programs(content: str) -> list[str]:
    """The programs that a unit's Exec lines name by absolute path, but for those whose failure is ignored."""
    return [path for prefix, path in PROGRAM.findall(content) if "-" not in prefix]


def _is_found(program: str) -> bool:
    return "/" not in program and shutil.which(program, path=SEARCHED) is not None


def _verifiable(name: str, names: Collection[str]) -> str:
    """A template can only be checked as one of its instances: one that is none of the units `names`."""
    stem, dot, suffix = name.rpartition(".")
    if not stem.endswith("@"):
        return name
    instance = "verify"
    while f"{stem}{instance}{dot}{suffix}" in names:
        instance += "x"
    return f"{stem}{instance}{dot}{suffix}"


def judge(
    lines: Iterable[str], units: dict[str, str], directory: str, is_executable: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Errors and harmless notes among the lines that name one of `units` (name to final path)."""
    errors: list[str] = []
    notes: list[str] = []
    for raw in lines:
        line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", raw).strip()
        if not line or line.startswith(CHATTER) or not _names_one(line, units, directory):
            continue
        match = NOT_EXECUTABLE.search(line)
        if match and is_executable(match.group(1)):
            continue
        shown = _with_final_paths(line, units, directory)
        (notes if HARMLESS.search(line) else errors).append(shown)
    return list(dict.fromkeys(errors)), list(dict.fromkeys(notes))


def _names_one(line: str, units: dict[str, str], directory: str) -> bool:
    if f"{directory}/" in line:
        return True
    return any(
        re.search(rf"(?<![\w@.:\\/-]){re.escape(form)}(?![\w@\\-])", line)
        for name in units
        for form in _forms(name, units)
    )


def _forms(name: str, names: Collection[str]) -> list[str]:
    return list(dict.fromkeys([name, _verifiable(name, names)]))


def _with_final_paths(line: str, units: dict[str, str], directory: str) -> str:
    for name, path in units.items():
        for form in _forms(name, units):
            line = line.replace(f"{directory}/{form}", path)
    return line.replace(f"{directory}/", "")
