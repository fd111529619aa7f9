"""The entry: `python3 -m pulumi_systemd_health COMMAND ...`."""

from __future__ import annotations

from .entry import ended

if __name__ == "__main__":
    ended()
