"""A host that clients can reach before and after can be reached in between."""

from collections.abc import Iterator
from functools import partial

from meshplan.graph.clients import namespaces_of
from meshplan.graph.obligation import Obligation
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.graph.traffic import host_keys, surroundings
from meshplan.identity import ResourceId
from meshplan.kinds.need import Clients
from meshplan.mesh.hosts import subset_of, wildcards_above
from meshplan.mesh.service import NOBODY, MeshService, service_of, services_of
from meshplan.mesh.sidecar import Sidecar, Sidecars


def obligations(index: Index) -> Iterator[Obligation]:
    """For each host that changed services define: the host, port by port, for each sort of client."""
    sidecars = {found for _, ids in index.touched_keys("sidecar") for found in ids}
    for key, bearing in sorted(index.touched_keys("host")):
        host = key[1]
        services = {found for found in index.touched(*host_keys(host)) if _defines(found)}
        if not any(_defines(found) for found in bearing) or len(services | sidecars) < 2:
            continue
        everybody = Clients("", gateways=("mesh",))
        places = {*namespaces_of(everybody, host, index), *(s.namespace for s in sidecars)}
        for client in sorted(places):
            near = {s for s in sidecars if s.namespace in (client, index.configs[1].root_namespace)}
            together = sorted_ids(services | near, index.writes)
            if len(together) < 2:
                continue
            for port in sorted(_ports(services, host, index)):
                why = f"clients rely on {host} on port {port}"
                yield Obligation(
                    together,
                    partial(_reached, host, port, client),
                    why,
                    "502, or passed through without policy",
                )


def _defines(subject: ResourceId) -> bool:
    return subject.kind in ("Service", "ServiceEntry")


def _ports(ids: set[ResourceId], host: str, index: Index) -> set[int]:
    """The ports that changed services give a host, before or after."""
    return {
        port.number
        for found in ids
        for version in index.versions(found)
        for service in (
            services_of(version)
            if found.kind == "ServiceEntry"
            else [service_of(version, index.domain)]
        )
        if subset_of(host, service.host)
        for port in service.ports
    }


def _reached(host: str, port: int, client: str, view: View) -> int:
    """Whether the clients of a namespace find the host, by its name or a wildcard over it."""
    around = surroundings(host, view)
    sidecar = _sidecar(client, view)
    for pattern in (host, *wildcards_above(host)):
        found = around.service(pattern, client, lambda s: _imports(sidecar, s, client))
        if found is not None:
            return int(found.port(port) is not None)
    return 0


def _sidecar(client: str, view: View) -> Sidecar | None:
    root = view.config.root_namespace
    resources = view.find(*(("sidecar", place) for place in dict.fromkeys((client, root))))
    return Sidecars(resources, root).of(client, {})


def _imports(sidecar: Sidecar | None, service: MeshService, client: str) -> bool:
    if sidecar is None or not sidecar.egress:
        return True
    for listener in sidecar.egress:
        for entry in listener.hosts:
            place, _, pattern = entry.rpartition("/")
            place = client if place == "." else place
            if place == NOBODY or not subset_of(service.host, pattern):
                continue
            if place in ("*", "", service.namespace):
                return True
    return False
