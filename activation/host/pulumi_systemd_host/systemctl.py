"""What systemd says about units, and the verbs that change it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterable

from .errors import HostError
from .system import Completed, System

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "InvocationID",
    "NeedDaemonReload",
    "UnitFileState",
    "FragmentPath",
    "DropInPaths",
    "ConditionResult",
    "ConditionTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "InactiveEnterTimestampMonotonic",
    "Type",
    "RemainAfterExit",
    "CanReload",
    "Accept",
    "Triggers",
    "TriggeredBy",
    "RequiredBy",
    "BoundBy",
    "RequisiteOf",
    "ConsistsOf",
    "PropagatesStopTo",
    "Slice",
    "Job",
    "MainPID",
)


@dataclass(frozen=True)
class UnitState:
    """One unit as `systemctl show` tells it. Properties that this systemd does not know are empty."""

    name: str
    properties: dict[str, str]

    def get(self, key: str) -> str:
        return self.properties.get(key, "")

    def words(self, key: str) -> list[str]:
        return self.get(key).split()

    @property
    def active(self) -> str:
        return self.get("ActiveState") or "inactive"

    @property
    def sub(self) -> str:
        return self.get("SubState") or "dead"

    @property
    def result(self) -> str:
        return self.get("Result") or "success"

    @property
    def invocation(self) -> str:
        return self.get("InvocationID")

    @property
    def loaded(self) -> bool:
        return self.get("LoadState") not in ("", "not-found")

    @property
    def in_restart_loop(self) -> bool:
        """Whether it waits for systemd's next automatic restart: between two failures, whatever ActiveState says."""
        return self.active == "activating" and self.sub.startswith("auto-restart")

    @property
    def running(self) -> bool:
        return self.active in ("active", "activating", "reloading", "refreshing") and not self.in_restart_loop

    @property
    def queued(self) -> bool:
        """Whether systemd has a job for it that is not done."""
        return self.get("Job") not in ("", "0")

    @property
    def failed(self) -> bool:
        return self.active == "failed" or self.in_restart_loop

    @property
    def is_job(self) -> bool:
        """Whether it runs to an end and is then done: a oneshot that does not stay active."""
        return self.get("Type") == "oneshot" and self.get("RemainAfterExit") != "yes"

    @property
    def condition_failed(self) -> bool:
        return self.get("ConditionResult") == "no" and self.get("ConditionTimestampMonotonic") not in ("", "0")

    @property
    def ran_since_boot(self) -> bool:
        stamps = (self.get("ActiveEnterTimestampMonotonic"), self.get("InactiveEnterTimestampMonotonic"))
        return any(stamp not in ("", "0") for stamp in stamps)


def parse_show(text: str, names: list[str]) -> dict[str, UnitState]:
    """The blocks of `systemctl show`, which come in the order of `names` with an empty line between them."""
    blocks = [block for block in re.split(r"\n{2,}", text.strip("\n")) if block.strip()]
    if len(blocks) != len(names):
        raise HostError(f"systemctl show answered {len(blocks)} units where {len(names)} were asked for")
    states = {}
    for name, block in zip(names, blocks):
        pairs = (line.partition("=") for line in block.split("\n"))
        states[name] = UnitState(name, {key: value for key, equals, value in pairs if equals})
    return states


def show(
    system: System,
    names: Iterable[str],
    seconds: float,
    properties: Iterable[str] = PROPERTIES,
    env: dict[str, str] | None = None,
) -> dict[str, UnitState]:
    """The state of each named unit, in one call. Templates cannot be shown and must not be asked for."""
    asked = sorted(set(names))
    if not asked:
        return {}
    argv = ["systemctl", "show", "--no-pager", "-p", ",".join(properties), "--", *asked]
    done = system.run(argv, seconds, None, env)
    if done.code != 0:
        raise HostError(f"systemctl show failed: {first_line(done)}")
    return parse_show(done.out, asked)


def instances_of(system: System, template: str, seconds: float) -> list[str]:
    """The loaded instances of a template such as `notify@.service`."""
    stem, suffix = template.rsplit("@", 1)
    pattern = f"{stem}@*{suffix}".replace("\\", "\\\\")
    done = system.run(
        ["systemctl", "list-units", "--all", "--plain", "--full", "--no-legend", "--no-pager", "--", pattern], seconds
    )
    names = [line.split()[0] for line in done.out.splitlines() if line.split()]
    return [name for name in names if name != template and name.startswith(f"{stem}@") and name.endswith(suffix)]


def version(system: System) -> int:
    """systemd's major version. Raises HostError where there is none."""
    done = system.run(["systemctl", "--version"], 20)
    match = re.match(r"systemd (\d+)", done.out)
    if not match:
        raise HostError("systemctl --version does not say which systemd this is")
    return int(match.group(1))


def first_line(done: Completed) -> str:
    """The line of a command's output that says most."""
    lines = [line.strip() for line in (done.err + "\n" + done.out).splitlines() if line.strip()]
    return lines[0] if lines else f"exit status {done.code}, no message"
