"""The states that a scope had on this host: each whole, with its files and secrets, so that one can go back to it."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from typing import Any

from .bundle import SEALED, Bundle
from .bundle_reader import parse_bundle
from .errors import HostError
from .files import make_directories, remove_empty_directory, remove_file, write_atomically
from .ledger import Ledger
from .record import UNREADABLE, NewerRecordError, check_readable, check_strings, record
from .work import Work

NUMBER = re.compile(r"(\d{1,9})\.json")
# What a bundle asks of the host. The rest of it says how to get there.
CONTENT = ("users", "files", "releases", "hooks", "units")
# What a kept bundle is told apart by.
NAMED = (("releases", "name"), ("releases", "directory"), ("units", "name"), ("files", "path"), ("users", "name"))
# Keys that came after the first release of the format, with the value that a kept bundle without them stands for.
LATER: dict[str, dict[str, Any]] = {
    "": {"hooks": []},
    "bounds": {"confirmSec": 0},
    "files": {"encoding": "utf-8"},
    "releases": {"keep": 0, "environment": None},
    "units": {
        "purge": [],
        "stopsWith": [],
        "stopPropagatedFrom": [],
        "bindsTo": [],
        "canReload": False,
        "isJob": False,
        "countsFromThePast": False,
        "memoryMax": None,
        "gate": None,
        "reloadOn": {"files": []},
    },
    "units.digests": {"limits": "0" * 64, "manager": "0" * 64},
}


@dataclass(frozen=True)
class Origin:
    """How a generation came to be: by `pulumi up`, or by a person on the host, back to the generation `to`."""

    kind: str
    to: int = 0
    who: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Generation:
    """One state of a scope. `at` is in seconds since 1970; `adopted` are paths that it held of what others had made."""

    number: int
    transaction: str
    at: float
    origin: Origin
    bundle: dict[str, Any]
    adopted: list[str] = field(default_factory=list)

    def parsed(self) -> Bundle:
        """Its bundle, ready to be applied again. Raises HostError when this program does not understand it."""
        value = json.loads(json.dumps(self.bundle))
        try:
            value["adopt"] = sorted({*value.get("adopt", []), *self.adopted})
            for part, defaults in LATER.items():
                for each in _parts(value, part):
                    each.update({key: default for key, default in defaults.items() if key not in each})
        except (KeyError, TypeError, AttributeError):
            raise HostError(f"generation {self.number} is damaged: it cannot be gone back to") from None
        return parse_bundle(json.dumps(value).encode("utf-8"))


def _parts(value: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """The objects at a place such as `units.digests`; a list stands for each of its entries."""
    found: list[Any] = [value]
    for key in place.split(".") if place else []:
        inner = [each[key] for each in found]
        found = [each for part in inner for each in (part if isinstance(part, list) else [part])]
    return found


def content_digest(bundle: dict[str, Any]) -> str:
    """A digest of all that `bundle` asks of the host. It is of secrets too and never leaves the host."""
    asked = {key: bundle.get(key, []) for key in CONTENT}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Back:
    """A person's wish to go back to a generation. `hold_sec`: for how long updates are then held off."""

    to: int
    who: str
    reason: str = ""
    hold_sec: int = 0


def generation_path(work: Work, number: int) -> str:
    return os.path.join(work.generations, f"{number}.json")


def write_generation(work: Work, ledger: Ledger, origin: Origin) -> None:
    """Keep the state that `ledger` stands for, or is about to. Written before it: it counts once the ledger does."""
    adopted = [*ledger.originals, *(ledger.units[name].path for name in ledger.original_units)]
    generation = Generation(
        ledger.generation,
        ledger.transaction,
        ledger.at,
        origin,
        json.loads(work.given.raw),
        sorted(set(adopted)),
    )
    path = generation_path(work, ledger.generation)
    data = json.dumps({"format": 1, **asdict(generation)}, sort_keys=True).encode("utf-8")
    check_readable(path, lambda: _parsed(data))
    make_directories(work.generations, 0o700)
    write_atomically(path, data, 0o600, "generation")


def read_generations(directory: str) -> dict[int, Generation]:
    """The kept generations in `directory`, oldest first. One that is damaged is left out: it cannot be gone back to."""
    found = {}
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        match = NUMBER.fullmatch(name)
        if match:
            generation = _read(os.path.join(directory, name))
            if generation and generation.number == int(match.group(1)):
                found[generation.number] = generation
    return dict(sorted(found.items()))


def _read(path: str) -> Generation | None:
    try:
        with open(path, "rb") as source:
            return _parsed(source.read())
    except (OSError, *UNREADABLE):
        return None


def _parsed(data: bytes) -> Generation:
    value = json.loads(data.decode("utf-8"))
    if value.pop("format") != 1:
        raise NewerRecordError
    generation = record(Generation, value)
    for part, key in NAMED:
        check_strings([each[key] for each in generation.bundle[part]])
    return generation


def update_generation(work: Work, ledger: Ledger) -> None:
    """Where an update changed nothing on the host, the kept generation is still of what was asked for last."""
    kept = _read(generation_path(work, ledger.generation))
    if kept is None or kept.bundle != json.loads(work.given.raw):
        write_generation(work, ledger, kept.origin if kept else Origin("up"))


def sealed_contents(directory: str) -> dict[str, list[str]]:
    """What kept generations have as the encrypted contents of each file, by its path, the newest first."""
    contents: dict[str, list[str]] = {}
    for generation in reversed(read_generations(directory).values()):
        for each in generation.bundle["files"]:
            if each.get("encoding") == SEALED and isinstance(each["content"], str):
                contents.setdefault(each["path"], []).append(each["content"])
    return contents


def release_directories(work: Work, latest: int, keep: int) -> set[str]:
    """The directories of releases that the generations need which are kept once `latest` is there."""
    if work.destroys:
        return set()
    kept = [each for number, each in read_generations(work.generations).items() if number > latest - keep]
    return {release["directory"] for each in kept for release in each.bundle["releases"]}


def drop_generations(work: Work, ledger: Ledger) -> None:
    """Remove the generations that `ledger` does not keep: the oldest, and one whose transaction was taken back."""
    if not os.path.isdir(work.generations):
        return
    for name in os.listdir(work.generations):
        match = NUMBER.fullmatch(name)
        if match is None or not ledger.generation - ledger.keep < int(match.group(1)) <= ledger.generation:
            remove_file(os.path.join(work.generations, name))
    remove_empty_directory(work.generations)


def target_of(generations: dict[int, Generation], ledger: Ledger, wanted: int | None) -> Generation:
    """
    The generation to go back to: `wanted`, or the one before the state that the host is in.

    Raises HostError naming those that are kept.
    """
    now = ledger.rolled_back.to if ledger.rolled_back else ledger.generation
    kept = [number for number in generations if number != ledger.generation]
    listed = ", ".join(str(number) for number in kept) or "none"
    if wanted is not None:
        if wanted == ledger.generation:
            raise HostError(f"{ledger.scope} is on generation {wanted} already; kept besides it: {listed}")
        if wanted not in generations:
            raise HostError(f"generation {wanted} of {ledger.scope} is not kept; kept are: {listed}")
    else:
        earlier = [number for number in kept if number < now]
        if not earlier:
            raise HostError(f"{ledger.scope} keeps no generation from before {now}; kept are: {listed}")
        wanted = max(earlier)
    if generations[wanted].bundle.get("scope") != ledger.scope:
        raise HostError(f"generation {wanted} of {ledger.scope} is damaged: it cannot be gone back to")
    return generations[wanted]


def changes(older: dict[str, Any], newer: dict[str, Any]) -> list[str]:
    """What differs between two bundles, by name: `api.service changed`, `/etc/x new`. No content is in it."""
    found: list[str] = []
    for part, key in (("releases", "name"), ("units", "name"), ("files", "path"), ("users", "name")):
        was = {each[key]: each for each in older.get(part, [])}
        now = {each[key]: each for each in newer.get(part, [])}
        what = {"releases": "release ", "users": "account "}.get(part, "")
        for name in sorted({*was, *now}):
            if was.get(name) != now.get(name):
                kind = "new" if name not in was else "gone" if name not in now else "changed"
                found += [f"{what}{name} {kind}"]
    return found
