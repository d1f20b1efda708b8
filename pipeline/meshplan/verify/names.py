"""What an object says, as names: the hosts it decides about, and those it sends to or speaks of.

Read from the text of the manifest, by the names of fields, and not through the prover's index.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.workload import workload_kinds
from meshplan.resource import Resource

NETWORKING = "networking.istio.io"
GATEWAY_API = "gateway.networking.k8s.io"
EXPORT_TO = "networking.istio.io/exportTo"

#: What decides where a request goes, by the hosts in it.
ROUTES = frozenset(
    {(NETWORKING, "VirtualService")}
    | {(GATEWAY_API, f"{name}Route") for name in ("HTTP", "GRPC", "TLS", "TCP", "UDP")}
)
#: What a proxy does besides routing, chosen by the labels of its pods.
POLICIES = frozenset(
    {
        ("security.istio.io", "AuthorizationPolicy"),
        ("security.istio.io", "PeerAuthentication"),
        ("security.istio.io", "RequestAuthentication"),
        ("telemetry.istio.io", "Telemetry"),
        ("extensions.istio.io", "WasmPlugin"),
        (NETWORKING, "EnvoyFilter"),
        (NETWORKING, "ProxyConfig"),
    }
)
SIDECAR = (NETWORKING, "Sidecar")
WORKLOADS = frozenset(workload_kinds())

_HOSTS = frozenset({"host", "hosts", "hostname", "hostnames", "sniHosts", "externalName"})


@dataclass(slots=True)
class Names:
    """The names in all versions of one object."""

    #: Hosts of requests that it has a say in; of a provider its own. May be wildcards.
    decides: set[str] = field(default_factory=set)
    #: All hosts in it.
    speaks_of: set[str] = field(default_factory=set)
    #: Those of a route that are not hosts that it is for.
    sends_to: set[str] = field(default_factory=set)
    #: Hosts that it writes into requests.
    writes: set[str] = field(default_factory=set)
    #: Whether it may count for sidecars.
    in_mesh: bool = False
    #: Gateways as `namespace/name`.
    gateways: set[str] = field(default_factory=set)
    #: VirtualServices as `namespace/name` to which it leaves a part.
    delegates: set[str] = field(default_factory=set)
    #: Namespaces whose proxies it treats in their own way.
    namespaces: set[str] = field(default_factory=set)
    #: Ports of the servers of a Gateway.
    ports: set[object] = field(default_factory=set)
    #: Labels that choose pods, by version; empty for all of the namespace.
    selectors: list[Mapping[str, str]] = field(default_factory=list)


def names_of(versions: Sequence[Resource], mesh: Mesh) -> Names:
    """The names in all versions of one object."""
    found = Names()
    for version in versions:
        _read(version, mesh, found)
    return found


def kind_of(id_: ResourceId) -> tuple[str, str]:
    """Group and kind."""
    return id_.group, id_.kind


def texts(value: Any) -> Iterator[str]:
    """A text, or the texts of a list."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Sequence):
        yield from (item for item in value if isinstance(item, str))


def dictionaries(value: Any) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from (item for item in value if isinstance(item, Mapping))


def strings(value: Any) -> dict[str, str]:
    """A mapping as texts, such as labels."""
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


def _read(version: Resource, mesh: Mesh, found: Names) -> None:
    kind, namespace, spec = kind_of(version.id), version.id.namespace, version.spec
    if kind == ("", "Service"):
        own = f"{version.id.name}.{namespace}.svc.{mesh.config.cluster_domain}"
        found.decides.add(own)
        found.selectors.append(strings(spec.get("selector")))
    elif kind == (NETWORKING, "ServiceEntry"):
        found.decides |= {host.lower() for host in texts(spec.get("hosts"))}
        chosen = spec.get("workloadSelector")
        found.selectors.append(strings(chosen.get("labels") if isinstance(chosen, Mapping) else {}))
    elif kind == (NETWORKING, "DestinationRule"):
        found.decides |= set(_hosts(spec.get("host"), namespace, mesh))
    elif kind == (NETWORKING, "Gateway"):
        for server in dictionaries(spec.get("servers")):
            found.decides |= {h.rpartition("/")[2].lower() for h in texts(server.get("hosts"))}
            port = server.get("port")
            found.ports.add(port.get("number") if isinstance(port, Mapping) else None)
        found.selectors.append(strings(spec.get("selector")))
    elif kind == (GATEWAY_API, "Gateway"):
        for listener in dictionaries(spec.get("listeners")):
            found.decides.add(str(listener.get("hostname") or "*").lower())
            found.ports.add(listener.get("port"))
    elif kind in ROUTES:
        _read_route(version, mesh, found)
    elif kind in POLICIES or kind == SIDECAR:
        found.selectors.append(selector_of(spec))
    named = {key: spec[key] for key in ("hosts", "hostnames") if kind in ROUTES and key in spec}
    _speaks({k: v for k, v in spec.items() if k not in named}, namespace, mesh, found)
    found.sends_to |= found.speaks_of
    _speaks(named, namespace, mesh, found)
    is_bound = kind == (NETWORKING, "VirtualService") and spec.get("gateways")
    found.in_mesh |= not is_bound or "mesh" in texts(spec.get("gateways"))
    exported = (*texts(spec.get("exportTo")), *version.annotations.get(EXPORT_TO, "").split(","))
    found.namespaces |= {name.strip() for name in exported} - {"", "*", ".", "~"}


def selector_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """The labels by which an object chooses pods, in any of the forms that Istio knows."""
    chosen = spec.get("selector") or spec.get("workloadSelector") or {}
    if not isinstance(chosen, Mapping):
        return {}
    return strings(chosen.get("matchLabels") or chosen.get("labels"))


def _read_route(version: Resource, mesh: Mesh, found: Names) -> None:
    namespace, spec = version.id.namespace, version.spec
    if kind_of(version.id) == (NETWORKING, "VirtualService"):
        found.decides |= set(_hosts(spec.get("hosts"), namespace, mesh))
        return
    found.decides |= {host.lower() for host in texts(spec.get("hostnames"))} or {"*"}
    for parent in dictionaries(spec.get("parentRefs")):
        where = parent.get("namespace") or namespace
        if parent.get("kind", "Gateway") == "Service":
            found.decides.add(f"{parent.get('name')}.{where}.svc.{mesh.config.cluster_domain}")
        else:
            found.gateways.add(f"{where}/{parent.get('name')}")


def _speaks(value: Any, namespace: str, mesh: Mesh, found: Names) -> None:
    """Every text in a field that holds hosts, gateways or namespaces."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _HOSTS:
                found.speaks_of |= set(_hosts(inner, namespace, mesh))
            elif key == "authority" and isinstance(inner, str):
                found.writes.add(inner.lower())
            elif key == "urlRewrite" and isinstance(inner, Mapping):
                found.writes |= {host.lower() for host in texts(inner.get("hostname"))}
            elif key == "gateways":
                found.gateways |= {mesh.resolve_gateway(n, namespace) for n in texts(inner)}
            elif key == "sourceNamespace":
                found.namespaces |= set(texts(inner))
            elif key == "delegate" and isinstance(inner, Mapping):
                found.delegates.add(f"{inner.get('namespace') or namespace}/{inner.get('name')}")
            elif key in ("backendRefs", "backendRef"):
                for ref in dictionaries([inner] if isinstance(inner, Mapping) else inner):
                    found.speaks_of |= _backend(ref, namespace, mesh)
                    _speaks(ref.get("filters"), namespace, mesh, found)
            else:
                _speaks(inner, namespace, mesh, found)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            _speaks(inner, namespace, mesh, found)


def _backend(ref: Mapping[str, Any], namespace: str, mesh: Mesh) -> set[str]:
    name = str(ref.get("name"))
    if ref.get("kind") == "Hostname":
        return {name.lower()}
    return {f"{name}.{ref.get('namespace') or namespace}.svc.{mesh.config.cluster_domain}"}


def _hosts(value: Any, namespace: str, mesh: Mesh) -> Iterator[str]:
    for text in texts(value):
        yield mesh.resolve_host(text.rpartition("/")[2], namespace).lower()
