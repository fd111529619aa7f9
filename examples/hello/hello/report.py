"""What the nightly timer runs: one line about the state directory."""

import os
from pathlib import Path

state = Path(os.environ.get("STATE_DIRECTORY", "."))
print(f"{state} holds {sum(1 for _ in state.iterdir())} entries")
