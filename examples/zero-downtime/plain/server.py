"""A server of the standard library alone: it takes the socket of systemd, and drains at SIGTERM."""

import json
import os
import signal
import socket
import socketserver
import sys
import time

from notify import notify

FIRST_PASSED_FD = 3


class Handler(socketserver.StreamRequestHandler):
    """One request of HTTP/1.0 on each connection."""

    # A client that connects and says nothing must not hold up a stop.
    timeout = 10

    def handle(self) -> None:
        request = self.rfile.readline(65536)
        while self.rfile.readline(65536).strip():
            pass
        if not request:
            return
        if request.startswith(b"GET /slow "):
            time.sleep(2)
        body = json.dumps({"pid": os.getpid()}).encode()
        head = f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


class Server(socketserver.ThreadingTCPServer):
    """Answers each connection in a thread, and `server_close` waits for all of them."""

    daemon_threads = False
    # Longest wait for a connection: so late may a stop be seen.
    timeout = 0.1

    def __init__(self, passed: socket.socket) -> None:
        super().__init__(passed.getsockname()[:2], Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = passed


def main() -> int:
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        raise SystemExit("systemd passed no socket: start this by its socket unit")
    server = Server(socket.socket(fileno=FIRST_PASSED_FD))
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    notify("READY=1")
    while not stopping:
        server.handle_request()
    # What was accepted is answered; what was not waits in the socket for the next process.
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
