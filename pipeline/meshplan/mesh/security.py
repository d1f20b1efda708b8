"""PeerAuthentication, RequestAuthentication, AuthorizationPolicy: which apply to a workload."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import oldest_first
from meshplan.mesh.read import at, labels, mapping, mappings, text
from meshplan.mesh.workload import matches_labels
from meshplan.resource import Resource

#: The label of the pods of a Gateway of the Gateway API.
GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name"


class MutualTls(StrEnum):
    """What a workload accepts on a port."""

    DISABLE = "DISABLE"
    PERMISSIVE = "PERMISSIVE"
    STRICT = "STRICT"


@dataclass(frozen=True, slots=True)
class PeerMode:
    """A mode and the objects that decided on it, the most specific first; none for the default."""

    mode: MutualTls
    sources: tuple[ResourceId, ...] = ()


class SecurityPolicies:
    """The objects of one kind in `security.istio.io`, by namespace and the oldest first."""

    def __init__(self, resources: Iterable[Resource], root_namespace: str):
        self._root = root_namespace
        self._by_namespace: dict[str, list[Resource]] = {}
        for resource in oldest_first(resources):
            self._by_namespace.setdefault(resource.id.namespace, []).append(resource)

    def attached(self, namespace: str, found: Mapping[str, str]) -> tuple[Resource, ...]:
        """Those that apply to a workload: of the root namespace, then of its own."""
        return self._select(namespace, lambda resource: is_attached(resource, namespace, found))

    def peer_mode(self, namespace: str, found: Mapping[str, str], port: int | None) -> PeerMode:
        """What a workload accepts on a port (`ComposePeerAuthentication`)."""
        mode = PeerMode(MutualTls.PERMISSIVE)
        mesh, own, workload = self._peer_levels(namespace, found)
        for resource in (mesh, own, workload):
            if resource is not None:
                mode = _overlaid(mode, resource, at(resource.spec, "mtls", "mode"))
        if workload is None or port is None:
            return mode
        by_port = mapping(workload.spec.get("portLevelMtls"))
        stated = by_port.get(str(port), by_port.get(port))  # type: ignore[call-overload]
        return _overlaid(mode, workload, at(stated, "mode"))

    def namespace_mode(self, namespace: str) -> PeerMode:
        """What a namespace accepts, apart from its workloads (`GetNamespaceMutualTLSMode`)."""
        mode = PeerMode(MutualTls.PERMISSIVE)
        mesh, own, _ = self._peer_levels(namespace, {})
        for resource in (mesh, own):
            if resource is not None:
                mode = _overlaid(mode, resource, at(resource.spec, "mtls", "mode"))
        return mode

    def _peer_levels(
        self, namespace: str, found: Mapping[str, str]
    ) -> tuple[Resource | None, Resource | None, Resource | None]:
        """The PeerAuthentications of mesh, namespace and workload; the oldest of each."""
        levels: dict[str, Resource] = {}
        for resource in self._select(namespace, lambda _: True):
            selector = labels(at(resource.spec, "selector", "matchLabels"))
            in_root = resource.id.namespace == self._root
            if not selector:
                levels.setdefault("mesh" if in_root else "namespace", resource)
            elif not in_root and matches_labels(selector, found):
                levels.setdefault("workload", resource)
        return levels.get("mesh"), levels.get("namespace"), levels.get("workload")

    def _select(self, namespace: str, wanted: Callable[[Resource], bool]) -> tuple[Resource, ...]:
        return tuple(
            resource
            for where in dict.fromkeys((self._root, namespace))
            for resource in self._by_namespace.get(where, ())
            if wanted(resource)
        )


def _overlaid(mode: PeerMode, resource: Resource, stated: object) -> PeerMode:
    """The mode under one that inherits where it is UNSET."""
    found = text(stated)
    if found not in MutualTls.__members__:
        return mode
    return PeerMode(MutualTls(found), (resource.id, *mode.sources))


def is_attached(resource: Resource, namespace: str, found: Mapping[str, str]) -> bool:
    """Whether a policy applies to a workload, by selector or target (`ShouldAttachPolicy`)."""
    spec = resource.spec
    targets = mappings(spec.get("targetRefs"))
    if not targets and isinstance(spec.get("targetRef"), Mapping):
        targets = (mapping(spec["targetRef"]),)
    gateway = found.get(GATEWAY_NAME_LABEL)
    if not targets:
        return matches_labels(labels(at(spec, "selector", "matchLabels")), found)
    return gateway is not None and any(
        resource.id.namespace == namespace
        and text(target.get("namespace")) in ("", namespace)
        and text(target.get("group")) == "gateway.networking.k8s.io"
        and text(target.get("kind")) == "Gateway"
        and text(target.get("name")) == gateway
        for target in targets
    )
