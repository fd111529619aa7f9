"""Puts the host program's modules on the path, and holds what several tests make."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import sys
from dataclasses import asdict
from typing import Any

sys.dont_write_bytecode = True
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "activation")
sys.path[:0] = [os.path.join(TOP, "host"), os.path.join(TOP, "health")]

from pulumi_systemd_host.bundle import Bundle, Digests, Unit  # noqa: E402
from pulumi_systemd_host.system import Completed, Piped  # noqa: E402
from pulumi_systemd_host.systemctl import UnitState  # noqa: E402


def sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


API = "[Service]\nExecStart=/usr/bin/true\n"

GOOD: dict[str, Any] = {
    "format": 1,
    "scope": "orders/dev/web1",
    "users": [{"name": "orders", "group": "orders", "home": "/var/lib/orders"}],
    "files": [
        {
            "path": "/etc/orders/api.env",
            "mode": "0600",
            "content": 'KEY="s3cret-value"\n',
            "encoding": "utf-8",
            "secret": True,
        }
    ],
    "releases": [
        {
            "name": "orders",
            "sha256": sha("archive"),
            "upload": ".pulumi-systemd/orders.tar",
            "directory": "/opt/orders/releases/1",
            "link": "/opt/orders/current",
            "keep": 1,
            "environment": {
                "digest": sha("lock"),
                "directory": "/opt/orders/environments",
                "lock": {
                    "kind": "requirements",
                    "inputs": [{"path": "requirements.txt", "content": "flask==3.0\n"}],
                    "hashed": False,
                },
                "python": "3.11",
                "installer": "auto",
                "uv": None,
                "wheelhouse": {"sha256": sha("wheels"), "upload": "wheels.tar"},
                "wheel": None,
                "index": {"pip": "[global]\n", "uv": ""},
                "buildSec": 600,
            },
        }
    ],
    "hooks": [
        {
            "release": "orders",
            "unit": "api.service",
            "kind": "pre-start",
            "digest": sha("migrate"),
            "content": "[Service]\n",
            "seconds": 60,
        }
    ],
    "units": [
        {
            "name": "api.service",
            "path": "/etc/systemd/system/api.service",
            "content": API,
            "digests": {
                "file": sha(API),
                "restart": sha("r"),
                "reload": sha("l"),
                "limits": sha("c"),
                "manager": sha("m"),
                "install": sha("i"),
            },
            "activation": "started",
            "enabled": True,
            "restartOn": {"files": ["/etc/orders/api.env"], "releases": ["orders"]},
            "reloadOn": {"files": []},
            "purge": ["/var/lib/api"],
            "triggeredBy": ["api.socket"],
            "stopsWith": ["api.socket"],
            "stopPropagatedFrom": [],
            "bindsTo": [],
            "canReload": False,
            "isJob": False,
            "countsFromThePast": False,
            "memoryMax": None,
            "onChange": "auto",
            "settleSec": 1.5,
            "gate": {
                "probes": [{"kind": "tcp", "timeoutSec": 5, "host": "127.0.0.1", "port": 8000}],
                "stableSec": 3,
                "withinSec": 60,
                "confidential": False,
            },
        }
    ],
    "adopt": [],
    "keepGenerations": 5,
    "bounds": {"transactionSec": 120, "waitSec": 30, "confirmSec": 0},
}


def good_bundle() -> dict[str, Any]:
    return copy.deepcopy(GOOD)


def encoded(bundle: Bundle) -> bytes:
    """The JSON that `bundle` would have been read from."""
    value = {
        "format": 1,
        "scope": bundle.scope,
        "users": [asdict(user) for user in bundle.users],
        "files": [{**asdict(file), "mode": f"{file.mode:04o}"} for file in bundle.files],
        # No test here has an environment.
        "releases": [asdict(release) for release in bundle.releases],
        "hooks": [asdict(hook) for hook in bundle.hooks],
        "units": [
            {
                "name": each.name,
                "path": each.path,
                "content": each.content,
                "digests": asdict(each.digests),
                "activation": each.activation,
                "enabled": each.enabled,
                "restartOn": {"files": each.restart_on_files, "releases": each.restart_on_releases},
                "reloadOn": {"files": each.reload_on_files},
                "purge": each.purge,
                "triggeredBy": each.triggered_by,
                "stopsWith": each.stops_with,
                "stopPropagatedFrom": each.stop_propagated_from,
                "bindsTo": each.binds_to,
                "canReload": each.can_reload,
                "isJob": each.is_job,
                "countsFromThePast": each.counts_from_the_past,
                "memoryMax": each.memory_max,
                "onChange": each.on_change,
                "settleSec": each.settle_sec,
                "gate": None,
            }
            for each in bundle.units
        ],
        "adopt": bundle.adopt,
        "keepGenerations": bundle.keep_generations,
        "bounds": {
            "transactionSec": bundle.transaction_sec,
            "waitSec": bundle.wait_sec,
            "confirmSec": bundle.confirm_sec,
        },
    }
    return json.dumps(value).encode("utf-8")


def unit(name: str = "api.service", content: str = API, **changes: Any) -> Unit:
    """A unit whose digests are over `content` and the texts given for each class."""
    digests = Digests(
        sha(content),
        sha(changes.pop("restart", "r")),
        sha(changes.pop("reload", "l")),
        sha(changes.pop("limits", "c")),
        sha(changes.pop("manager", "m")),
        sha(changes.pop("install", "i")),
    )
    values: dict[str, Any] = {
        "path": f"/etc/systemd/system/{name}",
        "activation": "started",
        "enabled": True,
        "restart_on_files": [],
        "restart_on_releases": [],
        "triggered_by": [],
        "stops_with": [],
        "stop_propagated_from": [],
        "binds_to": [],
        "can_reload": False,
        "is_job": False,
        "counts_from_the_past": False,
        "memory_max": None,
        "on_change": "auto",
        "settle_sec": 0.0,
        **changes,
    }
    return Unit(name=name, content=content, digests=digests, **values)


def state(name: str = "api.service", active: str = "active", sub: str = "running", **properties: str) -> UnitState:
    return UnitState(
        name,
        {
            "Id": name,
            "LoadState": "loaded",
            "ActiveState": active,
            "SubState": sub,
            "Result": "success",
            "UnitFileState": "enabled",
            "InvocationID": "1" * 32,
            "FragmentPath": f"/etc/systemd/system/{name}",
            "ActiveEnterTimestampMonotonic": "1000",
            "CanReload": "no",
            "Type": "simple",
            **properties,
        },
    )


class ScriptedSystem:
    """A System whose root is a directory and whose commands answer from a script."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.answers: dict[str, Completed] = {}
        self.commands: list[list[str]] = []
        self.clock = 0.0
        self.notes: list[str] = []

    def at(self, path: str) -> str:
        return self.root + path

    def run(
        self, argv: list[str], seconds: float, waiting: str | None = None, env: dict[str, str] | None = None
    ) -> Completed:
        self.commands.append(argv)
        for beginning, answer in self.answers.items():
            if " ".join(argv).startswith(beginning):
                return answer
        return Completed(0, "", "")

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def pipe(self, argv: list[str], data: bytes, seconds: float) -> Piped:
        raise AssertionError(f"{argv} is not expected here")

    def note(self, line: str) -> None:
        self.notes.append(line)
