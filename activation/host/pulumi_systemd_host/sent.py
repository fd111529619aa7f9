"""What stands on standard input behind the program: the bundle or request, and before it a password for sudo."""

from __future__ import annotations

import base64
import zlib

from .errors import HostError

SUDO_LINE = b"sudo "
# Far more than any bundle is, and little enough for a small machine.
MOST_BYTES = 256 << 20


def sent_parts(payload: bytes) -> tuple[str | None, bytes]:
    """The password of the login user, which may stand in a line before the bundle, and the bundle as JSON."""
    password, bundle = _sudo_password(payload)
    if bundle[:1] == b"{":
        return password, bundle
    text = unpacked(bundle, MOST_BYTES)
    if text is None:
        raise HostError(
            "the bundle is neither JSON nor packed as this program expects: cut off, or larger than 256 MiB"
        )
    return password, text


def _sudo_password(payload: bytes) -> tuple[str | None, bytes]:
    if not payload.startswith(SUDO_LINE):
        return None, payload
    line, _, bundle = payload.partition(b"\n")
    try:
        return base64.b64decode(line[len(SUDO_LINE) :], validate=True).decode("utf-8"), bundle
    except ValueError:
        raise HostError("the line before the bundle is not what this program expects") from None


def unpacked(packed: bytes, most: int) -> bytes | None:
    """A bundle or program that travelled as zlib in base64. None where it is cut off, or more than `most` bytes."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(base64.b64decode(packed, validate=True), most)
    except (ValueError, zlib.error):
        return None
    return text if stream.eof else None
