"""The Gateway API as istiod reads it: its listeners become Gateways, its grants are looked up."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time
from meshplan.mesh.gateway import Gateway, Server, ServerTls
from meshplan.mesh.hosts import is_wildcard, matches, subset_of
from meshplan.mesh.known import NOTHING, Grant, Known
from meshplan.mesh.read import at, mapping, mappings, number, text, texts
from meshplan.mesh.security import GATEWAY_NAME_LABEL
from meshplan.mesh.service import parse_protocol
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World

GATEWAY_API = "gateway.networking.k8s.io"
_CONTROLLER = "istio.io/gateway-controller"
#: Classes that exist without a GatewayClass.
_BUILT_IN = {"istio": _CONTROLLER}
_KINDS = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute",),
    "TCP": ("TCPRoute",),
}
_NAME_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener of a Gateway, as routes attach to it (`parentInfo`)."""

    gateway: Gateway
    name: str
    port: int
    protocol: str
    #: As written; "" for any.
    hostname: str
    #: Kinds of routes that may attach.
    kinds: tuple[str, ...]

    @property
    def hosts(self) -> tuple[tuple[str, str], ...]:
        """Namespaces ("" for any) and hosts of the routes that may attach."""
        return self.gateway.servers[0].host_names


def listeners_of(
    snapshot: Snapshot, domain: str, world: World, known: Known = NOTHING
) -> Iterator[Listener]:
    """The listeners of all Gateways that Istio serves, each with its own Gateway.

    One without its certificate is left out (`buildListener`); in an open world it may be elsewhere,
    unless the tree has it in another state.
    """
    grants = Grants(snapshot.of_kind(GATEWAY_API, "ReferenceGrant"))
    classes = {
        resource.id.name: text(resource.spec.get("controllerName"))
        for resource in snapshot.of_kind(GATEWAY_API, "GatewayClass")
    }
    for resource in snapshot.of_kind(GATEWAY_API, "Gateway"):
        class_name = text(resource.spec.get("gatewayClassName"))
        if classes.get(class_name, _BUILT_IN.get(class_name)) != _CONTROLLER:
            continue
        services = _services(resource, domain)
        for index, entry in enumerate(mappings(resource.spec.get("listeners"))):
            made = _listener(snapshot, resource, index, entry, services)
            own = None if world is World.CLOSED else known
            if _has_certificates(snapshot, made, grants, own):
                yield made


def _listener(
    snapshot: Snapshot,
    resource: Resource,
    index: int,
    entry: Mapping[str, Any],
    services: tuple[str, ...],
) -> Listener:
    name = text(entry.get("name"))
    protocol = text(entry.get("protocol"))
    hostname = text(entry.get("hostname"))
    allowed = mapping(entry.get("allowedRoutes"))
    stated = tuple(text(kind.get("kind")) for kind in mappings(allowed.get("kinds")))
    namespaces = tuple(_namespaces(snapshot, resource.id.namespace, allowed)) or ("~",)
    server = Server(
        gateway=resource.id,
        pointer=f"/spec/listeners/{index}",
        port=number(entry.get("port")),
        port_name="default",
        protocol=parse_protocol(protocol),
        hosts=tuple(
            (hostname or "*") if where == "*" else f"{where}/{hostname or '*'}"
            for where in namespaces
        ),
        bind="",
        tls=_tls(
            entry.get("tls"),
            resource.id.namespace,
            is_automatic=_is_auto_passthrough(resource, entry),
        ),
        listener=name,
    )
    gateway = Gateway(
        id=resource.id,
        selector=None if services else {GATEWAY_NAME_LABEL: resource.id.name},
        servers=(server,),
        created=creation_time(resource),
        namespace=resource.id.namespace,
        services=services,
        listener=name,
    )
    supported = _KINDS.get(protocol, ())
    kinds = tuple(kind for kind in stated if kind in supported) if stated else supported
    return Listener(gateway, name, server.port, protocol, hostname, kinds)


def _has_certificates(
    snapshot: Snapshot, listener: Listener, grants: "Grants", known: Known | None
) -> bool:
    """Whether all Secrets of a listener are there, and may be referred to.

    Where something is `known`, what nobody knows is there.
    """
    tls, own = listener.gateway.servers[0].tls, listener.gateway.namespace
    for name in tls.credentials if tls else ():
        where, _, found = name.rpartition("/")
        secret = ResourceId("", "Secret", where or own, found)
        if secret not in snapshot and (known is None or secret in known.secrets):
            return False
        source = (GATEWAY_API, "Gateway", own)
        granted = not where or grants.allow(source, secret)
        if not granted and (known is None or _allows(known.granted, source, secret)):
            return False
    return True


def _services(resource: Resource, domain: str) -> tuple[str, ...]:
    """The Services named in `addresses`: then the pods are the user's own, not istiod's."""
    addresses = mappings(resource.spec.get("addresses"))
    names = [text(a.get("value")) for a in addresses if a.get("type") == "Hostname"]
    namespace = resource.id.namespace
    return tuple(
        name if "." in name else f"{name}.{namespace}.svc.{domain}" for name in names if name
    )


def _is_auto_passthrough(resource: Resource, entry: Mapping[str, Any]) -> bool:
    """Whether a listener is for clients of other networks (`IsAutoPassthrough`)."""
    option = at(entry, "tls", "options", "gateway.istio.io/listener-protocol")
    if option == "auto-passthrough":
        return True
    expected = resource.labels.get("networking.istio.io/gatewayPort", "15443")
    return "topology.istio.io/network" in resource.labels and str(entry.get("port")) == expected


def _secret_name(where: str, name: str, own: str) -> str:
    return f"{where}/{name}" if where not in ("", own) else name


def _tls(value: object, own: str, *, is_automatic: bool) -> ServerTls | None:
    """`buildTLS`."""
    if not isinstance(value, Mapping):
        return None
    if value.get("mode") == "Passthrough":
        mode = "AUTO_PASSTHROUGH" if is_automatic else "PASSTHROUGH"
        return ServerTls(mode, https_redirect=False, credentials=())
    stated = text(at(value, "options", "gateway.istio.io/tls-terminate-mode"))
    if stated in ("ISTIO_SIMPLE", "ISTIO_MUTUAL"):
        # With the certificate that the pods have anyway.
        mode = "SIMPLE" if stated == "ISTIO_SIMPLE" else stated
        return ServerTls(mode, https_redirect=False, credentials=())
    names = tuple(
        _secret_name(text(ref.get("namespace")), text(ref.get("name")), own)
        for ref in mappings(value.get("certificateRefs"))
    )
    mode = stated if stated in ("MUTUAL", "OPTIONAL_MUTUAL") else "SIMPLE"
    return ServerTls(mode, https_redirect=False, credentials=names)


def _namespaces(snapshot: Snapshot, own: str, allowed: Mapping[str, Any]) -> Iterator[str]:
    """The namespaces whose routes may attach (`namespacesFromSelector`)."""
    stated = mapping(allowed.get("namespaces"))
    match stated.get("from"):
        case "All":
            yield "*"
        case "Selector":
            selector = mapping(stated.get("selector"))
            found = {r.id.name: r.labels for r in snapshot.of_kind("", "Namespace")}
            # Those that no object declares have no labels that are known but their names.
            names = {id_.namespace for id_ in snapshot if id_.namespace} | found.keys()
            for name in sorted(names):
                if selects(selector, {_NAME_LABEL: name, **found.get(name, {})}):
                    yield name
        case _:
            yield own


def selects(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector matches labels."""
    wanted = mapping(selector.get("matchLabels"))
    if any(found.get(str(key)) != str(value) for key, value in wanted.items()):
        return False
    return all(_holds(entry, found) for entry in mappings(selector.get("matchExpressions")))


def _holds(entry: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    key, values = text(entry.get("key")), texts(entry.get("values"))
    match entry.get("operator"):
        case "In":
            return found.get(key) in values
        case "NotIn":
            return found.get(key) not in values
        case "Exists":
            return key in found
        case "DoesNotExist":
            return key not in found
        case _:
            return False


class Grants:
    """All ReferenceGrants."""

    def __init__(self, resources: Iterable[Resource]):
        #: All that they allow.
        self.allowed: frozenset[Grant] = frozenset(
            (
                (
                    text(source.get("group")),
                    text(source.get("kind")),
                    text(source.get("namespace")),
                ),
                (text(to.get("group")), text(to.get("kind")), resource.id.namespace),
                text(to.get("name")),
            )
            for resource in resources
            for source in mappings(resource.spec.get("from"))
            for to in mappings(resource.spec.get("to"))
        )

    def allow(self, source: tuple[str, str, str], target: ResourceId) -> bool:
        """Whether objects of a group, kind and namespace may refer to an object of another one."""
        return _allows(self.allowed, source, target)


def _allows(found: frozenset[Grant], source: tuple[str, str, str], target: ResourceId) -> bool:
    to = (target.group, target.kind, target.namespace)
    return any((source, to, name) in found for name in ("", target.name))


def may_attach(listener: Listener, hostnames: tuple[str, ...], namespace: str) -> bool:
    """Whether any host of a route is one of a listener's, for the route's namespace."""
    return any(
        where in ("", namespace) and matches(host, own)
        for own in hostnames or ("*",)
        for where, host in listener.hosts
    )


def is_served_here(listener: Listener, others: Iterable[Listener], host: str) -> bool:
    """Whether no other listener on the port fits a host better (`hostnameAllowedByIsolation`)."""
    own = listener.hostname
    if own and not is_wildcard(own):
        return True
    if own and not matches(host, own):
        return False
    return not any(
        len(own) <= len(other.hostname) and subset_of(host, other.hostname)
        for other in others
        if (other.port, other.protocol) == (listener.port, listener.protocol)
        and other.hostname != own
    )
