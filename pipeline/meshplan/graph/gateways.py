"""Whether gateways listen for what is routed through them, and can be reached."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from meshplan.graph.cluster import object_candidates
from meshplan.graph.keys import Key, pod_labels
from meshplan.graph.pods import reselected
from meshplan.graph.state import Index, View
from meshplan.identity import ResourceId
from meshplan.kinds.need import Attachment, Credential, ExposedPort, Labels, labels_of
from meshplan.kinds.needs.read import at, items, number, text, texts
from meshplan.mesh.hosts import matches
from meshplan.resource import Resource

#: Protocols of a server that is told apart by the name in the TLS handshake.
_BY_SNI = ("HTTPS", "TLS")
_HTTP = ("HTTP", "HTTP2", "GRPC", "HTTPS")


GatewayNeed = Attachment | Credential | ExposedPort


def level(what: GatewayNeed, view: View) -> int:
    """How many hosts, Secrets or Services meet the need."""
    match what:
        case Attachment():
            return _attached(what, view)
        case Credential():
            return _credentials(what, view)
        case ExposedPort():
            return _exposed(what, view)
        case _:
            assert_never(what)


def candidates(what: GatewayNeed, index: Index) -> Iterator[ResourceId]:
    """The objects that change and that the level depends on."""
    match what:
        case Attachment(gateway):
            yield from object_candidates(gateway, index)
            for version in index.versions(gateway):
                yield from index.touched(*_listening_keys(version))
        case Credential(name, _, selector):
            yield from index.touched(("secret", name.rpartition("/")[2]))
            yield from reselected(None, selector or frozenset(), index)
        case ExposedPort():
            for view in index.ends:
                yield from index.touched(*_exposed_keys(what, view))
            yield from reselected(None, what.selector, index)
        case _:
            assert_never(what)


def _attached(what: Attachment, view: View) -> int:
    """Whether the host has a server at the gateway that is really programmed."""
    gateway = view.get(what.gateway)
    if gateway is None:
        return 0
    if gateway.id.group != "networking.istio.io":
        return int(any(_listens(listener, what) for listener in _listeners(gateway)))
    return int(
        any(
            _takes(server, what.protocol)
            and any(matches(host, what.host) for host in _server_hosts(server))
            and not _skipped(gateway, server, view)
            for server in _servers(gateway)
        )
    )


def _takes(server: Mapping[str, Any], protocol: str) -> bool:
    """Whether a server routes by requests, by the name in the TLS handshake, or connections."""
    stated = text(at(server, "port", "protocol")).upper()
    passes = text(at(server, "tls", "mode")) in ("PASSTHROUGH", "AUTO_PASSTHROUGH")
    if protocol == "tls":
        return stated in _BY_SNI and passes
    if protocol == "tcp":
        return stated not in _HTTP and not passes
    return not passes and (stated in _HTTP or stated not in (*_BY_SNI, "TCP", "MONGO"))


def _listeners(gateway: Resource) -> Iterator[Mapping[str, Any]]:
    return (listener for _, listener in items(gateway.spec.get("listeners")))


def _listens(listener: Mapping[str, Any], what: Attachment) -> bool:
    if what.section is not None and listener.get("name") != what.section:
        return False
    if what.port is not None and listener.get("port") != what.port:
        return False
    own = text(listener.get("hostname"))
    return not own or matches(own, what.host)


def _servers(gateway: Resource) -> list[Mapping[str, Any]]:
    return [server for _, server in items(gateway.spec.get("servers"))]


def _server_hosts(server: Mapping[str, Any]) -> list[str]:
    return [host.rpartition("/")[2] for host in texts(server.get("hosts"))]


def _skipped(gateway: Resource, server: Mapping[str, Any], view: View) -> bool:
    """Whether an older Gateway of the same pods has the TLS hosts: istiod then leaves this out."""
    if at(server, "port", "protocol") not in _BY_SNI:
        return False
    port = str(at(server, "port", "number"))
    selector = labels_of(gateway.spec.get("selector"))
    for host in _server_hosts(server):
        for other in view.find(("listening", port, host)):
            if other.id != gateway.id and _older(other.id, gateway.id, view):
                theirs = labels_of(other.spec.get("selector"))
                if theirs <= selector or selector <= theirs:
                    return True
    return False


def _older(one: ResourceId, other: ResourceId, view: View) -> bool:
    """Whether one object is older than another: what a change creates is the youngest."""
    writes = view.index.writes
    created, other_created = writes.is_created(one), writes.is_created(other)
    return (created, one.name, one.namespace) < (other_created, other.name, other.namespace)


def _listening_keys(gateway: Resource) -> Iterator[Key]:
    """The keys that a Gateway shares with the others that listen on the same port and host."""
    for server in _servers(gateway):
        for host in _server_hosts(server):
            yield "listening", str(at(server, "port", "number")), host


def _exposed(what: ExposedPort, view: View) -> int:
    """How many Services lead to the gateway pods and have the port."""
    found = view.find(*_exposed_keys(what, view))
    pods = [pod_labels(resource) for resource in view.pods(None, what.selector)]
    return sum(_leads_to(service, what, pods) for service in found)


def _exposed_keys(what: ExposedPort, view: View) -> tuple[Key, ...]:
    """The keys of the Services that may lead to the gateway pods, which are known or not."""
    pods = [(pod.id.namespace, pod_labels(pod)) for pod in view.pods(None, what.selector)]
    places = pods or [(place, what.selector) for place in view.index.places]
    return tuple(
        ("selecting", place, name, value)
        for place, labels in sorted(set(places), key=str)
        for name, value in sorted(labels)
    )


def _leads_to(service: Resource, what: ExposedPort, pods: list[Labels]) -> bool:
    selector = labels_of(service.spec.get("selector"))
    ports = [number(port.get("port")) for _, port in items(service.spec.get("ports"))]
    if what.port not in ports:
        return False
    if pods:
        return any(selector <= labels for labels in pods)
    return selector <= what.selector or what.selector <= selector


def _credentials(what: Credential, view: View) -> int:
    """How many Secrets of the name are where the proxies read them."""
    name = what.name.rpartition("/")[2]
    places = {r.id.namespace for r in view.pods(None, what.selector or frozenset())}
    found = view.find(("secret", name))
    return sum(not places or resource.id.namespace in places for resource in found)
