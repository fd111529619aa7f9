"""What the steps of one transaction share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from .bundle import Bundle, Upload
from .files import temporary_name
from .ledger import scope_directory
from .swap_meter import SwapMeter
from .system import System
from .units import Units


@dataclass
class Work:
    """One transaction at work. `bundle` is what the host must become; `given` is what was sent."""

    system: System
    units: Units
    given: Bundle
    bundle: Bundle
    transaction: str
    # A directory of this transaction alone, on a file system that is empty after a boot.
    scratch: str
    login_home: str | None
    warnings: list[str] = field(default_factory=list)
    systemd: int = 0
    # Whether everything goes, what is kept for a way back as well.
    destroys: bool = False
    # What clients meet while services change over.
    swaps: SwapMeter = field(default_factory=SwapMeter)

    def __post_init__(self) -> None:
        self.begun = self.system.now()

    @property
    def directory(self) -> str:
        """Where the scope's ledger is."""
        return scope_directory(self.system, self.given.scope)

    @property
    def pending_directory(self) -> str:
        return os.path.join(self.directory, "pending")

    @property
    def archives(self) -> str:
        return os.path.join(self.directory, "releases")

    @property
    def originals(self) -> str:
        """Where the content is kept of what this scope took over."""
        return os.path.join(self.directory, "originals")

    @property
    def generations(self) -> str:
        """Where the states are kept that one can go back to."""
        return os.path.join(self.directory, "generations")

    def archive(self, upload: Upload) -> str:
        """Where a release's archive is kept."""
        return os.path.join(self.archives, f"{upload.sha256}.tar")

    def temporary(self, path: str) -> str:
        """Where the next content of the host's `path` waits."""
        return temporary_name(self.system.at(path), self.transaction)
