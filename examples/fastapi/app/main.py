"""Quotes: a small service on FastAPI."""

import os
from contextlib import asynccontextmanager
from typing import AsyncIterator

from fastapi import FastAPI

from notify import notify

QUOTES = ["Simple is better than complex.", "Errors should never pass silently."]


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Tell systemd when the service is up, and when it ends."""
    notify("READY=1")
    yield
    notify("STOPPING=1")


app = FastAPI(lifespan=lifespan)


@app.get("/quotes/{number}")
async def quote(number: int) -> dict[str, object]:
    """One quote."""
    return {"quote": QUOTES[number % len(QUOTES)], "pid": os.getpid()}


@app.get("/health")
async def health() -> dict[str, bool]:
    """Whether it can answer."""
    return {"healthy": True}
