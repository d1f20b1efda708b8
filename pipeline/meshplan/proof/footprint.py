"""Which hosts, gateways and workloads a changed object may have a bearing on."""

from collections.abc import Iterator, Mapping

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import is_wildcard
from meshplan.mesh.read import at, labels, mappings, text, texts
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.mesh.virtual_service import MESH_GATEWAY
from meshplan.mesh.workload import matches_labels, workload_kinds
from meshplan.proof.declared import hosts_of, secrets_named, selecting
from meshplan.proof.fields import leaves_some, selector_of, service_behind, targets_of
from meshplan.proof.index import GATEWAY_API, NETWORKING, ROUTES, Index
from meshplan.proof.passing import Passing
from meshplan.proof.ports import servers_on
from meshplan.proof.sharing import Sharing
from meshplan.proof.types import Topic, TopicKind
from meshplan.proof.unseen import ON_PODS, Unseen
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

_WORKLOADS = frozenset(workload_kinds())


class Footprint:
    """From changed objects to topics, in all their versions."""

    def __init__(self, index: Index, versions: Versions, root_namespace: str):
        self._index = index
        self._versions = versions
        self._root = root_namespace
        self._unseen = Unseen(index, versions, root_namespace)
        self._passing = Passing(index, versions)
        self._sharing = Sharing(index, versions)
        self._of_hosts: dict[str, tuple[Topic, ...]] = {}
        #: By the port of a gateway, where its servers may be in each other's way.
        self._of_ports: dict[str, tuple[Topic, ...]] = {}

    def topics(self, id_: ResourceId) -> dict[Topic, None]:
        """What an object may have a bearing on."""
        found: dict[Topic, None] = {}
        for version in self._versions.all_of(id_):
            for topic in self._of(version):
                found[self._meant(topic)] = None
        return found

    def _meant(self, topic: Topic) -> Topic:
        """A topic about a Service by its name in full, which takes in the ways to write that."""
        host = topic.host if topic.kind is TopicKind.MESH else ""
        meant = self._index.meant(host)
        return topic if meant == host else Topic(TopicKind.MESH, meant)

    def _of(self, version: Resource) -> Iterator[Topic]:
        match version.id.group:
            case "networking.istio.io":
                yield from self._of_networking(version)
            case "gateway.networking.k8s.io":
                yield from self._of_gateway_api(version)
            case _:
                yield from self._of_cluster(version)

    def _of_networking(self, version: Resource) -> Iterator[Topic]:
        match version.id.kind:
            case "VirtualService":
                yield from self._of_route(version)
            case "ServiceEntry":
                yield from self._of_service(version)
            case "DestinationRule":
                host = self._index.in_full(text(version.spec.get("host")), version.id.namespace)
                for name in self._named(host):
                    yield from self._of_destination(name)
            case "Gateway":
                yield from self._of_gateway(version)
            case "Sidecar":
                yield from self._of_sidecar(version)
            case "WorkloadEntry":
                yield from self._of_workload(version)
            case _:
                pass

    def _of_gateway_api(self, version: Resource) -> Iterator[Topic]:
        match version.id.kind:
            case "Gateway":
                yield from self._of_listeners(version)
            case "GatewayClass":
                for gateway in self._versions.of_kind(GATEWAY_API, "Gateway"):
                    if text(gateway.spec.get("gatewayClassName")) == version.id.name:
                        yield from self._of_listeners(gateway)
            case "ReferenceGrant":
                yield from self._of_grant(version)
            case name if name in ROUTES:
                yield from self._of_attached(version)
            case _:
                pass

    def _of_cluster(self, version: Resource) -> Iterator[Topic]:
        match (version.id.group, version.id.kind):
            case ("", "Service"):
                yield from self._of_service(version)
            case ("", "Secret"):
                yield from self._of_credential(version.id.name)
            case ("", "Namespace"):
                for found in self._index.pods(version.id.name, {}):
                    for workload in self._versions.all_of(found):
                        yield from self._of_workload(workload)
                for service in self._unseen.by_namespace.get(version.id.name, ()):
                    yield from self._of_service(service)
                yield from self._of_routes_in(version.id.name)
            case ("", "Endpoints") | ("discovery.k8s.io", "EndpointSlice"):
                name = f"{service_behind(version)}.{version.id.namespace}"
                yield from self._of_destination(f"{name}.svc.{self._index.domain}")
            case kind if kind in _WORKLOADS:
                yield from self._of_workload(version)
            case kind if kind in ON_PODS:
                yield from self._of_policy(version)
            case _:
                pass

    def _of_service(self, version: Resource) -> Iterator[Topic]:
        for host in self._sharing.read_with(version):
            yield Topic(TopicKind.MESH, host)
        for host in hosts_of(version, self._index.domain):
            for name in self._named(host):
                yield from self._of_destination(name)
            for id_ in self._index.ids(("listener", "address", host)):
                for gateway in self._versions.all_of(id_):
                    yield from self._of_listeners(gateway)

    # Hosts

    def _of_host(self, host: str, gateways: tuple[str, ...]) -> Iterator[Topic]:
        """A host for which requests are routed, and the names that a wildcard covers."""
        in_mesh = MESH_GATEWAY in gateways
        at_gateway = any(name != MESH_GATEWAY for name in gateways)
        if in_mesh:
            yield Topic(TopicKind.MESH, host)
            for name in self._sharing.beside(host):
                yield Topic(TopicKind.MESH, name)
            # Who asks for another name of a wildcard has no way there where a route is for one of them.
            names = self._index.hosts_of_one("service.host", host)
            for name in dict.fromkeys((*names, *self._index.aliases(host))):
                yield Topic(TopicKind.MESH, name)
        if at_gateway:
            yield Topic(TopicKind.GATEWAY, host)
        if at_gateway and is_wildcard(host):
            for what in ("gateway.host", "listener.host"):
                for name in self._index.hosts_under(what, host):
                    yield Topic(TopicKind.GATEWAY, name)

    def _of_destination(self, host: str) -> tuple[Topic, ...]:
        """A host that requests are sent on to, and what stands for it: with all that is routed there."""
        found = self._of_hosts.get(host)
        if found is None:
            names = (host, *self._index.aliases(host))
            topics = (topic for name in names for topic in self._routed_to(name))
            found = self._of_hosts[host] = tuple(dict.fromkeys(topics))
        return found

    def _routed_to(self, host: str) -> Iterator[Topic]:
        yield Topic(TopicKind.MESH, host)
        for name in self._sharing.beside(host):
            yield Topic(TopicKind.MESH, name)
        for name in self._passing.names(host):
            yield Topic(TopicKind.GATEWAY, name)
        for id_ in self._index.ids(("route", "destination", host)):
            for version in self._versions.all_of(id_):
                yield from self._of_route(version)
        for id_ in self._index.ids(("attached", "destination", host)):
            for version in self._versions.all_of(id_):
                yield from self._of_attached(version)
        # A VirtualService with the host may lack a service now and have one then.
        for id_ in self._index.near("route.host", host):
            for version in self._versions.all_of(id_):
                yield from self._of_route(version)

    def _named(self, host: str) -> Iterator[str]:
        """The hosts that a rule or an entry for a host is about."""
        yield host
        if is_wildcard(host):
            yield from self._index.hosts_under("service.host", host)
            yield from self._index.hosts_under("route.destination", host)

    # Kinds

    def of_route(self, version: Resource) -> Iterator[Topic]:
        """What is routed by a VirtualService, or by a route of the Gateway API."""
        routed = version.id.kind == "VirtualService"
        return self._of_route(version) if routed else self._of_attached(version)

    def _of_route(self, version: Resource) -> Iterator[Topic]:
        found = self._index.route_of(version)
        for host in found.hosts:
            yield from self._of_host(host.lower(), found.gateways)
        if not found.hosts:
            name = f"{version.id.namespace}/{version.id.name}"
            for id_ in self._index.ids(("route", "delegate", name)):
                for root in self._versions.all_of(id_):
                    if self._index.route_of(root).hosts:
                        yield from self._of_route(root)

    def _of_gateway(self, version: Resource) -> Iterator[Topic]:
        for name in self._passing.behind(version):
            yield Topic(TopicKind.GATEWAY, name)
        for server in mappings(version.spec.get("servers")):
            yield from self._of_server(server)
            port = str(at(server, "port", "number"))
            if port not in self._of_ports:
                others = servers_on(port, self._index, self._versions)
                topics = (topic for other in others for topic in self._of_server(other))
                self._of_ports[port] = tuple(dict.fromkeys(topics))
            yield from self._of_ports[port]

    def _of_server(self, server: Mapping[str, object]) -> Iterator[Topic]:
        for entry in texts(server.get("hosts")):
            host = entry.rpartition("/")[2].lower()
            yield Topic(TopicKind.GATEWAY, host)
            for name in self._index.hosts_under("route.host", host):
                yield Topic(TopicKind.GATEWAY, name)

    def _of_listeners(self, version: Resource) -> Iterator[Topic]:
        for name in self._passing.behind(version):
            yield Topic(TopicKind.GATEWAY, name)
        for listener in mappings(version.spec.get("listeners")):
            yield Topic(TopicKind.GATEWAY, text(listener.get("hostname")).lower() or "*")
        name = f"{version.id.namespace}/{version.id.name}"
        for id_ in self._index.ids(("attached", "Gateway", name)):
            for route in self._versions.all_of(id_):
                yield from self._of_attached(route)

    def _of_attached(self, version: Resource) -> Iterator[Topic]:
        here = version.id.namespace
        for parent in mappings(version.spec.get("parentRefs")):
            kind = text(parent.get("kind", "Gateway"))
            where, name = text(parent.get("namespace")) or here, text(parent.get("name"))
            if kind == "Gateway":
                for host in texts(version.spec.get("hostnames")) or self._listening(where, name):
                    yield Topic(TopicKind.GATEWAY, host.lower())
            elif kind == "Service":
                host = f"{name}.{where}.svc.{self._index.domain}"
                for one in (host, *self._index.aliases(host)):
                    yield Topic(TopicKind.MESH, one)
            else:
                for found in self._versions.all_of(ResourceId(NETWORKING, kind, where, name)):
                    yield from (
                        Topic(TopicKind.MESH, host) for host in hosts_of(found, self._index.domain)
                    )

    def _of_routes_in(self, namespace: str) -> Iterator[Topic]:
        """The routes of a namespace that listeners choose by its labels."""
        for gateway in self._versions.of_kind(GATEWAY_API, "Gateway"):
            found = mappings(gateway.spec.get("listeners"))
            if any(at(one, "allowedRoutes", "namespaces", "from") == "Selector" for one in found):
                name = f"{gateway.id.namespace}/{gateway.id.name}"
                for id_ in self._index.ids(("attached", "Gateway", name)):
                    for route in self._versions.all_of(id_) if id_.namespace == namespace else ():
                        yield from self._of_attached(route)

    def _of_credential(self, name: str) -> Iterator[Topic]:
        """Gateways with a server that needs a Secret of this name, wherever that is."""
        for gateway in self._versions.of_kind(NETWORKING, "Gateway"):
            if name in secrets_named(gateway):
                yield from self._of_gateway(gateway)
        for gateway in self._versions.of_kind(GATEWAY_API, "Gateway"):
            if name in secrets_named(gateway):
                yield from self._of_listeners(gateway)

    def _listening(self, namespace: str, name: str) -> tuple[str, ...]:
        """The hosts of the listeners of a Gateway, for a route that names none."""
        id_ = ResourceId(GATEWAY_API, "Gateway", namespace, name)
        return tuple(
            dict.fromkeys(
                text(listener.get("hostname")) or "*"
                for version in self._versions.all_of(id_)
                for listener in mappings(version.spec.get("listeners"))
            )
        )

    def _of_grant(self, version: Resource) -> Iterator[Topic]:
        for source in mappings(version.spec.get("from")):
            kind, where = text(source.get("kind")), text(source.get("namespace"))
            for found in self._versions.of_kind(GATEWAY_API, kind):
                if found.id.namespace == where:
                    yield from self._of_gateway_api(found)

    def _of_workload(self, version: Resource) -> Iterator[Topic]:
        workload = self._versions.workload(version)
        if workload is None:
            return
        for service in selecting(version, self._index, self._versions):
            yield from self._of_service(service)
        # A gateway's own pods.
        for gateway in self._versions.of_kind(NETWORKING, "Gateway"):
            selector = labels(gateway.spec.get("selector"))
            if selector and matches_labels(selector, workload.labels):
                yield from self._of_gateway(gateway)

    def _of_policy(self, version: Resource) -> Iterator[Topic]:
        """The workloads that a policy is for; where none is known, one that would be."""
        selector = selector_of(version)
        where = version.id.namespace if version.id.namespace != self._root else ""
        met: set[str] = set()
        for id_ in self._index.pods(where, selector):
            for pods in self._versions.all_of(id_):
                workload = self._versions.workload(pods)
                if workload is None or not matches_labels(selector, workload.labels):
                    continue
                met.add(workload.namespace)
                yield from self._of_workload(pods)
                shown = tuple(sorted(workload.labels.items()))
                yield Topic(TopicKind.SERVER, "", workload.namespace, shown)
        for id_ in self._index.written(where, selector):
            for entry in self._versions.all_of(id_):
                yield from self._of_service(entry)
        targets = tuple(targets_of(version))
        for name in targets:
            for gateway in self._versions.all_of(
                ResourceId(GATEWAY_API, "Gateway", version.id.namespace, name)
            ):
                yield from self._of_listeners(gateway)
            shown = ((GATEWAY_NAME_LABEL, name),)
            yield Topic(TopicKind.SERVER, "", version.id.namespace, shown)
        if not targets:
            yield from self._unseen.pods(where, selector, met)
            for service in self._unseen.services(where, selector):
                yield from self._of_service(service)
            for gateway in self._unseen.gateways(where, selector):
                yield from self._of(gateway)

    def _of_sidecar(self, version: Resource) -> Iterator[Topic]:
        """Every host that the Sidecar imports, and what is behind its own listeners."""
        found = {
            entry.partition("/")[2].lower()
            for listener in mappings(version.spec.get("egress"))
            for entry in texts(listener.get("hosts"))
        } or {"*"}
        if leaves_some(self._versions.changed.get(version.id, ())):
            # Whom it is not for imports everything.
            found.add("*")
        # In another version it may import what this one leaves out, so that is looked at as well.
        for pattern in sorted(found):
            if pattern != "*":
                yield Topic(TopicKind.MESH, pattern)
            for what in ("service.host", "route.host"):
                for host in self._index.hosts_under(what, pattern):
                    yield Topic(TopicKind.MESH, host)
        if version.spec.get("outboundTrafficPolicy") is not None:
            yield Topic(TopicKind.MESH, "*")
        if version.spec.get("ingress") is not None:
            selector = selector_of(version)
            for id_ in self._index.pods(version.id.namespace, selector):
                for workload in self._versions.all_of(id_):
                    yield from self._of_workload(workload)
