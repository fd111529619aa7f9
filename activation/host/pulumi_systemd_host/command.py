"""`pulumi-systemd-host`: what a person on the host can see and do when Pulumi is out of reach."""

from __future__ import annotations

import argparse
import io
import json
import os
import pwd
import sys
import time
from dataclasses import replace
from typing import Any, NoReturn

from .command_text import generations_text, plan_text, receipt_text, status_text
from .command_view import generations_view, status_view
from .errors import HostError
from .generations import Back, Generation, read_generations, target_of
from .health_command import run_health, show_log
from .holding import COMMAND, moment, read_hold, rollback_told, span_sec, told, valid, write_hold
from .ledger import Hold, Ledger, all_ledgers, read_ledger, scope_directory, write_ledger
from .lock import host_lock
from .system import Host, System

LOCK_SEC = 120.0
HOLD = "12h"

DESCRIPTION = """\
See and change what pulumi-systemd deployed to this host, without Pulumi: for the night when CI is down.
Everything here needs root. A SCOPE is project/stack/host, as `status` shows it."""

STATUS = f"""\
examples:
  sudo {COMMAND} status
  sudo {COMMAND} status --json | jq '.scopes[].units[] | select(.activeState != "active")'"""

GENERATIONS = f"""\
examples:
  sudo {COMMAND} generations
  sudo {COMMAND} generations --scope shop/prod/web1 --json"""

ROLLBACK = f"""\
It is the same transaction as an update: what changed is restarted, what did not is left alone, and a unit that does not
come up puts everything back. It makes a new generation. Data of services is not touched. Updates are then held off for
{HOLD}, so that nothing brings the bad state back meanwhile; `{COMMAND} resume` lets them in.

examples:
  sudo {COMMAND} rollback --dry-run
  sudo {COMMAND} rollback --reason "orders answer 500"
  sudo {COMMAND} rollback 6 --hold 2d"""

HOLDING = f"""\
An update, or a destroy, is refused until then, and says who holds it and why. It ends by itself.

examples:
  sudo {COMMAND} hold
  sudo {COMMAND} hold 90min --reason "moving the database"
  sudo {COMMAND} hold 2d --scope shop/prod/web1"""

RESUMING = f"""\
examples:
  sudo {COMMAND} resume
  sudo {COMMAND} resume --scope shop/prod/web1"""

HEALTH = f"""\
CHECK is the name of a check or of a group of them; without one, it is all of this host. `hold` here keeps checks from
acting, for a day at most; updates go on: `{COMMAND} hold` is for those.

examples:
  sudo {COMMAND} health
  sudo {COMMAND} health --json
  sudo {COMMAND} health hold 30m
  sudo {COMMAND} health hold 2h shop/api
  sudo {COMMAND} health resume
  sudo {COMMAND} health check shop
  sudo {COMMAND} health log --since today shop/api"""


LOG_OPTIONS = (
    ("-n", "--lines", "COUNT"),
    ("-S", "--since", "TIME"),
    ("-U", "--until", "TIME"),
    ("-o", "--output", "FORM"),
)


class Parser(argparse.ArgumentParser):
    """Mistakes end with 2 and a line that says what is accepted."""

    def error(self, message: str) -> NoReturn:
        sys.stderr.write(f"{self.prog}: {message}\n{self.format_usage()}try `{self.prog} --help`\n")
        sys.exit(2)


def parser() -> argparse.ArgumentParser:
    top = Parser(prog=COMMAND, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def command(name: str, summary: str, epilog: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.add_argument("--scope", metavar="SCOPE", help="only this one of several")
        made.add_argument("--json", action="store_true", help="print JSON for programs")
        return made

    command("status", "What is deployed here, whether it runs, and whether updates are held off.", STATUS)
    command("generations", "The states that are kept, newest first, and in what each differs.", GENERATIONS)
    rollback = command("rollback", "Go back to an earlier generation; without N, the one before this.", ROLLBACK)
    rollback.add_argument("generation", metavar="N", type=_number, nargs="?", help="number of the generation")
    rollback.add_argument("--reason", metavar="TEXT", type=_text, default="", help="why, for whoever reads it next")
    rollback.add_argument("--unit", metavar="UNIT", help="of the scope that has this unit, in place of --scope")
    rollback.add_argument("--newer", metavar="DURATION", type=_span, help="only if the update came less long ago")
    # A health check says so who it is.
    rollback.add_argument("--by", metavar="NAME", type=_text, help=argparse.SUPPRESS)
    rollback.add_argument("--ill", type=_two_times, action="append", default=[], help=argparse.SUPPRESS)
    rollback.add_argument("--dry-run", action="store_true", help="only say what would be done")
    held = rollback.add_mutually_exclusive_group()
    held.add_argument("--hold", metavar="DURATION", type=_span, default=_span(HOLD), help=f"default: {HOLD}")
    held.add_argument("--no-hold", action="store_true", help="let updates in at once")
    hold = command("hold", "Hold updates off for a time.", HOLDING)
    hold.add_argument("duration", metavar="DURATION", type=_span, nargs="?", default=_span(HOLD), help="default: 12h")
    hold.add_argument("--reason", metavar="TEXT", type=_text, default="", help="why, for whoever is refused")
    command("resume", "Let updates in again, also what was rolled back from.", RESUMING)
    _add_health(commands)
    return top


def _add_health(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "The health checks of this host: how each is, what was done, what is left of its budget."
    form = argparse.RawDescriptionHelpFormatter
    health = commands.add_parser("health", help=summary, description=summary, epilog=HEALTH, formatter_class=form)
    health.add_argument("--json", action="store_true", help="print JSON for programs")
    # Without a verb it is the status.
    health.set_defaults(verb="status", words=[], checks=[])
    verbs = health.add_subparsers(metavar="VERB", parser_class=Parser)

    for name, what in (
        ("status", "Every check, its state, its budget, when it will act."),
        ("hold", "Do nothing about these checks for a time; checks go on."),
        ("resume", "End a hold."),
        ("check", "Check now, then show the status."),
        ("log", "What checks saw, did and told, from the journal. Options are journalctl's."),
    ):
        made = verbs.add_parser(name, help=what, description=what)
        made.set_defaults(verb=name)
        if name == "status":
            made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON for programs")
        if name == "log":
            made.add_argument("-f", "--follow", action="store_true", help="go on with what comes")
            for short, long, value in LOG_OPTIONS:
                made.add_argument(short, long, metavar=value, help=f"journalctl's {long}")
        if name == "hold":
            made.add_argument("words", metavar="DURATION", nargs=1, help="such as 30m or 2h, a day at most")
        made.add_argument("checks", metavar="CHECK", nargs="*", help="name of a check or of a group; default: all")


def main(argv: list[str], program: bytes) -> int:
    """Run one command line; its exit status: 0 done, 1 not done and why, 2 not understood."""
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's locale has no character for is shown as its number.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(argv)
    try:
        if os.geteuid() != 0:
            raise HostError(f"this needs root, since what is kept holds secrets: sudo {COMMAND} {options.command}")
        return _run(Host(), options, program)
    except HostError as problem:
        sys.stderr.write(f"{COMMAND}: {problem}\n")
    except OSError as problem:
        sys.stderr.write(f"{COMMAND}: {problem.filename or 'the host'}: {problem.strerror or problem}\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"{COMMAND}: interrupted; a rollback that has begun goes on: see `{COMMAND} status`\n")
    return 1


def _run(system: System, options: argparse.Namespace, program: bytes) -> int:
    now = time.time()
    if options.command == "health" and options.verb == "log":
        values = {long: getattr(options, long[2:]) for _, long, _ in LOG_OPTIONS}
        given = [f"{long}={value}" for long, value in values.items() if value is not None]
        return show_log(system, [*given, *(["--follow"] if options.follow else [])], options.checks)
    if options.command == "health":
        return run_health(system, options.verb, options.words, options.checks, options.json)
    if options.command == "status":
        view = status_view(system, _chosen(system, options.scope), now)
        _print(view if options.json else status_text(view))
    elif options.command == "generations":
        found = [generations_view(system, ledger) for ledger in _chosen(system, options.scope)]
        _print({"scopes": found} if options.json else generations_text(found))
    elif options.command == "hold":
        _print(hold(system, options.scope, Hold(person(), now, now + options.duration, options.reason), options.json))
    elif options.command == "resume":
        _print(resume(system, options.scope, options.json))
    else:
        return rollback(system, options, program)
    return 0


def hold(system: System, scope: str | None, wanted: Hold, as_json: bool) -> Any:
    """Hold updates off, of the whole host or of one scope; what to print."""
    with host_lock(system, f"{wanted.who} ({COMMAND} hold)", LOCK_SEC):
        if scope is None:
            write_hold(system, wanted)
        else:
            ledger = _whole(system, _one(system, scope))
            ledger.hold = wanted
            write_ledger(system, ledger)
    what = scope or "this host"
    if as_json:
        return {"held": what, "until": wanted.until}
    return f"{what} is {told(wanted)}.\n`{COMMAND} resume` ends it.\n"


def resume(system: System, scope: str | None, as_json: bool) -> Any:
    """End what holds updates off, all or that of one scope; what to print."""
    ended, problems = [], []
    with host_lock(system, f"{person()} ({COMMAND} resume)", LOCK_SEC):
        if scope is None and _host_hold(system):
            write_hold(system, None)
            ended.append("this host")
        for ledger in _chosen(system, scope):
            if ledger.hold or ledger.rolled_back:
                try:
                    write_ledger(system, replace(_whole(system, ledger), hold=None, rolled_back=None))
                    ended.append(ledger.scope)
                except HostError as problem:
                    problems.append(str(problem))
        still = valid(_host_hold(system), time.time()) if scope else None
    lines = [f"{what}: updates are let in again." for what in ended]
    if problems:
        raise HostError("\n".join([*problems, *lines]))
    if as_json:
        return {"resumed": ended}
    lines = lines or ["Nothing was held."]
    lines += [f"But this host is still {told(still)}: `{COMMAND} resume` without --scope."] if still else []
    return "".join(f"{line}\n" for line in lines)


def _host_hold(system: System) -> Hold | None:
    try:
        return read_hold(system)
    except HostError:
        # Damaged: resume is what removes it.
        return Hold("", 0.0, 0.0)


def rollback(system: System, options: argparse.Namespace, program: bytes) -> int:
    """Go back to a generation, in a unit of its own that outlives this terminal; the exit status."""
    from .as_root import go_back
    from .rehearsal import rehearsed

    ledger = _whole(system, _one(system, options.scope) if options.unit is None else _owner(system, options.unit))
    directory = os.path.join(scope_directory(system, ledger.scope), "generations")
    generations = read_generations(directory)
    if options.newer is None:
        target = target_of(generations, ledger, options.generation)
    else:
        target = target_for_check(system, ledger, generations, options, time.time())
    back = Back(target.number, options.by or person(), options.reason, 0 if options.no_hold else options.hold)
    actions, conflicts = rehearsed(system, ledger, target)
    if options.dry_run or conflicts:
        plan = {"scope": ledger.scope, "to": target.number, "actions": actions, "conflicts": conflicts}
        _print(plan if options.json else plan_text(ledger, target, actions, conflicts))
        return 1 if conflicts else 0
    result = go_back(program, target.parsed().raw, back)
    if result.code:
        raise HostError(result.text)
    receipt = json.loads(result.text)
    _print(receipt if options.json else receipt_text(ledger.scope, target.number, receipt, back, time.time()))
    return 0


def target_for_check(
    system: System, ledger: Ledger, generations: dict[int, Generation], asked: argparse.Namespace, now: float
) -> Generation:
    """
    The generation that a health check goes back to. Raises HostError where it may not: one went back already, a person
    holds the host, the update came too long ago, or what is ill was ill before that: then the update is not what is
    wrong, and what was there before it is no better.
    """
    if ledger.rolled_back:
        raise HostError(f"{rollback_told(ledger)}: one does not go back further")
    target = target_of(generations, ledger, asked.generation)
    held = valid(ledger.hold, now) or valid(read_hold(system), now)
    if held:
        raise HostError(f"{ledger.scope} is {told(held)}")
    generation, ran = f"generation {ledger.generation} of {ledger.scope}", now - ledger.at
    if ran >= asked.newer:
        ran_since = f"{generation} has run since {moment(ledger.at)}"
        raise HostError(f"{ran_since}, longer than {asked.newer} s: it is not what is wrong now")
    for since, last in asked.ill:
        if since < ledger.at and last >= max(target.at, ledger.at - asked.newer):
            raise HostError(
                f"it was not well on {moment(since)} either, before {generation} came: that is not what is wrong"
            )
    return target


def person() -> str:
    """Who is at work: the account that logged in, also under sudo."""
    name = os.environ.get("SUDO_USER", "")
    return _text(name) or pwd.getpwuid(os.getuid()).pw_name


def _chosen(system: System, scope: str | None) -> list[Ledger]:
    """The scopes to look at. Raises HostError naming those that are there."""
    found = all_ledgers(system)
    if not found:
        raise HostError("nothing of pulumi-systemd is deployed to this host")
    chosen = [ledger for ledger in found if scope in (None, ledger.scope)]
    if not chosen:
        raise HostError(f"there is no scope {scope} on this host; there are: {', '.join(each.scope for each in found)}")
    return chosen


def _owner(system: System, unit: str) -> Ledger:
    """The scope that has the unit. Raises HostError where none has."""
    found = next((ledger for ledger in _chosen(system, None) if unit in ledger.units), None)
    if found is None:
        raise HostError(f"no scope on this host has {unit}")
    return found


def _one(system: System, scope: str | None) -> Ledger:
    chosen = _chosen(system, scope)
    if len(chosen) > 1:
        raise HostError(f"choose one with --scope: {', '.join(each.scope for each in chosen)}")
    return chosen[0]


def _whole(system: System, ledger: Ledger) -> Ledger:
    """The ledger, to be written again. Raises HostError where a newer version keeps more in it than this one knows."""
    return read_ledger(system, ledger.scope) or ledger


def _print(value: Any) -> None:
    sys.stdout.write(value if isinstance(value, str) else json.dumps(value, indent=1) + "\n")


def _text(given: str) -> str:
    """What a person wrote, in one line that can be kept and shown: bytes that are no UTF-8 become U+FFFD."""
    text = given.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in text).strip()


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a generation; `{COMMAND} generations` lists them")
    return int(text)


def _two_times(text: str) -> tuple[float, float]:
    since, _, last = text.partition("..")
    return float(since), float(last)


def _span(text: str) -> int:
    try:
        return span_sec(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
