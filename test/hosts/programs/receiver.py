"""A mail server on port 2525 and a web server on port 8025 that append what they get to a file, one JSON text a line."""

import http.server
import json
import os
import socketserver
import threading
from email import message_from_string

PATH = os.path.join(os.environ["STATE_DIRECTORY"], "received")


def keep(way: str, title: str, text: str) -> None:
    with open(PATH, "a", encoding="utf-8") as target:
        target.write(json.dumps({"way": way, "title": title, "text": text}) + "\n")


class Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.say("220 here")
        for raw in self.rfile:
            verb = raw.decode().strip().upper()
            if verb == "QUIT":
                return
            if verb != "DATA":
                self.say("250 well")
                continue
            self.say("354 go on")
            lines = []
            for part in self.rfile:
                if part == b".\r\n":
                    break
                lines.append(part.decode().rstrip("\r\n"))
            message = message_from_string("\n".join(lines))
            keep("mail", message["Subject"], message.get_payload(decode=True).decode("utf-8"))
            self.say("250 kept")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        if self.path.startswith("/ping/"):
            keep("ping", self.path, body)
        else:
            event = json.loads(body)
            keep("webhook", f"{event['check']} {event['event']}", event["text"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


threading.Thread(target=MailServer(("127.0.0.1", 2525), Mail).serve_forever, daemon=True).start()
http.server.ThreadingHTTPServer(("127.0.0.1", 8025), Web).serve_forever()
