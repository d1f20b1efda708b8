"""By which hosts clients may ask a gateway of the mesh for what they were asked themselves.

Most routes leave the host of a request as it is; some write another one before they send it on.
"""

from collections.abc import Iterable, Iterator

from meshplan.identity import ResourceId
from meshplan.mesh.read import mapping, mappings, text
from meshplan.mesh.virtual_service import MESH_GATEWAY
from meshplan.proof.fields import authorities_of
from meshplan.proof.footprint import Footprint
from meshplan.proof.index import NETWORKING, Index
from meshplan.proof.types import Topic, TopicKind
from meshplan.proof.versions import Versions
from meshplan.resource import Resource


class SentOn:
    """Which topics of sidecars and of gateways are about the same requests, in any version."""

    def __init__(self, index: Index, versions: Versions, footprint: Footprint):
        self._index = index
        self._versions = versions
        self._footprint = footprint
        self._hosts: dict[str, tuple[str, ...]] = {}
        self._senders: dict[str, tuple[Topic, ...]] = {}

    def hosts(self, host: str) -> tuple[str, ...]:
        """The hosts by which gateways may be asked for what sidecars are asked for by `host`."""
        found = self._hosts.get(host)
        if found is None:
            asked = dict.fromkeys((host, *self._authorities(host)))
            near = any(True for _ in self._near(host))
            found = tuple(name for name in asked if near and self._is_at_a_gateway(name))
            self._hosts[host] = found
        return found

    def senders(self, host: str) -> tuple[Topic, ...]:
        """The topics of sidecars of which gateways may be asked by `host`."""
        found = self._senders.get(host)
        if found is None:
            own = [Topic(TopicKind.MESH, host)] if host in self.hosts(host) else []
            others = (
                topic
                for id_ in self._index.near("renaming.host", host)
                for version in self._versions.all_of(id_)
                for topic in self._footprint.of_route(version)
                if topic.kind is TopicKind.MESH
            )
            found = self._senders[host] = tuple(dict.fromkeys((*own, *others)))
        return found

    def _near(self, host: str) -> Iterator[Resource]:
        """The routes of sidecars for a host."""
        for id_ in self._index.near("route.host", host):
            for version in self._versions.all_of(id_):
                if MESH_GATEWAY in self._index.route_of(version).gateways:
                    yield version
        for id_ in self._index.near("attached.host", host):
            for version in self._versions.all_of(id_):
                if any(kind != "Gateway" for kind in _parents(version)):
                    yield version

    def _authorities(self, host: str) -> Iterator[str]:
        for version in self._near(host):
            for one in (version, *self._delegates(version)):
                yield from authorities_of(one)

    def _delegates(self, version: Resource) -> Iterator[Resource]:
        for rule in mappings(version.spec.get("http")):
            delegate = mapping(rule.get("delegate"))
            if delegate:
                where = text(delegate.get("namespace")) or version.id.namespace
                name = text(delegate.get("name"))
                yield from self._versions.all_of(
                    ResourceId(NETWORKING, "VirtualService", where, name)
                )

    def _is_at_a_gateway(self, host: str) -> bool:
        bound = (
            name != MESH_GATEWAY
            for id_ in self._index.near("route.host", host)
            for version in self._versions.all_of(id_)
            for name in self._index.route_of(version).gateways
        )
        attached = (
            kind == "Gateway"
            for id_ in self._index.near("attached.host", host)
            for version in self._versions.all_of(id_)
            for kind in _parents(version)
        )
        return any(bound) or any(attached)


def _parents(version: Resource) -> Iterable[str]:
    """The kinds of what a route of the Gateway API is attached to."""
    return [text(p.get("kind", "Gateway")) for p in mappings(version.spec.get("parentRefs"))]
