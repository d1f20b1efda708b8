"""From a route to backends: clusters, endpoints, and what the servers say."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from meshplan.dataclass import dataclass
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.read import mappings, texts
from meshplan.mesh.virtual_service import string_match_of
from meshplan.traffic.clusters import Cluster, Clusters
from meshplan.traffic.condition import Exact, text_holds, text_match
from meshplan.traffic.http_routes import canonical
from meshplan.traffic.inbound import Admission, Inbound, Server, Verdict
from meshplan.traffic.opaque import opaque_inbound, opaque_service
from meshplan.traffic.outcome import (
    Backend,
    Decided,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Reason,
    Served,
    Transport,
    Unknown,
)
from meshplan.traffic.paths import rewritten
from meshplan.traffic.request import Request
from meshplan.traffic.table import Forward, Route, Target
from meshplan.traffic.upstreams import Upstream

if TYPE_CHECKING:
    from meshplan.identity import ResourceId

#: What of `retryOn` tries a failed connection, or one that was closed, again.
_RETRIES = {
    "UF": frozenset(("connect-failure", "5xx", "gateway-error", "reset", "reset-before-request")),
    "UC": frozenset(("5xx", "gateway-error", "reset")),
}


@dataclass(frozen=True, slots=True)
class Hop:
    """What a request needs on its way from one proxy to the next."""

    clusters: Clusters
    #: The mesh whose policies hold at the servers.
    servers: Mesh
    inbound: "Inbounds"
    proxy: Proxy
    #: The workload behind every endpoint; None to tell it by the endpoint.
    behind: Server | None = None


class Inbounds:
    """The inbound sides of the workloads of one mesh."""

    def __init__(self, mesh: Mesh):
        self._mesh = mesh
        self._found: dict[tuple[object, ...], Inbound] = {}

    def of(self, server: Server) -> Inbound:
        """The inbound side of a workload for a port."""
        found = self._found.get(server.key)
        if found is None:
            found = self._found[server.key] = Inbound(self._mesh, server)
        return found


def forward(
    action: Forward, route: Route, request: Request, hop: Hop, why: tuple[Reason, ...]
) -> Outcome:
    """What becomes of a request that a route forwards."""
    preflight = _preflight(action, request)
    if preflight is not None:
        return replace(preflight, why=why)
    path = rewritten(request.path, action.rewrite, route)
    if path is None:
        return Unknown("the pattern of a rewrite is not understood", why=why)
    sent = replace(request, path=path, host=action.authority or request.host)
    journey = _Journey(action, sent, hop)
    backends = [backend for target in action.targets for backend in journey.backends(target)]
    if action.abort is not None and action.abort.percent > 0:
        backends = _with_abort(action, backends)
    if request.is_connection:
        # A connection that fails is closed, and nobody gets a status.
        backends = [replace(b, status=None) if b.kind == "error" else b for b in backends]
    why = (*why, *journey.why)
    if journey.unknown:
        return Unknown(journey.unknown, why=why)
    outcome = _summed_up(tuple(backends), journey, action, why)
    if journey.opaque:
        reason = f"{journey.opaque[0]} changes what happens on the way"
        return Unknown(reason, tuple(dict.fromkeys(journey.opaque)), outcome, why)
    return outcome


class _Journey:
    """Collects the backends of one request, and who had a say."""

    def __init__(self, action: Forward, request: Request, hop: Hop):
        self._action = action
        self._request = request
        self._hop = hop
        config = hop.servers.config
        proxy = hop.proxy
        self._principal = f"{config.trust_domain}/ns/{proxy.namespace}/sa/{proxy.service_account}"
        self.why: list[Reason] = []
        self.unknown = ""
        self.opaque: list[ResourceId] = []
        self.denials: list[str] = []
        self.passed: list[tuple[str, int]] = []
        self.policy: dict[str, str] = {}

    def backends(self, target: Target) -> Iterator[Backend]:
        """Where requests for one target end up."""
        name = target.cluster
        authority = self._action.authority or target.authority or self._request.host
        base = Backend(
            endpoint="",
            host=name.host,
            subset=name.subset,
            port=name.port,
            weight=target.weight,
            path=self._request.path,
            authority=authority,
        )
        if target.invalid:
            self.why.append(Reason(None, target.invalid))
            yield _failed(base, self._action.not_found, "NC")
            return
        cluster = self._hop.clusters.get(name)
        if cluster is None:
            self.why.append(Reason(None, f"there is no cluster {name}: {self._missing(target)}"))
            yield _failed(base, self._action.not_found, "NC")
            return
        self._explain(cluster)
        self.opaque += opaque_service(self._hop.clusters.mesh, cluster.service)
        # The name of a headless Service leads to its pods; where it has none, nobody can dial it.
        is_headless = cluster.service is not None and cluster.service.kind == "Service"
        is_empty = is_headless and not cluster.upstreams
        if cluster.passthrough and not is_empty and not any(u.source for u in cluster.upstreams):
            self.passed.append((name.host, name.port))
            yield replace(base, endpoint=f"original destination of {name.host}:{name.port}")
            return
        if not cluster.upstreams:
            self.why.append(Reason(cluster.service, f"{name} has no endpoints"))
            yield _failed(base, 503, "UH")
        for upstream in cluster.upstreams:
            yield self._at(upstream, base)

    def _at(self, upstream: Upstream, base: Backend) -> Backend:
        """What one endpoint does with the request."""
        found = replace(base, endpoint=upstream.name, transport=upstream.transport)
        server = self._hop.behind
        if server is None:
            if upstream.opaque:
                return found
            if not upstream.has_sidecar and not self._is_taken_over(upstream):
                is_pod = upstream.source is not None and upstream.source.kind not in _DECLARED
                if is_pod and upstream.transport is Transport.MTLS:
                    self.why.append(Reason(upstream.source, "has no sidecar, so no mutual TLS"))
                    return self._broken(found, "UF")
                return found
            server = Server(upstream.namespace, upstream.labels, upstream.port)
        request = replace(
            self._request, host=base.authority, client_ip=None, port=server.port, sni=""
        )
        admission = self._hop.inbound.of(server).admit(request, upstream.transport, self._principal)
        self.opaque += opaque_inbound(self._hop.servers, server.namespace, server.labels)
        return self._judged(admission, found)

    def _is_taken_over(self, upstream: Upstream) -> bool:
        """Whether a Sidecar for just these workloads listens on the port: a proxy stands there."""
        sidecar = self._hop.servers.sidecar(upstream.namespace, upstream.labels)
        if sidecar is None or not sidecar.selector:
            return False
        return any(listener.port == upstream.port for listener in sidecar.ingress)

    def _judged(self, admission: Admission, found: Backend) -> Backend:
        self.why += admission.why
        match admission.verdict:
            case Verdict.ACCEPTED:
                return found
            case Verdict.DENIED:
                self.denials.append(admission.policy)
                return replace(found, kind="denied", status=403)
            case Verdict.REFUSED:
                return self._broken(found, admission.flag)
            case Verdict.UNKNOWN:
                self.unknown = self.unknown or admission.reason
                return found

    def _broken(self, found: Backend, flag: str) -> Backend:
        """A connection that fails; if it was tried again, Envoy says that as well."""
        retried = not _RETRIES[flag].isdisjoint(self._action.retry_on)
        return _failed(found, 503, f"URX,{flag}" if retried else flag)

    def _explain(self, cluster: Cluster) -> None:
        if cluster.service is not None:
            self.why.append(Reason(cluster.service, f"declares {cluster.name.host}"))
        settings = {key: value for key, value in cluster.policy.items() if key != "tls"}
        if settings:
            self.policy[str(cluster.name)] = canonical(settings)
        for id_ in cluster.rule:
            shown = "shapes the cluster"
            if id_ == cluster.subset_source:
                shown = f"defines subset {cluster.name.subset}"
            self.why.append(Reason(id_, shown))

    def _missing(self, target: Target) -> str:
        name = target.cluster
        service = self._hop.clusters.service(name.host)
        if service is None:
            return f"the host {name.host} is not known"
        if service.port(name.port) is None:
            return f"{service.id} has no port {name.port}"
        if name.subset:
            return f"no DestinationRule that counts here has a subset {name.subset}"
        return f"{service.id} makes none"


#: Kinds that only tell where something runs.
_DECLARED = frozenset(("ServiceEntry", "WorkloadEntry"))


def _summed_up(
    backends: tuple[Backend, ...],
    journey: _Journey,
    action: Forward,
    why: tuple[Reason, ...],
) -> Decided:
    """One outcome for all backends."""
    kinds = {backend.kind for backend in backends}
    if not backends:
        return Failed(503, "NC", "cluster_not_found", why=why)
    if kinds == {"denied"}:
        return Denied(403, journey.denials[0], why=why)
    first = backends[0]
    if "served" not in kinds and len({(b.status, b.flag) for b in backends}) == 1:
        return Failed(first.status, first.flag, _DETAILS.get(first.flag, ""), backends, why)
    if len(backends) == 1 and journey.passed:
        host, port = journey.passed[0]
        return Passthrough(host, port, why, declared=True)
    return Served(backends, {**action.policy, **journey.policy}, why)


_DETAILS = {
    "NC": "cluster_not_found",
    "UH": "no_healthy_upstream",
    "UC": "upstream_reset_before_response_started",
    "UF": "upstream_reset_before_response_started",
    "URX,UF": "upstream_reset_before_response_started",
    "FI": "fault_filter_abort",
}


def _failed(found: Backend, status: int, flag: str) -> Backend:
    return replace(found, kind="error", status=status, flag=flag)


def _with_abort(action: Forward, backends: list[Backend]) -> list[Backend]:
    """A fault that hits all requests leaves no other backend."""
    assert action.abort is not None  # noqa: S101 - the caller looked
    first = backends[0] if backends else Backend("", "", "", 0, 0, "", "")
    aborted = _failed(replace(first, endpoint=""), action.abort.status, "FI")
    return [aborted] if action.abort.percent >= 100 else [*backends, aborted]


def _preflight(action: Forward, request: Request) -> Direct | None:
    """The answer to a CORS preflight, which the proxy gives itself."""
    if action.cors is None or request.method != "OPTIONS":
        return None
    origin = request.headers.get("origin")
    if not origin or "access-control-request-method" not in request.headers:
        return None
    if _allows(action.cors, origin):
        return Direct(200)
    return Direct(200) if action.cors.get("unmatchedPreflights") == "IGNORE" else None


def _allows(cors: Mapping[str, object], origin: str) -> bool:
    stated = [text_match(string_match_of(entry)) for entry in mappings(cors.get("allowOrigins"))]
    # The older field counts without the newer one alone (`TranslateCORSPolicy`).
    plain = [Exact(value) for value in texts(cors.get("allowOrigin"))]
    return any(text_holds(match, origin) for match in stated or plain)
