"""Serves a greeting over HTTP, on the socket that systemd hands over or on a port of its own."""

import json
import os
import signal
import socket
import sys
import threading
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
    """Pings the watchdog from the loop that accepts connections, so that a hung loop is noticed."""

    daemon_threads = False
    interval = watchdog_interval()
    last_ping = 0.0

    def service_actions(self) -> None:
        super().service_actions()
        now = time.monotonic()
        if self.interval and now - self.last_ping >= self.interval / 2:
            notify("WATCHDOG=1")
            self.last_ping = now


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

    def stop(_signal: int, _frame: object) -> None:
        notify("STOPPING=1")
        # shutdown() waits for the loop, which runs in this very thread.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    notify("READY=1")
    print("listening on", server.server_address)
    server.serve_forever(poll_interval=0.5)
    # What was accepted is answered before the process ends; what was not waits in the socket for the next one.
    server.server_close()
    return 0


sys.exit(main())
