"""Serves a greeting over HTTP, on the socket that systemd hands over or on a port of its own."""

import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from hello.notify import notify, watchdog_interval

FIRST_PASSED_FD = 3


class Handler(BaseHTTPRequestHandler):
    """`/` greets, `/health` answers whether the service works."""

    def do_GET(self) -> None:
        if self.path == "/health":
            self.answer(200, {"status": "ok"})
        elif self.path == "/":
            greeting = {"message": "hello from " + socket.gethostname(), "pid": os.getpid()}
            self.answer(200, {**greeting, "has_key": bool(os.environ.get("API_KEY"))})
        else:
            self.answer(404, {"error": "there is only / and /health"})

    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        print(format % args)


class Server(ThreadingHTTPServer):
    """Answers each connection in a thread of its own; those that are under way are waited for at the end."""

    daemon_threads = False
    # Longest wait for a connection, in seconds: so late may a ping or the end of the loop be.
    timeout = 0.1


def bound_server() -> Server:
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and int(os.environ.get("LISTEN_FDS", "0")) > 0:
        server = Server(("", 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = socket.socket(fileno=FIRST_PASSED_FD)
        server.server_address = server.socket.getsockname()
        return server
    return Server(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Handler)


def main() -> int:
    server = bound_server()
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        # Nothing but this: a handler interrupts the loop anywhere, so taking a lock in it can wait for ever.
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    interval = watchdog_interval()
    last_ping = time.monotonic()
    notify("READY=1")
    print("listening on", server.server_address)
    while not stopping:
        server.handle_request()
        # The ping comes from the loop that accepts connections, so that a hung loop is noticed.
        if interval and time.monotonic() - last_ping >= interval:
            notify("WATCHDOG=1")
            last_ping = time.monotonic()
    notify("STOPPING=1")
    # What was accepted is answered before the process ends; what was not waits in the socket for the next one.
    server.server_close()
    return 0


sys.exit(main())
