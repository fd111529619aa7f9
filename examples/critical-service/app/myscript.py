"""What the timer runs each night: one line about the signed orders."""

import os
import time
from pathlib import Path

from resp import Redis

redis = Redis()
line = f"{time.time():.3f} {redis.command('HLEN', 'signed')} orders are signed"
redis.close()
with (Path(os.environ["STATE_DIRECTORY"]) / "reports").open("a") as reports:
    print(line, file=reports)
print(line)
