"""Where everything lies on a host. `scope` keeps two stacks on one machine apart."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Places:
    """`root` is `/`, but in tests."""

    root: str
    scope: str

    def at(self, *names: str) -> str:
        return os.path.join(self.root, *names)

    @property
    def settings(self) -> str:
        return self.at("etc/pulumi-systemd/health", self.scope)

    @property
    def states(self) -> str:
        return self.at("var/lib/pulumi-systemd-health", self.scope)

    @property
    def transactions(self) -> str:
        """Where the host program holds its lock, and where leases are."""
        return self.at("run/pulumi-systemd")

    @property
    def reports(self) -> str:
        return self.at("run/pulumi-systemd/health", self.scope)

    @property
    def logs(self) -> str:
        return self.at("var/log/pulumi-systemd-health")

    def notifier_settings(self, notifier: str) -> str:
        return self.at("etc/pulumi-systemd/notify", f"{notifier}.json")

    def spool(self, notifier: str) -> str:
        return self.at("var/lib/pulumi-systemd-notify", notifier)

    @property
    def secret_files(self) -> str:
        return self.at("etc/pulumi-systemd")
