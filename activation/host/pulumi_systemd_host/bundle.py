"""The bundle: what one host must become. Mirrors activation/bundle.ts and is at least as strict."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, NoReturn, TypeVar

from pulumi_systemd_health.probe_settings import Probe, probe_of
from pulumi_systemd_health.strict_json import MalformedError

from .errors import BundleError, HostError

T = TypeVar("T")

SHA256 = re.compile(r"[0-9a-f]{64}")
ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
UNIT_NAME = re.compile(r"[A-Za-z0-9:_\\@-][A-Za-z0-9:_.\\@-]*\.[a-z]+")
MODE = re.compile(r"0[0-7]{3}")
RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.@-]*")
UPLOAD = re.compile(r"[A-Za-z0-9._/-]+")
PYTHON = re.compile(r"3\.\d{1,2}|/[^\0\n]+")
VERSION = re.compile(r"\d+(?:\.\d+)+")
WHEEL = re.compile(r"[A-Za-z0-9._+!-]+\.whl")
SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*){2}")
CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,199}")
# The content is what systemd-creds made of the bytes: of kept bundles, never of one that is sent.
SEALED = "sealed"
UNIT_SUFFIXES = ("service", "socket", "timer", "path", "target", "mount", "automount", "swap", "slice")


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
    can_reload: bool
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


def parse_bundle(data: bytes) -> Bundle:
    """The bundle in `data`. Raises BundleError, which names the path of what is wrong and repeats no content."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BundleError("the bundle is not UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refused_constant)
    except (json.JSONDecodeError, RecursionError) as problem:
        where = f" (character {problem.pos})" if isinstance(problem, json.JSONDecodeError) else ""
        raise BundleError(f"the bundle is not JSON{where}: was it cut off on its way?") from None
    except BundleError:
        raise
    except ValueError:
        # Python 3.11+ refuses integers of several thousand digits with a plain ValueError.
        raise BundleError("the bundle is not JSON that this program accepts: a number is too long") from None
    return replace(_bundle(value), digest=hashlib.sha256(data).hexdigest(), raw=data)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BundleError("the bundle has an object with the same key twice")
    return found


def _refused_constant(_name: str) -> NoReturn:
    raise BundleError("the bundle holds NaN or Infinity, which is not JSON")


def _bundle(value: Any) -> Bundle:
    keys = _object(
        value,
        "bundle",
        ("format", "scope", "users", "files", "releases", "hooks", "units", "adopt", "keepGenerations", "bounds"),
    )
    if keys["format"] != 1 or isinstance(keys["format"], (bool, float)):
        raise BundleError("bundle.format: this host program understands format 1 only")
    bounds = _object(keys["bounds"], "bundle.bounds", ("transactionSec", "waitSec", "confirmSec"))
    bundle = Bundle(
        scope=_text(keys["scope"], "bundle.scope", SCOPE, "project/stack/host"),
        users=_list(keys["users"], "bundle.users", _user),
        files=_list(keys["files"], "bundle.files", _file),
        releases=_list(keys["releases"], "bundle.releases", _release),
        hooks=_list(keys["hooks"], "bundle.hooks", _hook),
        units=_list(keys["units"], "bundle.units", _unit),
        transaction_sec=_integer(bounds["transactionSec"], "bundle.bounds.transactionSec", 1, 86_400),
        wait_sec=_integer(bounds["waitSec"], "bundle.bounds.waitSec", 1, 86_400),
        adopt=_list(keys["adopt"], "bundle.adopt", _path),
        confirm_sec=_integer(bounds["confirmSec"], "bundle.bounds.confirmSec", 0, 3600),
        keep_generations=_integer(keys["keepGenerations"], "bundle.keepGenerations", 1, 50),
    )
    _check_references(bundle)
    return bundle


def _check_references(bundle: Bundle) -> None:
    _check_unique([user.name for user in bundle.users], "bundle.users", "name")
    _check_unique([unit.name for unit in bundle.units], "bundle.units", "name")
    _check_unique([release.name for release in bundle.releases], "bundle.releases", "name")
    taken: dict[str, str] = {}
    claims = [(f"bundle.files[{i}].path", item.path) for i, item in enumerate(bundle.files)]
    claims += [(f"bundle.units[{i}].path", item.path) for i, item in enumerate(bundle.units)]
    for i, release in enumerate(bundle.releases):
        claims += [
            (f"bundle.releases[{i}].directory", release.directory),
            (f"bundle.releases[{i}].link", release.link),
        ]
    for where, path in claims:
        if path in taken:
            raise BundleError(f"{where}: {path} is also {taken[path]}")
        taken[path] = where
    for where, path in claims:
        parent = path.rpartition("/")[0]
        while parent:
            if parent in taken:
                raise BundleError(f"{where}: {path} lies under {parent}, which is {taken[parent]}")
            parent = parent.rpartition("/")[0]
    for i, hook in enumerate(bundle.hooks):
        if hook.release not in {release.name for release in bundle.releases}:
            raise BundleError(f"bundle.hooks[{i}].release: {hook.release} is not one of bundle.releases")
    files = {item.path for item in bundle.files}
    adoptable = files | {item.path for item in bundle.units}
    for i, path in enumerate(bundle.adopt):
        if path not in adoptable:
            raise BundleError(f"bundle.adopt[{i}]: {path} is neither one of bundle.files nor of bundle.units")
    releases = {item.name for item in bundle.releases}
    for i, unit in enumerate(bundle.units):
        for j, path in enumerate(unit.restart_on_files):
            if path not in files:
                raise BundleError(f"bundle.units[{i}].restartOn.files[{j}]: {path} is not one of bundle.files")
        for j, path in enumerate(unit.reload_on_files):
            if path not in files:
                raise BundleError(f"bundle.units[{i}].reloadOn.files[{j}]: {path} is not one of bundle.files")
        for j, name in enumerate(unit.restart_on_releases):
            if name not in releases:
                raise BundleError(f"bundle.units[{i}].restartOn.releases[{j}]: {name} is not one of bundle.releases")


def _check_unique(names: list[str], where: str, key: str) -> None:
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        if name in seen:
            raise BundleError(f"{where}[{i}].{key}: {name} is also {where}[{seen[name]}].{key}")
        seen[name] = i


def _user(value: Any, at: str) -> User:
    keys = _object(value, at, ("name", "group", "home"))
    return User(
        name=_text(keys["name"], f"{at}.name", ACCOUNT, "a user name such as orders"),
        group=_text(keys["group"], f"{at}.group", ACCOUNT, "a group name such as orders"),
        home=_path(keys["home"], f"{at}.home"),
    )


def _file(value: Any, at: str) -> File:
    keys = _object(value, at, ("path", "mode", "content", "encoding", "secret"), {"seal": ""})
    seal = keys["seal"] if keys["seal"] == "" else _text(keys["seal"], f"{at}.seal", CREDENTIAL, "a credential's name")
    encoding = _choice(keys["encoding"], f"{at}.encoding", ("utf-8", "base64", *((SEALED,) if seal else ())))
    if seal and keys["secret"] is not True:
        raise BundleError(f"{at}.secret: expected true, since it has seal")
    if encoding == "base64":
        _base64(keys["content"], f"{at}.content")
    return File(
        path=_path(keys["path"], f"{at}.path"),
        mode=int(_text(keys["mode"], f"{at}.mode", MODE, "four octal digits such as 0600"), 8),
        content=_content(keys["content"], f"{at}.content"),
        secret=_boolean(keys["secret"], f"{at}.secret"),
        encoding=encoding,
        seal=seal,
    )


def _release(value: Any, at: str) -> Release:
    keys = _object(value, at, ("name", "sha256", "upload", "directory", "link", "keep", "environment"))
    name = _release_name(keys["name"], f"{at}.name")
    environment = keys["environment"]
    return Release(
        name=name,
        sha256=_digest(keys["sha256"], f"{at}.sha256"),
        upload=_upload(keys["upload"], f"{at}.upload"),
        directory=_path(keys["directory"], f"{at}.directory"),
        link=_path(keys["link"], f"{at}.link"),
        keep=_integer(keys["keep"], f"{at}.keep", 0, 100),
        environment=None if environment is None else _environment(environment, f"{at}.environment", name),
    )


def _upload(value: Any, at: str) -> str:
    upload = _text(value, at, UPLOAD, "a path relative to the login user's home")
    if any(part in ("", ".", "..") for part in upload.split("/")):
        raise BundleError(f"{at}: expected a path relative to the login user's home that stays inside it")
    return upload


def _environment(value: Any, at: str, name: str) -> Environment:
    keys = _object(
        value,
        at,
        ("digest", "directory", "lock", "python", "installer", "uv", "wheelhouse", "wheel", "index", "buildSec"),
    )
    lock = _object(keys["lock"], f"{at}.lock", ("kind", "inputs", "hashed"))
    wheelhouse, index = keys["wheelhouse"], keys["index"]
    if wheelhouse is not None:
        wheelhouse = _object(wheelhouse, f"{at}.wheelhouse", ("sha256", "upload"))
    if index is not None:
        index = _object(index, f"{at}.index", ("pip", "uv"))
    return Environment(
        digest=_digest(keys["digest"], f"{at}.digest"),
        directory=_path(keys["directory"], f"{at}.directory"),
        lock_kind=_choice(lock["kind"], f"{at}.lock.kind", ("requirements", "uv", "none")),
        inputs=_list(lock["inputs"], f"{at}.lock.inputs", _input),
        hashed=_boolean(lock["hashed"], f"{at}.lock.hashed"),
        python=_optional(keys["python"], f"{at}.python", PYTHON, "a version such as 3.12, or an absolute path"),
        installer=_choice(keys["installer"], f"{at}.installer", ("auto", "pip", "uv")),
        uv=_optional(keys["uv"], f"{at}.uv", VERSION, "a version such as 0.9.5"),
        wheelhouse=wheelhouse
        and Upload(
            name,
            _digest(wheelhouse["sha256"], f"{at}.wheelhouse.sha256"),
            _upload(wheelhouse["upload"], f"{at}.wheelhouse.upload"),
        ),
        wheel=_optional(keys["wheel"], f"{at}.wheel", WHEEL, "the file name of a wheel"),
        pip_conf=index and _content(index["pip"], f"{at}.index.pip"),
        uv_toml=index and _content(index["uv"], f"{at}.index.uv"),
        build_sec=_integer(keys["buildSec"], f"{at}.buildSec", 1, 86_400),
    )


def _input(value: Any, at: str) -> tuple[str, str]:
    keys = _object(value, at, ("path", "content"))
    path = _content(keys["path"], f"{at}.path")
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")) or re.search("[\0\n]", path):
        raise BundleError(f"{at}.path: expected a relative, normal path")
    return path, _content(keys["content"], f"{at}.content")


def _hook(value: Any, at: str) -> Hook:
    keys = _object(value, at, ("release", "unit", "kind", "digest", "content", "seconds"))
    return Hook(
        release=_release_name(keys["release"], f"{at}.release"),
        unit=_unit_name(keys["unit"], f"{at}.unit"),
        kind=_choice(keys["kind"], f"{at}.kind", ("check", "pre-start", "post-start")),
        digest=_digest(keys["digest"], f"{at}.digest"),
        content=_content(keys["content"], f"{at}.content"),
        seconds=_integer(keys["seconds"], f"{at}.seconds", 1, 86_400),
    )


def _unit(value: Any, at: str) -> Unit:
    keys = _object(
        value,
        at,
        (
            "name",
            "path",
            "content",
            "digests",
            "activation",
            "enabled",
            "restartOn",
            "reloadOn",
            "purge",
            "triggeredBy",
            "stopsWith",
            "canReload",
            "memoryMax",
            "onChange",
            "settleSec",
            "gate",
        ),
    )
    digests = _object(keys["digests"], f"{at}.digests", ("file", "restart", "reload", "limits", "manager", "install"))
    reload_on = _object(keys["reloadOn"], f"{at}.reloadOn", ("files",))
    restart_on = _object(keys["restartOn"], f"{at}.restartOn", ("files", "releases"))
    unit = Unit(
        name=_unit_name(keys["name"], f"{at}.name"),
        path=_path(keys["path"], f"{at}.path"),
        content=_content(keys["content"], f"{at}.content"),
        digests=Digests(*(_digest(digests[key], f"{at}.digests.{key}") for key in digests)),
        activation=_choice(keys["activation"], f"{at}.activation", ("started", "on-demand")),
        enabled=_boolean(keys["enabled"], f"{at}.enabled"),
        restart_on_files=_list(restart_on["files"], f"{at}.restartOn.files", _path),
        restart_on_releases=_list(restart_on["releases"], f"{at}.restartOn.releases", _release_name),
        purge=_list(keys["purge"], f"{at}.purge", _path),
        triggered_by=_list(keys["triggeredBy"], f"{at}.triggeredBy", _unit_name),
        stops_with=_list(keys["stopsWith"], f"{at}.stopsWith", _unit_name),
        can_reload=_boolean(keys["canReload"], f"{at}.canReload"),
        memory_max=None if keys["memoryMax"] is None else _number(keys["memoryMax"], f"{at}.memoryMax", 0, 1 << 64),
        on_change=_choice(keys["onChange"], f"{at}.onChange", ("auto", "restart", "reload", "none")),
        settle_sec=_number(keys["settleSec"], f"{at}.settleSec", 0, 3600),
        gate=_gate(keys["gate"], f"{at}.gate"),
        reload_on_files=_list(reload_on["files"], f"{at}.reloadOn.files", _path),
    )
    if unit.path.rpartition("/")[2] != unit.name:
        raise BundleError(f"{at}.path: its last part is not the unit's name {unit.name}")
    if hashlib.sha256(unit.data).hexdigest() != unit.digests.file:
        raise BundleError(f"{at}.digests.file: not the SHA-256 of the content")
    if unit.is_template and unit.activation == "started":
        raise BundleError(f"{at}.activation: {unit.name} is a template; only its instances can be started")
    return unit


def _gate(value: Any, at: str) -> Gate | None:
    if value is None:
        return None
    keys = _object(value, at, ("probes", "stableSec", "withinSec", "confidential"))
    return Gate(
        probes=tuple(_list(keys["probes"], f"{at}.probes", _probe)),
        stable_sec=_number(keys["stableSec"], f"{at}.stableSec", 0, 3600),
        within_sec=_number(keys["withinSec"], f"{at}.withinSec", 0, 86_400),
        confidential=_boolean(keys["confidential"], f"{at}.confidential"),
    )


def _probe(value: Any, at: str) -> Probe:
    try:
        return probe_of(value, at)
    except MalformedError as problem:
        raise BundleError(str(problem)) from None


def _object(value: Any, at: str, keys: tuple[str, ...], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """`value` as an object with exactly these keys, in order. `optional`: defaults of those that may be missing."""
    defaults = optional or {}
    if not isinstance(value, dict):
        raise BundleError(f"{at}: expected an object, got {_kind(value)}")
    for key in value:
        if key not in keys and key not in defaults:
            shown = key if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key) else "(not a plain name)"
            raise BundleError(f"{at}: unknown key {shown}; accepted are {', '.join([*keys, *defaults])}")
    for key in keys:
        if key not in value:
            raise BundleError(f"{at}.{key}: missing")
    return {**{key: value[key] for key in keys}, **{key: value.get(key, each) for key, each in defaults.items()}}


def _list(value: Any, at: str, item: Callable[[Any, str], T]) -> list[T]:
    if not isinstance(value, list):
        raise BundleError(f"{at}: expected a list, got {_kind(value)}")
    return [item(entry, f"{at}[{i}]") for i, entry in enumerate(value)]


def _content(value: Any, at: str) -> str:
    if not isinstance(value, str):
        raise BundleError(f"{at}: expected a string, got {_kind(value)}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BundleError(f"{at}: holds half of a surrogate pair, which is no Unicode text") from None
    return value


def _base64(value: Any, at: str) -> None:
    try:
        base64.b64decode(_content(value, at), validate=True)
    except ValueError:
        raise BundleError(f"{at}: expected base64") from None


def _text(value: Any, at: str, pattern: re.Pattern[str], wanted: str) -> str:
    text = _content(value, at)
    if not pattern.fullmatch(text):
        raise BundleError(f"{at}: expected {wanted}")
    return text


def _optional(value: Any, at: str, pattern: re.Pattern[str], wanted: str) -> str | None:
    return None if value is None else _text(value, at, pattern, wanted)


def _path(value: Any, at: str) -> str:
    text = _content(value, at)
    parts = text.split("/")
    if (
        parts[0] != ""
        or len(parts) < 2
        or any(part in ("", ".", "..") for part in parts[1:])
        or re.search("[\0\n]", text)
    ):
        raise BundleError(f"{at}: expected an absolute, normal path")
    return text


def _unit_name(value: Any, at: str) -> str:
    name = _text(value, at, UNIT_NAME, "a unit name such as api.service")
    if len(name) > 255 or name.rpartition(".")[2] not in UNIT_SUFFIXES:
        raise BundleError(f"{at}: expected a unit name that ends in one of .{', .'.join(UNIT_SUFFIXES)}")
    return name


def _release_name(value: Any, at: str) -> str:
    return _text(value, at, RELEASE_NAME, "a release name")


def _digest(value: Any, at: str) -> str:
    return _text(value, at, SHA256, "a SHA-256 in lower-case hex")


def _boolean(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise BundleError(f"{at}: expected true or false, got {_kind(value)}")
    return value


def _choice(value: Any, at: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise BundleError(f"{at}: expected one of {', '.join(choices)}")
    return value


def _integer(value: Any, at: str, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BundleError(f"{at}: expected a whole number, got {_kind(value)}")
    return int(_number(value, at, low, high))


def _number(value: Any, at: str, low: int, high: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BundleError(f"{at}: expected a number, got {_kind(value)}")
    if not low <= value <= high:
        raise BundleError(f"{at}: expected a number from {low} to {high}")
    return float(value)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
