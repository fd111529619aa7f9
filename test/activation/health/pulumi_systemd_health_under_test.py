"""Puts the health program's modules on the path, and holds what several tests make."""

from __future__ import annotations

import os
import sys
from typing import Any

sys.dont_write_bytecode = True
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "activation", "health")
sys.path.insert(0, SOURCE)

from pulumi_systemd_health.settings import Settings  # noqa: E402

UNIT = "api.service"


def settings(**changes: Any) -> Settings:
    """The defaults of HealthCheck, in seconds."""
    values: dict[str, Any] = {
        "name": "api-health",
        "unit": UNIT,
        "probes": (),
        "timeout_sec": 5.0,
        "fail_after": 2,
        "grace_sec": 30.0,
        "max_restarts": 3,
        "within_sec": 3600.0,
        "backoff_sec": 60.0,
        "confidential": False,
        **changes,
    }
    return Settings(**values)
