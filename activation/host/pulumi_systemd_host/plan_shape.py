"""What a plan is made from, and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from .bundle import Hook, Release, User
from .environment_target import Target
from .files import ABSENT, Found
from .saved import SavedPath
from .systemctl import UnitState


@dataclass(frozen=True)
class Observation:
    """The host as it was before the transaction."""

    states: dict[str, UnitState]
    disk: dict[str, Found]
    boot: str
    accounts: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    instances: dict[str, list[str]] = field(default_factory=dict)
    # Instances that systemd made for connections, by their template: nothing but a new connection can start one.
    connections: dict[str, list[str]] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    # Where a path lies whose directory is reached through links.
    real: dict[str, str] = field(default_factory=dict)
    accounts_elsewhere: set[str] = field(default_factory=set)
    # Accounts and directories that another scope made: whoever is last takes them away.
    made_elsewhere: set[str] = field(default_factory=set)
    # Home to account and scope.
    homes_elsewhere: dict[str, tuple[str, str]] = field(default_factory=dict)
    # The content of files that are in our way.
    foreign: dict[str, bytes] = field(default_factory=dict)
    # Where a template is defined that systemd cannot show.
    templates: dict[str, str] = field(default_factory=dict)
    # The file that has a name which a unit asks for with Alias=.
    alias_files: dict[str, str] = field(default_factory=dict)
    # Links of `systemctl enable`: path to target.
    links: dict[str, str] = field(default_factory=dict)
    # Timers with a stamp of their last run.
    stamps: set[str] = field(default_factory=set)
    # By the name of the release.
    environments: dict[str, Target] = field(default_factory=dict)
    # Who owns what this program writes: root, but in its own tests.
    owner: tuple[int, int] = (0, 0)

    def state(self, name: str) -> UnitState:
        return self.states.get(name) or UnitState(name, {})

    def found(self, path: str) -> Found:
        return self.disk.get(path, ABSENT)


@dataclass(frozen=True)
class Action:
    """One line of the receipt."""

    unit: str
    action: str
    reasons: list[str]


@dataclass(frozen=True)
class Write:
    """A file to be written whole."""

    path: str
    data: bytes
    mode: int
    is_unit: bool
    secret: bool = False


@dataclass
class Plan:
    """Everything that the transaction will do, in the order in which it is done."""

    conflicts: list[str] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    # Groups that accounts which are there already ask for.
    groups: list[str] = field(default_factory=list)
    unpack: list[Release] = field(default_factory=list)
    build: list[Release] = field(default_factory=list)
    # Releases that stay and get another environment: the host's interpreter changed, or the environment was lost.
    rebind: list[Release] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    links: list[Release] = field(default_factory=list)
    hold: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    disable: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    # Services that go while their socket stays open for another one: stopped after the daemon-reload, then removed.
    late: list[str] = field(default_factory=list)
    remove_late: list[str] = field(default_factory=list)
    enable: list[str] = field(default_factory=list)
    reenable: list[str] = field(default_factory=list)
    # A person disabled these, and they are left so.
    left_disabled: list[str] = field(default_factory=list)
    stamps_now: list[str] = field(default_factory=list)
    stamps_gone: list[str] = field(default_factory=list)
    daemon_reload: bool = False
    reload: list[str] = field(default_factory=list)
    restart: list[str] = field(default_factory=list)
    start: list[str] = field(default_factory=list)
    # Restarted by systemd itself together with a unit that they require.
    follow: list[str] = field(default_factory=list)
    # Changed on-demand units that do not run. Whatever starts one in the midst of the switch starts the old definition.
    idle: list[str] = field(default_factory=list)
    # Running units whose limits change and that go on.
    limits: list[str] = field(default_factory=list)
    # Units to which nothing is done though something is to be said of them: what. A neighbour may still take one along.
    left_as_is: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    users_gone: list[str] = field(default_factory=list)
    groups_gone: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    adopted: set[str] = field(default_factory=set)
    # What could be taken over if it were listed.
    adoptable: list[str] = field(default_factory=list)
    # What goes back to its place, what goes beside it, and the links that a unit had.
    restore: list[SavedPath] = field(default_factory=list)
    aside: list[SavedPath] = field(default_factory=list)
    relink: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: set[str] = field(default_factory=set)

    @property
    def changes_host(self) -> bool:
        """Whether carrying it out would change anything but the ledger."""
        return bool(
            self.users
            or self.groups
            or self.unpack
            or self.build
            or self.rebind
            or self.hooks
            or self.writes
            or self.links
            or self.stop
            or self.hold
            or self.disable
            or self.remove
            or self.restore
            or self.aside
            or self.relink
            or self.late
            or self.enable
            or self.reenable
            or self.daemon_reload
            or self.reload
            or self.restart
            or self.start
            or self.gone
            or self.users_gone
            or self.groups_gone
        )

    @property
    def touched(self) -> list[str]:
        """Units that are stopped, started, restarted or reloaded."""
        return list(
            dict.fromkeys([*self.hold, *self.stop, *self.late, *self.reload, *self.restart, *self.follow, *self.start])
        )

    def limited_slices(self, seen: Observation) -> list[str]:
        """The slices in which limits of running units change."""
        found = {name if name.endswith(".slice") else seen.state(name).get("Slice") for name in self.limits}
        return sorted(found - {""})
