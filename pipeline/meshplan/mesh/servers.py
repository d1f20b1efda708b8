"""The servers of all Gateways of a gateway's pods, put together by port (`mergeGateways`)."""

from collections.abc import Callable, Iterable
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.mesh.gateway import Gateway, Server
from meshplan.mesh.service import Protocol


@dataclass(frozen=True, slots=True)
class ServerGroup:
    """Servers of one protocol on one port and address."""

    protocol: Protocol
    bind: str
    #: Servers that share one table of routes if they are plain HTTP.
    servers: tuple[Server, ...]

    @property
    def is_plain_http(self) -> bool:
        """Whether it serves HTTP without TLS."""
        return self.protocol.is_http


@dataclass(frozen=True, slots=True)
class MergedServers:
    """What a gateway's pods listen for, and what was left out."""

    by_port: dict[int, tuple[ServerGroup, ...]] = field(default_factory=dict)
    #: Servers that conflict with older ones, and why.
    skipped: tuple[tuple[Server, str], ...] = ()


class _Merger:
    def __init__(self) -> None:
        self.groups: dict[tuple[int, Protocol, str], list[Server]] = {}
        #: Port to the key of its first server without TLS.
        self.plain: dict[int, tuple[int, Protocol, str]] = {}
        self.skipped: list[tuple[Server, str]] = []
        #: Port to the hosts (of TLS handshakes) that are taken, with their address.
        self.names: dict[int, dict[str, str]] = {}
        self.https: set[tuple[int, str, str, str]] = set()

    def add(self, server: Server, port: int) -> None:
        if server.tls is not None and not self._take_names(server, port):
            self.skipped.append((server, "another server on the port has the same host"))
            return
        key = (port, server.protocol, server.bind)
        if port in self.plain:
            self._join(server, key)
        else:
            self._beside(server, key)

    def _take_names(self, server: Server, port: int) -> bool:
        """`CheckDuplicates`."""
        taken = self.names.setdefault(port, {})
        if any(taken.get(host) == server.bind for host in server.hosts):
            return False
        taken.update(dict.fromkeys(server.hosts, server.bind))
        return True

    def _open(self, server: Server, key: tuple[int, Protocol, str]) -> None:
        if not server.is_tls:
            self.plain[key[0]] = key
        elif server.is_http:
            self.https.add(_route_name(server))
        self.groups[key] = [server]

    def _join(self, server: Server, key: tuple[int, Protocol, str]) -> None:
        """A server on a port that has one without TLS already."""
        current = self.plain[key[0]]
        if current[2] != server.bind:
            if key in self.groups:
                self.groups[key].append(server)
            else:
                self._open(server, key)
        elif not (server.protocol.is_http and current[1].is_http):
            self.skipped.append((server, "the port speaks another protocol"))
        else:
            self.groups[current].append(server)

    def _beside(self, server: Server, key: tuple[int, Protocol, str]) -> None:
        """A server on a port where all others have TLS, if there are any."""
        if not server.is_tls:
            self._open(server, key)
            return
        if server.is_http:
            name = _route_name(server)
            if name in self.https:
                self.skipped.append((server, "another server has the same port name"))
                return
            self.https.add(name)
        self.groups.setdefault(key, []).append(server)


def merge_servers(
    gateways: Iterable[Gateway], ports: Callable[[Gateway, int], tuple[int, ...]]
) -> MergedServers:
    """The servers of some Gateways, the oldest first.

    `ports` tells on which ports the pods listen for a port of a Gateway's server.
    """
    merger = _Merger()
    for gateway in gateways:
        for server in gateway.servers:
            for port in ports(gateway, server.port):
                merger.add(server, port)
    by_port: dict[int, list[ServerGroup]] = {}
    for (port, protocol, bind), servers in merger.groups.items():
        by_port.setdefault(port, []).append(ServerGroup(protocol, bind, tuple(servers)))
    return MergedServers(
        {port: tuple(groups) for port, groups in by_port.items()}, tuple(merger.skipped)
    )


def _route_name(server: Server) -> tuple[int, str, str, str]:
    # Each listener of the Gateway API has a Gateway of its own.
    return server.port, server.port_name, server.gateway_name, server.bind
