"""A daemon of the old kind: it forks into the background and leaves its process id in a file."""

import os
import signal
import sys
from pathlib import Path

PID_FILE = Path(os.environ["RUNTIME_DIRECTORY"]) / "spooler.pid"


def main() -> int:
    reader, writer = os.pipe()
    if os.fork() > 0:
        os.close(writer)
        # The first process may end only when the daemon is ready: its end is what tells systemd so.
        return 0 if os.read(reader, 1) == b"1" else 1
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    draft = PID_FILE.with_suffix(".new")
    draft.write_text(f"{os.getpid()}\n")
    draft.rename(PID_FILE)
    os.write(writer, b"1")
    try:
        while True:
            signal.pause()
    finally:
        PID_FILE.unlink()


sys.exit(main())
