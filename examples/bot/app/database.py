"""The packages that people asked about, shared by the bot and its routine."""

import os
import sqlite3
from pathlib import Path


def opened_database() -> sqlite3.Connection:
    """The database in the state directory; it is made when it is not there."""
    database = sqlite3.connect(Path(os.environ["STATE_DIRECTORY"]) / "packages.db", timeout=10, isolation_level=None)
    database.execute("CREATE TABLE IF NOT EXISTS packages (code TEXT PRIMARY KEY, state TEXT NOT NULL)")
    return database
