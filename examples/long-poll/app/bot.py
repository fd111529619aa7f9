"""A bot that long-polls its chat service (as Telegram's do), and never answers a message twice or not at all."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Optional

import requests

from notify import notify

API = os.environ.get("CHAT_API", "http://127.0.0.1:9100")
POLL_SEC = 20


class Stop(BaseException):
    """SIGTERM came while the bot waited for messages."""


class Bot:
    """Polls from the first message that is not answered on."""

    def __init__(self) -> None:
        self.waiting = False
        self.stopping = False
        self.seen = Path(os.environ["STATE_DIRECTORY"]) / "seen"
        self.offset = int(self.seen.read_text()) if self.seen.exists() else 0

    def stop(self, _signal: int, _frame: Optional[FrameType]) -> None:
        """A poll can be broken off; an answer is sent to its end."""
        self.stopping = True
        if self.waiting:
            raise Stop

    def poll(self, seconds: int) -> list[dict[str, object]]:
        self.waiting = True
        try:
            if self.stopping:
                raise Stop
            parameters = {"offset": self.offset, "timeout": seconds}
            reply = requests.get(f"{API}/getUpdates", params=parameters, timeout=seconds + 10)
            reply.raise_for_status()
            return list(reply.json())
        finally:
            self.waiting = False

    def answer(self, message: dict[str, object]) -> None:
        text = f"{message['text']}, says process {os.getpid()}"
        requests.post(f"{API}/sendMessage", json={"to": message["id"], "text": text}, timeout=10).raise_for_status()
        self.offset = int(str(message["id"])) + 1
        partial = self.seen.with_suffix(".partial")
        partial.write_text(str(self.offset))
        partial.replace(self.seen)

    def run(self) -> None:
        # Up means: the chat service has answered once.
        seconds = 0
        while not self.stopping:
            for message in self.poll(seconds):
                self.answer(message)
            if seconds == 0:
                notify("READY=1")
            notify("WATCHDOG=1")
            seconds = POLL_SEC


def main() -> int:
    bot = Bot()
    signal.signal(signal.SIGTERM, bot.stop)
    try:
        bot.run()
    except Stop:
        notify("STOPPING=1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
