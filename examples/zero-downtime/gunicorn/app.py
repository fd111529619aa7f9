"""A WSGI application. gunicorn takes the socket of systemd by itself, says READY=1, and drains at SIGTERM."""

import json
import os
import time
from typing import Any, Callable


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Who answers. `/slow` takes its time: a release that comes meanwhile waits for it."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(2)
    body = json.dumps({"pid": os.getpid()}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
