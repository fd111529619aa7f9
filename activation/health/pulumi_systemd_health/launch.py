"""
How the joined program starts: by what it was compiled to before. To compile it takes longer than most checks, and each
run is a new process.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import stat
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType

ROOT_ID = 0
HASH_IS_CHECKED = (3).to_bytes(4, "little")


def program_code(source: str, file: str, kept: str) -> CodeType:
    """
    The code of the program `source` of `file`. `kept` is where root keeps it compiled, as a .pyc file of Python's own
    form (PEP 552) with the hash of the source. It is used only when it is of this source, this Python, and nobody but
    root can have written it; it is written whole or not at all, where its directory is there.
    """
    if os.geteuid() != ROOT_ID or sys.flags.optimize:
        return _compiled(source, file)
    head = MAGIC_NUMBER + HASH_IS_CHECKED + source_hash(source.encode("ascii"))
    code = _kept_code(kept, head)
    if code is None:
        code = _compiled(source, file)
        _keep(kept, head + marshal.dumps(code))
    return code


def _compiled(source: str, file: str) -> CodeType:
    code: CodeType = compile(source, file, "exec", dont_inherit=True)
    return code


def _kept_code(kept: str, head: bytes) -> CodeType | None:
    try:
        with open(os.open(kept, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != ROOT_ID or stat.S_IMODE(status.st_mode) & 0o022 or file.read(len(head)) != head:
                return None
            code = marshal.loads(file.read())  # noqa: S302 root wrote it
    except (OSError, EOFError, ValueError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _keep(kept: str, data: bytes) -> None:
    draft = f"{kept}.{os.getpid()}"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(draft, kept)
    except OSError:
        # It is only quicker. A full /run must not keep half of it.
        with contextlib.suppress(OSError):
            os.unlink(draft)
