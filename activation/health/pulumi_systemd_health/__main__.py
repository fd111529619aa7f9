"""The entry: `python3 -m pulumi_systemd_health SETTINGS`."""

from __future__ import annotations

from .check import ended

if __name__ == "__main__":
    ended()
