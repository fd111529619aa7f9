"""From the SSH login to the answer: sudo where it is needed, the request, and what it prints."""

from __future__ import annotations

import json
import os
import pwd

from .errors import HostError
from .sent import sent_parts
from .sudo import TOLD_UNDER_SUDO, through_sudo
from .writing import write_quietly


def enter(operation: str, program: bytes, payload: bytes, login_home: str | None, under_sudo: bool) -> int:
    """The whole run as the SSH command sees it; its exit status. Prints the receipt or the error."""
    code = 1
    kept: tuple[str, ...] = ()
    try:
        password, bundle = sent_parts(payload)
        if os.geteuid() != 0:
            if under_sudo:
                raise HostError("sudo did not make this program root: this host's sudoers runs it as another user")
            return through_sudo(operation, program, bundle, password)
        # The login user's own run has ended above, quickly: it loads nothing of what follows.
        from .as_root import as_root

        result = as_root(operation, program, bundle, login_home or pwd.getpwuid(0).pw_dir)
        code, text, kept = result.code, result.text, result.kept
    except HostError as problem:
        text = str(problem)
    except OSError as problem:
        text = f"{problem.filename or 'the host program'}: {problem.strerror or problem}"
    written = write_quietly(1, text.rstrip("\n") + "\n")
    if operation == "destroy" and code == 0:
        # Nobody reads the receipt of a resource that is gone.
        for warning in json.loads(text)["warnings"]:
            write_quietly(2, f"warning: {warning}\n")
    if written and kept:
        _forget_heard(kept)
    return TOLD_UNDER_SUDO if code and under_sudo else code


def _forget_heard(kept: tuple[str, ...]) -> None:
    from .answer import forget_answers
    from .heard import was_heard

    if was_heard(1):
        forget_answers(kept)
