"""The tasks of a worker, and when beat asks for them. The broker is the host's own redis."""

import os
from pathlib import Path

from celery import Celery
from celery.signals import worker_ready

from notify import notify

app = Celery("tasks", broker="redis://127.0.0.1:6379/0", backend="redis://127.0.0.1:6379/1")
app.conf.broker_connection_retry_on_startup = True
app.conf.beat_schedule = {"tick": {"task": "tasks.tick", "schedule": 2.0}}


@worker_ready.connect
def ready(**_of_signal: object) -> None:
    """Tell systemd that the worker takes tasks."""
    notify("READY=1")


@app.task
def tick() -> int:
    """Count one more tick, in the worker's own directory."""
    path = Path(os.environ["STATE_DIRECTORY"]) / "ticks"
    count = int(path.read_text()) + 1 if path.exists() else 1
    path.write_text(str(count))
    return count
