"""A Celery worker's task, with the redis-server of the host as broker and for results."""

import numpy as np
from celery import Celery

app = Celery("tasks", broker="redis://127.0.0.1:6379/0", backend="redis://127.0.0.1:6379/1")
app.conf.broker_connection_retry_on_startup = True


@app.task
def product(left, right):
    return (np.array(left) @ np.array(right)).tolist()
