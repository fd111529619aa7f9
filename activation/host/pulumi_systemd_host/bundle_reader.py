"""Reads a bundle that was sent or kept. At least as strict as activation/bundle.ts."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from typing import Any, NoReturn

from pulumi_systemd_health.probe_settings import Probe, probe_of
from pulumi_systemd_health.strict_json import MalformedError

from .bundle import SEALED, Bundle, Digests, Environment, File, Gate, Hook, Release, Unit, Upload, User
from .bundle_references import check_references
from .bundle_values import (
    boolean_at,
    check_base64,
    choice_at,
    content_at,
    digest_at,
    integer_at,
    list_at,
    number_at,
    object_at,
    optional_at,
    path_at,
    release_name_at,
    text_at,
    unit_name_at,
)
from .errors import BundleError

ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
MODE = re.compile(r"0[0-7]{3}")
UPLOAD = re.compile(r"[A-Za-z0-9._/-]+")
PYTHON = re.compile(r"3\.\d{1,2}|/[^\0\n]+")
VERSION = re.compile(r"\d+(?:\.\d+)+")
WHEEL = re.compile(r"[A-Za-z0-9._+!-]+\.whl")
SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*){2}")
CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,199}")


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
    keys = object_at(
        value,
        "bundle",
        ("format", "scope", "users", "files", "releases", "hooks", "units", "adopt", "keepGenerations", "bounds"),
    )
    if keys["format"] != 1 or isinstance(keys["format"], (bool, float)):
        raise BundleError("bundle.format: this host program understands format 1 only")
    bounds = object_at(keys["bounds"], "bundle.bounds", ("transactionSec", "waitSec", "confirmSec"))
    bundle = Bundle(
        scope=text_at(keys["scope"], "bundle.scope", SCOPE, "project/stack/host"),
        users=list_at(keys["users"], "bundle.users", _user),
        files=list_at(keys["files"], "bundle.files", _file),
        releases=list_at(keys["releases"], "bundle.releases", _release),
        hooks=list_at(keys["hooks"], "bundle.hooks", _hook),
        units=list_at(keys["units"], "bundle.units", _unit),
        transaction_sec=integer_at(bounds["transactionSec"], "bundle.bounds.transactionSec", 1, 86_400),
        wait_sec=integer_at(bounds["waitSec"], "bundle.bounds.waitSec", 1, 86_400),
        adopt=list_at(keys["adopt"], "bundle.adopt", path_at),
        confirm_sec=integer_at(bounds["confirmSec"], "bundle.bounds.confirmSec", 0, 3600),
        keep_generations=integer_at(keys["keepGenerations"], "bundle.keepGenerations", 1, 50),
    )
    check_references(bundle)
    return bundle


def _user(value: Any, at: str) -> User:
    keys = object_at(value, at, ("name", "group", "home"))
    return User(
        name=text_at(keys["name"], f"{at}.name", ACCOUNT, "a user name such as orders"),
        group=text_at(keys["group"], f"{at}.group", ACCOUNT, "a group name such as orders"),
        home=path_at(keys["home"], f"{at}.home"),
    )


def _file(value: Any, at: str) -> File:
    keys = object_at(value, at, ("path", "mode", "content", "encoding", "secret"), {"seal": ""})
    seal = keys["seal"]
    if seal != "":
        seal = text_at(seal, f"{at}.seal", CREDENTIAL, "a credential's name")
    encoding = choice_at(keys["encoding"], f"{at}.encoding", ("utf-8", "base64", *((SEALED,) if seal else ())))
    if seal and keys["secret"] is not True:
        raise BundleError(f"{at}.secret: expected true, since it has seal")
    if encoding == "base64":
        check_base64(keys["content"], f"{at}.content")
    return File(
        path=path_at(keys["path"], f"{at}.path"),
        mode=int(text_at(keys["mode"], f"{at}.mode", MODE, "four octal digits such as 0600"), 8),
        content=content_at(keys["content"], f"{at}.content"),
        secret=boolean_at(keys["secret"], f"{at}.secret"),
        encoding=encoding,
        seal=seal,
    )


def _release(value: Any, at: str) -> Release:
    keys = object_at(value, at, ("name", "sha256", "upload", "directory", "link", "keep", "environment"))
    name = release_name_at(keys["name"], f"{at}.name")
    environment = keys["environment"]
    return Release(
        name=name,
        sha256=digest_at(keys["sha256"], f"{at}.sha256"),
        upload=_upload(keys["upload"], f"{at}.upload"),
        directory=path_at(keys["directory"], f"{at}.directory"),
        link=path_at(keys["link"], f"{at}.link"),
        keep=integer_at(keys["keep"], f"{at}.keep", 0, 100),
        environment=None if environment is None else _environment(environment, f"{at}.environment", name),
    )


def _upload(value: Any, at: str) -> str:
    upload = text_at(value, at, UPLOAD, "a path relative to the login user's home")
    if any(part in ("", ".", "..") for part in upload.split("/")):
        raise BundleError(f"{at}: expected a path relative to the login user's home that stays inside it")
    return upload


def _environment(value: Any, at: str, name: str) -> Environment:
    keys = object_at(
        value,
        at,
        ("digest", "directory", "lock", "python", "installer", "uv", "wheelhouse", "wheel", "index", "buildSec"),
    )
    lock = object_at(keys["lock"], f"{at}.lock", ("kind", "inputs", "hashed"))
    wheelhouse, index = keys["wheelhouse"], keys["index"]
    if wheelhouse is not None:
        wheelhouse = object_at(wheelhouse, f"{at}.wheelhouse", ("sha256", "upload"))
    if index is not None:
        index = object_at(index, f"{at}.index", ("pip", "uv"))
    return Environment(
        digest=digest_at(keys["digest"], f"{at}.digest"),
        directory=path_at(keys["directory"], f"{at}.directory"),
        lock_kind=choice_at(lock["kind"], f"{at}.lock.kind", ("requirements", "uv", "none")),
        inputs=list_at(lock["inputs"], f"{at}.lock.inputs", _input),
        hashed=boolean_at(lock["hashed"], f"{at}.lock.hashed"),
        python=optional_at(keys["python"], f"{at}.python", PYTHON, "a version such as 3.12, or an absolute path"),
        installer=choice_at(keys["installer"], f"{at}.installer", ("auto", "pip", "uv")),
        uv=optional_at(keys["uv"], f"{at}.uv", VERSION, "a version such as 0.9.5"),
        wheelhouse=wheelhouse
        and Upload(
            name,
            digest_at(wheelhouse["sha256"], f"{at}.wheelhouse.sha256"),
            _upload(wheelhouse["upload"], f"{at}.wheelhouse.upload"),
        ),
        wheel=optional_at(keys["wheel"], f"{at}.wheel", WHEEL, "the file name of a wheel"),
        pip_conf=index and content_at(index["pip"], f"{at}.index.pip"),
        uv_toml=index and content_at(index["uv"], f"{at}.index.uv"),
        build_sec=integer_at(keys["buildSec"], f"{at}.buildSec", 1, 86_400),
    )


def _input(value: Any, at: str) -> tuple[str, str]:
    keys = object_at(value, at, ("path", "content"))
    path = content_at(keys["path"], f"{at}.path")
    if path.startswith("/") or any(part in ("", ".", "..") for part in path.split("/")) or re.search("[\0\n]", path):
        raise BundleError(f"{at}.path: expected a relative, normal path")
    return path, content_at(keys["content"], f"{at}.content")


def _hook(value: Any, at: str) -> Hook:
    keys = object_at(value, at, ("release", "unit", "kind", "digest", "content", "seconds"))
    return Hook(
        release=release_name_at(keys["release"], f"{at}.release"),
        unit=unit_name_at(keys["unit"], f"{at}.unit"),
        kind=choice_at(keys["kind"], f"{at}.kind", ("check", "pre-start", "post-start")),
        digest=digest_at(keys["digest"], f"{at}.digest"),
        content=content_at(keys["content"], f"{at}.content"),
        seconds=integer_at(keys["seconds"], f"{at}.seconds", 1, 86_400),
    )


def _unit(value: Any, at: str) -> Unit:
    keys = object_at(
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
            "stopPropagatedFrom",
            "bindsTo",
            "canReload",
            "isJob",
            "countsFromThePast",
            "memoryMax",
            "onChange",
            "settleSec",
            "gate",
        ),
    )
    digests = object_at(keys["digests"], f"{at}.digests", ("file", "restart", "reload", "limits", "manager", "install"))
    reload_on = object_at(keys["reloadOn"], f"{at}.reloadOn", ("files",))
    restart_on = object_at(keys["restartOn"], f"{at}.restartOn", ("files", "releases"))
    unit = Unit(
        name=unit_name_at(keys["name"], f"{at}.name"),
        path=path_at(keys["path"], f"{at}.path"),
        content=content_at(keys["content"], f"{at}.content"),
        digests=Digests(*(digest_at(digests[key], f"{at}.digests.{key}") for key in digests)),
        activation=choice_at(keys["activation"], f"{at}.activation", ("started", "on-demand")),
        enabled=boolean_at(keys["enabled"], f"{at}.enabled"),
        restart_on_files=list_at(restart_on["files"], f"{at}.restartOn.files", path_at),
        restart_on_releases=list_at(restart_on["releases"], f"{at}.restartOn.releases", release_name_at),
        purge=list_at(keys["purge"], f"{at}.purge", path_at),
        triggered_by=list_at(keys["triggeredBy"], f"{at}.triggeredBy", unit_name_at),
        stops_with=list_at(keys["stopsWith"], f"{at}.stopsWith", unit_name_at),
        stop_propagated_from=list_at(keys["stopPropagatedFrom"], f"{at}.stopPropagatedFrom", unit_name_at),
        binds_to=list_at(keys["bindsTo"], f"{at}.bindsTo", unit_name_at),
        can_reload=boolean_at(keys["canReload"], f"{at}.canReload"),
        is_job=boolean_at(keys["isJob"], f"{at}.isJob"),
        counts_from_the_past=boolean_at(keys["countsFromThePast"], f"{at}.countsFromThePast"),
        memory_max=None if keys["memoryMax"] is None else number_at(keys["memoryMax"], f"{at}.memoryMax", 0, 1 << 64),
        on_change=choice_at(keys["onChange"], f"{at}.onChange", ("auto", "restart", "reload", "none")),
        settle_sec=number_at(keys["settleSec"], f"{at}.settleSec", 0, 3600),
        gate=_gate(keys["gate"], f"{at}.gate"),
        reload_on_files=list_at(reload_on["files"], f"{at}.reloadOn.files", path_at),
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
    keys = object_at(value, at, ("probes", "stableSec", "withinSec", "confidential"))
    return Gate(
        probes=tuple(list_at(keys["probes"], f"{at}.probes", _probe)),
        stable_sec=number_at(keys["stableSec"], f"{at}.stableSec", 0, 3600),
        within_sec=number_at(keys["withinSec"], f"{at}.withinSec", 0, 86_400),
        confidential=boolean_at(keys["confidential"], f"{at}.confidential"),
    )


def _probe(value: Any, at: str) -> Probe:
    try:
        return probe_of(value, at)
    except MalformedError as problem:
        raise BundleError(str(problem)) from None
