"""Moving what was staged to its place, and never over what somebody else put there meanwhile."""

from __future__ import annotations

import errno
import os

from .errors import HostError
from .files import Found, found_at
from .saved import SavedPath
from .system import System

NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)


def move_staged(system: System, staged: str, path: str, seen: Found) -> None:
    """Move `staged` to `path` in one step. Raises HostError if what lies there is not what the plan was made from."""
    target = system.at(path)
    now = found_at(target)
    try:
        if _content(now) != _content(seen):
            raise FileExistsError
        if now.exists or not _moved_to_nothing(staged, target):
            os.replace(staged, target)
    except FileExistsError:
        now = found_at(target)
        how = "its content differs" if now.kind == seen.kind else f"it was {seen.kind}, now it is {now.kind}"
        raise HostError(f"{path} was changed by somebody else meanwhile, and stays as it is: {how}") from None


def is_of_others(system: System, staged: str, saved: SavedPath) -> bool:
    """Whether somebody else changed what was `saved` before anything was moved there: `staged` still lies beside it."""
    target = system.at(saved.path)
    if not os.path.lexists(staged) or _content(found_at(target)) == _content(saved):
        return False
    # While it is moved it has both names.
    return not (os.path.lexists(target) and os.path.samestat(os.lstat(staged), os.lstat(target)))


def _moved_to_nothing(staged: str, target: str) -> bool:
    """Move it where nothing lies. Raises FileExistsError if something does; False where it cannot be done."""
    try:
        os.link(staged, target, follow_symlinks=False)
    except OSError as problem:
        if problem.errno in NO_HARD_LINKS:
            return False
        raise
    os.unlink(staged)
    return True


def _content(found: Found | SavedPath) -> tuple[str, str, str]:
    return found.kind, found.digest, found.target
