"""As much of D-Bus's wire protocol as a small service needs, without a dependency. See the D-Bus Specification."""

import os
import socket
import struct
from typing import BinaryIO, Dict, List, NamedTuple, Tuple, Union

SYSTEM_BUS = "/run/dbus/system_bus_socket"
CALL, REPLY, ERROR = 1, 2, 3
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = 1, 2, 3, 4, 5, 6, 7, 8

Value = Union[int, str]
Field = Tuple[int, str, Value]


class Message(NamedTuple):
    kind: int
    serial: int
    fields: Dict[int, Value]
    body: bytes


class Bus:
    """A connection to the system bus, as the user that runs this process."""

    def __init__(self) -> None:
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.connect(SYSTEM_BUS)
        self.source: BinaryIO = channel.makefile("rb")
        self.channel = channel
        self.serial = 0
        self.early: List[Message] = []
        self.channel.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        answer = self.source.readline()
        if not answer.startswith(b"OK "):
            raise ConnectionError(f"the bus refused the login: {answer!r}")
        self.channel.sendall(b"BEGIN\r\n")
        self.ask("Hello", "", b"")

    def own(self, name: str) -> None:
        """Takes a name on the bus; the bus's policy must allow it."""
        text = packed_text(name)
        without_waiting = struct.pack("<I", 4)
        owned = self.ask("RequestName", "su", text + padding(len(text), 4) + without_waiting)
        if owned.body != struct.pack("<I", 1):
            raise RuntimeError(f"the name {name} is taken")

    def ask(self, member: str, signature: str, body: bytes) -> Message:
        """Calls a method of the bus itself and waits for its answer."""
        bus = "org.freedesktop.DBus"
        fields: List[Field] = [
            (PATH, "o", "/org/freedesktop/DBus"),
            (INTERFACE, "s", bus),
            (MEMBER, "s", member),
            (DESTINATION, "s", bus),
        ]
        if signature:
            fields.append((SIGNATURE, "g", signature))
        asked = self.send(CALL, fields, body)
        while True:
            answer = self.read()
            if answer.fields.get(REPLY_SERIAL) != asked:
                # The call that made the bus start this service comes before the answer to RequestName.
                self.early.append(answer)
                continue
            if answer.kind == ERROR:
                raise RuntimeError(f"{member}: {answer.fields[ERROR_NAME]}")
            return answer

    def reply(self, call: Message, text: str) -> None:
        """Answers a call by one string."""
        self.send(REPLY, [*self.back_to(call), (SIGNATURE, "g", "s")], packed_text(text))

    def refuse(self, call: Message) -> None:
        """Answers a call that nobody here knows."""
        name = "org.freedesktop.DBus.Error.UnknownMethod"
        self.send(ERROR, [*self.back_to(call), (ERROR_NAME, "s", name)], b"")

    def back_to(self, call: Message) -> List[Field]:
        return [(REPLY_SERIAL, "u", call.serial), (DESTINATION, "s", call.fields[SENDER])]

    def send(self, kind: int, fields: List[Field], body: bytes) -> int:
        self.serial += 1
        array = b""
        for code, signature, value in fields:
            array += padding(len(array), 8) + bytes([code, 1]) + signature.encode() + b"\0"
            array += packed(signature, value)
        head = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), self.serial, len(array)) + array
        self.channel.sendall(head + padding(len(head), 8) + body)
        return self.serial

    def receive(self) -> Message:
        """The next message. Raises ConnectionError when the bus has gone."""
        return self.early.pop(0) if self.early else self.read()

    def read(self) -> Message:
        head = self.source.read(16)
        if len(head) < 16:
            raise ConnectionError("the bus closed the connection")
        order = "<" if head[:1] == b"l" else ">"
        kind = head[1]
        length, serial, array_length = struct.unpack(order + "III", head[4:])
        array = self.source.read(array_length + len(padding(array_length, 8)))
        return Message(kind, serial, unpacked_fields(array[:array_length], order), self.source.read(length))


def padding(length: int, boundary: int) -> bytes:
    return b"\0" * (-length % boundary)


def packed_text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data + b"\0"


def packed(signature: str, value: Value) -> bytes:
    if isinstance(value, int):
        return struct.pack("<I", value)
    if signature == "g":
        return bytes([len(value)]) + value.encode() + b"\0"
    return packed_text(value)


def unpacked_fields(array: bytes, order: str) -> Dict[int, Value]:
    fields: Dict[int, Value] = {}
    at = 0
    while at < len(array):
        at += len(padding(at, 8))
        code, signature = array[at], chr(array[at + 2])
        at += 4
        if signature == "g":
            length = array[at]
            fields[code] = array[at + 1 : at + 1 + length].decode()
            at += length + 2
        else:
            (number,) = struct.unpack_from(order + "I", array, at)
            at += 4
            if signature == "u":
                fields[code] = number
            else:
                fields[code] = array[at : at + number].decode()
                at += number + 1
    return fields
