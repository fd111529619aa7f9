"""What the parts of a bundle say of one another."""

from __future__ import annotations

from .bundle import Bundle
from .errors import BundleError


def check_references(bundle: Bundle) -> None:
    """Refuse a bundle that has a name or a path twice, or one that names what is not in it. Raises BundleError."""
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
