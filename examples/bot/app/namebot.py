"""The bot that talks with people. It only looks into the database; the routine asks the carrier."""

import os
import signal
import socketserver
import sys
from contextlib import closing

from database import opened_database


class Conversation(socketserver.StreamRequestHandler):
    """One line in, one line out. A real bot would read its messages from the chat service instead."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(answer(line.decode(errors="replace").split()).encode() + b"\n")


def answer(words: "list[str]") -> str:
    if words == ["/start"]:
        return f"Hello! I am NameBot, process {os.getpid()}."
    if len(words) == 2 and words[0] in ("/track", "/package"):
        with closing(opened_database()) as database:
            if words[0] == "/track":
                database.execute("INSERT OR IGNORE INTO packages VALUES (?, 'not asked yet')", (words[1],))
            found = database.execute("SELECT state FROM packages WHERE code = ?", (words[1],)).fetchone()
        return f"{words[1]}: {found[0] if found else 'unknown'}"
    return "I know /start, /track CODE and /package CODE."


class Bot(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    timeout = 0.1


def main() -> int:
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    bot = Bot(("127.0.0.1", int(os.environ.get("PORT", "7000"))), Conversation)
    print("NameBot is listening")
    while not stopping:
        bot.handle_request()
    bot.server_close()
    print("NameBot says goodbye")
    return 0


sys.exit(main())
