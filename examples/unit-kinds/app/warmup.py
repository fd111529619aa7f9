"""A job that leaves something behind: `up` makes it, `down` takes it away."""

import os
import sys
from pathlib import Path

cache = Path(os.environ["CACHE_DIRECTORY"]) / "warm"
if sys.argv[1:] == ["up"]:
    cache.write_text("warm\n")
else:
    cache.unlink()
