"""Hosts without an address of their own: on a port that they share, one gets what is meant for another.

A sidecar has one listener for all of them. What is no TLS goes to the first, whichever was dialled,
unless some other host has the port read as HTTP (`buildSidecarOutboundListener`).
"""

from collections.abc import Iterator

from meshplan.proof.declared import hosts_of
from meshplan.proof.fields import shared_ports, spoken_ports
from meshplan.proof.index import Index
from meshplan.proof.versions import Versions
from meshplan.resource import Resource


class Sharing:
    """Who is on which shared port, in any version."""

    def __init__(self, index: Index, versions: Versions):
        self._index = index
        self._versions = versions
        self._beside: dict[str, tuple[str, ...]] = {}

    def beside(self, host: str) -> tuple[str, ...]:
        """The other hosts that get what is meant for this one, or it what is meant for them."""
        found = self._beside.get(host)
        if found is None:
            found = self._beside[host] = tuple(dict.fromkeys(self._others(host)))
        return found

    def _others(self, host: str) -> Iterator[str]:
        for id_ in self._index.near("service.host", host):
            for version in self._versions.all_of(id_) if id_.kind == "ServiceEntry" else ():
                for port, named in shared_ports(version):
                    for way in () if named else ("any", "named"):
                        yield from self._hosts(way, port)

    def read_with(self, version: Resource) -> Iterator[str]:
        """The hosts on shared ports that are read as HTTP where this Service or ServiceEntry is there."""
        for port in dict.fromkeys(spoken_ports(version, self._index.domain)):
            yield from self._hosts("any", port)

    def _hosts(self, way: str, port: str) -> Iterator[str]:
        for id_ in self._index.ids(("shared", way, port)):
            for version in self._versions.all_of(id_):
                yield from hosts_of(version, self._index.domain)
