"""A small web service: one answer from a thread, one from the event loop."""

import asyncio
import subprocess

import numpy as np
from fastapi import FastAPI

app = FastAPI()


@app.get("/sum/{count}")
def total(count: int) -> dict[str, int]:
    return {"sum": int(np.arange(count + 1).sum())}


@app.get("/echo/{word}")
async def echo(word: str) -> dict[str, str]:
    child = await asyncio.create_subprocess_exec("echo", "-n", word, stdout=subprocess.PIPE)
    output, _ = await child.communicate()
    return {"echo": output.decode()}
