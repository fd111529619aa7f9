"""Writes each stage of a service's life to a file. `main` is the service itself: it lives until it is stopped."""

import os
import signal
import sys
from pathlib import Path

from notify import notify


def note(stage: str) -> None:
    with (Path(os.environ["STATE_DIRECTORY"]) / "stages").open("a") as stages:
        print(stage, file=stages)


stage = sys.argv[1]
if stage == "main":
    # Blocked, so that a stop between two lines waits for sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
note(stage)
if stage == "main":
    notify("READY=1")
    signal.sigwait({signal.SIGTERM})
    note("end of main")
