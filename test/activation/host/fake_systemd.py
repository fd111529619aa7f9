"""A System on a temporary directory with a small systemd in it, for whole transactions without a host."""

from __future__ import annotations

import base64
import fnmatch
import glob
import os
import re
import stat
from typing import Any

import pulumi_systemd_host_under_test  # noqa: F401  puts the modules on the path

from pulumi_systemd_host.files import sha256_hex
from pulumi_systemd_host.system import Completed, Piped

ETC = "/etc/systemd/system"
VENDOR = "/usr/lib/systemd/system"
DONE = Completed(0, "", "")


class Crash(BaseException):
    """The process was killed here."""


class FakeSystemd:
    """Units have no dependencies here but Requires=, by which starts and stops go on; a service whose ExecStart= names `bad` fails to start."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.loaded: dict[str, str] = {}
        self.fragments: dict[str, str] = {}
        self.running: dict[str, tuple[str, str]] = {}
        self.started: dict[str, float] = {}
        self.failed: set[str] = set()
        self.accounts: set[str] = set()
        # Groups without an account of their name, and accounts without a group of theirs.
        self.groups: set[str] = set()
        self.groupless: set[str] = set()
        self.log: list[str] = []
        self.systemd = 252
        self.clock = 0.0
        self.invocations = 0
        self.steps = 0
        self.fail_at: int | None = None
        self.failure: BaseException = Crash()
        self.dead = False
        self.fires: str | None = None
        self.seals = 0
        self.creds: BaseException | None = None
        for path in (ETC, "/run", "/usr/local/sbin", "/var/lib", "/proc/sys/kernel/random"):
            os.makedirs(self.at(path), exist_ok=True)
        self.put("/proc/sys/kernel/random/boot_id", "boot-1\n")

    def at(self, path: str) -> str:
        return self.root + path

    def now(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def note(self, line: str) -> None:
        self.log.append(f"note {line}")

    def put(self, path: str, text: str, mode: int = 0o644) -> None:
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), "w", encoding="utf-8") as target:
            target.write(text)
        os.chmod(self.at(path), mode)

    def step(self) -> None:
        """One point at which the program can be made to fail, or to die."""
        if self.dead:
            raise Crash
        self.steps += 1
        if self.fail_at is not None and self.steps == self.fail_at:
            self.dead = isinstance(self.failure, Crash)
            raise self.failure

    def run(
        self, argv: list[str], seconds: float, waiting: str | None = None, env: dict[str, str] | None = None
    ) -> Completed:
        self.step()
        command = [word for word in argv if word != "--"]
        name = command[0]
        if name == "systemctl":
            return self._systemctl(command[1:])
        if name == "getent":
            groups = (self.accounts - self.groupless) | self.groups
            found = [word for word in command[2:] if word in (groups if command[1] == "group" else self.accounts)]
            return Completed(0 if len(found) == len(command[2:]) else 2, "".join(f"{w}:x:1:\n" for w in found), "")
        if name == "systemd-sysusers":
            with open(command[1], encoding="utf-8") as source:
                self.accounts |= set(re.findall(r"^u (\S+)", source.read(), re.MULTILINE))
        if name == "groupdel":
            self.groups.discard(command[1])
        if name in ("userdel", "groupdel"):
            self.accounts.discard(command[1])
        return DONE

    def pipe(self, argv: list[str], data: bytes, seconds: float) -> Piped:
        """systemd-creds: the same secret becomes another text each time, and opens under its own name alone."""
        self.step()
        assert argv[0] == "systemd-creds" and argv[-2:] == ["-", "-"], argv
        name = argv[2].replace("--name=", "")
        self.log.append(f"creds {argv[1]} {name}")
        if self.creds:
            raise self.creds
        if argv[1] == "encrypt":
            self.seals += 1
            hidden = bytes(byte ^ 0x5A for byte in data)
            return Piped(0, base64.b64encode(f"{name}:{self.seals}:".encode() + hidden) + b"\n", "a note\n")
        try:
            owner, _, hidden = base64.b64decode(data, validate=False).split(b":", 2)
        except ValueError:
            return Piped(1, b"", "Unknown encryption format, or corrupted data.\n")
        if owner.decode("utf-8", "replace") != name:
            return Piped(1, b"", f"Embedded credential name does not match '{name}', refusing.\n")
        return Piped(0, bytes(byte ^ 0x5A for byte in hidden), "")

    def _systemctl(self, words: list[str]) -> Completed:
        if words[0] == "--version":
            return Completed(0, f"systemd {self.systemd} ({self.systemd}.1)\n", "")
        options = [word for word in words if word.startswith("-")]
        rest = [word for word in words if not word.startswith("-")]
        verb, names = rest[0], rest[1:]
        if verb == "show":
            return Completed(0, "\n".join(self._show(name) for name in names[1:]), "")
        if verb == "list-units":
            return Completed(0, "".join(f"{name} loaded\n" for name in fnmatch.filter(self.running, names[0])), "")
        self.log.append(" ".join([verb, *names]))
        if verb in ("enable", "reenable", "disable"):
            assert "--no-reload" in options
            for name in names:
                self._enable(verb, name)
        if verb == "daemon-reload":
            self.read_units()
        if verb == "stop" and self.fires in names:
            # The timer fires at the last moment.
            self._start("start", str(self.fires).replace(".timer", ".service"))
        if verb in ("stop", "restart"):
            for name in [*names, *(each for name in names for each in self._required_by(name))]:
                self.running.pop(name, None)
        bad = [name for name in names if verb in ("start", "restart") and not self._start(verb, name)]
        if verb == "reset-failed":
            self.failed -= set(names)
        return Completed(1 if bad else 0, "", f"Job for {bad[0]} failed." if bad else "")

    def _enable(self, verb: str, name: str) -> None:
        directory = self.at(f"{ETC}/multi-user.target.wants")
        link = f"{directory}/{name}"
        for each in glob.glob(self.at(f"{ETC}/*.wants/*")) if verb in ("disable", "reenable") else []:
            if os.path.basename(os.readlink(each)) == name:
                os.unlink(each)
                if not os.listdir(os.path.dirname(each)):
                    os.rmdir(os.path.dirname(each))
        if verb == "disable":
            for other in re.findall("^Also=(.+)$", self.loaded.get(name, ""), re.MULTILINE):
                self._enable(verb, other)
            return
        os.makedirs(directory, exist_ok=True)
        if not os.path.islink(link):
            os.symlink(f"{ETC}/{name}", link)

    def read_units(self) -> None:
        """A daemon-reload: what lies in /etc comes before what a package has."""
        self.loaded, self.fragments = {}, {}
        for directory in (VENDOR, ETC):
            for name in os.listdir(self.at(directory)) if os.path.isdir(self.at(directory)) else []:
                path = self.at(f"{directory}/{name}")
                if "." not in name[1:] or os.path.isdir(path):
                    continue
                self.fragments[name] = f"{directory}/{name}"
                self.loaded[name] = ""
                if os.path.isfile(path):
                    with open(path, encoding="utf-8") as source:
                        self.loaded[name] = source.read()
        for name, text in self.loaded.items():
            # systemd stops at once what is bound to a unit that is not up.
            if not {*re.findall("^BindsTo=(.+)$", text, re.MULTILINE)} <= {*self.running}:
                self.running.pop(name, None)

    def install(self, path: str, text: str, *, running: bool = True, enabled: bool = True) -> None:
        """A unit of somebody else's, with an old date."""
        self.put(path, text)
        os.utime(self.at(path), ns=(10**18, 10**18))
        self.read_units()
        name = os.path.basename(path)
        if enabled:
            directory = self.at(f"{ETC}/multi-user.target.wants")
            os.makedirs(directory, exist_ok=True)
            os.symlink(path, f"{directory}/{name}")
        if running:
            self._start("start", name)

    def _start(self, verb: str, name: str) -> bool:
        text = self.loaded.get(name, "")
        for each in re.findall("^Requires=(.+)$", text, re.MULTILINE):
            self._start("start", each)
        if not text or "bad" in text:
            self.failed.add(name)
            return False
        if name not in self.running:
            self.invocations += 1
            self.running[name] = (text, f"{self.invocations:032x}")
            self.started[name] = self.clock
        return True

    def _show(self, name: str) -> str:
        text = self.loaded.get(name, "")
        up = name in self.running
        link = self.at(f"{ETC}/multi-user.target.wants/{name}")
        values = {
            "Id": name,
            "LoadState": "loaded" if text or up else "masked" if name in self.loaded else "not-found",
            "ActiveState": "active" if up else "failed" if name in self.failed else "inactive",
            "SubState": "running" if up else "dead",
            "Result": "exit-code" if name in self.failed else "success",
            "NRestarts": "0",
            "InvocationID": self.running[name][1] if up else "",
            "UnitFileState": "enabled" if os.path.islink(link) else "disabled",
            "FragmentPath": self.fragments.get(name, ""),
            "RequiredBy": " ".join(self._required_by(name)),
            "DropInPaths": " ".join(self._drop_ins(name)),
            "ActiveEnterTimestampMonotonic": "5",
            "ExecMainStartTimestampMonotonic": str(int(self.started.get(name, 0) * 1_000_000)),
            "NeedDaemonReload": "yes" if text and text != self._on_disk(name) else "no",
            "Type": "simple",
            "CanReload": "no",
            "Accept": "yes" if "Accept=yes" in text else "no",
        }
        return "".join(f"{key}={value}\n" for key, value in values.items())

    def _required_by(self, name: str) -> list[str]:
        return [each for each, text in self.loaded.items() if f"\nRequires={name}\n" in text]

    def _on_disk(self, name: str) -> str:
        path = self.at(self.fragments[name])
        if not os.path.isfile(path):
            return ""
        with open(path, encoding="utf-8") as source:
            return source.read()

    def _drop_ins(self, name: str) -> list[str]:
        directory = f"{ETC}/{name}.d"
        found = sorted(os.listdir(self.at(directory))) if os.path.isdir(self.at(directory)) else []
        return [f"{directory}/{each}" for each in found]

    def running_set(self) -> dict[str, str]:
        """What runs, by the definition with which it was started."""
        return {name: text for name, (text, _) in sorted(self.running.items())}

    def tree(self) -> dict[str, Any]:
        """Everything on the file system but /run: kind, mode, content, and the time of change of what is a file."""
        found: dict[str, Any] = {}
        for directory, names, files in os.walk(self.root):
            if directory == self.root:
                names.remove("run")
            for name in names + files:
                path = os.path.join(directory, name)
                info = os.lstat(path)
                shown = path[len(self.root) :]
                if stat.S_ISLNK(info.st_mode):
                    found[shown] = os.readlink(path)
                elif stat.S_ISDIR(info.st_mode):
                    found[shown] = oct(info.st_mode)
                else:
                    with open(path, "rb") as source:
                        found[shown] = (oct(info.st_mode), info.st_mtime_ns, sha256_hex(source.read()))
        return found
