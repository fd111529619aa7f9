"""Environments: what a release needs from others, built at its final path by a user without rights, and then sealed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
from urllib.parse import unquote

from .bundle import Environment, Release
from .environment_target import Target
from .errors import HostError
from .files import make_directories, remove_tree, stage_file
from .journal import journal_lines
from .releases import keep_archive, unpack
from .system import System
from .transient import Ended, last_lines, run_once, transient_name
from .work import Work

TAIL = 25
# A build runs code of whoever wrote the packages.
SANDBOX = (
    "CapabilityBoundingSet=",
    "InaccessiblePaths=-/etc/pulumi-systemd -/var/lib/pulumi-systemd",
    "LockPersonality=yes",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHome=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "CPUWeight=20",
    "IOWeight=20",
    "MemoryMax=80%",
    "TasksMax=512",
)
CREDENTIALS = re.compile(r"://([^@/\s\"]+)@")


def index_secrets(environment: Environment) -> list[str]:
    """What must not be shown of the settings of a package index."""
    found: list[str] = []
    for text in (environment.pip_conf or "", environment.uv_toml or ""):
        for match in CREDENTIALS.finditer(text):
            pair = match.group(1)
            found += [pair, unquote(pair)]
            found += [part for part in (pair.partition(":")[2], unquote(pair.partition(":")[2])) if part]
    return found


def build(work: Work, release: Release, target: Target, number: int) -> None:
    """
    Build the environment at its final path, by a user that exists for the build alone.

    Raises HostError with the end of the installer's output. What it left is removed by the way back.
    """
    wanted = release.environment
    if wanted is None:
        return
    system = work.system
    inputs = work.temporary(target.directory)
    final = system.at(target.directory)
    log = os.path.join(work.pending_directory, f"build-{number}.log")
    name = transient_name(work.transaction, f"build-{number}")
    remove_tree(final)
    make_directories(final)
    make_directories(inputs)
    for path, content in wanted.inputs:
        make_directories(os.path.dirname(os.path.join(inputs, path)))
        stage_file(os.path.join(inputs, path), content.encode("utf-8"), 0o644)
    if wanted.wheelhouse:
        kept = work.archive(wanted.wheelhouse)
        keep_archive(wanted.wheelhouse, work.login_home, kept)
        unpack(system, wanted.wheelhouse, kept, os.path.join(inputs, "wheels"), work.units.left())
    if wanted.wheel:
        staged = work.temporary(release.directory)
        code = staged if os.path.isdir(staged) else system.at(release.directory)
        # No hard link: releases and environments may be on two file systems.
        shutil.copyfile(os.path.join(code, wanted.wheel), os.path.join(inputs, wanted.wheel))
        os.chmod(os.path.join(inputs, wanted.wheel), 0o644)
    base = os.path.join(os.path.dirname(target.directory), os.path.basename(inputs))
    stage_file(os.path.join(inputs, "build.sh"), build_script(wanted, target, base).encode("utf-8"), 0o644)
    credentials = _credentials(work, wanted, number)
    content = _unit(release.name, wanted, target, base, name, log, credentials)
    ended = run_once(system, name, content, wanted.build_sec, f"the environment of {release.name} to be built")
    for path in credentials.values():
        os.unlink(path)
    if ended.problem:
        tail = "".join(f"\n    {line}" for line in _told(system, ended, log))
        raise HostError(f"release {release.name}: its environment could not be built: {ended.problem}{tail}")
    remove_tree(inputs)
    seal(final)
    system.run(["sync", "-f", final], work.units.left())


def _told(system: System, ended: Ended, log: str) -> list[str]:
    """The end of the installer's output; where it did not come to say a word, what systemd said."""
    lines = last_lines(log, TAIL) if os.path.exists(log) else []
    return lines or (journal_lines(system, ended.state) if ended.state else [])


def seal(directory: str) -> None:
    """Give a tree to root, for all to read and nobody else to write. No process of its builder is left by now."""
    root = os.geteuid() == 0
    for parent, names, files in os.walk(directory):
        for path in [parent, *(os.path.join(parent, name) for name in [*names, *files])]:
            info = os.lstat(path)
            if root:
                os.lchown(path, 0, 0)
            if stat.S_ISDIR(info.st_mode):
                os.chmod(path, 0o755)  # noqa: S103
            elif stat.S_ISREG(info.st_mode):
                os.chmod(path, 0o755 if info.st_mode & 0o111 else 0o644)
            elif not stat.S_ISLNK(info.st_mode):
                os.unlink(path)


def build_script(wanted: Environment, target: Target, base: str) -> str:
    """The shell script of a build. Nothing in it is secret."""
    final, python = shlex.quote(target.directory), shlex.quote(target.python.path)
    installed = shlex.quote(f"{target.directory}/bin/python")
    lock = shlex.quote(f"{base}/{wanted.inputs[0][0]}") if wanted.inputs else ""
    wheels = f"--no-index --find-links={shlex.quote(f'{base}/wheels')} " if wanted.wheelhouse else ""
    wheel = shlex.quote(f"{base}/{wanted.wheel}") if wanted.wheel else ""
    quiet = "--no-input --disable-pip-version-check --no-cache-dir"
    lines = ["set -eu"]
    if not target.uv:
        install = f"{installed} -m pip install {quiet} --no-warn-script-location"
        lines.append(f"{python} -m venv {final}")
        hashes = "--require-hashes " if wanted.hashed else ""
        lines += [f"{install} {wheels}{hashes}-r {lock}"] if lock else []
        lines += [f"{install} --no-index --no-deps {wheel}", f"{installed} -m pip check"] if wheel else []
        return "\n".join(lines) + "\n"
    uv = shlex.quote(target.uv)
    if target.uv == "-":
        uv = "/var/tmp/uv/bin/uv"
        lines.append(f"{python} -m venv /var/tmp/uv")
        lines.append(f"/var/tmp/uv/bin/python -m pip install {quiet} {wheels}uv=={wanted.uv}")
    lines.append(f"{uv} venv --python {python} {final}")
    if wanted.lock_kind == "uv":
        exported = "/var/tmp/requirements.txt"
        kinds = "--no-dev --no-emit-project --no-emit-workspace --no-header"
        lines.append(f"cd {shlex.quote(base)}")
        lines.append(f"{uv} export --quiet --frozen {kinds} --format requirements-txt -o {exported}")
        lock = exported
    install = f"{uv} pip install --python {installed} --link-mode copy --compile-bytecode"
    hashes = "--require-hashes " if wanted.hashed else ""
    lines += [f"{install} {wheels}{hashes}-r {lock}"] if lock else []
    lines += [f"{install} --offline --no-deps {wheel}", f"{uv} pip check --python {installed}"] if wheel else []
    return "\n".join(lines) + "\n"


def _credentials(work: Work, wanted: Environment, number: int) -> dict[str, str]:
    """The settings of the index as files that only root reads; systemd hands them to the build."""
    found: dict[str, str] = {}
    for name, content in (("pip.conf", wanted.pip_conf), ("uv.toml", wanted.uv_toml)):
        if content is not None:
            found[name] = os.path.join(work.scratch, f"{number}-{name}")
            stage_file(found[name], content.encode("utf-8"), 0o600)
    return found


def _unit(
    name: str, wanted: Environment, target: Target, base: str, unit: str, log: str, credentials: dict[str, str]
) -> str:
    runtime = unit.rpartition(".")[0]
    given = f"/run/credentials/{unit}"
    lines = [
        "[Unit]",
        f"Description=pulumi-systemd builds an environment of {name}",
        "[Service]",
        "Type=oneshot",
        "DynamicUser=yes",
        # The user has no name or number before it starts, but its directory shows it. Not by ExecStartPre=:
        # on systemd 247 no unit with credentials and a sandbox can have one.
        f"RuntimeDirectory={runtime}",
        f"ExecStart=+chown --reference=/run/{runtime} {target.directory}",
        f"ExecStart=/bin/sh {base}/build.sh",
        f"ReadWritePaths={target.directory}",
        f"TimeoutStartSec={wanted.build_sec}",
        "TimeoutStopSec=5",
        f"StandardOutput=file:{log}",
        "StandardError=inherit",
        "UMask=0022",
        "Environment=HOME=/var/tmp TMPDIR=/var/tmp UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never PYTHONDONTWRITEBYTECODE=",
        *(f"LoadCredential={key}:{path}" for key, path in credentials.items()),
        *([f"Environment=PIP_CONFIG_FILE={given}/pip.conf UV_CONFIG_FILE={given}/uv.toml"] if credentials else []),
        *(["PrivateNetwork=yes"] if wanted.wheelhouse else []),
        *SANDBOX,
    ]
    return "".join(f"{line}\n" for line in lines)
