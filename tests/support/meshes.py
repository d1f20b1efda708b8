"""Meshes from YAML text, and short words for what tests ask of them."""

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import Proxy, sidecar
from meshplan.settings import World
from meshplan.traffic import Outcome, Request, route
from meshplan.traffic.outcome import Failed, Served
from support.snapshots import snapshot

#: Istio's groups and versions, to be put before the kinds.
NETWORKING = "apiVersion: networking.istio.io/v1"
SECURITY = "apiVersion: security.istio.io/v1"


def mesh(text: str, *, world: World = World.CLOSED, **config: object) -> Mesh:
    """The mesh of a YAML stream; ServiceEntries and the like may leave their apiVersion out."""
    return Mesh.of(snapshot(with_versions(text)), MeshConfig(**config), world)  # type: ignore[arg-type]


def with_versions(text: str) -> str:
    """Each document of a YAML stream with an apiVersion, told by its kind."""
    documents = []
    for document in text.split("\n---\n"):
        kind = document.partition("kind: ")[2].partition("\n")[0].strip()
        stated = "apiVersion:" in document
        documents.append(
            document if stated else f"apiVersion: {VERSIONS[kind]}\n{document.strip()}"
        )
    return "\n---\n".join(documents)


_GATEWAY_API = ("GatewayClass", "HTTPRoute", "GRPCRoute")
VERSIONS = {
    "Service": "v1",
    "Pod": "v1",
    "Namespace": "v1",
    "Secret": "v1",
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
    "PeerAuthentication": "security.istio.io/v1",
    "AuthorizationPolicy": "security.istio.io/v1",
    "RequestAuthentication": "security.istio.io/v1",
    "EnvoyFilter": "networking.istio.io/v1alpha3",
    "WasmPlugin": "extensions.istio.io/v1alpha1",
    "ReferenceGrant": "gateway.networking.k8s.io/v1beta1",
    "TLSRoute": "gateway.networking.k8s.io/v1alpha2",
    "TCPRoute": "gateway.networking.k8s.io/v1alpha2",
    **dict.fromkeys(_GATEWAY_API, "gateway.networking.k8s.io/v1"),
    **dict.fromkeys(
        (
            "VirtualService",
            "DestinationRule",
            "Gateway",
            "ServiceEntry",
            "WorkloadEntry",
            "Sidecar",
        ),
        "networking.istio.io/v1",
    ),
}


def ask(
    state: Mesh, url: str, client: Proxy | None = None, method: str = "GET", **headers: str
) -> Outcome:
    """The outcome of a request from a sidecar in namespace `web`, or from another proxy.

    Underscores in the names of headers stand for hyphens.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(host, method, slash + path or "/", named, scheme=scheme)
    return route(state, request, client or sidecar("web", {"app": "client"}))


def endpoints(outcome: Outcome) -> list[str]:
    """The endpoints of a request that is served."""
    assert isinstance(outcome, Served), outcome
    return sorted(backend.endpoint for backend in outcome.backends if backend.kind == "served")


def failure(outcome: Outcome) -> tuple[int | None, str]:
    """Status and flag of a request that fails."""
    assert isinstance(outcome, Failed), outcome
    return outcome.status, outcome.flag
