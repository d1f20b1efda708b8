"""Gateways: which servers the pods of a gateway open, for which hosts."""

from collections.abc import Mapping

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.read import at, labels, mapping, mappings, number, text, texts
from meshplan.mesh.service import Protocol, parse_protocol
from meshplan.mesh.workload import matches_labels
from meshplan.resource import Resource


@dataclass(frozen=True, slots=True)
class ServerTls:
    """How a server ends TLS, or not."""

    #: PASSTHROUGH, SIMPLE, MUTUAL, AUTO_PASSTHROUGH, ISTIO_MUTUAL, OPTIONAL_MUTUAL.
    mode: str
    https_redirect: bool
    #: Names of Secrets in the namespace of the pods, or with a namespace and `/` before them.
    credentials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a Gateway."""

    gateway: ResourceId
    pointer: str
    port: int
    port_name: str
    protocol: Protocol
    #: `host`, or `namespace/host`; without `*/`, and `./` as the Gateway's namespace.
    hosts: tuple[str, ...]
    bind: str
    tls: ServerTls | None
    #: The listener, for a Gateway of the Gateway API: each is a gateway of its own to istiod.
    listener: str = ""

    @property
    def gateway_name(self) -> str:
        """The gateway as routes name it."""
        return _name(self.gateway, self.listener)

    @property
    def is_http(self) -> bool:
        """Whether it reads requests: HTTP, or HTTPS that it ends itself (`IsHTTPServer`)."""
        ends_tls = self.protocol is Protocol.HTTPS and not self.is_passthrough
        return self.protocol.is_http or ends_tls

    @property
    def is_passthrough(self) -> bool:
        """Whether TLS goes through it unopened (`IsPassThroughServer`)."""
        return self.tls is not None and self.tls.mode in ("PASSTHROUGH", "AUTO_PASSTHROUGH")

    @property
    def is_tls(self) -> bool:
        """Whether connections to it are TLS (`IsTLSServer`); HTTP with `httpsRedirect` is not."""
        return self.tls is not None and not self.protocol.is_http

    @property
    def host_names(self) -> tuple[tuple[str, str], ...]:
        """Namespace ("" for any) and host of each of `hosts`."""
        return tuple(_split(host) for host in self.hosts)

    @property
    def server_names(self) -> tuple[str, ...]:
        """The names in the TLS handshake that lead to it."""
        return tuple(dict.fromkeys(name for _, name in self.host_names))

    def hosts_for(self, namespace: str) -> tuple[str, ...]:
        """The hosts that VirtualServices of a namespace may use (`NamesForNamespace`)."""
        return tuple(name for where, name in self.host_names if where in ("", "*", namespace))


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway of Istio, or what a Gateway of the Gateway API becomes."""

    id: ResourceId
    #: Labels of the pods; None for every gateway pod.
    selector: Mapping[str, str] | None
    servers: tuple[Server, ...]
    created: str
    #: Namespace of the pods; "" for any.
    namespace: str = ""
    #: Hosts of the Services whose pods it runs on, where a Gateway of the Gateway API names them.
    services: tuple[str, ...] = ()
    listener: str = ""

    @property
    def name(self) -> str:
        """As VirtualServices name it: `namespace/name`."""
        return _name(self.id, self.listener)

    def selects(self, namespace: str, found: Mapping[str, str]) -> bool:
        """Whether pods with these labels open its servers, as far as labels say."""
        if self.namespace not in ("", namespace):
            return False
        return self.selector is None or matches_labels(self.selector, found)


def gateway_of(resource: Resource) -> Gateway:
    """A Gateway as written, the hosts of its servers cleaned (`sanitizeServerHostNamespace`)."""
    spec = resource.spec
    selector = spec.get("selector")
    return Gateway(
        id=resource.id,
        selector=labels(selector) if isinstance(selector, Mapping) else None,
        servers=tuple(
            _server(resource, index, entry)
            for index, entry in enumerate(mappings(spec.get("servers")))
        ),
        created=creation_time(resource),
    )


def _server(resource: Resource, index: int, entry: Mapping[str, object]) -> Server:
    tls = entry.get("tls")
    return Server(
        gateway=resource.id,
        pointer=f"/spec/servers/{index}",
        port=number(at(entry, "port", "number")),
        port_name=text(at(entry, "port", "name")),
        protocol=parse_protocol(text(at(entry, "port", "protocol"))),
        hosts=_clean(texts(entry.get("hosts")), resource.id.namespace),
        bind=text(entry.get("bind")),
        tls=_tls(mapping(tls)) if isinstance(tls, Mapping) else None,
    )


def _tls(tls: Mapping[str, object]) -> ServerTls:
    names = texts(tls.get("credentialNames"))
    single = text(tls.get("credentialName"))
    return ServerTls(
        mode=text(tls.get("mode")) or "PASSTHROUGH",
        https_redirect=tls.get("httpsRedirect") is True,
        credentials=names or ((single,) if single else ()),
    )


def _clean(hosts: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    if "*/*" in hosts:
        return ("*",)
    found = []
    for host in hosts:
        where, slash, name = host.partition("/")
        if slash and where == ".":
            found.append(f"{namespace}/{name}")
        elif slash and where == "*":
            found.append(name)
        else:
            found.append(host)
    return tuple(found)


def _name(gateway: ResourceId, listener: str) -> str:
    own = f"~istio-autogenerated-k8s-gateway~{listener}" if listener else ""
    return f"{gateway.namespace}/{gateway.name}{own}"


def _split(host: str) -> tuple[str, str]:
    where, slash, name = host.partition("/")
    return (where, name) if slash else ("", host)
