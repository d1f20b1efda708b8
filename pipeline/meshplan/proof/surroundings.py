"""All objects that have a say in the requests for a host, found by following names.

What is collected may be too much, never too little: a mesh of these objects alone does with the
requests what the whole mesh does. So a state of the proof holds tens of objects, not thousands.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import is_wildcard, namespace_of, resolve_gateway_name
from meshplan.mesh.read import at, labels, mapping, mappings, text, texts
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.mesh.service import EXPORT_TO_ANNOTATION
from meshplan.mesh.virtual_service import MESH_GATEWAY
from meshplan.proof.declared import hosts_of, secrets_named, selected_by
from meshplan.proof.fields import destinations_of, shared_ports
from meshplan.proof.index import GATEWAY_API, NETWORKING, Index
from meshplan.proof.passing import host_of
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

_What = TypeVar("_What", bound=Hashable)


class Surroundings:
    """Collects the objects; each of the methods follows one kind of name."""

    def __init__(
        self,
        index: Index,
        versions: Versions,
        root_namespace: str,
        *,
        in_mesh: bool,
        private: bool,
        opens: Callable[[Resource], bool] | None = None,
    ):
        """`opens` tells the Gateways that count, where the requests are those of some pods alone."""
        self._index = index
        self._opens = opens
        #: Whether requests leave through sidecars, which take no routes that are bound to gateways.
        self._in_mesh = in_mesh
        self._versions = versions
        self._root = root_namespace
        self._found: dict[ResourceId, None] = {}
        self._done: set[Hashable] = set()
        #: Hosts that requests may be sent on to.
        self.destinations: dict[str, None] = {}
        #: Gateways that the routes are bound to, in any version.
        self.gateways: dict[str, None] = {}
        #: Whether some proxies do not import everything, so that it counts who sends where.
        self.selective = private

    @property
    def ids(self) -> tuple[ResourceId, ...]:
        """All objects found."""
        return tuple(self._found)

    def resources(self) -> Iterable[Resource]:
        """Every version of every object found."""
        for id_ in self._found:
            yield from self._versions.all_of(id_)

    def host(self, host: str) -> None:
        """What routes requests for a host, and all that they may reach."""
        self._once(self._host, host)

    def _host(self, host: str) -> None:
        # At a gateway only a route leads to a Service, or a handshake that names it.
        if self._in_mesh or not is_wildcard(host):
            self._once(self._destination, host)
        for id_ in self._index.near("route.host", host):
            if any(self._is_bound(version) for version in self._versions.all_of(id_)):
                self._once(self._route, id_)
        for id_ in self._index.near("attached.host", host):
            if any(self._is_attached(version) for version in self._versions.all_of(id_)):
                self._once(self._attached, id_)
        if self._in_mesh:
            self._once(self._beside, host)
            return
        passed = host_of(host)
        if passed:
            self._once(self._destination, passed)
        for what in ("gateway.host", "listener.host"):
            for name in (host, passed) if passed else (host,):
                for id_ in self._index.near(what, name):
                    self._once(self._gateway, f"{id_.namespace}/{id_.name}")

    def _beside(self, host: str) -> None:
        """What is on the ports for which a host has no address of its own."""
        for id_ in self._index.near("service.host", host):
            for version in self._versions.all_of(id_) if id_.kind == "ServiceEntry" else ():
                for shared in shared_ports(version):
                    self._once(self._sharing, shared)

    def _is_bound(self, version: Resource) -> bool:
        """Whether a VirtualService counts where the requests are routed."""
        gateways = self._index.route_of(version).gateways
        if self._in_mesh:
            return MESH_GATEWAY in gateways
        return any(name != MESH_GATEWAY and self._is_open(name) for name in gateways)

    def _is_attached(self, version: Resource) -> bool:
        """Whether a route of the Gateway API does."""
        parents = mappings(version.spec.get("parentRefs"))
        return any(self._takes_part(parent, version.id.namespace) for parent in parents)

    def _takes_part(self, parent: Mapping[str, object], namespace: str) -> bool:
        is_gateway = text(parent.get("kind", "Gateway")) == "Gateway"
        if self._in_mesh or not is_gateway:
            return self._in_mesh and not is_gateway
        where = text(parent.get("namespace")) or namespace
        return self._is_open(f"{where}/{text(parent.get('name'))}")

    def _is_open(self, name: str) -> bool:
        """Whether a Gateway counts, in some version."""
        if self._opens is None:
            return True
        # Routes may name one listener of a Gateway, too.
        name = name.partition("~")[0]
        ids = self._index.ids(("gateway", "name", name), ("listener", "name", name))
        return any(self._opens(version) for id_ in ids for version in self._versions.all_of(id_))

    def _destination(self, host: str) -> None:
        """The services, rules and pods of a host."""
        self.destinations[host] = None
        self._once(self._services, host)
        for id_ in self._index.near("rule.host", host):
            for version in self._add(id_):
                self._subsets(host, version)
        for id_ in self._index.ids(("service", "address", host)):
            for version in self._add(id_):
                for name in hosts_of(version, self._index.domain):
                    self._once(self._services, name)
                    for route in self._index.near("route.host", name):
                        self._once(self._route, route)

    def _subsets(self, host: str, rule: Resource) -> None:
        """What applies to the pods of each subset; they may not be in the tree."""
        for id_ in self._index.near("service.host", host):
            for service in self._versions.all_of(id_):
                for subset in mappings(rule.spec.get("subsets")) if selected_by(service) else ():
                    self.pods_with(id_.namespace, labels(subset.get("labels")))

    def workload(self, id_: ResourceId) -> None:
        """Pods, and what applies to them."""
        for version in self._add(id_):
            found = self._versions.workload(version)
            if found is not None:
                self.pods_with(found.namespace, found.labels)

    def pods_with(self, namespace: str, found: Mapping[str, str]) -> None:
        """What applies to pods with some labels, whichever object makes them."""
        self._once(self._pods_with, (namespace, frozenset(found.items())))

    def _pods_with(self, pods: tuple[str, frozenset[tuple[str, str]]]) -> None:
        self._namespace(pods[0])
        for id_ in self._index.applying(pods[0], self._root, pods[1]):
            self._add(id_)

    def _gateway(self, name: str) -> None:
        """A Gateway, of either API, and its pods."""
        if not self._is_open(name):
            return
        self.gateways[name] = None
        for id_ in self._index.ids(("gateway", "name", name)):
            for version in self._add(id_):
                for server in mappings(version.spec.get("servers")):
                    self._once(self._same_port, str(mapping(server.get("port")).get("number")))
        for id_ in self._index.ids(("listener", "name", name)):
            namespace = id_.namespace
            self._gateway_pods({GATEWAY_NAME_LABEL: id_.name}, namespace)
            for version in self._add(id_):
                self._certificates(version)
                class_name = text(version.spec.get("gatewayClassName"))
                self._add(ResourceId(GATEWAY_API, "GatewayClass", "", class_name))
                for address in mappings(version.spec.get("addresses")):
                    self._once(
                        self._services, self._index.in_full(text(address.get("value")), namespace)
                    )

    def proxies_in(self, namespace: str) -> None:
        """What the sidecars of a namespace are told to import."""
        self._once(self._sidecars, namespace)
        self._once(self._sidecars, self._root)
        if self.selective:
            for host in tuple(self.destinations):
                self._once(self._senders, host)

    def _sidecars(self, namespace: str) -> None:
        for id_ in self._index.ids(("sidecar", namespace)):
            self._add(id_)
            self.selective = True
        for kind in ("EnvoyFilter", "WasmPlugin"):
            for id_ in self._index.policies(kind, namespace, {}):
                self._add(id_)

    def _senders(self, host: str) -> None:
        """Who else sends to a destination: proxies that import a route import those as well, even
        if they would not see them otherwise.
        """
        for id_ in self._index.ids(("route", "destination", host)):
            self._add(id_)
            for root in self._index.ids(("route", "delegate", f"{id_.namespace}/{id_.name}")):
                self._add(root)
                self._delegates(root)
        for id_ in self._index.ids(("attached", "destination", host)):
            self._sender(id_)

    def _sender(self, id_: ResourceId) -> None:
        """A route of the Gateway API for which the clients of a Service have this destination."""
        for version in self._add(id_):
            for parent in mappings(version.spec.get("parentRefs")):
                if text(parent.get("kind")) == "Service":
                    where = text(parent.get("namespace")) or id_.namespace
                    self._once(
                        self._services,
                        f"{text(parent.get('name'))}.{where}.svc.{self._index.domain}",
                    )

    def _delegates(self, id_: ResourceId) -> None:
        for version in self._versions.all_of(id_):
            for rule in mappings(version.spec.get("http")):
                delegate = rule.get("delegate")
                if isinstance(delegate, Mapping):
                    where = text(delegate.get("namespace")) or id_.namespace
                    self._add(
                        ResourceId(NETWORKING, "VirtualService", where, text(delegate.get("name")))
                    )

    def _route(self, id_: ResourceId) -> None:
        """A VirtualService with its delegates, its hosts and all that it sends to."""
        for version in self._add(id_):
            found = self._index.route_of(version)
            for host in found.hosts:
                self._other_host(host.lower(), in_mesh=MESH_GATEWAY in found.gateways)
            if not self._in_mesh:
                for gateway in (*found.gateways, *_gateways_of_matches(version)):
                    self._once(self._gateway, gateway)
            self._sends_to(version)
            for rule in mappings(version.spec.get("http")):
                delegate = rule.get("delegate")
                if isinstance(delegate, Mapping):
                    where = text(delegate.get("namespace")) or id_.namespace
                    self._once(
                        self._route,
                        ResourceId(NETWORKING, "VirtualService", where, text(delegate.get("name"))),
                    )

    def _sends_to(self, version: Resource) -> None:
        for destination in destinations_of(version):
            host = self._index.in_full(text(destination.get("host")), version.id.namespace)
            self._once(self._destination, host)

    def _other_host(self, host: str, *, in_mesh: bool) -> None:
        """Services of another host of a VirtualService: they say on which ports it counts."""
        if not is_wildcard(host):
            self._once(self._services, host)
        elif in_mesh:
            for name in self._index.hosts_under("service.host", host):
                self._once(self._services, name)

    def _attached(self, id_: ResourceId) -> None:
        """A route of the Gateway API with its parents, backends and grants."""
        for version in self._add(id_):
            self._namespace(id_.namespace)
            for parent in mappings(version.spec.get("parentRefs")):
                where = text(parent.get("namespace")) or id_.namespace
                kind, name = text(parent.get("kind", "Gateway")), text(parent.get("name"))
                if kind == "Gateway":
                    if not self._in_mesh:
                        self._once(self._gateway, f"{where}/{name}")
                elif kind == "Service":
                    self._once(self._services, f"{name}.{where}.svc.{self._index.domain}")
            for host in self._index.backends_of(version):
                self._once(self._destination, host)
                for grant in self._index.ids(
                    ("grant", namespace_of(host, self._index.domain)), ("grant", id_.namespace)
                ):
                    self._add(grant)

    def _services(self, host: str) -> None:
        """The services of a host and their pods."""
        for id_ in self._index.near("service.host", host):
            for version in self._add(id_):
                self._behind(version)

    def _behind(self, version: Resource) -> None:
        """What a Service or ServiceEntry stands for."""
        spec, namespace = version.spec, version.id.namespace
        self.selective = self.selective or _is_exported(version)
        if version.id.kind == "ServiceEntry":
            for entry in mappings(spec.get("endpoints")):
                self.pods_with(namespace, labels(entry.get("labels")))
        else:
            for id_ in self._index.ids(("endpoints", namespace, version.id.name)):
                self._add(id_)
            if spec.get("type") == "ExternalName":
                name = text(spec.get("externalName"))
                # A sidecar takes the routes of what it stands for.
                if self._in_mesh:
                    self.host(name)
                else:
                    self._once(self._destination, name)
        found = selected_by(version)
        self._namespace(namespace)
        if found:
            for id_ in self._index.pods(namespace, found):
                self.workload(id_)
            # Whoever is behind it may not be in the tree.
            self.pods_with(namespace, found)

    def _sharing(self, shared: tuple[str, bool]) -> None:
        """The other hosts on a port for which no address stands, and what has it read as HTTP."""
        port, named = shared
        for id_ in self._index.ids(("shared", "any", port)):
            for version in self._add(id_):
                for host in hosts_of(version, self._index.domain):
                    self._once(self._host, host)
        for id_ in () if named else self._index.ids(("spoken", port)):
            for version in self._add(id_):
                self.selective = self.selective or _is_exported(version)

    def _gateway_pods(self, selector: Mapping[str, str], namespace: str) -> None:
        if not selector:
            return
        for id_ in self._index.pods(namespace, selector):
            self.workload(id_)

    def _same_port(self, port: str) -> None:
        """Gateways with a server on a port: the pods may merge them, or skip some."""
        for id_ in self._index.ids(("gateway", "port", port)):
            if self._opens is None or any(map(self._opens, self._versions.all_of(id_))):
                for version in self._add(id_):
                    self._gateway_pods(labels(version.spec.get("selector")), "")
                    self._certificates(version)

    def _certificates(self, gateway: Resource) -> None:
        """The Secrets that a Gateway names, and what lets it name those of other namespaces."""
        named = secrets_named(gateway)
        for id_ in self._versions.changed_of_kind("", "Secret"):
            if id_.name in named:
                self._add(id_)
        for listener in mappings(gateway.spec.get("listeners")):
            for ref in mappings(at(listener, "tls", "certificateRefs")):
                for id_ in self._index.ids(("grant", text(ref.get("namespace")))):
                    self._add(id_)

    def _once(self, collect: Callable[[_What], None], what: _What) -> None:
        """Collect what belongs to a thing that was not met before."""
        if (collect, what) not in self._done:
            self._done.add((collect, what))
            collect(what)

    def _namespace(self, name: str) -> None:
        self._add(ResourceId("", "Namespace", "", name))

    def _add(self, id_: ResourceId) -> tuple[Resource, ...]:
        """Every version of an object that is there in some state."""
        found = self._versions.all_of(id_)
        if found:
            self._found[id_] = None
        return found


def _is_exported(service: Resource) -> bool:
    """Whether a Service or ServiceEntry says who sees it."""
    return bool(service.spec.get("exportTo") or service.annotations.get(EXPORT_TO_ANNOTATION))


def _gateways_of_matches(version: Resource) -> Iterable[str]:
    """Gateways that single matches name."""
    for family in ("http", "tls", "tcp"):
        for rule in mappings(version.spec.get(family)):
            for match in mappings(rule.get("match")):
                for name in texts(match.get("gateways")):
                    yield resolve_gateway_name(name, version.id.namespace)
