"""Objects of which the oldest wins, where Git does not tell which that is."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import is_wildcard, subset_of
from meshplan.mesh.read import at, mappings, text, texts
from meshplan.mesh.workload import matches_labels
from meshplan.proof.fields import selector_of, shared_ports
from meshplan.proof.index import Index
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

#: Kinds of objects of which the oldest wins, where they are about the same.
AGED = frozenset(
    (
        "DestinationRule",
        "Gateway",
        "GRPCRoute",
        "HTTPRoute",
        "PeerAuthentication",
        "ServiceEntry",
        "Sidecar",
        "TCPRoute",
        "TLSRoute",
        "VirtualService",
    )
)
_SELECTING = ("PeerAuthentication", "Sidecar")


def rivals_among(
    ids: Iterable[ResourceId], versions: Versions, index: Index
) -> tuple[ResourceId, ...]:
    """Those of some objects that are about the same as another one, where a time is not known."""
    groups: dict[tuple[str, ...], dict[ResourceId, None]] = {}
    selecting: dict[tuple[str, ...], list[Resource]] = {}
    unknown: set[ResourceId] = set()
    for id_ in dict.fromkeys(ids):
        for version in versions.all_of(id_) if id_.kind in AGED else ():
            if not version.metadata.get("creationTimestamp"):
                unknown.add(id_)
            if id_.kind in _SELECTING:
                selecting.setdefault((id_.kind, id_.namespace), []).append(version)
            for key in _competes_for(version, index):
                groups.setdefault(key, {})[id_] = None
    pairs = (pair for found in selecting.values() for pair in combinations(found, 2))
    meeting = ({one.id: None, two.id: None} for one, two in pairs if _may_meet(one, two))
    found = (
        id_
        for group in (*groups.values(), *meeting)
        if len(group) > 1 and _is_open(group, unknown, versions)
        for id_ in group
    )
    return tuple(sorted(dict.fromkeys(found)))


def _is_open(
    group: Mapping[ResourceId, None], unknown: set[ResourceId], versions: Versions
) -> bool:
    """Whether an order is not known: what a plan creates is younger than what is there."""
    ageless = [id_ for id_ in group if id_ in unknown]
    return len(ageless) > 1 or any(id_ in versions.base for id_ in ageless)


def _may_meet(one: Resource, other: Resource) -> bool:
    """Whether both may be for the same pods, and neither goes before the other for its selector."""
    own, others = selector_of(one), selector_of(other)
    return bool(own) == bool(others) and matches_labels(own, {**own, **others})


def _competes_for(version: Resource, index: Index) -> Iterator[tuple[str, ...]]:
    """What an object of which the oldest wins is about, but for its pods."""
    kind, namespace, spec = version.id.kind, version.id.namespace, version.spec
    match kind:
        case "ServiceEntry":
            yield from _of_entry(version)
        case "VirtualService":
            for host in texts(spec.get("hosts")):
                for name in _in_force(index.meant(index.in_full(host, namespace)), index):
                    yield kind, name
        case "DestinationRule":
            yield kind, namespace, index.in_full(text(spec.get("host")), namespace)
        case "Gateway":
            for server in mappings(spec.get("servers")):
                yield kind, str(at(server, "port", "number"))
            for listener in mappings(spec.get("listeners")):
                yield kind, str(listener.get("port"))
        case _:
            for parent in mappings(spec.get("parentRefs")):
                of = text(parent.get("kind", "Gateway"))
                if of == "Service":
                    # Routes of other Services never meet.
                    where = text(parent.get("namespace")) or namespace
                    yield kind, of, where, text(parent.get("name"))
                else:
                    for host in texts(spec.get("hostnames")) or ("*",):
                        for name in _in_force(host.lower(), index):
                            yield kind, of, name


def _of_entry(version: Resource) -> Iterator[tuple[str, ...]]:
    for host in texts(version.spec.get("hosts")):
        yield version.id.kind, host.lower()
    for port, named in shared_ports(version):
        if not named:
            # Of the hosts on it the first gets what is meant for any.
            yield version.id.kind, "", port


def _in_force(host: str, index: Index) -> Iterator[str]:
    """A host of a route, and those that are left of it at gateways that are open for these alone."""
    yield host
    if is_wildcard(host):
        for what in ("gateway.host", "listener.host"):
            for name in index.hosts_under(what, host):
                if subset_of(name, host):
                    yield name
