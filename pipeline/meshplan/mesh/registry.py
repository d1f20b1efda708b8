"""Which services the proxies of a namespace see, and which of several for one host."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from meshplan.mesh.hosts import subset_of
from meshplan.mesh.service import NOBODY, MeshService, Registry, Resolution


class ServiceRegistry:
    """All services of a mesh (`PushContext.ServiceIndex`)."""

    def __init__(self, services: Iterable[MeshService], default_export_to: Sequence[str]):
        ordered = sorted(services, key=lambda s: (s.created, s.name, s.namespace))
        self._private_by_default = "." in default_export_to
        aliases = _resolved_aliases(ordered)
        self._ordered = [
            replace(service, aliases=aliases[service.host]) if service.host in aliases else service
            for service in ordered
        ]
        by_host: dict[str, list[MeshService]] = {}
        for service in self._ordered:
            by_host.setdefault(service.host, []).append(service)
        self.by_host: Mapping[str, Sequence[MeshService]] = by_host
        self.by_address: Mapping[str, Sequence[str]] = _grouped(
            (address, service.host) for service in self._ordered for address in service.addresses
        )
        self.by_alias: Mapping[str, Sequence[str]] = _grouped(
            (alias, service.host) for service in self._ordered for alias in service.aliases
        )
        self._visible: dict[str, tuple[MeshService, ...]] = {}

    @property
    def services(self) -> Sequence[MeshService]:
        """All services, the oldest first."""
        return self._ordered

    def rank(self, service: MeshService, namespace: str) -> int | None:
        """How near a service is: 0 private to `namespace`, 1 exported to it, 2 public, None hidden.

        `IsServiceVisible` and the order of `servicesExportedToNamespace`.
        """
        export_to = service.export_to
        if not export_to:
            if self._private_by_default:
                return 0 if service.namespace == namespace else None
            return 2
        if "*" in export_to:
            return 2
        if NOBODY in export_to:
            return None
        if service.namespace == namespace and ("." in export_to or namespace in export_to):
            return 0
        return 1 if namespace in export_to else None

    def visible(self, namespace: str) -> tuple[MeshService, ...]:
        """The services that `namespace` sees, the nearest first (`servicesExportedToNamespace`)."""
        found = self._visible.get(namespace)
        if found is None:
            found = self._visible[namespace] = self._near(self._ordered, namespace)
        return found

    def named(self, host: str, namespace: str) -> tuple[MeshService, ...]:
        """Those of `visible` with this host."""
        return self._near(self.by_host.get(host, ()), namespace)

    def in_namespace(self, host: str, namespace: str) -> MeshService | None:
        """The service of a host in one namespace: Kubernetes first, else the oldest."""
        found = [s for s in self.by_host.get(host, ()) if s.namespace == namespace]
        return min(found, key=lambda s: s.registry is not Registry.KUBERNETES, default=None)

    def namespaces(self, host: str) -> tuple[str, ...]:
        """The namespaces in which a host is declared, sorted."""
        return tuple(sorted({s.namespace for s in self.by_host.get(host, ())}))

    def _near(self, services: Iterable[MeshService], namespace: str) -> tuple[MeshService, ...]:
        ranked = [(self.rank(service, namespace), service) for service in services]
        near = [(rank, service) for rank, service in ranked if rank is not None]
        # Stable: the oldest first among equals.
        return tuple(service for _, service in sorted(near, key=lambda pair: pair[0]))


def one_namespace_per_host(
    services: Iterable[MeshService], namespace: str
) -> tuple[MeshService, ...]:
    """Of several services for one host, those of a single namespace (`selectServices`).

    That of the client wins, else the first Kubernetes Service, else the first.
    """
    services = tuple(services)
    chosen: dict[str, tuple[str, bool]] = {}
    for service in services:
        kubernetes = service.registry is Registry.KUBERNETES
        before = chosen.get(service.host)
        if (
            before is None
            or service.namespace == namespace
            or (not before[1] and kubernetes and before[0] != namespace)
        ):
            chosen[service.host] = (service.namespace, kubernetes)
    return tuple(s for s in services if chosen[s.host][0] == s.namespace)


def add_service(found: dict[str, MeshService], service: MeshService) -> None:
    """Add a service to those of a scope, one for each host (`appendSidecarServices`)."""
    existing = found.get(service.host)
    if existing is None or (
        service.registry is Registry.KUBERNETES and existing.registry is not Registry.KUBERNETES
    ):
        found[service.host] = service
    elif _can_merge(existing, service):
        known = {port.number for port in existing.ports}
        if added := tuple(port for port in service.ports if port.number not in known):
            found[service.host] = replace(
                existing, ports=existing.ports + added, merged=(*existing.merged, service.id)
            )


def services_by_pattern(services: Iterable[MeshService], pattern: str) -> tuple[MeshService, ...]:
    """Those whose host is one of those that `pattern` means."""
    return tuple(service for service in services if subset_of(service.host, pattern))


def _can_merge(one: MeshService, other: MeshService) -> bool:
    """Whether the ports of two services for one host are put together (`canMergeServices`)."""
    return one.ports != other.ports and all(
        getattr(one, name) == getattr(other, name)
        for name in ("namespace", "resolution", "registry", "labels", "selector", "export_to")
    )


def _grouped(pairs: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _resolved_aliases(services: Sequence[MeshService]) -> dict[str, tuple[str, ...]]:
    """For each concrete host the hosts that stand for it, sorted (`resolveServiceAliases`)."""
    aliases = [service for service in services if service.resolution is Resolution.ALIAS]
    direct = {service.host: service.alias_of for service in aliases}
    found: dict[str, list[tuple[str, str]]] = {}
    for service in aliases:
        seen, target = {service.host}, service.alias_of
        while target in direct and target not in seen:
            seen.add(target)
            target = direct[target]
        if target not in direct:
            found.setdefault(target, []).append((service.namespace, service.host))
    return {host: tuple(name for _, name in sorted(names)) for host, names in found.items()}
