"""Which addresses are looked at while running services change over, and how."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Callable, Mapping
from urllib.parse import urlsplit

from .bundle import Gate, Unit
from .plan_shape import Observation, Plan
from .swap_meter import Target
from .systemctl import UnitState, show
from .work import Work

if TYPE_CHECKING:
    from pulumi_systemd_health.probe_settings import HttpProbe

LISTENS = ("Id", "Accept", "Listen", "BindIPv6Only")


def swap_targets(work: Work, made: Plan, seen: Observation) -> list[Target]:
    """
    The addresses of running services that get a new process: what the health gate asks by HTTP on this machine, else
    the stream socket that systemd holds for it.
    """
    fresh = {*made.restart, *made.start, *made.follow}
    services = [unit for unit in work.bundle.units if unit.name in fresh and seen.state(unit.name).running]
    services = [unit for unit in services if unit.name.endswith(".service") and not seen.state(unit.name).is_job]
    targets = [target for unit in services if unit.gate for target in _asked_by_gate(unit, unit.gate)]
    sockets = {unit.name: _sockets_of(unit, seen) for unit in services}
    listening = [name for names in sockets.values() for name in names]
    shown = show(work.system, listening, work.units.left(), LISTENS) if listening else {}
    return targets + [target for unit in services for target in _held_for(unit.name, sockets[unit.name], shown)]


def _sockets_of(unit: Unit, seen: Observation) -> list[str]:
    return [
        name
        for name in seen.state(unit.name).words("TriggeredBy")
        if name.endswith(".socket") and seen.state(name).running
    ]


def _asked_by_gate(unit: Unit, gate: Gate) -> list[Target]:
    from pulumi_systemd_health.probe_settings import HttpProbe

    return [
        _request(unit.name, probe, gate.confidential)
        for probe in gate.probes
        if isinstance(probe, HttpProbe) and (probe.unix_socket is not None or _is_here(probe.url))
    ]


def _is_here(url: str) -> bool:
    """Whether a URL is of this machine alone: others would feel the probes."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _request(unit: str, probe: HttpProbe, confidential: bool) -> Target:
    # It loads HTTP and TLS: most updates need neither, and are quicker without.
    from pulumi_systemd_health.probes import name_of, problem_of

    def ask(seconds: float) -> None:
        problem = problem_of(replace(probe, timeout_sec=seconds))
        if problem:
            raise OSError(problem)

    return Target(unit, name_of(probe, confidential), "request", ask)


def _held_for(unit: str, sockets: list[str], shown: Mapping[str, UnitState]) -> list[Target]:
    found = []
    for name in sockets:
        listen, _, kind = shown[name].get("Listen").rpartition(" ")
        address = connectable(listen, shown[name].get("BindIPv6Only"))
        # With Accept=yes each connection would be a process.
        if kind == "(Stream)" and shown[name].get("Accept") == "no" and address is not None:
            found.append(Target(unit, listen, "connection", _connection(*address)))
    return found


def connectable(listen: str, ipv6_only: str) -> tuple[int, str | tuple[str, int]] | None:
    """Family and address by which this machine reaches what `systemctl show -p Listen` tells; None where it cannot."""
    if listen.startswith("/"):
        return socket.AF_UNIX, listen
    if listen.startswith("@"):
        return socket.AF_UNIX, "\0" + listen[1:]
    host, _, port = listen.rpartition(":")
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        if address.is_unspecified and address.version == 6 and ipv6_only != "ipv6-only":
            address = ipaddress.ip_address("127.0.0.1")
        elif address.is_unspecified:
            address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
        return (socket.AF_INET if address.version == 4 else socket.AF_INET6), (str(address), int(port))
    except ValueError:
        return None


def _connection(family: int, address: str | tuple[str, int]) -> Callable[[float], None]:
    def ask(seconds: float) -> None:
        """It says nothing and ends what it has to say: a server that takes the connection sees that, and closes it."""
        with socket.socket(family, socket.SOCK_STREAM) as connected:
            connected.settimeout(seconds)
            connected.connect(address)
            connected.shutdown(socket.SHUT_WR)
            connected.recv(1)

    return ask
