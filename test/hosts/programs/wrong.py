"""Answers 500 while /var/lib/wrong/bad is there, and counts its own starts."""

import http.server
import os

DIRECTORY = os.environ["STATE_DIRECTORY"]
with open(os.path.join(DIRECTORY, "starts"), "a", encoding="utf-8") as starts:
    starts.write("started\n")


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(500 if os.path.exists(os.path.join(DIRECTORY, "bad")) else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Answer).serve_forever()
