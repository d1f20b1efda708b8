"""Who sends requests for a host: one client of each sort that the objects at hand tell apart.

Clients of all namespaces that no object names are alike; one called `elsewhere` stands for them.
Of labels only those count that some selector asks for, of service accounts those that a policy names.
"""

from collections.abc import Iterator, Mapping, Sequence

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import is_wildcard
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.mesh.read import labels, mappings, text, texts
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.mesh.workload import matches_labels
from meshplan.proof.declared import secrets_named, selected_by
from meshplan.proof.fields import selector_of
from meshplan.proof.identities import ANYBODY, ELSEWHERE, identities
from meshplan.proof.index import GATEWAY_API, MOVING, NETWORKING, Index
from meshplan.proof.selectors import Labels, unions
from meshplan.proof.surroundings import Surroundings
from meshplan.proof.types import BudgetError, Client
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

_ROUTED = frozenset(
    (
        ("", "Service"),
        (NETWORKING, "ServiceEntry"),
        (NETWORKING, "VirtualService"),
        (NETWORKING, "DestinationRule"),
        (GATEWAY_API, "HTTPRoute"),
        (GATEWAY_API, "GRPCRoute"),
    )
)


class Clients:
    """The clients of the requests for one host."""

    def __init__(self, index: Index, versions: Versions, around: Surroundings, root_namespace: str):
        self._index = index
        self._versions = versions
        self._around = around
        self._root = root_namespace
        self._resources = tuple(around.resources())
        self._identities = identities(self._resources)
        #: Why not all of them are told apart; "" where they are.
        self.undecided = ""

    def sidecars(self) -> list[Client]:
        """Those with a sidecar, in every namespace that is told apart."""
        named = self._named_namespaces()
        grouped = self._by_imports(named)
        found = [
            client
            for namespace in sorted({*named, *grouped})
            for client in self._in_namespace(namespace)
        ]
        return [*found, *self._in_namespace(ELSEWHERE)]

    def gateways(self) -> list[Client]:
        """The pods of the gateways that the routes are bound to."""
        found: dict[Proxy, None] = {}
        unseen: dict[str, list[Mapping[str, str]]] = {}
        for name in self._around.gateways:
            for id_ in self._index.ids(("gateway", "name", name)):
                for version in self._versions.all_of(id_):
                    pods = tuple(self._pods_of(version))
                    found.update(dict.fromkeys(pods))
                    if not any(True for _ in self._index.pods("", pods[0].labels)):
                        for proxy in pods:
                            unseen.setdefault(proxy.namespace, []).append(proxy.labels)
            for id_ in self._index.ids(("listener", "name", name)):
                found.update(dict.fromkeys(self._pods_of_listeners(id_)))
        # Pods that nobody knows may be those of several.
        for namespace, selectors in unseen.items():
            shared = (dict(union) for union in self._unions(selectors) if union)
            found.update(dict.fromkeys(gateway(namespace, one) for one in shared))
        return [client for proxy in found for client in self.at(proxy)]

    def at(self, proxy: Proxy) -> list[Client]:
        """Some pods of a gateway under each service account that they may run as.

        Where it is not known which, they may be those that policies name, or another one.
        """
        pods = (
            self._versions.workload(version)
            for id_ in self._index.pods(proxy.namespace, proxy.labels)
            for version in self._versions.all_of(id_)
        )
        found = {
            workload.service_account
            for workload in pods
            if workload is not None and matches_labels(proxy.labels, workload.labels)
        }
        named = self._identities.of(proxy.namespace)
        return [
            Client(Proxy(proxy.kind, proxy.namespace, proxy.labels, account))
            for account in sorted(found or {ANYBODY, *named})
        ]

    def _named_namespaces(self) -> set[str]:
        found = set(self._identities.namespaces)
        for resource in self._resources:
            kind = (resource.id.group, resource.id.kind)
            if kind not in _ROUTED:
                continue
            found.add(resource.id.namespace)
            stated = texts(resource.spec.get("exportTo"))
            annotation = resource.annotations.get("networking.istio.io/exportTo")
            if annotation:
                stated = tuple(part.strip() for part in str(annotation).split(","))
            found.update(stated)
            for match in matches_of(resource):
                found.add(text(match.get("sourceNamespace")))
        return found - {"", "*", ".", "~", ELSEWHERE}

    def _by_imports(self, named: set[str]) -> set[str]:
        """One namespace of each group whose Sidecars import the same of what is at hand."""
        hosts = self._hosts()
        ids = dict.fromkeys(self._index.ids(MOVING, *self._imported_by(hosts)))
        by_namespace: dict[str, list[ResourceId]] = {}
        for id_ in ids:
            # The root namespace has the default of all others, and Sidecars for its own pods.
            if id_.namespace not in named and (
                id_.namespace != self._root
                or any(selector_of(version) for version in self._versions.all_of(id_))
            ):
                by_namespace.setdefault(id_.namespace, []).append(id_)
        chosen: dict[object, str] = {}
        for namespace in sorted(by_namespace):
            everyone = tuple(self._index.ids(("sidecar", namespace)))
            chosen.setdefault(self._projection(everyone, namespace, hosts), namespace)
        return set(chosen.values())

    def _imported_by(self, hosts: Sequence[tuple[str, str]]) -> set[tuple[str, ...]]:
        """The entries of Sidecars that import any of some hosts."""
        found: set[tuple[str, ...]] = {
            ("import", where, pattern)
            for namespace, host in hosts
            for where in (namespace, "*")
            for pattern in _patterns(host)
        }
        wild = [(namespace, host[1:]) for namespace, host in hosts if is_wildcard(host)]
        for key in self._index.keys("import") if wild else ():
            # Of a wildcard one name alone may be imported.
            if any(key[1] in ("*", where) and key[2].endswith(rest) for where, rest in wild):
                found.add(key)
        return found

    def _projection(
        self, ids: Sequence[ResourceId], namespace: str, hosts: Sequence[tuple[str, str]]
    ) -> object:
        """What the Sidecars of a namespace say about some hosts, in all versions.

        Those that change do so for themselves, and of several the names and ages count.
        """
        (first, *others) = ids
        return (
            namespace if others or first in self._versions.changed else "",
            tuple(
                _imports(version, hosts) for id_ in ids for version in self._versions.all_of(id_)
            ),
        )

    def _hosts(self) -> tuple[tuple[str, str], ...]:
        """Namespace and host of everything at hand that can be imported."""
        found: dict[tuple[str, str], None] = {}
        for resource in self._resources:
            namespace = resource.id.namespace
            match resource.id.kind:
                case "Service":
                    host = f"{resource.id.name}.{namespace}.svc.{self._index.domain}"
                    found[namespace, host] = None
                case "ServiceEntry":
                    for host in texts(resource.spec.get("hosts")):
                        found[namespace, host.lower()] = None
                case "VirtualService":
                    for host in texts(resource.spec.get("hosts")):
                        found[namespace, self._index.in_full(host, namespace)] = None
                case _:
                    pass
        return tuple(found)

    def _in_namespace(self, namespace: str) -> Iterator[Client]:
        self._around.proxies_in(namespace)
        selectors = [*self._selectors(namespace)]
        variants = dict.fromkeys(self._unions(selectors))
        names = {name for selector in selectors for name in selector}
        for found in self._labels_in(namespace) if names else ():
            kept = {name: value for name, value in found.items() if name in names}
            variants[tuple(sorted(kept.items()))] = None
        accounts = self._identities.of(namespace)
        for variant in variants:
            for account in sorted({ANYBODY, *accounts}):
                plain = sidecar(namespace, dict(variant))
                proxy = Proxy(plain.kind, namespace, plain.labels, account)
                yield Client(proxy, anywhere=namespace == ELSEWHERE)

    def _unions(self, selectors: Sequence[Mapping[str, str]]) -> tuple[Labels, ...]:
        try:
            return unions(selectors)
        except BudgetError as error:
            self.undecided = str(error)
            return ((), *(tuple(sorted(selector.items())) for selector in selectors))

    def _selectors(self, namespace: str) -> Iterator[Mapping[str, str]]:
        """Labels by which clients of a namespace are told apart."""
        for resource in self._resources:
            for match in matches_of(resource):
                yield labels(match.get("sourceLabels"))
            own = resource.id.namespace == namespace
            if resource.id.kind == "DestinationRule" and own:
                yield selector_of(resource)
        for id_ in self._index.ids(("sidecar", namespace)):
            yield from map(selector_of, self._versions.all_of(id_))

    def _labels_in(self, namespace: str) -> Iterator[Mapping[str, str]]:
        for id_ in dict.fromkeys(self._index.ids(("pod", namespace))):
            for version in self._versions.all_of(id_):
                workload = self._versions.workload(version)
                if workload is not None:
                    yield workload.labels

    def _pods_of(self, version: Resource) -> Iterator[Proxy]:
        """The pods of an Istio Gateway; where none are known, those with its selector's labels."""
        selector = labels(version.spec.get("selector"))
        found: dict[Proxy, None] = {}
        relevant = self._gateway_labels()
        for id_ in self._index.pods("", selector) if selector else ():
            for pods in self._versions.all_of(id_):
                workload = self._versions.workload(pods)
                if workload is not None and matches_labels(selector, workload.labels):
                    kept = {k: v for k, v in workload.labels.items() if k in relevant}
                    found[gateway(workload.namespace, kept)] = None
        if found:
            yield from found
            return
        # Where their certificates are, they are as well.
        named = secrets_named(version)
        secrets = (r.id for r in self._resources if (r.id.group, r.id.kind) == ("", "Secret"))
        homes = (id_.namespace for id_ in secrets if id_.name in named)
        spaces = dict.fromkeys((version.id.namespace, self._root, *homes))
        # So they are where a Service or a policy is for pods like them, with the labels of those.
        in_front = dict.fromkeys(
            gateway(one.id.namespace, {**own, **selector})
            for id_ in self._index.ids(*(("front", *label) for label in selector.items()))
            for one in self._versions.all_of(id_)
            for own in (selected_by(one) or selector_of(one),)
            if one.id.kind == "Service" or one.id.namespace != self._root
            if matches_labels(own, {**own, **selector})
        )
        yield from in_front
        known = {proxy.namespace for proxy in in_front}
        yield from (gateway(space, selector) for space in spaces if space not in known)

    def _gateway_labels(self) -> set[str]:
        """Names of the labels of gateway pods that something asks for."""
        names: set[str] = set()
        for resource in self._resources:
            names.update(labels(resource.spec.get("selector")))
            names.update(selector_of(resource))
        return names

    def _pods_of_listeners(self, id_: ResourceId) -> Iterator[Proxy]:
        """The pods of a Gateway of the Gateway API: istiod's, or those behind named Services."""
        yield gateway(id_.namespace, {GATEWAY_NAME_LABEL: id_.name})
        for version in self._versions.all_of(id_):
            for address in mappings(version.spec.get("addresses")):
                host = self._index.in_full(text(address.get("value")), id_.namespace)
                for service in self._index.ids(("service", "host", host)):
                    for found in self._versions.all_of(service):
                        selector = labels(found.spec.get("selector"))
                        if selector:
                            yield gateway(id_.namespace, selector)


def may_open(namespace: str, found: Mapping[str, str], version: Resource) -> bool:
    """Whether gateway pods with some labels may open the servers of a Gateway."""
    if version.id.group == NETWORKING:
        return matches_labels(labels(version.spec.get("selector")), found)
    return namespace == version.id.namespace and (
        found.get(GATEWAY_NAME_LABEL) == version.id.name or bool(version.spec.get("addresses"))
    )


def matches_of(resource: Resource) -> Iterator[Mapping[str, object]]:
    """All matches of a VirtualService."""
    if resource.id.kind == "VirtualService":
        for family in ("http", "tls", "tcp"):
            for rule in mappings(resource.spec.get(family)):
                yield from mappings(rule.get("match"))


def _imports(version: Resource, hosts: Sequence[tuple[str, str]]) -> object:
    """What a Sidecar imports of some hosts, by listener, and all else that it says.

    None of the hosts is of its own namespace (`.`).
    """
    listeners = []
    for listener in mappings(version.spec.get("egress")):
        entries = [entry.partition("/") for entry in texts(listener.get("hosts"))]
        taken = frozenset(
            (namespace, host)
            for namespace, host in hosts
            for where, _, pattern in entries
            if where in ("*", namespace)
            and (pattern.lower() in _patterns(host) or _is_under(pattern.lower(), host))
        )
        rest = {key: str(value) for key, value in listener.items() if key != "hosts"}
        listeners.append((tuple(sorted(rest.items())), taken))
    other = {key: str(value) for key, value in version.spec.items() if key != "egress"}
    return tuple(listeners), tuple(sorted(other.items()))


def _patterns(host: str) -> frozenset[str]:
    """A host, and all wildcards that could cover it."""
    return frozenset((host, "*", *(f"*{host[index:]}" for index in range(len(host)))))


def _is_under(name: str, host: str) -> bool:
    """Whether a wildcard covers a name."""
    return is_wildcard(host) and name.endswith(host[1:])
