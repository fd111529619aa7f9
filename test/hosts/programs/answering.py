"""Answers HTTP with its name, on the sockets that systemd passes or on ports of its own; what it accepted it answers."""

import json
import os
import selectors
import signal
import socket
import sys
import threading

FIRST_PASSED_FD = 3


def answer(connection: socket.socket, name: str) -> None:
    with connection:
        connection.settimeout(10)
        received = b""
        while not received.endswith(b"\r\n\r\n"):
            chunk = connection.recv(4096)
            if not chunk:
                return
            received += chunk
        body = json.dumps({"name": name, "pid": os.getpid()}) + "\n"
        connection.sendall(f"HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def listening(ports: list[str]) -> list[socket.socket]:
    """The sockets of sd_listen_fds(3), or own ones."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return [socket.create_server(("", int(port)), backlog=1024) for port in ports]
    return [socket.socket(fileno=FIRST_PASSED_FD + at) for at in range(int(os.environ["LISTEN_FDS"]))]


def notify(text: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
        manager.send(text.encode())


def main(name: str, ports: list[str]) -> None:
    stopping = False

    def stop(_signal: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    accepted: list[threading.Thread] = []
    with selectors.DefaultSelector() as selector:
        for passed in listening(ports):
            passed.setblocking(False)
            selector.register(passed, selectors.EVENT_READ)
        notify("READY=1")
        while not stopping:
            for key, _ in selector.select(0.05):
                try:
                    connection, _ = key.fileobj.accept()
                except BlockingIOError:
                    # Another process that has the same socket was quicker.
                    continue
                accepted = [thread for thread in accepted if thread.is_alive()]
                accepted.append(threading.Thread(target=answer, args=(connection, name)))
                accepted[-1].start()
    for thread in accepted:
        thread.join()


main(sys.argv[1], sys.argv[2:])
