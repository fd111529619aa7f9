"""Hooks: commands of a release that run once beside its service, as its user and in its sandbox."""

from __future__ import annotations

import re

from .bundle import Hook
from .errors import HostError
from .exit_status import told
from .journal import journal_lines
from .plan_shape import Plan
from .transient import run_once, transient_name
from .work import Work

# Directives that name files which this transaction may not have moved to their place yet.
FILES = re.compile(r"^(EnvironmentFile|LoadCredential(?:Encrypted)?)=(.*)$", re.MULTILINE)
AFTERWARDS = {
    "check": "the new release was not switched to",
    "pre-start": "the new release was not switched to",
    "post-start": "the new release was taken back",
}


def run_hooks(work: Work, made: Plan, kinds: tuple[str, ...]) -> None:
    """Run the planned hooks of these kinds, kind by kind. Raises HostError for the first that fails."""
    staged = {write.path: _beside(write.path, work.temporary(write.path)) for write in made.writes}
    for kind in kinds:
        for hook in (hook for hook in made.hooks if hook.kind == kind):
            content = hook.content if kind == "post-start" else with_staged_files(hook.content, staged)
            _run(work, hook, content, made.hooks.index(hook))


def _run(work: Work, hook: Hook, content: str, number: int) -> None:
    name = transient_name(work.transaction, f"hook-{number}")
    waiting = f"{hook.kind} of {hook.unit}"
    ended = run_once(work.system, name, content, hook.seconds, waiting)
    if not ended.problem:
        return
    reason = ended.problem
    lines: list[str] = []
    if ended.state:
        if ended.state.get("ExecMainStatus") not in ("", "0") and ended.state.result != "timeout":
            reason = told(ended.state)
        lines = journal_lines(work.system, ended.state)
    shown = "".join(f"\n    {line}" for line in lines)
    raise HostError(f"{hook.unit}: its {hook.kind} hook failed, {AFTERWARDS[hook.kind]}: {reason}{shown}")


def with_staged_files(content: str, staged: dict[str, str]) -> str:
    """The unit with files of this transaction where they wait."""

    def line(match: re.Match[str]) -> str:
        key, value = match.group(1), match.group(2)
        prefix, _, path = value.rpartition(":") if key != "EnvironmentFile" else ("", "", value)
        dash = "-" if path.startswith("-") else ""
        there = staged.get(path[len(dash) :])
        return match.group(0) if there is None else f"{key}={prefix}{':' if prefix else ''}{dash}{there}"

    return FILES.sub(line, content)


def _beside(path: str, temporary: str) -> str:
    return f"{path.rpartition('/')[0]}/{temporary.rpartition('/')[2]}"
