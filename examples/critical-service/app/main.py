"""The critical service: signs the orders that wait in redis, and tells systemd that it is alive."""

import hashlib
import hmac
import os
import signal
import sys
import time
import traceback

from notify import notify, watchdog_interval
from resp import Redis

FAILURES_IN_A_ROW = 5
stopping = False


def stop(_signal: int, _frame: object) -> None:
    global stopping
    stopping = True


def sign_next_order(redis: Redis, key: bytes) -> bool:
    """Takes one order from the queue; whether there was one."""
    order = redis.command("LPOP", "orders")
    if not isinstance(order, str):
        return False
    redis.command("HSET", "signed", order, hmac.new(key, order.encode(), hashlib.sha256).hexdigest())
    return True


def main() -> int:
    # A missing key is a mistake of the deployment: it ends the program at once, with a reason in the journal.
    key = os.environ["API_KEY"].encode()
    pause = min(0.2, watchdog_interval() or 0.2)
    signal.signal(signal.SIGTERM, stop)
    redis = Redis()
    failures = 0
    redis.command("PING")
    notify("READY=1")
    print("signing with", sys.executable, "of", sys.prefix)
    while not stopping:
        try:
            worked = sign_next_order(redis, key)
            failures = 0
        except (OSError, RuntimeError) as problem:
            worked = False
            failures += 1
            # The journal keeps the reason; STATUS= shows only the last one. Neither may hold the key.
            traceback.print_exc()
            notify(f"STATUS={failures} failures in a row: {problem}")
            if failures == FAILURES_IN_A_ROW:
                return 1
            time.sleep(1)
        # A turn that failed is a turn all the same: the loop is alive. What hangs sends no ping.
        notify("WATCHDOG=1")
        if not worked:
            time.sleep(pause)
    notify("STOPPING=1")
    redis.close()
    return 0


sys.exit(main())
