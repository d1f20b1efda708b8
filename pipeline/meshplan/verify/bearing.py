"""What a write can make a difference to: by kind, host and namespace; in doubt, to everything.

A request meets three configurations that may each be of another state: the routes of the client's
proxy, its clusters with their endpoints, and the listeners of the servers. A write that one of them
cannot tell of doubles the states of the others alone, so that three small sets of states take the
place of all subsets.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import ProxyKind
from meshplan.mesh.service import service_of, services_of
from meshplan.mesh.workload import workload_of
from meshplan.resource import Resource
from meshplan.verify.callers import Caller
from meshplan.verify.names import (
    GATEWAY_API,
    NETWORKING,
    POLICIES,
    ROUTES,
    SIDECAR,
    WORKLOADS,
    kind_of,
)
from meshplan.verify.replay import Write
from meshplan.verify.speakers import Say, Speakers, Versions, pod_labels

_ENTRY = (NETWORKING, "ServiceEntry")
_RULE = (NETWORKING, "DestinationRule")
#: What changes proxies in ways that are not modelled, whatever it is attached to.
OPAQUE = frozenset({(NETWORKING, "EnvoyFilter"), ("extensions.istio.io", "WasmPlugin")})
_ADDRESSES = frozenset({("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")})
#: What says who is let in.
ACCESS = frozenset(
    ("security.istio.io", kind) for kind in ("AuthorizationPolicy", "RequestAuthentication")
)
#: What says nothing about clusters and endpoints, unless a Sidecar has routes imported.
_NOT_IN_CLUSTERS = ROUTES | OPAQUE | {(NETWORKING, "Gateway"), (GATEWAY_API, "Gateway")}
#: What says nothing about what a server's sidecar lets in.
_NOT_AT_SERVERS = ROUTES | {_RULE, (NETWORKING, "Gateway"), (GATEWAY_API, "Gateway")}
#: Kinds whose objects are chosen or merged by their own labels, or whose labels say something.
_LABELLED = _ADDRESSES | WORKLOADS | {("", "Namespace"), _ENTRY, (GATEWAY_API, "Gateway")}


def meaning(version: Resource) -> Any:
    """All of an object that a proxy may come to know of.

    Of what makes pods that is what the pods are known by: images and resources are nobody's
    business. Of other objects it is everything but who looks after them (labels and annotations
    that are not Istio's), the state that the cluster writes, and the version of the API, in any of
    which istiod reads the same object.
    """
    kind = kind_of(version.id)
    if kind in WORKLOADS:
        return workload_of(version)
    labels, annotations = version.labels, version.annotations
    metadata = {
        "creationTimestamp": version.metadata.get("creationTimestamp"),
        "labels": {k: v for k, v in labels.items() if kind in _LABELLED or "istio" in str(k)},
        "annotations": {
            k: v for k, v in annotations.items() if "istio" in str(k) or "ingress" in str(k)
        },
    }
    left_out = ("apiVersion", "kind", "metadata", "status")
    rest = {key: value for key, value in version.manifest.items() if key not in left_out}
    return json.dumps([metadata, rest], sort_keys=True, default=str)


def changing(
    base: Mapping[ResourceId, Resource], writes: Iterable[Write], all_: Versions
) -> frozenset[ResourceId]:
    """The objects whose writes anybody can tell from none.

    The others are there in every state, and mean the same in every version that is written.
    """
    written: dict[ResourceId, bool] = {}
    for write in writes:
        gone = write.resource is None or write.id not in base
        written[write.id] = written.get(write.id, False) or gone
    return frozenset(
        id_ for id_, moves in written.items() if moves or _differ([meaning(v) for v in all_[id_]])
    )


def _differ(found: Sequence[Any]) -> bool:
    return any(one != found[0] for one in found)


def is_steady(ids: Iterable[ResourceId], versions: Versions) -> bool:
    """Whether policies that are written nowhere say the same to the same peers in every state, while
    some objects are written: of none of these do they hear.

    They hear of the labels of pods, and of whether a port is read as HTTP.
    """
    return all(_is_unheard(id_, versions[id_]) for id_ in ids)


def _is_unheard(id_: ResourceId, found: Sequence[Resource]) -> bool:
    kind = kind_of(id_)
    if kind in WORKLOADS:
        labels = [list(pod_labels(version)) for version in found]
        return not _differ(labels) and not _differ([_named_ports(v) for v in found])
    if kind in (("", "Service"), _ENTRY):
        services = chain.from_iterable(
            services_of(v) if kind == _ENTRY else (service_of(v, ""),) for v in found
        )
        is_read = all(p.protocol.is_http_or_sniffed for one in services for p in one.ports)
        text = json.dumps([version.spec for version in found], default=str)
        return is_read and "workloadSelector" not in text and '"labels"' not in text
    return kind not in ACCESS | OPAQUE | {SIDECAR}


def _named_ports(version: Resource) -> Mapping[str, int]:
    found = workload_of(version)
    return found.ports if found else {}


class Bearing:
    """Which writes can matter to the requests of one class of clients for one host."""

    def __init__(
        self,
        versions: Versions,
        speakers: Speakers,
        root: str,
        say: Say,
        caller: Caller,
        others: frozenset[ResourceId],
    ):
        """`others` are objects that have a say in every choice, whomever they name."""
        self._others = others
        self._versions = versions
        self._speakers = speakers
        self._root = root
        self._say = say
        self._proxy = caller.proxy
        self._has_sidecar = any(kind_of(i) == SIDECAR for i in caller.objects)
        # Which namespaces there are may be asked where a Gateway chooses them by their labels.
        self._by_namespace = any(
            "Selector" in json.dumps(version.spec, default=str)
            for id_, found in versions.items()
            if kind_of(id_) == (GATEWAY_API, "Gateway")
            for version in found
        )
        self._own = caller.objects
        self._behind: dict[frozenset[str], frozenset[ResourceId]] = {}
        self._hosts = self._spoken_of()
        self._looked_up = self._speakers.behind(self._hosts)

    def _spoken_of(self) -> frozenset[str]:
        """The hosts whose services are looked up for routes.

        A gateway looks up where its routes lead to. A sidecar also looks for the hosts that they
        are for: on which ports they count depends on those. Routes of gateways are nothing to it.
        """
        found = {self._say.host, *self._say.mates}
        for id_ in self._say.routes:
            names = self._speakers.names[id_]
            if self._proxy.kind is ProxyKind.GATEWAY:
                found |= names.sends_to
            elif names.in_mesh:
                found |= names.speaks_of
        return frozenset(found)

    def at_once(self, writes: Sequence[Write], asked: str) -> tuple[Write, ...]:
        """Those that can change anything."""
        spaces = {id_.namespace for id_ in self._looked_up}
        found = {
            id(write)
            for some in (
                self.at_routes(writes, asked),
                self.at_clusters(writes, self._hosts),
                self.at_servers(writes, spaces),
            )
            for write in some
        }
        return tuple(write for write in writes if id(write) in found)

    def at_routes(self, writes: Iterable[Write], asked: str) -> tuple[Write, ...]:
        """Those that can change which route the client's proxy takes for a host in some form."""
        return tuple(w for w in writes if self._routes(w.id, asked))

    def _routes(self, id_: ResourceId, asked: str) -> bool:
        kind = kind_of(id_)
        is_gateway = self._proxy.kind is ProxyKind.GATEWAY
        if self._by_namespace or kind in OPAQUE:
            return True
        if kind in (("", "Service"), _ENTRY):
            return (
                id_ in self._looked_up or id_ in self._others or (is_gateway and id_ in self._own)
            )
        if kind == (NETWORKING, "Gateway"):
            return is_gateway
        if kind == _RULE:
            # Clusters are named, subsets and all, by clients of other networks alone.
            return is_gateway and "outbound_" in asked
        if kind in _ADDRESSES or kind == (GATEWAY_API, "BackendTLSPolicy"):
            return False
        if kind in WORKLOADS:
            # The ports of a gateway's pods may have names.
            return is_gateway and id_.namespace == self._proxy.namespace and self._is_own(id_)
        if kind in POLICIES:
            near = (self._proxy.namespace, self._root)
            return is_gateway and kind in ACCESS and id_.namespace in near
        return True

    def _is_own(self, id_: ResourceId) -> bool:
        """Whether some version makes pods like those of the client."""
        wanted = self._proxy.labels.items()
        return any(
            wanted <= labels.items() for v in self._versions[id_] for labels in pod_labels(v)
        )

    def at_clusters(self, writes: Iterable[Write], hosts: frozenset[str]) -> tuple[Write, ...]:
        """Those that can change the clusters of some hosts, or their endpoints."""
        if hosts not in self._behind:
            self._behind[hosts] = self._speakers.behind(hosts)
        behind = self._behind[hosts]
        spaces = {id_.namespace for id_ in behind} | {self._root}
        return tuple(w for w in writes if self._clusters(w.id, behind, spaces))

    def _clusters(self, id_: ResourceId, behind: frozenset[ResourceId], spaces: set[str]) -> bool:
        kind = kind_of(id_)
        if kind in ACCESS:
            return False
        if kind == SIDECAR:
            return True
        if self._has_sidecar and (kind in ROUTES or kind[0] == GATEWAY_API):
            # It imports the destinations of the routes that it imports, whatever they are for.
            return True
        if kind in _NOT_IN_CLUSTERS or kind == (GATEWAY_API, "GatewayClass"):
            return False
        if kind in (("", "Service"), _ENTRY, _RULE) or kind in WORKLOADS or kind in _ADDRESSES:
            return id_ in behind
        if kind == ("", "Namespace"):
            return id_.name in spaces
        return id_.namespace in spaces

    def at_servers(self, writes: Iterable[Write], namespaces: Iterable[str]) -> tuple[Write, ...]:
        """Those that can change what sidecars in some namespaces let in."""
        spaces = {*namespaces, self._root}
        return tuple(w for w in writes if w.id.namespace in spaces and self._servers(w.id))

    def _servers(self, id_: ResourceId) -> bool:
        kind = kind_of(id_)
        if kind == _ENTRY:
            # One that chooses pods says what their ports speak.
            return any(self._speakers.names[id_].selectors)
        return kind not in _NOT_AT_SERVERS
