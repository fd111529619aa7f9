"""Puts the health program's modules on the path, and holds what several tests make."""

from __future__ import annotations

import os
import sys
from typing import Any

sys.dont_write_bytecode = True
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "activation", "health")
sys.path.insert(0, SOURCE)

from pulumi_systemd_health.settings import Check, Step  # noqa: E402

UNIT = "api.service"


def check(**changes: Any) -> Check:
    """The defaults of HealthCheck, in seconds, without chance."""
    values: dict[str, Any] = {
        "name": "api-health",
        "unit": UNIT,
        "probes": (),
        "depends_on": (),
        "fail_after": 2,
        "grace_sec": 30.0,
        "ladder": (Step("restart"),),
        "max_actions": 3,
        "within_sec": 3600.0,
        "backoff_sec": 60.0,
        "backoff_max_sec": 1800.0,
        "jitter": 0.0,
        "half_open_after_sec": 3600.0,
        "remind_every_sec": 14400.0,
        "stable_for_sec": 600.0,
        "confidential": False,
        **changes,
    }
    return Check(**{"fail_of": values["fail_after"], **values})


def check_json(**changes: Any) -> dict[str, Any]:
    """The same as it stands in a settings file; it acts at once."""
    return {
        "name": "api-health",
        "unit": UNIT,
        "probes": [],
        "dependsOn": [],
        "failAfter": 1,
        "failOf": 1,
        "graceSec": 0,
        "actions": ["restart"],
        "maxActions": 3,
        "withinSec": 3600,
        "backoffSec": 0,
        "backoffMaxSec": 0,
        "jitter": 0,
        "halfOpenAfterSec": 3600,
        "remindEverySec": 14400,
        "stableForSec": 600,
        "confidential": False,
        **changes,
    }


def group_json(*checks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "format": 2,
        "name": "api-health",
        "timer": "api-health.timer",
        "service": "health.service",
        "notify": [],
        "logFile": None,
        "checks": list(checks) or [check_json()],
        **changes,
    }
