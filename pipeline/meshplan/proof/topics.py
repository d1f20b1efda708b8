"""The cases of a topic: which clients ask for it, on which ports, by which names."""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import product

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import is_wildcard, matches, namespace_of, short_forms
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import gateway
from meshplan.mesh.read import at, mapping, mappings, number, texts
from meshplan.mesh.service import Protocol, service_of, services_of
from meshplan.proof.authorities import asked_of_names, names_of, server_names_asked, spellings
from meshplan.proof.cases import Case
from meshplan.proof.clients import Clients, matches_of, may_open
from meshplan.proof.declared import hosts_of
from meshplan.proof.gateways import GatewayHosts
from meshplan.proof.identities import identities
from meshplan.proof.index import Index
from meshplan.proof.meter import Meter
from meshplan.proof.ports import server_ports
from meshplan.proof.rivals import rivals_among
from meshplan.proof.scope import Scope
from meshplan.proof.surroundings import Surroundings
from meshplan.proof.texts import holds_of
from meshplan.proof.types import BudgetError, Client, Topic, TopicKind
from meshplan.proof.unseen import unsure_of_mutual_tls
from meshplan.proof.versions import Versions
from meshplan.settings import World
from meshplan.traffic.condition import TextMatch
from meshplan.traffic.inbound import Server
from meshplan.traffic.outcome import Transport
from meshplan.traffic.request import Request

#: What it takes to find out what has a say, in units of work.
_SETTING_OUT = 5

_TLS = frozenset((Protocol.HTTPS, Protocol.TLS))
_DECLARING = frozenset(("Service", "ServiceEntry"))
_HTTP = frozenset(("http", "https"))


class TopicCases:
    """Everything about one topic that does not depend on plans."""

    def __init__(self, topic: Topic, index: Index, versions: Versions, mesh: Mesh, meter: Meter):
        meter.spend(_SETTING_OUT)
        self._meter = meter
        self.topic = topic
        self._index = index
        self._versions = versions
        self._mesh = mesh
        self._root = mesh.config.root_namespace
        #: Why there may be requests that are in none of the cases; told once these are asked for.
        self.undecided = ""
        self._cases: dict[bool, list[Case]] = {}
        self._scopes: dict[bool, Scope] = {}

    @cached_property
    def _around(self) -> Surroundings:
        private = "*" not in self._mesh.config.default_service_export_to
        topic = self.topic
        in_mesh = topic.kind is TopicKind.MESH
        of_one = topic.is_of_one_gateway
        opens = partial(may_open, topic.namespace, dict(topic.labels)) if of_one else None
        found = Surroundings(
            self._index, self._versions, self._root, in_mesh=in_mesh, private=private, opens=opens
        )
        if topic.kind is TopicKind.SERVER:
            found.pods_with(topic.namespace, dict(topic.labels))
            for id_ in self._index.pods(topic.namespace, dict(topic.labels)):
                found.workload(id_)
        else:
            found.host(topic.host)
        return found

    @cached_property
    def _clients(self) -> list[Client]:
        if self.topic.kind is TopicKind.SERVER:
            return [Client()]
        clients = Clients(self._index, self._versions, self._around, self._root)
        in_mesh = self.topic.kind is TopicKind.MESH
        found = clients.sidecars() if in_mesh else clients.gateways()
        self.undecided = clients.undecided or self.unsure
        if self.topic.is_of_one_gateway:
            found = clients.at(gateway(self.topic.namespace, dict(self.topic.labels)))
        for client in () if in_mesh else found:
            assert client.proxy is not None  # noqa: S101 - gateways are proxies
            self._around.pods_with(client.proxy.namespace, client.proxy.labels)
        return found

    @cached_property
    def unsure(self) -> str:
        """What nobody knows about the servers that requests are sent to; "" if there is nothing."""
        return unsure_of_mutual_tls(self._around, self._index, self._mesh.world)

    def parts(self, hosts: GatewayHosts) -> tuple[Topic, ...]:
        """Topics that together are this one of gateways: for each the requests that enter there.

        What is bound to other gateways has no say in them, nor has by which of several hosts they
        ask that nothing there names.
        """
        proxies = (client.proxy for client in self._clients if client.proxy is not None)
        found = ((proxy.namespace, tuple(sorted(proxy.labels.items()))) for proxy in proxies)
        pods = tuple(dict.fromkeys(found))
        if self._is_closed or len(pods) < 2:
            return (self.topic,)
        return tuple(
            Topic(TopicKind.GATEWAY, hosts.alike(self.topic.host, *one), *one) for one in pods
        )

    @property
    def scope(self) -> Scope:
        """The changed objects that have a say."""
        return self.scope_of(reverse=False)

    def scope_of(self, *, reverse: bool) -> Scope:
        """The scope, with the order of unknown ages as names have it, or reversed."""
        found = self._scopes.get(reverse)
        if found is None:
            # Clients bring objects of their own along.
            clients = self._clients
            del clients
            ids = self._versions_of_all() if self._is_closed else self._around.ids
            selective = self._around.selective
            found = Scope(
                self.topic,
                ids,
                self._versions,
                self._mesh,
                meter=self._meter,
                reverse_ages=reverse,
                selective=selective or self._is_closed,
            )
            self._scopes[reverse] = found
        return found

    @property
    def known(self) -> Iterator[tuple[str, bool, bool]]:
        """What is known of other states about the hosts at hand: declared, populated; and Secrets."""
        known = self._mesh.known
        hosts = dict.fromkeys((self.topic.host, *self._around.destinations))
        for resource in self._around.resources():
            if resource.id.kind in _DECLARING:
                hosts.update(dict.fromkeys(hosts_of(resource, self._index.domain)))
        for host in hosts:
            yield host, host in known.hosts, host in known.populated
        for id_ in self._around.ids:
            if id_.kind == "Secret":
                yield str(id_), id_ in known.secrets, False

    @property
    def homes(self) -> frozenset[str]:
        """The namespaces of the clients."""
        proxies = (client.proxy for client in self._clients)
        return frozenset(proxy.namespace for proxy in proxies if proxy is not None)

    @cached_property
    def declared_in(self) -> frozenset[str]:
        """The namespaces of all that requests may be sent on to, or of its name at least."""
        found = {namespace_of(host, self._index.domain) for host in self._around.destinations}
        ids = self._around.ids
        return frozenset(found | {id_.namespace for id_ in ids if id_.kind in _DECLARING})

    @property
    def _is_closed(self) -> bool:
        """In a closed world it counts what is not there, so that all objects have a say."""
        return self._mesh.world is World.CLOSED

    def _versions_of_all(self) -> tuple[ResourceId, ...]:
        return tuple(dict.fromkeys((*self._versions.base, *self._versions.changed)))

    @cached_property
    def rivals(self) -> tuple[ResourceId, ...]:
        """Objects whose ages are not known, and of which there are several of a kind."""
        if self._is_closed:
            return ()
        ids = (*self.scope.ids, *self._around.ids)
        return rivals_among(ids, self._versions, self._index)

    def cases(self, *, reverse: bool) -> list[Case]:
        """The cases, for each client those on each port."""
        found = self._cases.get(reverse)
        if found is None:
            found = self._cases[reverse] = list(self._make(self.scope_of(reverse=reverse)))
        return found

    def _make(self, scope: Scope) -> Iterator[Case]:
        if self.topic.kind is TopicKind.SERVER:
            yield from self._at_server(scope)
            return
        ports = (
            server_ports(self._around.resources())
            if self.topic.kind is TopicKind.GATEWAY
            else tuple(self._mesh_ports())
        )
        for client in self._clients:
            stages = scope.stages(client)
            for port, scheme in ports:
                names = self._names(client)
                if scheme in _HTTP:
                    names = spellings(names, self._asked_of_names, port)
                for host in names:
                    base = Request(host, port=port, scheme=scheme)
                    yield Case(scope, client, base, stages)

    # Names and ports

    def _names(self, client: Client) -> Iterator[str]:
        """By which names clients may ask: in short as well, where that may make a difference."""
        host = self.topic.host
        if is_wildcard(host):
            yield from self._names_under(host, _name_under(host))
            return
        yield host
        namespace = namespace_of(host, self._index.domain)
        if not namespace or self.topic.kind is TopicKind.GATEWAY or client.proxy is None:
            return
        name = host.partition(".")[0]
        forms = [f"{name}.{namespace}", f"{name}.{namespace}.svc"]
        if client.proxy.namespace == namespace:
            forms.append(name)
        service = ResourceId("", "Service", namespace, name)
        if service in self._versions.changed:
            yield from forms
            return
        asked = self._asked_of_names
        for form in forms:
            if (
                any(True for _ in self._index.near("route.host", form))
                or any(True for _ in self._index.near("service.host", form))
                or any(holds_of(test, form) != holds_of(test, host) for test in asked)
            ):
                yield form

    def _names_under(self, pattern: str, usual: str) -> tuple[str, ...]:
        asked = (*self._asked_of_names, *server_names_asked(self._around.resources()))
        try:
            return names_of(pattern, asked, usual)
        except BudgetError as error:
            self.undecided = str(error)
            return (usual,)

    @cached_property
    def _asked_of_names(self) -> tuple[TextMatch, ...]:
        return asked_of_names(self._around.resources(), self._mesh.config)

    def _mesh_ports(self) -> Iterator[tuple[int, str]]:
        """Ports on which a host is served, with the schemes that clients may use there."""
        found: dict[tuple[int, str], None] = {}
        is_routed = False
        asked = (self.topic.host, *short_forms(self.topic.host, self._index.domain))
        # Whoever stands for a host is reached on its ports (`Attributes.Aliases`).
        behind = frozenset(self._index.stood_for(self.topic.host))
        for resource in self._around.resources():
            kind = resource.id.kind
            if kind in _DECLARING:
                services = (
                    (service_of(resource, self._index.domain),)
                    if kind == "Service"
                    else tuple(services_of(resource))
                )
                for service in services:
                    own = service.host.lower()
                    is_about = own in behind or any(_is_about(own, host) for host in asked)
                    if is_about or self.topic.host in service.addresses:
                        for port in service.ports:
                            for scheme in _schemes(port.protocol):
                                found[port.number, scheme] = None
            elif kind == "VirtualService":
                hosts = texts(resource.spec.get("hosts"))
                named = [self._index.in_full(host, resource.id.namespace) for host in hosts]
                is_about = any(_is_about(name, host) for name in named for host in asked)
                is_routed = is_routed or is_about
                # One without hosts is a delegate.
                for match in matches_of(resource) if is_about or not named else ():
                    if number(match.get("port")):
                        found[number(match.get("port")), "http"] = None
        if is_routed or not found:
            found.setdefault((80, "http"), None)
        yield from found

    # Servers

    def _at_server(self, scope: Scope) -> Iterator[Case]:
        """Peers that go to a workload directly: without a certificate, and with one."""
        found = dict(self.topic.labels)
        resources = tuple(self._around.resources())
        named = identities(resources)
        trust = self._mesh.config.trust_domain
        principals = {f"{trust}/ns/{where}/sa/{account}": None for where, account in named.accounts}
        principals.update({f"{trust}/ns/{where}/sa/default": None for where in named.namespaces})
        principals[f"{trust}/ns/elsewhere/sa/default"] = None
        (client,) = self._clients
        stages = scope.stages(client)
        hosts = self._names_under("*", self._server_name(found))
        for port, host in product(self._server_ports(), hosts):
            server = Server(self.topic.namespace, found, port)
            plain = Request(host, port=port)
            yield Case(scope, client, plain, stages, server)
            for principal in sorted(principals):
                base = Request(host, port=port, principal=principal)
                yield Case(scope, client, base, stages, server, Transport.MTLS)

    def _server_name(self, found: dict[str, str]) -> str:
        shown = found.get("app") or ",".join(f"{k}={v}" for k, v in found.items())
        return f"{shown or 'any workload'}.{self.topic.namespace}"

    def _server_ports(self) -> list[int]:
        """Ports of the workload that something is said about; one in any case."""
        found: dict[int, None] = {}
        for resource in self._around.resources():
            spec = resource.spec
            match resource.id.kind:
                case "Service":
                    for port in mappings(spec.get("ports")):
                        target = port.get("targetPort", port.get("port"))
                        found[number(target)] = None
                case "PeerAuthentication":
                    for port_ in mapping(spec.get("portLevelMtls")):
                        found[number(port_)] = None
                case "Sidecar":
                    for listener in mappings(spec.get("ingress")):
                        found[number(at(listener, "port", "number"))] = None
                case "AuthorizationPolicy":
                    for rule in mappings(spec.get("rules")):
                        for entry in mappings(rule.get("to")):
                            for text_ in texts(mapping(entry.get("operation")).get("ports")):
                                found[number(text_)] = None
                case _:
                    workload = self._versions.workload(resource)
                    if workload is not None:
                        found.update(dict.fromkeys(workload.ports.values()))
        found.pop(0, None)
        return sorted(found) or [8080]


def _schemes(protocol: Protocol) -> tuple[str, ...]:
    """How clients may speak on a port of a protocol."""
    if protocol is Protocol.UDP:
        return ()
    if protocol in _TLS:
        return ("tls",)
    # What is declared as TCP may be HTTP all the same, and a server that sniffs would read it.
    return ("http",) if protocol.is_http else ("http", "tcp")


def _is_about(host: str, topic: str) -> bool:
    """Whether a host of an object is the topic's, or covers some of it."""
    return host == topic or (is_wildcard(host) and matches(host, topic))


def _name_under(pattern: str) -> str:
    """A name that a wildcard covers, and that nobody else has."""
    return "unmatched.example" if pattern == "*" else f"unmatched{pattern[1:]}"
