"""Stands in for a chat service. POST /say: a message; GET /answers: what the bot said, by the number of the message."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

messages: list[str] = []
answers: dict[int, list[str]] = {}
news = threading.Condition()


class Handler(BaseHTTPRequestHandler):
    """The three calls that a bot and its people need."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/answers":
            with news:
                return self.reply(answers)
        wanted = {key: int(values[0]) for key, values in parse_qs(parts.query).items()}
        with news:
            news.wait_for(lambda: len(messages) > wanted["offset"], wanted["timeout"])
            found = list(enumerate(messages))[wanted["offset"] :]
        return self.reply([{"id": number, "text": text} for number, text in found])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        with news:
            if self.path == "/say":
                messages.append(body)
                news.notify_all()
            else:
                given = json.loads(body)
                answers.setdefault(given["to"], []).append(given["text"])
        self.reply({})

    def reply(self, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """One line for each poll would fill the journal."""


sys.exit(ThreadingHTTPServer(("127.0.0.1", 9100), Handler).serve_forever())
