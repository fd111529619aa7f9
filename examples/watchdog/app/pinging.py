"""Says that it is up, pings the watchdog a number of times, and then only looks alive: what a deadlock looks like."""

import os
import time

from notify import notify, watchdog_interval

print("Test starting up...")
time.sleep(float(os.environ.get("STARTUP_SEC", "1")))
notify("READY=1")
print("Test startup finished")

# 0 stands for no end.
pings = int(os.environ.get("PINGS", "0"))
interval = watchdog_interval()
sent = 0
while True:
    if pings == 0 or sent < pings:
        notify("WATCHDOG=1")
        sent += 1
        if sent == pings:
            print(f"Ping {sent} was the last one")
    time.sleep(interval)
