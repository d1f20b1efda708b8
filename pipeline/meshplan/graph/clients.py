"""Which namespaces of clients have to be told apart for a host.

All clients of a namespace look a host up in the same way, and so do the clients of all namespaces
that no rule for the host names; one of those stands for the rest.
"""

from collections.abc import Iterator

from meshplan.graph.state import Index, View
from meshplan.graph.traffic import host_keys
from meshplan.identity import ResourceId
from meshplan.kinds.names import MESH
from meshplan.kinds.need import Clients, labels_of
from meshplan.kinds.needs.read import text, texts
from meshplan.resource import Resource

#: The namespace of the clients that no rule singles out.
ELSEWHERE = ""


def namespaces_of(clients: Clients, host: str, index: Index) -> tuple[str, ...]:
    """A namespace for each sort of client that sends requests to a host by a routing rule."""
    found: dict[str, None] = {}
    if not clients.gateways:
        found[ELSEWHERE] = None
    for name in clients.gateways:
        if name == MESH:
            found.update(dict.fromkeys(_sidecars(clients, host, index)))
        else:
            found.update(dict.fromkeys(gateway_places(name, index)))
    return tuple(sorted(found))


def _sidecars(clients: Clients, host: str, index: Index) -> Iterator[str]:
    named = {clients.namespace}
    for subject in index.ids(*host_keys(host)):
        for resource in index.versions(subject):
            named.add(resource.id.namespace)
            named.update(export_to(resource))
    audience = {clients.namespace if entry == "." else entry for entry in clients.export_to}
    if "*" in audience:
        yield ELSEWHERE
        yield from named - {"*", ".", "~"}
    else:
        yield from audience - {"~"}


def export_to(resource: Resource) -> tuple[str, ...]:
    """`exportTo` as an object writes it; nothing where it leaves that to the mesh."""
    if resource.id.kind == "Service":
        written = text(resource.annotations.get("networking.istio.io/exportTo"))
        return tuple(part.strip() for part in written.split(",") if part.strip())
    return texts(resource.spec.get("exportTo"))


def sees(client: str, route: Resource, view: View) -> bool:
    """Whether proxies of a namespace read a VirtualService."""
    exported = export_to(route) or view.config.default_virtual_service_export_to
    own = client == route.id.namespace
    return any(entry in ("*", client) or (entry == "." and own) for entry in exported)


def gateway_places(name: str, index: Index) -> tuple[str, ...]:
    """The namespaces of the pods of a Gateway; where no pods are known, that of the Gateway."""
    where, _, what = name.partition("/")
    places: set[str] = set()
    for gateway in index.versions(ResourceId("networking.istio.io", "Gateway", where, what)):
        for label in sorted(labels_of(gateway.spec.get("selector")))[:1]:
            found = index.ids(*index.pod_keys(None, *label))
            places.update(subject.namespace for subject in found)
    return tuple(sorted(places or {where}))
