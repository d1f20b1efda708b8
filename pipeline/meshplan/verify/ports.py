"""On which ports, with what protocol, and by which names clients may ask for a host."""

from collections.abc import Iterator

from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.mesh.service import Port, Protocol
from meshplan.verify.names import dictionaries
from meshplan.verify.speakers import Say
from meshplan.verify.world import Part, World

_TLS = frozenset({Protocol.TLS, Protocol.HTTPS})


def ports_of(world: World, part: Part, say: Say, proxy: Proxy) -> set[tuple[int, str]]:
    """Port and scheme of every way to ask for a host, in any state between stages."""
    found: set[tuple[int, str]] = set()
    for number in range(len(world.stages) + 1):
        mesh = part.rest(number)
        if proxy.kind is ProxyKind.GATEWAY:
            for gateway in mesh.gateways_of(proxy):
                for server in gateway.servers:
                    scheme = "https" if server.tls and server.is_http else "http"
                    found.add((server.port, scheme if server.is_http else _raw(server.is_tls)))
        else:
            names = [say.host]
            for service in (s for name in names for s in mesh.registry.by_host.get(name, ())):
                found |= {(p.number, scheme) for p in service.ports for scheme in _schemes(p)}
                # Whoever stands for a host is reached on its ports.
                names += [name for name in (service.alias_of,) if name and name not in names]
    if found or proxy.kind is ProxyKind.GATEWAY:
        return found
    # No service says on which: the ports that its routes name, and that of plain HTTP.
    return {(80, "http"), *((port, "http") for port in _named(world, say))}


def passed_names(world: World, say: Say) -> Iterator[str]:
    """The names in handshakes by which other networks ask a gateway for a Service: its clusters."""
    versions = [one for id_ in say.objects for one in world.versions.get(id_, ())]
    ports, subsets = set[str](), {""}
    for version in versions:
        if version.id.kind in {"Service", "ServiceEntry"}:
            for port in dictionaries(version.spec.get("ports")):
                ports.add(str(port.get("port", port.get("number"))))
        elif version.id.kind == "DestinationRule":
            for subset in dictionaries(version.spec.get("subsets")):
                subsets.add(str(subset.get("name")))
    for number in sorted(ports):
        for name in sorted(subsets):
            yield f"outbound_.{number}_.{name}_.{say.host}"


def _schemes(port: Port) -> tuple[str, ...]:
    if port.protocol.is_http:
        return ("http",)
    if port.protocol in _TLS:
        return ("tls",)
    # HTTP may be spoken where nobody says so, and proxies may look.
    return ("http", "tcp")


def _raw(is_tls: bool) -> str:
    return "tls" if is_tls else "tcp"


def _named(world: World, say: Say) -> set[int]:
    return {
        match["port"]
        for id_ in say.routes
        for version in world.versions[id_]
        for rule in dictionaries(version.spec.get("http"))
        for match in dictionaries(rule.get("match"))
        if isinstance(match.get("port"), int)
    }
