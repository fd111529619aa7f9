"""uvicorn that answers every connection it has taken. `uvicorn` itself closes those whose request has not wholly arrived."""

import asyncio
import socket
from typing import List, Optional

import uvicorn

# Longest wait for requests that are on their way. Idle kept-alive connections are closed after it.
GRACE_SEC = 2.0


class Server(uvicorn.Server):
    """Takes no more connections at first, and only then shuts down as uvicorn does."""

    async def shutdown(self, sockets: Optional[List[socket.socket]] = None) -> None:
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listening in server.sockets:
                # To close the server at once would lose what asyncio has accepted a moment ago.
                loop.remove_reader(listening.fileno())
        await asyncio.sleep(0.1)
        end = loop.time() + GRACE_SEC
        while self.server_state.connections and loop.time() < end:
            await asyncio.sleep(0.05)
        await super().shutdown(sockets)


if __name__ == "__main__":
    # Descriptor 3 is the socket of systemd.
    Server(uvicorn.Config("app:app", fd=3, loop="asyncio", timeout_graceful_shutdown=30)).run()
