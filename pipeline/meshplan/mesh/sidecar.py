"""Sidecar: what the proxies of a namespace import, and what they do with everything else."""

from collections.abc import Iterable, Mapping

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import age_key
from meshplan.mesh.read import at, labels, mapping, mappings, number, text, texts
from meshplan.mesh.service import Protocol, parse_protocol
from meshplan.mesh.workload import matches_labels
from meshplan.resource import Resource


@dataclass(frozen=True, slots=True)
class EgressListener:
    """A listener for requests that leave, or (without a port) all that have no other."""

    #: `namespace/host` as written.
    hosts: tuple[str, ...]
    #: 0 for the one that takes all ports.
    port: int = 0
    protocol: Protocol = Protocol.SNIFFED
    bind: str = ""
    pointer: str = ""

    @property
    def matches_port(self) -> bool:
        """Whether it imports only services with this port (`needsPortMatch`)."""
        return self.port != 0 and self.protocol is not Protocol.HTTP_PROXY


@dataclass(frozen=True, slots=True)
class IngressListener:
    """A listener for requests that arrive, in the place of the ports of the services."""

    port: int
    protocol: Protocol
    #: `tls.mode` of the listener, "" where it has none.
    tls_mode: str = ""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A Sidecar resource."""

    id: ResourceId
    selector: Mapping[str, str] | None
    egress: tuple[EgressListener, ...]
    ingress: tuple[IngressListener, ...]
    #: ALLOW_ANY, REGISTRY_ONLY or "" for the mesh's.
    outbound_policy: str


#: What a namespace without any Sidecar imports: everything it may see.
EVERYTHING = EgressListener(("*/*",))


def sidecar_of(resource: Resource) -> Sidecar:
    """A Sidecar as written."""
    spec = resource.spec
    selector = spec.get("workloadSelector")
    policy = mapping(spec.get("outboundTrafficPolicy"))
    # The mode of a policy that is there and names none is the first of the enum.
    mode = text(policy.get("mode")) or "REGISTRY_ONLY"
    return Sidecar(
        id=resource.id,
        selector=labels(selector.get("labels")) if isinstance(selector, Mapping) else None,
        egress=tuple(
            EgressListener(
                hosts=texts(entry.get("hosts")),
                port=number(at(entry, "port", "number")),
                protocol=parse_protocol(text(at(entry, "port", "protocol"))),
                bind=text(entry.get("bind")),
                pointer=f"/spec/egress/{index}",
            )
            for index, entry in enumerate(mappings(spec.get("egress")))
        ),
        ingress=tuple(
            IngressListener(
                port=number(at(entry, "port", "number")),
                protocol=parse_protocol(text(at(entry, "port", "protocol"))),
                tls_mode=text(at(entry, "tls", "mode")),
            )
            for entry in mappings(spec.get("ingress"))
        ),
        outbound_policy=mode if "outboundTrafficPolicy" in spec else "",
    )


class Sidecars:
    """All Sidecars of a mesh."""

    def __init__(self, resources: Iterable[Resource], root_namespace: str):
        self._by_namespace: dict[str, list[Sidecar]] = {}
        for resource in sorted(resources, key=age_key):
            sidecar = sidecar_of(resource)
            self._by_namespace.setdefault(resource.id.namespace, []).append(sidecar)
        for found in self._by_namespace.values():
            found.sort(key=lambda sidecar: sidecar.selector is None)
        root = self._by_namespace.get(root_namespace, ())
        self._root = next((sidecar for sidecar in root if sidecar.selector is None), None)

    def of(self, namespace: str, found: Mapping[str, str]) -> Sidecar | None:
        """The Sidecar of a workload (`getSidecarScope`).

        The oldest with a matching selector, else the oldest without one in the namespace, else the
        one of the root namespace.
        """
        return next(iter(self.candidates(namespace, found)), self._root)

    def candidates(self, namespace: str, found: Mapping[str, str]) -> tuple[Sidecar, ...]:
        """The Sidecars of a namespace that select a workload equally well; the first is taken."""
        matching = [
            sidecar
            for sidecar in self._by_namespace.get(namespace, ())
            if sidecar.selector is None or matches_labels(sidecar.selector, found)
        ]
        selects = bool(matching) and matching[0].selector is not None
        return tuple(s for s in matching if (s.selector is not None) == selects)
