"""The bundle: what one host must become. Mirrors activation/bundle.ts; bundle_reader.py reads it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from pulumi_systemd_health.probe_settings import Probe

from .errors import HostError

# The content is what systemd-creds made of the bytes: of kept bundles, never of one that is sent.
SEALED = "sealed"


@dataclass(frozen=True)
class User:
    name: str
    group: str
    home: str


@dataclass(frozen=True)
class File:
    path: str
    mode: int
    content: str
    secret: bool
    # How `content` stands for the bytes.
    encoding: str = "utf-8"
    # The name of the credential under which systemd-creds seals it before it is written; empty for a file as it is.
    seal: str = ""

    @property
    def to_seal(self) -> bool:
        return bool(self.seal) and self.encoding != SEALED

    @property
    def plain(self) -> bytes:
        """The bytes of `content`: of one that is to be sealed, the secret itself."""
        return base64.b64decode(self.content) if self.encoding == "base64" else self.content.encode("utf-8")

    @property
    def data(self) -> bytes:
        """The bytes on the host's disk."""
        if self.to_seal:
            raise HostError(f"{self.path}: is to be encrypted, and was not")
        return self.plain


@dataclass(frozen=True)
class Upload:
    """An archive in the login user's home. `name` is of the release that it belongs to."""

    name: str
    sha256: str
    upload: str


@dataclass(frozen=True)
class Environment:
    """What a release needs to run; `digest` stands for all that decides its content but the host's interpreter."""

    digest: str
    directory: str
    lock_kind: str
    inputs: list[tuple[str, str]]
    hashed: bool
    python: str | None
    installer: str
    uv: str | None
    wheelhouse: Upload | None
    wheel: str | None
    pip_conf: str | None
    uv_toml: str | None
    build_sec: int


@dataclass(frozen=True)
class Release:
    name: str
    sha256: str
    upload: str
    directory: str
    link: str
    keep: int = 0
    environment: Environment | None = None

    @property
    def code(self) -> Upload:
        return Upload(self.name, self.sha256, self.upload)

    @property
    def uploads(self) -> list[Upload]:
        wheelhouse = self.environment.wheelhouse if self.environment else None
        return [self.code, wheelhouse] if wheelhouse else [self.code]


@dataclass(frozen=True)
class Hook:
    """A command of a release; `content` is the text of the unit that runs it."""

    release: str
    unit: str
    kind: str
    digest: str
    content: str
    seconds: int


@dataclass(frozen=True)
class Digests:
    file: str
    restart: str
    reload: str
    limits: str
    manager: str
    install: str


@dataclass(frozen=True)
class Gate:
    """What must hold after a change of a unit. Times are in seconds."""

    probes: tuple[Probe, ...]
    stable_sec: float
    within_sec: float
    # Whether a probe holds a secret, so that messages say less of it.
    confidential: bool


@dataclass(frozen=True)
class Unit:
    name: str
    path: str
    content: str
    digests: Digests
    activation: str
    enabled: bool
    restart_on_files: list[str]
    restart_on_releases: list[str]
    triggered_by: list[str]
    stops_with: list[str]
    # Units whose stop stops this one. A restart of theirs leaves it down (systemd 257) or alone (252).
    stop_propagated_from: list[str]
    # Units, also of others, that must be up: systemd stops this one as soon as it reads of one that is not.
    binds_to: list[str]
    can_reload: bool
    # It runs to an end and is then done.
    is_job: bool
    # A timer that is started again could fire.
    counts_from_the_past: bool
    memory_max: float | None
    on_change: str
    settle_sec: float
    purge: list[str] = field(default_factory=list)
    gate: Gate | None = None
    reload_on_files: list[str] = field(default_factory=list)

    @property
    def data(self) -> bytes:
        return self.content.encode("utf-8")

    @property
    def is_template(self) -> bool:
        return is_template(self.name)


@dataclass(frozen=True)
class Bundle:
    scope: str
    users: list[User]
    files: list[File]
    releases: list[Release]
    units: list[Unit]
    transaction_sec: int
    wait_sec: int
    # Paths of files and units that may take the place of what others made.
    adopt: list[str] = field(default_factory=list)
    # Seconds within which the change must be confirmed over a new connection; 0: it need not be.
    confirm_sec: int = 0
    # SHA-256 of the bytes that were sent, secrets and all: it stays on this host.
    digest: str = ""
    # How many generations are kept, the present one included.
    keep_generations: int = 5
    # The bytes that it was read from.
    raw: bytes = field(default=b"{}", repr=False, compare=False)
    hooks: list[Hook] = field(default_factory=list)


def is_template(name: str) -> bool:
    """Whether a unit name is a template such as `notify@.service`, which itself can be neither shown nor started."""
    return name.rpartition(".")[0].endswith("@")
