"""A run: rounds until nothing is due and no action is under way. It is what the service of the checks executes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import threading
import time
from typing import Iterator, Sequence

from .actions import action_problem
from .decision import ERROR, WARNING, Condition, Decision
from .due import due_names, last_triggers
from .errors import BrokenCheckError
from .event import Event, new_id
from .group import group_at, group_names, history_path, report_path, state_path
from .history import HistoryEntry, add_to_history, add_to_log
from .hold import transactions_kept_out
from .journal import journal_tail, say, show_status
from .notice import host_name, keep_for, start_deliveries
from .pings import ping_runs
from .places import Places
from .redaction import Redactor
from .report import CheckReport, GroupReport, loaded_report, save_report
from .round import Seen, decisions_of, seen_of, told_unit, victims_of
from .settings import Group, Step
from .state import State, loaded_states, save_text, states_text
from .strict_json import MalformedError

LOOK_AGAIN_SEC = 2.0
TAIL_LINES = 10
# A hung disk or systemd must not let runs pile up behind a timer: systemd ends the process at its own bound.
ASKED = "asked"
FORGOTTEN_SEC = 30 * 86400.0


class Run:
    """One run of the checks of one service."""

    def __init__(self, places: Places, service: str) -> None:
        self.places = places
        self.service = service
        self.ended: queue.Queue[tuple[str, str, Step, str]] = queue.Queue()
        # Units that an action is at work on.
        self.acting: dict[str, Step] = {}
        self.keep_out = contextlib.ExitStack()
        self.broken: dict[str, str] = {}
        # What /run says as well, unless it cannot be written: a group is checked once for each time that it is due.
        self.begun: dict[str, float] = {}

    def run(self) -> int:
        """Make what is due. 0 when every check was made, whatever it found and did; 1 when one could not be."""
        for directory in (self.places.states, self.places.reports, self.places.transactions):
            os.makedirs(directory, 0o700, exist_ok=True)
        with self._alone() as alone:
            if not alone:
                return 0
            with self.keep_out:
                return self._rounds()

    def _rounds(self) -> int:
        looked = 0
        while True:
            begun = time.monotonic()
            with transactions_kept_out(self.places.transactions) as free:
                # While a transaction is under way the files may be half old and half new.
                groups = self._due(begun) if free else []
            if not free and not self.acting:
                show_status("not checked: a deploy is under way")
                return 0
            if groups:
                looked += sum(len(group.checks) for group in groups)
                self._round(groups, begun)
            if not self.acting and not groups:
                break
            self._wait()
        if looked:
            show_status(f"{looked} checks made" + (f", {len(self.broken)} could not be" if self.broken else ""))
        for group, problem in self.broken.items():
            fields = {"PULUMI_SYSTEMD_EVENT": "broken", "PULUMI_SYSTEMD_SCOPE": self.places.scope}
            say(ERROR, f"{group}: {problem}", fields)
        return 1 if self.broken else 0

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other run of this service goes on: systemd starts one at a time, but a person may start more."""
        path = os.path.join(self.places.reports, f"{self.service}.lock")
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
        except BlockingIOError:
            yield False
        finally:
            os.close(descriptor)

    def _due(self, begun: float) -> list[Group]:
        groups: dict[str, Group] = {}
        for name in group_names(self.places):
            try:
                group = group_at(self.places, name)
            except BrokenCheckError as problem:
                self.broken[name] = str(problem)
                continue
            if group.service == self.service:
                groups[name] = group
        reports = {name: loaded_report(report_path(self.places, name)) for name in groups}
        last = {name: report.begun for name, report in reports.items() if report is not None and report.begun <= begun}
        last.update(self.begun)
        asked = self._asked(groups)
        try:
            triggers = last_triggers(group.timer for group in groups.values())
        except BrokenCheckError as problem:
            self.broken["systemd"] = str(problem)
            return []
        names = due_names({name: group.timer for name, group in groups.items()}, triggers, last)
        return [group for name, group in groups.items() if name in names or name in asked]

    def _asked(self, groups: dict[str, Group]) -> list[str]:
        """Groups that a person wants checked now."""
        asked = []
        for name in groups:
            path = os.path.join(self.places.reports, f"{name}.{ASKED}")
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
                asked.append(name)
        return asked

    def _round(self, groups: Sequence[Group], begun: float) -> None:
        self.begun.update({group.name: begun for group in groups})
        try:
            seen = seen_of(groups, self.places.states, frozenset(self.acting))
            ill = any(each.sight.condition is Condition.UNHEALTHY for each in seen)
            free = self._kept_out() if ill else True
            states = {group.name: self._states(group) for group in groups}
            flat = {(group, name): state for group, known in states.items() for name, state in known.items()}
            decisions = decisions_of(seen, flat, self.places, free, time.time())
        except BrokenCheckError as problem:
            self.broken["all checks"] = str(problem)
            for group in groups:
                self._report(group, begun, [], [])
            return
        victims = victims_of(seen)
        tails = self._tails(seen, decisions)
        for group in groups:
            mine = [(each, made) for each, made in zip(seen, decisions) if each.group is group]
            try:
                self._told(group, mine, victims, tails)
                ping_runs(self.places, [each for each, _ in mine])
                self._remembered(group, states[group.name], mine)
            except OSError as problem:
                where = problem.filename or self.places.states
                self.broken[group.name] = f"{where} cannot be written ({problem.strerror}), so nothing is done"
                continue
            self._report(group, begun, [each for each, _ in mine], [made for _, made in mine])
            for each, made in mine:
                if each.sight.condition is Condition.UNKNOWN:
                    self.broken[each.check.name] = each.sight.reason
                if made.action is not None:
                    self._start(each, made.action, made.state)
        start_deliveries(self.places, [name for group in groups for name in group.notify])
        self._let_in()

    def _kept_out(self) -> bool:
        """Keep deploys out until the last action of this run is over. Whether that was possible."""
        if not self._may_be_let_in():
            return True
        return self.keep_out.enter_context(transactions_kept_out(self.places.transactions))

    def _may_be_let_in(self) -> bool:
        """Whether no action of ours is under way that a deploy would disturb. A rollback is one itself."""
        return all(step.is_rollback for step in self.acting.values())

    def _let_in(self) -> None:
        if self._may_be_let_in():
            self.keep_out.close()

    def _states(self, group: Group) -> dict[str, State]:
        path = state_path(self.places, group.name)
        try:
            return loaded_states(path)
        except MalformedError as problem:
            say(WARNING, f"the state in {path} is broken ({problem}): starting with an empty one")
            with contextlib.suppress(OSError):
                os.replace(path, f"{path}.broken")
            return {}

    def _tails(self, seen: Sequence[Seen], decisions: Sequence[Decision]) -> dict[str, tuple[str, ...]]:
        """The end of the journal of each unit that is told of now. Secrets are struck out."""
        told = [
            each.check
            for each, made in zip(seen, decisions)
            if each.group.notify
            and any(message.notify and message.event in ("outage", "open") for message in made.messages)
        ]
        units = dict.fromkeys(unit for unit in map(told_unit, told[:20]) if unit is not None)
        if not units:
            return {}
        redactor = Redactor(self.places.secret_files)
        return {unit: tuple(redactor.redact(line) for line in journal_tail(unit, "", TAIL_LINES)) for unit in units}

    def _told(
        self,
        group: Group,
        mine: Sequence[tuple[Seen, Decision]],
        victims: dict[tuple[str, str], list[str]],
        tails: dict[str, tuple[str, ...]],
    ) -> None:
        redactor = Redactor(self.places.secret_files) if any(made.messages for _, made in mine) else None
        entries: list[HistoryEntry] = []
        for each, made in mine:
            action = next((message.text for message in made.messages if message.event == "action"), None)
            for message in made.messages:
                text = redactor.redact(message.text) if redactor is not None else message.text
                fallen = victims.get((group.name, each.check.name), [])
                if message.event == "outage" and fallen:
                    text += f"; not well because of it: {', '.join(fallen)}"
                fields = {
                    "SYSLOG_IDENTIFIER": each.check.name,
                    "OBJECT_SYSTEMD_UNIT": each.check.unit,
                    "PULUMI_SYSTEMD_CHECK": each.check.name,
                    "PULUMI_SYSTEMD_UNIT": each.check.unit,
                    "PULUMI_SYSTEMD_EVENT": message.event,
                    "PULUMI_SYSTEMD_SCOPE": self.places.scope,
                }
                say(message.priority, f"{each.check.name}: {text}", fields)
                now = time.time()
                entries.append(HistoryEntry(now, each.check.name, message.event, text))
                if not message.notify or not group.notify:
                    continue
                if message.event == "outage" and action is not None:
                    done = action.split(":", 1)[0]
                    text = f"{text}. Done about it: {done}"
                name, unit, host = each.check.name, each.check.unit, host_name()
                lines: tuple[str, ...] = ()
                if message.event in ("outage", "open"):
                    unit = told_unit(each.check)
                    lines = tails.get(unit or "", ())
                event = Event(new_id(), now, host, name, unit, message.event, message.priority, text, lines)
                keep_for(self.places, group.notify, event)
        with contextlib.suppress(OSError):
            add_to_history(history_path(self.places, group.name), entries)
        if group.log_file is not None:
            try:
                add_to_log(os.path.join(self.places.logs, group.log_file), entries)
            except OSError as problem:
                say(WARNING, f"{group.log_file} cannot be written: {problem.strerror}")

    def _remembered(self, group: Group, known: dict[str, State], mine: Sequence[tuple[Seen, Decision]]) -> None:
        """What is done without being remembered has no bound, so this comes before every action. Raises OSError."""
        now = {each.check.name: made.state for each, made in mine}
        kept = {name: state for name, state in known.items() if name in now or _still_counts(state)}
        after = {**kept, **now}
        path = state_path(self.places, group.name)
        if after != known and not (not known and all(state == State(state.unit) for state in after.values())):
            save_text(path, states_text(after))

    def _report(self, group: Group, begun: float, seen: Sequence[Seen], decisions: Sequence[Decision]) -> None:
        path = report_path(self.places, group.name)
        before = loaded_report(path)
        now = time.time()
        checks: dict[str, CheckReport] = dict(before.checks) if before is not None and not seen else {}
        for each, made in zip(seen, decisions):
            old = before.checks.get(each.check.name) if before is not None else None
            since = old.since if old is not None and old.phase == made.phase else now
            checks[each.check.name] = CheckReport(made.phase, made.status, since, now, made.next_action)
        try:
            save_report(path, GroupReport(begun, checks))
        except OSError as problem:
            self.broken[group.name] = f"{path} cannot be written: {problem.strerror}"

    def _start(self, each: Seen, step: Step, state: State) -> None:
        key = each.check.unit or step.unit
        unit = each.check.unit or ""
        self.acting[key] = step
        threading.Thread(target=self._act, args=(key, each.check.name, step, unit, state), daemon=True).start()

    def _act(self, key: str, check: str, step: Step, unit: str, state: State) -> None:
        try:
            problem = action_problem(step, unit, check, state)
        except Exception as failure:  # noqa: BLE001 the run must hear of its end, whatever it was
            problem = f"a fault of ours ({type(failure).__name__})"
        self.ended.put((key, check, step, problem))

    def _wait(self) -> None:
        """Wait for an action to end, but not for long: other checks fall due meanwhile."""
        if not self.acting:
            return
        with contextlib.suppress(queue.Empty):
            key, check, step, problem = self.ended.get(timeout=LOOK_AGAIN_SEC)
            self.acting.pop(key, None)
            if problem:
                fields = {
                    "SYSLOG_IDENTIFIER": check,
                    "PULUMI_SYSTEMD_CHECK": check,
                    "PULUMI_SYSTEMD_EVENT": "action-failed",
                    "PULUMI_SYSTEMD_SCOPE": self.places.scope,
                }
                say(ERROR, f"{check}: the {step.verb} failed: {problem}", fields)
        self._let_in()


def _still_counts(state: State) -> bool:
    """Whether a check that is gone for now may need its state when it comes back."""
    last = max((*state.actions, state.opened or 0.0), default=0.0)
    return time.time() - last < FORGOTTEN_SEC
