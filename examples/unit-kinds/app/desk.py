"""A service with a name on the system bus: once it owns that, systemd counts it as up. It answers Greet."""

import os
import struct

from bus import CALL, INTERFACE, MEMBER, SIGNATURE, Bus

NAME = "org.example.Desk"

bus = Bus()
bus.own(NAME)
print("taken:", NAME)
while True:
    call = bus.receive()
    if call.kind != CALL:
        continue
    wanted = (call.fields.get(INTERFACE), call.fields.get(MEMBER), call.fields.get(SIGNATURE))
    if wanted == (NAME, "Greet", "s"):
        (length,) = struct.unpack_from("<I", call.body)
        bus.reply(call, f"Good day, {call.body[4 : 4 + length].decode()}, says process {os.getpid()}")
    else:
        bus.refuse(call)
