"""The transaction inside its unit."""

from __future__ import annotations

import fcntl
import json
import os
import traceback

from .bundle import parse_bundle
from .errors import HostError
from .files import write_atomically
from .lock import DIRECTORY
from .redaction import Redactor
from .system import Host
from .transaction import Transaction


def run_transaction(operation: str, transaction: str, login_home: str | None) -> int:
    """The transaction itself, inside its unit. The result goes to disk; the one who asked may be gone."""
    os.umask(0o077)
    scratch = os.path.join(DIRECTORY, transaction)
    alive = os.open(os.path.join(scratch, "alive"), os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(alive, fcntl.LOCK_SH)
    redactor = Redactor()
    try:
        path = os.path.join(scratch, "bundle.json")
        with open(path, "rb") as source:
            data = source.read()
        # It holds secrets and is not needed again.
        os.unlink(path)
        bundle = parse_bundle(data)
        receipt = Transaction(Host(), operation, bundle, transaction, scratch, login_home, redactor).run()
        code, text = 0, receipt.to_json(redactor)
    except HostError as problem:
        code, text = 1, redactor.redact(str(problem))
    except Exception:  # noqa: BLE001
        code, text = 1, redactor.redact("a fault in pulumi-systemd's host program:\n" + traceback.format_exc())
    result = json.dumps({"code": code, "text": text}).encode("utf-8")
    write_atomically(os.path.join(scratch, "result.json"), result, 0o600, "result")
    os.close(alive)
    return code
