"""What was built for a mesh while requests were looked at, kept for the next request."""

from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.mesh.gateway import Server as GatewayServer
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.scope import Listener
from meshplan.mesh.service import Resolution
from meshplan.traffic.chains import Chain, chains_of
from meshplan.traffic.clusters import Clusters
from meshplan.traffic.forward import Inbounds
from meshplan.traffic.gateway_routes import GatewayRoutes
from meshplan.traffic.inbound import Inbound
from meshplan.traffic.l4 import ServerNames, shared_connection, sidecar_names
from meshplan.traffic.sidecar_routes import SidecarRoutes
from meshplan.traffic.table import Route


@dataclass(slots=True)
class Tables:
    """What was built for a mesh, for its next request."""

    mesh: Mesh
    inbound: Inbounds
    _clusters: dict[Proxy, Clusters] = field(default_factory=dict)
    _sidecars: dict[tuple[Proxy, int], SidecarRoutes] = field(default_factory=dict)
    _gateways: dict[tuple[Proxy, tuple[GatewayServer, ...]], GatewayRoutes] = field(
        default_factory=dict
    )
    _chains: dict[tuple[Proxy, int], tuple[Chain, ...]] = field(default_factory=dict)
    _names: dict[tuple[Proxy, int], ServerNames] = field(default_factory=dict)
    _shared: dict[tuple[Proxy, int], Route | None] = field(default_factory=dict)
    _http: dict[tuple[Proxy, int], bool] = field(default_factory=dict)
    _http_ports: frozenset[int] | None = None

    def clusters(self, proxy: Proxy) -> Clusters:
        """The clusters of a class of proxies."""
        found = self._clusters.get(proxy)
        if found is None:
            found = self._clusters[proxy] = Clusters(self.mesh, proxy)
        return found

    def sidecar(self, proxy: Proxy, port: int, listener: Listener) -> SidecarRoutes:
        """The routes of sidecars for a port."""
        found = self._sidecars.get((proxy, port))
        if found is None:
            found = SidecarRoutes(self.mesh, proxy, port, listener)
            self._sidecars[proxy, port] = found
        return found

    def gateway(
        self, proxy: Proxy, servers: tuple[GatewayServer, ...], inbound: Inbound
    ) -> GatewayRoutes:
        """The routes of a gateway for servers that share a table."""
        found = self._gateways.get((proxy, servers))
        if found is None:
            found = GatewayRoutes(self.mesh, proxy, servers, inbound.token_places)
            self._gateways[proxy, servers] = found
        return found

    def chains(self, proxy: Proxy, port: int) -> tuple[Chain, ...]:
        """What takes connections to a port of a gateway."""
        found = self._chains.get((proxy, port))
        if found is None:
            groups = self.mesh.servers(proxy).by_port.get(port, ())
            found = self._chains[proxy, port] = tuple(chains_of(self.mesh, proxy, groups))
        return found

    def names(self, proxy: Proxy, port: int, listener: Listener) -> ServerNames:
        """What a sidecar has for TLS to hosts without an address."""
        found = self._names.get((proxy, port))
        if found is None:
            found = self._names[proxy, port] = sidecar_names(self.mesh, proxy, listener, port)
        return found

    def shared(self, proxy: Proxy, port: int, listener: Listener) -> Route | None:
        """Where a sidecar sends TCP to hosts without an address."""
        key = (proxy, port)
        if key not in self._shared:
            self._shared[key] = shared_connection(self.mesh, proxy, listener, port)
        return self._shared[key]

    def has_http(self, proxy: Proxy, listener: Listener, port: int) -> bool:
        """Whether a sidecar has a listener that reads requests for any host on a port."""
        key = (proxy, port)
        if key not in self._http:
            # A listener of a Sidecar has a protocol of its own, and is opened for its services.
            own = listener.egress.protocol if listener.egress.port else None
            self._http[key] = any(
                service.resolution is not Resolution.ALIAS
                and (found := service.port(port)) is not None
                and (found.protocol if own is None else own).is_http_or_sniffed
                for service in listener.matching("*")
            )
        return self._http[key]

    def speaks_http(self, port: int) -> bool:
        """Whether any service, imported or not, has requests on a port."""
        if self._http_ports is None:
            self._http_ports = frozenset(
                found.number
                for service in self.mesh.registry.services
                for found in service.ports
                if found.protocol.is_http_or_sniffed and service.resolution is not Resolution.ALIAS
            )
        return port in self._http_ports


def tables(mesh: Mesh) -> Tables:
    """What was built for a mesh so far."""
    found = mesh.memory.get("tables")
    if not isinstance(found, Tables):
        found = mesh.memory["tables"] = Tables(mesh, Inbounds(mesh))
    return found
