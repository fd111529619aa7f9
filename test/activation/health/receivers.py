"""A mail server and a web server that keep what they get, or behave badly."""

from __future__ import annotations

import http.server
import socket
import threading
from types import TracebackType


class MailServer:
    """SMTP on a free port. `mood`: `well`, `refuse` (no to every recipient), `busy` (421), or `hang`."""

    def __init__(self, mood: str = "well") -> None:
        self.mood = mood
        self.mails: list[str] = []
        self._end = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> MailServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._end.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream:
            if self.mood == "hang":
                self._end.wait(60)
                return

            def say(text: str) -> None:
                stream.write(f"{text}\r\n".encode())
                stream.flush()

            say("421 busy" if self.mood == "busy" else "220 here")
            while True:
                line = stream.readline().decode("utf-8", "replace").strip()
                verb = line.upper()
                if not line or verb == "QUIT":
                    return
                if verb.startswith("RCPT") and self.mood == "refuse":
                    say("550 nobody of that name")
                elif verb == "DATA":
                    say("354 go on")
                    lines = []
                    while (part := stream.readline().decode("utf-8", "replace").rstrip("\r\n")) != ".":
                        lines.append(part)
                    self.mails.append("\n".join(lines))
                    say("250 kept")
                else:
                    say("250 well")


class WebServer:
    """HTTP on a free port that answers every POST with a status."""

    def __init__(self, status: int = 200) -> None:
        self.requests: list[tuple[str, dict[str, str], str]] = []
        outer = self
        self.status = status

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
                outer.requests.append((self.path, dict(self.headers), body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 as its base names it
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> WebServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
