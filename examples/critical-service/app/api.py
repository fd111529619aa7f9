"""Takes orders over HTTP on the socket that systemd holds."""

import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from notify import notify, watchdog_interval
from resp import Redis

FIRST_PASSED_FD = 3


class Handler(BaseHTTPRequestHandler):
    """`GET /health`: who answers. `POST /orders`: the body is an order for the queue."""

    # A client that connects and says nothing must not hold up a restart for TimeoutStopSec.
    timeout = 10

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"pid": os.getpid()})
        else:
            self.answer(404, {"error": "there is GET /health and POST /orders"})

    def do_POST(self) -> None:
        order = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        redis = Redis()
        try:
            waiting = redis.command("RPUSH", "orders", order)
        finally:
            redis.close()
        self.answer(202, {"waiting": waiting})

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """One line for each request would fill the journal."""


class Server(ThreadingHTTPServer):
    """Answers on a socket that it did not open, each connection in a thread of its own."""

    daemon_threads = False
    # Longest wait for a connection: so long may a stop or a ping be late.
    timeout = 0.1

    def __init__(self, passed: socket.socket) -> None:
        super().__init__(passed.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = passed


def passed_socket() -> socket.socket:
    """The listening socket of sd_listen_fds(3): systemd passes it as file descriptor 3 and says so in two variables."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        raise SystemExit("systemd passed no socket: start this by its socket unit")
    os.set_inheritable(FIRST_PASSED_FD, False)
    return socket.socket(fileno=FIRST_PASSED_FD)


def main() -> int:
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        # Nothing but this: a handler interrupts the loop anywhere, so taking a lock in it can wait for ever.
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    server = Server(passed_socket())
    interval = watchdog_interval()
    last_ping = time.monotonic()
    notify("READY=1")
    while not stopping:
        server.handle_request()
        if interval and time.monotonic() - last_ping >= interval:
            notify("WATCHDOG=1")
            last_ping = time.monotonic()
    notify("STOPPING=1")
    # What was accepted is answered before the process ends; what was not waits in the socket for the next process.
    server.server_close()
    return 0


sys.exit(main())
