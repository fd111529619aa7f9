"""Tells systemd that the program is up (sd_notify(3)), without a package for it."""

import os
import socket


def notify(state: str) -> None:
    """Send one state such as READY=1. Does nothing where systemd does not listen."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address is None:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as to:
        # A leading @ stands for the abstract namespace.
        to.connect("\0" + address[1:] if address.startswith("@") else address)
        to.sendall(state.encode())
