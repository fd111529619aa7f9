"""sd_notify(3) without a dependency: one datagram to the socket that systemd names."""

import os
import socket


def notify(message: str) -> None:
    """Sends `READY=1`, `WATCHDOG=1`, `STOPPING=1` or `STATUS=...`; does nothing where systemd does not listen."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.sendto(message.encode(), address)


def watchdog_interval() -> float:
    """Seconds between two pings: half of what systemd allows, or 0 where it asks for none."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    return int(os.environ.get("WATCHDOG_USEC", "0")) / 2_000_000
