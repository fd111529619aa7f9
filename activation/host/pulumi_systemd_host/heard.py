"""Whether the one who asked has got the answer, as far as this host can know."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import struct
import termios
import time

PATIENCE_SEC = 5.0
LOOK_SEC = 0.02
ESTABLISHED = "01"
# A login is a few processes above this one: sudo, the shell.
GENERATIONS = 8


def was_heard(descriptor: int) -> bool:
    """
    Whether what was written to `descriptor` has left this host and was acknowledged by the other end of the connection.

    Without an SSH connection, written is heard. A connection that is gone, or acknowledges nothing, is not.
    """
    client = _ssh_connection()
    deadline = time.monotonic() + PATIENCE_SEC
    quiet = 0
    while time.monotonic() < deadline:
        waiting = _unread(descriptor)
        if client:
            queue = unacknowledged(client)
            if queue is None:
                return False
            waiting += queue
        # sshd may just be between reading from here and writing to the network: quiet twice is quiet.
        quiet = quiet + 1 if waiting == 0 else 0
        if quiet == 2 or (quiet and not client):
            return True
        time.sleep(LOOK_SEC)
    return False


def unacknowledged(client: tuple[str, int, int]) -> int | None:
    """Bytes that the client's kernel has not acknowledged yet; nothing when that connection is no more."""
    address, port, own_port = client
    wanted = {_kernel_form(form) for form in (address, f"::ffff:{address}") if _is_address(form)}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as source:
                lines = source.read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            own, other, state, queues = words[1], words[2], words[3], words[4]
            host, _, other_port = other.partition(":")
            if host in wanted and int(other_port, 16) == port and int(own.partition(":")[2], 16) == own_port:
                return int(queues.partition(":")[0], 16) if state == ESTABLISHED else None
    return None


def _ssh_connection() -> tuple[str, int, int] | None:
    """Address and port of the SSH client, and the server's port. sudo does not pass them on: the parents are asked."""
    process = os.getpid()
    for _ in range(GENERATIONS):
        try:
            with open(f"/proc/{process}/environ", "rb") as source:
                variables = source.read().split(b"\0")
            with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as status:
                process = int(status.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return None
        for variable in variables:
            words = variable.decode("ascii", "replace").partition("SSH_CONNECTION=")
            if words[0] == "" and words[1]:
                parts = words[2].split()
                try:
                    return parts[0].partition("%")[0], int(parts[1]), int(parts[3])
                except (IndexError, ValueError):
                    return None
        if process <= 1:
            return None
    return None


def _unread(descriptor: int) -> int:
    """Bytes in a pipe or socket that its reader has not taken."""
    is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    try:
        answer: bytes = fcntl.ioctl(descriptor, termios.FIONREAD if is_pipe else termios.TIOCOUTQ, b"\0" * 4)
    except OSError:
        return 0
    return int(struct.unpack("i", answer)[0])


def _is_address(text: str) -> bool:
    try:
        _packed(text)
    except OSError:
        return False
    return True


def _packed(text: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def _kernel_form(text: str) -> str:
    """An address as /proc/net/tcp has it: words of four bytes in this machine's order, in hex."""
    packed = _packed(text)
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(packed) // 4}I", packed))
