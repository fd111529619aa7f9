"""The worker and the beat. Each touches a file as long as its own loop turns, which a check looks at."""

import os
from pathlib import Path

from celery import Celery
from celery.beat import PersistentScheduler
from celery.signals import heartbeat_sent

app = Celery("reports", broker="redis://127.0.0.1:6379/0")
app.conf.broker_connection_retry_on_startup = True
app.conf.beat_max_loop_interval = 2
app.conf.beat_schedule = {"report": {"task": "reports.tasks.report", "schedule": 60.0}}


def alive() -> None:
    (Path(os.environ["STATE_DIRECTORY"]) / "alive").touch()


@app.task
def report() -> str:
    return "made"


@heartbeat_sent.connect
def beat_of_the_worker(**_: object) -> None:
    alive()


class Scheduler(PersistentScheduler):
    def tick(self, *arguments: object, **named: object) -> float:
        alive()
        return super().tick(*arguments, **named)
