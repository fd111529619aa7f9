"""The bot that talks with people. It only looks into the database; the routine asks the carrier."""

import os
import signal
import socketserver
import sys
import threading
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


def main() -> int:
    bot = Bot(("127.0.0.1", int(os.environ.get("PORT", "7000"))), Conversation)
    # shutdown() waits for the loop, which runs in this very thread.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: threading.Thread(target=bot.shutdown).start())
    print("NameBot is listening")
    bot.serve_forever(poll_interval=0.1)
    bot.server_close()
    print("NameBot says goodbye")
    return 0


sys.exit(main())
