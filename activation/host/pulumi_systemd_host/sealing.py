"""Credentials encrypted at rest: only what systemd-creds of this host made of them ever reaches a disk."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from dataclasses import replace
from typing import Callable, Iterable

from .bundle import SEALED, Bundle, File
from .errors import HostError, OverdueError
from .files import content_of, make_directories, remove_file, stage_file
from .generations import sealed_contents
from .lock import DIRECTORY
from .system import System

OLDEST_SYSTEMD = 250
SEAL_SEC = 30.0
# A TPM's key is bound to the state of its machine as well: after an update of the firmware no service would start.
KEY = "host"
# What systemd reads of a sealed credential, and more.
LONGEST_SEALED = 2 << 20
DIGEST_KEY = "digest-key"
DIGEST_KEY_BYTES = 32

# Sealed contents that may hold the secret of a file still, by the file's path.
Known = Callable[[str], Iterable[str]]


class Sealer:
    """Seals and opens credentials. What it has opened is kept in memory alone."""

    def __init__(self, system: System, left: Callable[[], float]) -> None:
        self._system = system
        self._left = left
        self._opened: dict[tuple[str, str], bytes | None] = {}

    def opened(self, name: str, sealed: str) -> bytes | None:
        """The secret in `sealed`; nothing when this host cannot open it under that name."""
        key = (name, sealed)
        if key not in self._opened:
            argv = ["systemd-creds", "decrypt", f"--name={name}", "-", "-"]
            done = self._system.pipe(argv, sealed.encode("utf-8"), self._seconds())
            self._opened[key] = done.out if done.code == 0 else None
        return self._opened[key]

    def sealed(self, name: str, secret: bytes) -> str:
        """`secret` for this host alone and under that name, each time another text. Raises HostError without it."""
        argv = ["systemd-creds", "encrypt", f"--name={name}", f"--with-key={KEY}", "-", "-"]
        try:
            done = self._system.pipe(argv, secret, self._seconds())
        except OverdueError:
            raise
        except HostError as problem:
            raise HostError(f'{problem}; `credentialsAtRest: "encrypted"` needs it') from None
        text = done.out.decode("ascii", "replace")
        if done.code or not text.strip():
            told = done.err.strip().splitlines()[-1:] or [f"it ended with status {done.code}"]
            raise HostError(f"the credential {name} could not be encrypted by systemd-creds: {told[0]}")
        self._opened[(name, text)] = secret
        return text

    def _seconds(self) -> float:
        return max(0.1, min(SEAL_SEC, self._left()))


def refuse_if_too_old(bundle: Bundle, systemd: int) -> None:
    """Raises HostError where the host's systemd cannot read what is asked for."""
    asked = [file.path for file in bundle.files if file.seal]
    if asked and systemd < OLDEST_SYSTEMD:
        needed = f"this host has systemd {systemd}, and LoadCredentialEncrypted= needs {OLDEST_SYSTEMD}"
        listed = ", ".join(asked)
        further = f'say `credentialsAtRest: "plain"` for what has {listed}, or upgrade the host.'
        raise HostError(f"{needed}; nothing was changed on it. Next: {further}")


def sealed_bundle(sealer: Sealer, bundle: Bundle, known: Known) -> Bundle:
    """
    `bundle` with sealed credentials in place of secrets, also in what is kept of it.

    A secret that is in one of the `known` contents keeps that one: sealed anew, it would be a change and a restart.
    """
    contents: dict[str, str] = {}
    for file in bundle.files:
        if file.to_seal:
            contents[file.path] = _kept(sealer, file, known) or sealer.sealed(file.seal, file.plain)
    return _with(bundle, contents) if contents else bundle


def compared_bundle(sealer: Sealer, bundle: Bundle, known: Known) -> Bundle:
    """The same for a comparison alone: a secret that the host does not have yet becomes an empty file."""
    contents = {file.path: _kept(sealer, file, known) for file in bundle.files if file.to_seal}
    return _with(bundle, contents) if contents else bundle


def _kept(sealer: Sealer, file: File, known: Known) -> str:
    return next((text for text in known(file.path) if sealer.opened(file.seal, text) == file.plain), "")


def _with(bundle: Bundle, contents: dict[str, str]) -> Bundle:
    files = [
        replace(file, content=contents[file.path], encoding=SEALED) if file.path in contents else file
        for file in bundle.files
    ]
    value = json.loads(bundle.raw)
    for each in value.get("files", []):
        if each["path"] in contents:
            each.update(content=contents[each["path"]], encoding=SEALED)
    return replace(bundle, files=files, raw=json.dumps(value).encode("utf-8"))


def sealed_on(system: System, generations: str) -> Known:
    """What the host has sealed: the file itself, then what the kept generations have, which are read once at most."""
    kept: dict[str, list[str]] | None = None

    def known(path: str) -> Iterable[str]:
        nonlocal kept
        yield from _text_at(system.at(path))
        if kept is None:
            kept = sealed_contents(generations)
        yield from kept.get(path, [])

    return known


def _text_at(path: str) -> list[str]:
    """The text of a file that may be a sealed credential, if there is one."""
    content = content_of(path, LONGEST_SEALED)
    return [content.decode("ascii")] if content is not None and content.isascii() else []


def unguessable(system: System, bundle: Bundle) -> Bundle:
    """
    `bundle` with a digest that may be kept on disk though it has secrets that may not.

    Who knows the rest of a bundle could try guesses at its secrets by the digest of its bytes. This one takes a key
    that is in memory alone: after a boot the same bundle has another digest.
    """
    if not any(file.to_seal for file in bundle.files):
        return bundle
    path = system.at(os.path.join(DIRECTORY, DIGEST_KEY))
    make_directories(os.path.dirname(path), 0o700)
    if not os.path.exists(path):
        staged = f"{path}.{os.getpid()}"
        remove_file(staged)
        stage_file(staged, os.urandom(DIGEST_KEY_BYTES), 0o600, os.geteuid(), os.getegid())
        try:
            os.link(staged, path)
        except FileExistsError:
            pass
        finally:
            remove_file(staged)
    with open(path, "rb") as source:
        key = source.read()
    return replace(bundle, digest=hmac.new(key, bundle.digest.encode("ascii"), hashlib.sha256).hexdigest())
