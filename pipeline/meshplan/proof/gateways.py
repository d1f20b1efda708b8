"""Which host names the pods of one gateway tell apart."""

from collections.abc import Iterator
from functools import lru_cache

from meshplan.identity import ResourceId
from meshplan.mesh.config import MeshConfig
from meshplan.mesh.hosts import is_wildcard, subset_of
from meshplan.mesh.read import mapping, mappings, texts
from meshplan.proof.authorities import asked_of_names, server_names_asked
from meshplan.proof.clients import may_open
from meshplan.proof.index import GATEWAY_API, NETWORKING, Index
from meshplan.proof.passing import hosts_of_servers, passes_on
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

Labels = tuple[tuple[str, str], ...]


class GatewayHosts:
    """The hosts that are named by what is bound to the Gateways of some pods."""

    def __init__(self, index: Index, versions: Versions, config: MeshConfig):
        self._index = index
        self._versions = versions
        self._config = config
        self._told_apart = lru_cache(None)(self._find)

    def alike(self, host: str, namespace: str, labels: Labels) -> str:
        """A host of which the pods make the same: a wildcard stands for those without a name."""
        named = self._told_apart(namespace, labels)
        if named is None or host in named:
            return host
        covering = (name for name in named if is_wildcard(name) and subset_of(host, name))
        return max(covering, key=len, default="*")

    def _find(self, namespace: str, labels: Labels) -> frozenset[str] | None:
        """All hosts and wildcards; None where hosts are looked at in other ways, too."""
        found: set[str] = set()
        bound: list[Resource] = []
        for gateway in self._gateways(namespace, labels):
            found.update(hosts_of_servers(gateway))
            if passes_on(gateway):
                return None
            for id_ in self._bound_to(f"{gateway.id.namespace}/{gateway.id.name}"):
                bound += self._versions.all_of(id_)
        for where in (namespace, self._config.root_namespace):
            for id_ in self._index.policies("AuthorizationPolicy", where, dict(labels)):
                bound += self._versions.all_of(id_)
        asked = (*asked_of_names(bound, self._config), *server_names_asked(bound))
        if asked or any(map(_delegates, bound)):
            return None
        for route in bound:
            found.update(self._hosts_of_route(route))
        return frozenset(found)

    def _gateways(self, namespace: str, labels: Labels) -> Iterator[Resource]:
        for group in (NETWORKING, GATEWAY_API):
            for gateway in self._versions.of_kind(group, "Gateway"):
                if may_open(namespace, dict(labels), gateway):
                    yield gateway

    def _bound_to(self, name: str) -> Iterator[ResourceId]:
        for key in self._index.keys("route"):
            # A route may name one listener of a Gateway, too.
            if key[1] == "gateway" and key[2].partition("~")[0] == name:
                yield from self._index.ids(key)
        yield from self._index.ids(("attached", "Gateway", name))

    def _hosts_of_route(self, route: Resource) -> Iterator[str]:
        if route.id.kind == "VirtualService":
            found = self._index.route_of(route)
            yield from (host.lower() for host in found.hosts)
        else:
            yield from (host.lower() for host in texts(route.spec.get("hostnames")))


def _delegates(route: Resource) -> bool:
    return any(mapping(rule.get("delegate")) for rule in mappings(route.spec.get("http")))
