"""Which objects have a say in the requests for a host, by following names from object to object."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.resource import Resource
from meshplan.verify.grid import concrete
from meshplan.verify.names import (
    GATEWAY_API,
    NETWORKING,
    POLICIES,
    ROUTES,
    SIDECAR,
    WORKLOADS,
    Names,
    dictionaries,
    kind_of,
    names_of,
    strings,
)

Versions = Mapping[ResourceId, tuple[Resource, ...]]

_ENTRY = (NETWORKING, "ServiceEntry")
_SLICE_LABEL = "kubernetes.io/service-name"
#: Kinds that speak for all requests to a namespace, or from its Gateways.
_OF_NAMESPACE = frozenset({(GATEWAY_API, "ReferenceGrant"), (GATEWAY_API, "BackendTLSPolicy")})
_GROUPS = frozenset({NETWORKING, GATEWAY_API, *(group for group, _ in POLICIES)})
#: Few of them, and nobody names them.
_ALWAYS = frozenset({(GATEWAY_API, "GatewayClass"), ("networking.k8s.io", "Ingress")})


@dataclass(frozen=True, slots=True)
class Say:
    """Who has a say in the requests for one host, whoever sends them."""

    host: str
    objects: frozenset[ResourceId]
    #: The routes among them, and the policies: what compares with parts of a request.
    routes: tuple[ResourceId, ...]
    policies: tuple[ResourceId, ...]
    #: Everything that a request may be sent on to.
    destinations: frozenset[str]
    #: Hosts that share a listener with it.
    mates: frozenset[str]
    #: Whether a route means the host by a pattern, and not its short names.
    by_pattern: bool
    #: Namespaces whose clients may fare in a way of their own.
    namespaces: frozenset[str]


class _ByHost:
    """Objects by the hosts that they name, wildcards too."""

    def __init__(self) -> None:
        self._exact: dict[str, list[ResourceId]] = {}
        self._wild: dict[str, list[ResourceId]] = {}

    def add(self, id_: ResourceId, hosts: Iterable[str]) -> None:
        for host in hosts:
            table = self._wild if host.startswith("*") else self._exact
            table.setdefault(host, []).append(id_)

    def of(self, host: str) -> Iterator[ResourceId]:
        """The objects that mean a host by any of their names, and those below a wildcard."""
        yield from self._exact.get(host, ())
        for pattern, ids in self._wild.items():
            if host.endswith(pattern[1:]) or (host.startswith("*") and pattern.endswith(host[1:])):
                yield from ids
        if host.startswith("*"):
            for name, ids in self._exact.items():
                if name.endswith(host[1:]):
                    yield from ids


class Speakers:
    """Finds who has a say in what, over all versions of all objects."""

    def __init__(self, versions: Versions, mesh: Mesh):
        self.names: dict[ResourceId, Names] = {}
        self._root = mesh.config.root_namespace
        self._routes, self._providers, self._gateways = _ByHost(), _ByHost(), _ByHost()
        self._by_kind: dict[tuple[str, str], list[ResourceId]] = {}
        self._in: dict[tuple[str, str, str], list[ResourceId]] = {}
        self._policies: dict[str, list[ResourceId]] = {}
        self._pods: dict[str, list[tuple[ResourceId, Mapping[str, str]]]] = {}
        self._slices: dict[tuple[str, str], list[ResourceId]] = {}
        self._senders: dict[str, list[ResourceId]] = {}
        self._unaddressed: dict[int, list[ResourceId]] = {}
        self._ports: dict[object, list[ResourceId]] = {}
        for id_, found in versions.items():
            self._index(id_, found, mesh)

    def _index(self, id_: ResourceId, found: Sequence[Resource], mesh: Mesh) -> None:
        kind = kind_of(id_)
        self._by_kind.setdefault(kind, []).append(id_)
        if kind in WORKLOADS:
            here = self._pods.setdefault(id_.namespace, [])
            here += [(id_, labels) for version in found for labels in pod_labels(version)]
            return
        if kind in (("", "Endpoints"), ("discovery.k8s.io", "EndpointSlice")):
            for version in found:
                name = version.labels.get(_SLICE_LABEL, id_.name)
                self._slices.setdefault((id_.namespace, name), []).append(id_)
            return
        if kind in _OF_NAMESPACE:
            self._in.setdefault((*kind, id_.namespace), []).append(id_)
        if kind != ("", "Service") and id_.group not in _GROUPS:
            return
        names = self.names[id_] = names_of(found, mesh)
        if kind in ROUTES:
            self._routes.add(id_, names.decides)
            for host in names.speaks_of:
                self._senders.setdefault(host, []).append(id_)
        elif kind[1] == "Gateway":
            self._gateways.add(id_, names.decides)
            for port in names.ports:
                self._ports.setdefault(port, []).append(id_)
        elif kind in POLICIES or (kind == SIDECAR and any(v.spec.get("ingress") for v in found)):
            # A Sidecar with listeners of its own says what pods take.
            self._policies.setdefault(id_.namespace, []).append(id_)
        elif names.decides:
            self._providers.add(id_, names.decides)
            for number in {n for version in found for n in _shared_ports(version)}:
                self._unaddressed.setdefault(number, []).append(id_)

    def hosts(self) -> frozenset[str]:
        """Every host that a request may be for: all that are named, one for each wildcard."""
        found = {"*"}
        for names in self.names.values():
            found |= names.decides
            found |= {host for host in names.speaks_of if not host.startswith("*")}
        return frozenset(concrete(host) for host in found)

    def of(self, host: str) -> Say:
        """Everything that has a say in the requests for a host."""
        mates = self._mates(host)
        routes = self._with_delegates(chain.from_iterable(map(self._routes.of, (host, *mates))))
        # The gateway to which a request is sent on routes it by the host that was written into it.
        written = {name for id_ in routes for name in self.names[id_].writes}
        routes |= self._with_delegates(chain.from_iterable(map(self._routes.of, written)))
        destinations = {host, *mates}
        destinations |= set(chain.from_iterable(self.names[i].speaks_of for i in routes))
        providers = self._behind(destinations)
        if (
            more := self._with_delegates(
                chain.from_iterable(self._routes.of(d) for d in self._aliases(providers))
            ).keys()
            - routes.keys()
        ):
            routes |= dict.fromkeys(more)
            destinations |= set(chain.from_iterable(self.names[i].speaks_of for i in more))
            providers = self._behind(destinations)
        gateways = self._gateways_for(host, routes)
        policies = tuple(self._policies_for(providers))
        objects = {*routes, *providers, *gateways, *policies}
        objects.update(self._pods_behind(providers))
        spaces = {id_.namespace for id_ in objects}
        for where in spaces:
            objects.add(ResourceId("", "Namespace", "", where))
            for kind in _OF_NAMESPACE:
                objects.update(self._in.get((*kind, where), ()))
        for kind in _ALWAYS:
            objects.update(self._by_kind.get(kind, ()))
        named = {n for id_ in (*routes, *providers) for n in self.names[id_].namespaces}
        home = {id_.namespace for id_ in (*routes, *providers)}
        return Say(
            host,
            frozenset(objects),
            tuple(routes),
            policies,
            frozenset(destinations),
            mates,
            any(name.startswith("*") for id_ in routes for name in self.names[id_].decides),
            frozenset(named | home),
        )

    def _with_delegates(self, found: Iterable[ResourceId]) -> dict[ResourceId, None]:
        routes: dict[ResourceId, None] = {}
        todo = list(found)
        while todo:
            id_ = todo.pop()
            if id_ in routes or id_ not in self.names:
                continue
            routes[id_] = None
            for name in self.names[id_].delegates:
                where, _, called = name.partition("/")
                todo.append(ResourceId(NETWORKING, "VirtualService", where, called))
        return routes

    def _behind(self, destinations: Iterable[str]) -> dict[ResourceId, None]:
        """Services, ServiceEntries and rules for some hosts, and for what stands behind a name."""
        found: dict[ResourceId, None] = {}
        todo, seen = list(destinations), set[str]()
        while todo:
            host = todo.pop()
            if host in seen:
                continue
            seen.add(host)
            for id_ in self._providers.of(host):
                found[id_] = None
                if id_.kind == "Service":
                    todo += self.names[id_].speaks_of
        return found

    def _mates(self, host: str) -> frozenset[str]:
        """Hosts that share a listener for all addresses with a host: connections that are not read
        go to the first of them, whichever was dialled.
        """
        own = {id_ for id_ in self._providers.of(host) if kind_of(id_) == _ENTRY}
        shared = [found for found in self._unaddressed.values() if not own.isdisjoint(found)]
        return frozenset(h for id_ in chain.from_iterable(shared) for h in self.names[id_].decides)

    def senders(self, hosts: Iterable[str]) -> Iterator[ResourceId]:
        """Routes for whatever host that speak of some hosts: who imports them has those too."""
        for host in hosts:
            yield from self._senders.get(host, ())

    def behind(self, hosts: Iterable[str]) -> frozenset[ResourceId]:
        """What makes the clusters of some hosts: Services, ServiceEntries, rules, and their pods."""
        providers = self._behind(hosts)
        return frozenset({*providers, *self._pods_behind(providers)})

    def _aliases(self, providers: Iterable[ResourceId]) -> Iterator[str]:
        """Hosts that a Service is another name for: their routes count for it as well."""
        for id_ in providers:
            if id_.kind == "Service":
                yield from self.names[id_].speaks_of

    def _gateways_for(self, host: str, routes: Iterable[ResourceId]) -> dict[ResourceId, None]:
        """Gateways that open the host or carry a route of it, and all that share a port."""
        found = dict.fromkeys(self._gateways.of(host))
        for name in {name for id_ in routes for name in self.names[id_].gateways}:
            where, _, called = name.partition("/")
            for group in (NETWORKING, GATEWAY_API):
                id_ = ResourceId(group, "Gateway", where, called)
                if id_ in self.names:
                    found[id_] = None
        ports = {port for id_ in found for port in self.names[id_].ports}
        return found | dict.fromkeys(chain.from_iterable(self._ports.get(p, ()) for p in ports))

    def _policies_for(self, providers: Iterable[ResourceId]) -> Iterator[ResourceId]:
        """Policies that may choose pods behind a service."""
        chosen: dict[str, list[Mapping[str, str]]] = {}
        for id_ in providers:
            chosen.setdefault(id_.namespace, []).extend(self.names[id_].selectors)
        for where, selectors in chosen.items():
            for policy in self.policies_in(where):
                if any(_agree(s, o) for s in self.names[policy].selectors for o in selectors):
                    yield policy

    def policies_in(self, namespace: str) -> tuple[ResourceId, ...]:
        """The policies that may choose pods of a namespace."""
        spaces = dict.fromkeys((namespace, self._root))
        return tuple(chain.from_iterable(self._policies.get(space, ()) for space in spaces))

    def _pods_behind(self, providers: Iterable[ResourceId]) -> Iterator[ResourceId]:
        for id_ in providers:
            yield from self._slices.get((id_.namespace, id_.name), ())
            for selector in self.names[id_].selectors:
                if selector:
                    yield from self.pods(id_.namespace, selector)

    def pods(self, namespace: str, selector: Mapping[str, str]) -> Iterator[ResourceId]:
        """What makes pods with some labels; `namespace` may be empty for all."""
        spaces = [namespace] if namespace else list(self._pods)
        for space in spaces:
            for id_, labels in self._pods.get(space, ()):
                if all(labels.get(key) == value for key, value in selector.items()):
                    yield id_

    def in_front_of(self, namespace: str, labels: Mapping[str, str]) -> Iterator[ResourceId]:
        """The Services of a namespace that choose pods with some labels."""
        for id_ in self._by_kind.get(("", "Service"), ()):
            if id_.namespace == namespace and any(
                selector and all(labels.get(k) == v for k, v in selector.items())
                for selector in self.names[id_].selectors
            ):
                yield id_


def pod_labels(version: Resource) -> Iterator[Mapping[str, str]]:
    """The labels of the pods that an object makes, wherever its kind has them."""
    found = strings(version.labels)
    yield found
    spec = version.spec
    job = spec.get("jobTemplate")
    if isinstance(job, Mapping) and isinstance(job.get("spec"), Mapping):
        spec = job["spec"]
    template = spec.get("template")
    if isinstance(template, Mapping) and isinstance(template.get("metadata"), Mapping):
        yield strings(template["metadata"].get("labels"))
    if isinstance(spec.get("labels"), Mapping):
        yield {**strings(spec["labels"]), **found}


def credentials(version: Resource) -> Iterator[str]:
    """The names of Secrets from which a Gateway takes certificates."""
    for server in dictionaries(version.spec.get("servers")):
        tls = server.get("tls")
        if isinstance(tls, Mapping):
            for key in ("credentialName", "caCertCredentialName"):
                if isinstance(tls.get(key), str):
                    yield tls[key]
                    yield f"{tls[key]}-cacert"
            for name in tls.get("credentialNames") or ():
                yield str(name)
    for listener in dictionaries(version.spec.get("listeners")):
        tls = listener.get("tls")
        if isinstance(tls, Mapping):
            for ref in dictionaries(tls.get("certificateRefs")):
                yield str(ref.get("name"))


def _shared_ports(version: Resource) -> Iterator[int]:
    """The ports of a ServiceEntry that have no address and are not read as HTTP."""
    if kind_of(version.id) == _ENTRY and not version.spec.get("addresses"):
        for port in dictionaries(version.spec.get("ports")):
            protocol = str(port.get("protocol")).upper()
            if not protocol.startswith(("HTTP", "GRPC")) or protocol == "HTTPS":
                yield int(port["number"]) if str(port.get("number")).isdecimal() else 0


def _agree(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether some pod may have the labels of both."""
    return all(other.get(key, value) == value for key, value in one.items())
