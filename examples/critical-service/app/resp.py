"""As much of redis's protocol as this example needs, without a dependency."""

import socket
from typing import BinaryIO, Optional, Union

Answer = Union[int, str, None]


class Redis:
    """One connection. It raises OSError when the server is away, RuntimeError when the server refuses a command."""

    def __init__(self, address: str = "127.0.0.1", port: int = 6379, timeout: float = 5.0) -> None:
        self.address = (address, port)
        self.timeout = timeout
        self.channel: Optional[socket.socket] = None
        self.answers: Optional[BinaryIO] = None

    def command(self, *words: str) -> Answer:
        """Sends one command and gives its answer; `None` for nothing."""
        try:
            if self.channel is None or self.answers is None:
                self.channel = socket.create_connection(self.address, self.timeout)
                self.answers = self.channel.makefile("rb")
            encoded = [word.encode() for word in words]
            self.channel.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded))
            return read_answer(self.answers)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self.answers is not None:
            self.answers.close()
        if self.channel is not None:
            self.channel.close()
        self.channel = self.answers = None


def read_answer(answers: BinaryIO) -> Answer:
    line = answers.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("redis closed the connection")
    kind, text = line[:1], line[1:-2].decode()
    if kind == b"+":
        return text
    if kind == b":":
        return int(text)
    if kind == b"$":
        return None if text == "-1" else answers.read(int(text) + 2)[:-2].decode()
    raise RuntimeError(f"redis answered {text}")
