"""The command line of the joined program: what is asked for, and how far it has come."""

from __future__ import annotations

import sys

from .launch import enter

OPERATIONS = ("apply", "destroy", "look", "status", "logs")
RECOVER = "recover"
# What `pulumi-systemd-host` runs, for a person on the host.
COMMAND = "command"
BACK = "rollback"


def main(argv: list[str], program: bytes) -> int:
    """Run one stage; its exit status. `program` is the text of the joined program itself."""
    if argv and argv[0] == COMMAND:
        from .command import main as command

        return command(argv[1:], program)
    options = dict(argument.partition("=")[::2] for argument in argv[1:])
    if argv and argv[0] == BACK and "--transaction" in options:
        from .run import run_transaction

        return run_transaction(BACK, options["--transaction"], options.get("--login-home"))
    if not argv or argv[0] not in (*OPERATIONS, RECOVER):
        sys.stdout.write(f"expected one of {', '.join(OPERATIONS)}\n")
        return 1
    home = options.get("--login-home")
    if argv[0] == RECOVER:
        from .run import run_recovery

        return run_recovery(options.get("--transaction"), "--boot" in options)
    if "--transaction" in options:
        # Only this stage needs the whole program; the others stay quick to load.
        from .run import run_transaction

        return run_transaction(argv[0], options["--transaction"], home)
    return enter(argv[0], program, sys.stdin.buffer.read(), home, "--under-sudo" in options)
