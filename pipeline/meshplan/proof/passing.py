"""Requests from other networks, which a gateway passes on by the name in the handshake alone.

That is the name of a cluster, of the host as the other network knows it (SNI-DNAT,
`builtAutoPassthroughFilterChains`): no route of ours decides about them.
"""

from collections.abc import Iterator
from functools import cached_property

from meshplan.mesh.hosts import is_wildcard, matches
from meshplan.mesh.read import at, mappings, number, text, texts
from meshplan.proof.index import GATEWAY_API, NETWORKING, Index
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

_SEPARATOR = "_."


class Passing:
    """The names that gateways pass on, whichever version of them is in force."""

    def __init__(self, index: Index, versions: Versions):
        self._index = index
        self._versions = versions

    def names(self, host: str) -> Iterator[str]:
        """The names of the clusters of a host, of each port and subset that it may have."""
        if is_wildcard(host) or not any(matches(host, pattern) for pattern in self._patterns):
            return
        subsets = {"": None}
        for rule in self._index.near("rule.host", host):
            for version in self._versions.all_of(rule):
                found = mappings(version.spec.get("subsets"))
                subsets.update((text(subset.get("name")), None) for subset in found)
        for port in dict.fromkeys(self._ports(host)):
            for subset in subsets:
                yield _SEPARATOR.join(("outbound", str(port), subset, host))

    def behind(self, gateway: Resource) -> Iterator[str]:
        """All names that one gateway passes on."""
        if passes_on(gateway):
            for pattern in hosts_of_servers(gateway):
                for host in dict.fromkeys(self._index.hosts_under("service.host", pattern)):
                    yield from self.names(host)

    def _ports(self, host: str) -> Iterator[int]:
        for service in self._index.ids(("service", "host", host)):
            for version in self._versions.all_of(service):
                for port in mappings(version.spec.get("ports")):
                    yield number(port.get("port", port.get("number")))

    @cached_property
    def _patterns(self) -> tuple[str, ...]:
        gateways = (
            gateway
            for group in (NETWORKING, GATEWAY_API)
            for gateway in self._versions.of_kind(group, "Gateway")
            if passes_on(gateway)
        )
        return tuple(dict.fromkeys(host for one in gateways for host in hosts_of_servers(one)))


def host_of(name: str) -> str:
    """The host of the cluster that a name in a handshake is that of; "" for any other name."""
    parts = name.split(_SEPARATOR, 3)
    return parts[3] if len(parts) == 4 and parts[0] == "outbound" else ""


def passes_on(gateway: Resource) -> bool:
    """Whether the name in the handshake may be that of any Service of the mesh."""
    if "topology.istio.io/network" in gateway.labels:
        return True
    modes = [
        *(at(server, "tls", "mode") for server in mappings(gateway.spec.get("servers"))),
        *(
            at(listener, "tls", "options", "gateway.istio.io/listener-protocol")
            for listener in mappings(gateway.spec.get("listeners"))
        ),
    ]
    return any(mode in ("AUTO_PASSTHROUGH", "auto-passthrough") for mode in modes)


def hosts_of_servers(gateway: Resource) -> Iterator[str]:
    """The hosts, and wildcards, for which a Gateway of either API listens."""
    for server in mappings(gateway.spec.get("servers")):
        for entry in texts(server.get("hosts")):
            yield entry.rpartition("/")[2].lower()
    for listener in mappings(gateway.spec.get("listeners")):
        yield text(listener.get("hostname")).lower() or "*"
