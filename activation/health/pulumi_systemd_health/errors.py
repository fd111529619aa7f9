"""What can go wrong with a check itself, as opposed to the unit that it watches."""

from __future__ import annotations


class BrokenCheckError(Exception):
    """The check could not be made, so it says nothing about the unit. The text is the whole message."""
