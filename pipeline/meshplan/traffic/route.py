"""`route`: what happens to a request. Three stages that may look at three different meshes.

Proxies take over changes one by one: their routes (RDS, LDS) may be from one state, their clusters
and endpoints (CDS, EDS) from another, and the servers' listeners from a third. Each stage is a
pure function of its own mesh, and what goes from one to the next are names.
"""

from dataclasses import replace
from typing import assert_never

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.gateway import Server as GatewayServer
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.mesh.scope import Listener
from meshplan.mesh.service import Protocol
from meshplan.mesh.virtual_services import NETWORKING
from meshplan.settings import World
from meshplan.traffic.chains import Chain, chosen
from meshplan.traffic.condition import all_hold
from meshplan.traffic.forward import Hop, forward
from meshplan.traffic.gateway_routes import GatewayRoutes
from meshplan.traffic.inbound import Inbound, Server, Verdict
from meshplan.traffic.l4 import is_shared, sidecar_connection
from meshplan.traffic.opaque import opaque_inbound, opaque_outbound
from meshplan.traffic.outcome import (
    REFUSED,
    Backend,
    Decided,
    Denied,
    Direct,
    Failed,
    Outcome,
    Passthrough,
    Reason,
    Redirect,
    Served,
    Transport,
    Unknown,
)
from meshplan.traffic.paths import location, normalized, refusal
from meshplan.traffic.reasons import (
    aborted,
    because,
    no_listener,
    of_servers,
    refused,
    unmatched,
)
from meshplan.traffic.request import Request
from meshplan.traffic.table import (
    Answer,
    Block,
    Forward,
    PassOn,
    Route,
    SendElsewhere,
    VirtualHost,
)
from meshplan.traffic.tables import tables


@dataclass(frozen=True, slots=True)
class View:
    """The states from which a request sees the proxies' configuration."""

    #: Listeners and routes of the client's proxy.
    routes: Mesh
    #: Clusters and endpoints of the client's proxy.
    clusters: Mesh
    #: Listeners and policies of the servers' proxies.
    servers: Mesh


@dataclass(frozen=True, slots=True)
class Selected:
    """The route that a proxy takes for a request."""

    route: Route
    why: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """What a proxy has for a connection and a host, before it looks at path and headers."""

    #: The virtual host in which it looks for a route, or what it does without one.
    host: VirtualHost | Selected | Outcome
    #: The policies of a gateway, which are asked first; None at a sidecar.
    inbound: Inbound | None = None
    why: tuple[Reason, ...] = ()


def route(mesh: Mesh, request: Request, client: Proxy, behind: Server | None = None) -> Outcome:
    """What happens to a request that a proxy receives, in one state of the mesh.

    `behind` is the workload that stands behind whatever endpoint is reached; left out, that is
    told by the endpoint itself.
    """
    return route_in(View(mesh, mesh, mesh), request, client, behind)


def route_in(view: View, request: Request, client: Proxy, behind: Server | None = None) -> Outcome:
    """What happens to a request while proxies take over changes."""
    path = normalized(request.path, view.routes.config.path_normalization)
    if path is None:
        return refusal(request.path)
    if path != request.path:
        request = replace(request, path=path)
    return followed(view, select(view.routes, request, client), request, client, behind)


def followed(
    view: View,
    found: Selected | Outcome,
    request: Request,
    client: Proxy,
    behind: Server | None = None,
) -> Outcome:
    """What comes of what `select` found for a request whose path is normalized."""
    outcome = (
        carry_out(view, found, request, client, behind) if isinstance(found, Selected) else found
    )
    opaque = opaque_outbound(view.routes, client)
    if isinstance(outcome, Unknown):
        return outcome
    if opaque:
        reason = f"{opaque[0]} changes what the proxy does"
        return Unknown(reason, opaque, outcome, outcome.why)
    return outcome


def select(mesh: Mesh, request: Request, client: Proxy) -> Selected | Outcome:
    """The first stage: which route the client's proxy takes, or what it does without any."""
    return decide(front(mesh, request, client), request)


def front(mesh: Mesh, request: Request, client: Proxy) -> Front:
    """What the client's proxy has for the host, port, scheme and server name of a request."""
    match client.kind:
        case ProxyKind.SIDECAR:
            return Front(_host_at_sidecar(mesh, request, client))
        case ProxyKind.GATEWAY:
            return _front_of_gateway(mesh, request, client)
        case _:
            assert_never(client.kind)


def decide(found: Front, request: Request) -> Selected | Outcome:
    """Which route is taken, by the rest of the request."""
    if found.inbound is not None:
        admission = found.inbound.authorize(request, request.principal, for_tcp=False)
        match admission.verdict:
            case Verdict.DENIED:
                return Denied(403, admission.policy, admission.why)
            case Verdict.UNKNOWN:
                return Unknown(admission.reason, why=admission.why)
            case _:
                pass
    host = found.host
    if not isinstance(host, VirtualHost):
        return host
    if host.require_tls:  # on a port without TLS, as all that redirects
        return Redirect(301, f"https://{request.host}{request.path}", found.why)
    chosen = _first_match(host, request)
    return replace(chosen, why=(*found.why, *chosen.why)) if found.why else chosen


def carry_out(
    view: View,
    selected: Selected,
    request: Request,
    client: Proxy,
    behind: Server | None = None,
) -> Outcome:
    """The second and third stage: what the route does, and where that leads."""
    chosen, why = selected.route, selected.why
    action = chosen.action
    match action:
        case Forward():
            hop = Hop(
                clusters=tables(view.clusters).clusters(client),
                servers=view.servers,
                inbound=tables(view.servers).inbound,
                proxy=client,
                behind=behind,
            )
            return forward(action, chosen, request, hop, why)
        case SendElsewhere():
            found = Redirect(action.status, location(action, chosen, request), why)
            return aborted(action.abort, found)
        case Answer():
            return aborted(action.abort, Direct(action.status, why))
        case PassOn():
            return Passthrough(request.host_name, request.dialled_port, why)
        case Block():
            return Failed(502, "-", "direct_response", why=why)
        case _:
            assert_never(action)


def transport_of(request: Request) -> Transport:
    """What somebody speaks who sends a request to a server: mutual TLS where there is a name."""
    if request.principal:
        return Transport.MTLS
    return Transport.TLS if request.scheme in ("https", "tls") else Transport.PLAINTEXT


def admit(mesh: Mesh, request: Request, server: Server, transport: Transport) -> Outcome:
    """The server's side alone: whether a request that arrives at a workload is let in.

    Flags are those of the server's own log; without a status it closes the connection.
    """
    path = normalized(request.path, mesh.config.path_normalization)
    if path is None:
        return refusal(request.path)
    request = replace(request, path=path)
    found = tables(mesh).inbound.of(server).admit(request, transport, request.principal)
    match found.verdict:
        case Verdict.ACCEPTED:
            outcome: Decided = let_in(request, server, transport, found.why)
        case Verdict.DENIED:
            outcome = Denied(403, found.policy, found.why)
        case Verdict.REFUSED:
            outcome = Failed(None, found.log, REFUSED, why=found.why)
        case Verdict.UNKNOWN:
            return Unknown(found.reason, why=found.why)
        case _:
            assert_never(found.verdict)
    opaque = opaque_inbound(mesh, server.namespace, server.labels)
    if opaque:
        return Unknown(f"{opaque[0]} changes what the server does", opaque, outcome, outcome.why)
    return outcome


def let_in(
    request: Request, server: Server, transport: Transport, why: tuple[Reason, ...]
) -> Served:
    """A request with a normalized path that a workload takes."""
    name = f"{server.namespace}:{server.port}"
    host, path = request.host, request.path
    return Served((Backend(name, host, "", server.port, 0, path, host, transport),), why=why)


def _host_at_sidecar(
    mesh: Mesh, request: Request, client: Proxy
) -> VirtualHost | Selected | Outcome:
    port = request.dialled_port
    listener = mesh.scope(client).listener(port)
    if listener is None:
        return unmatched(mesh, request, client)
    if listener.egress.port and not listener.egress.matches_port:
        return Unknown(f"port {port} is one for clients that ask a proxy, which is not modelled")
    routes = tables(mesh).sidecar(client, port, listener)
    service = routes.dialled(request.host_name)
    declared = service.port(port) if service else None
    if declared is not None and declared.protocol is Protocol.UDP:
        declared = None
    is_known, shares = declared is not None, service is not None and is_shared(service, port)
    if service is not None and declared is not None and not (shares or declared.protocol.is_http):
        # There is a listener for its address alone.
        if not declared.protocol.is_http_or_sniffed or request.scheme != "http":
            found = sidecar_connection(mesh, client, listener, service, request, port)
            if found is None:
                return unmatched(mesh, request, client)
            return Selected(found, because(found))
    elif request.scheme != "http":
        return _at_all_addresses(mesh, request, client, listener, is_known=is_known)
    is_open = mesh.world is World.OPEN and not shares
    if is_open or tables(mesh).has_http(client, listener, port):
        return routes.virtual_host(request.host_name)
    shared = tables(mesh).shared(client, port, listener)
    if shared is not None and (is_known or mesh.world is World.CLOSED):
        return Selected(shared, because(shared))
    if tables(mesh).speaks_http(port):
        # Nobody's VirtualServices count on the port, though other services may have it read.
        return routes.catch_all
    return unmatched(mesh, request, client)


def _at_all_addresses(
    mesh: Mesh, request: Request, client: Proxy, listener: Listener, *, is_known: bool
) -> Selected | Outcome:
    """A connection that is no HTTP, to an address for which a sidecar has no listener.

    In an open world an unknown host may have one.
    """
    port = request.dialled_port
    found = None
    if request.scheme in ("https", "tls"):
        found = tables(mesh).names(client, port, listener).route(request.server_name)
    if found is None and (is_known or mesh.world is World.CLOSED):
        found = tables(mesh).shared(client, port, listener)
    return unmatched(mesh, request, client) if found is None else Selected(found, because(found))


def gateway_table(mesh: Mesh, request: Request, client: Proxy) -> GatewayRoutes | None:
    """The table of routes that a gateway looks a request up in; None if it reads none."""
    port = mesh.target_port(request.dialled_port, client)
    chain = _chain_for(mesh, request, client, port)
    if not isinstance(chain, Chain) or chain.route is not None:
        return None
    inbound = tables(mesh).inbound.of(
        Server(client.namespace, client.labels, port, is_gateway=True)
    )
    return tables(mesh).gateway(client, chain.servers, inbound)


def _front_of_gateway(mesh: Mesh, request: Request, client: Proxy) -> Front:
    """What the servers of a gateway have for a host."""
    port = mesh.target_port(request.dialled_port, client)
    chain = _chain_for(mesh, request, client, port)
    if not isinstance(chain, Chain):
        return Front(chain)
    why = of_servers(chain.servers)
    if chain.route is not None:
        return Front(Selected(chain.route, (*why, *because(chain.route))))
    inbound = tables(mesh).inbound.of(
        Server(client.namespace, client.labels, port, is_gateway=True)
    )
    host = tables(mesh).gateway(client, chain.servers, inbound).virtual_host(request.host_name)
    if host is None:
        return Front(Failed(404, "NR", "route_not_found", why=why), inbound)
    return Front(host, inbound, why)


def _chain_for(mesh: Mesh, request: Request, client: Proxy, port: int) -> Chain | Failed | Unknown:
    """What takes a connection to a gateway, or why nothing does."""
    if len({group.bind for group in mesh.servers(client).by_port.get(port, ())}) > 1:
        return Unknown(f"port {port} is open at several addresses, of which a request names none")
    chains = tables(mesh).chains(client, port)
    if not chains:
        return no_listener(port)
    chain = chosen(mesh, client, chains, request)
    if chain is None:
        return refused(port)
    why = of_servers(chain.servers)
    is_secured = request.scheme in ("https", "tls")
    if chain.ends_tls:
        if not is_secured:
            why = (*why, Reason(None, "what comes is no TLS"))
            return Failed(None, "-", "TLS handshake failed", why=why)
        if missing := _missing_credentials(mesh, chain.servers[0], client):
            named = Reason(why[0].id, f"there is no Secret {client.namespace}/{missing}")
            return Failed(None, "-", "TLS handshake failed", why=(named,))
    elif chain.route is None and request.scheme != "http":
        why = (*why, Reason(None, "what comes is no HTTP"))
        return Failed(None, "DPE", "codec_error", why=why)
    return chain


def _missing_credentials(mesh: Mesh, server: GatewayServer, client: Proxy) -> str:
    """The credential without a Secret that the pods may have (`filterAuthorizedResources`).

    In an open world Secrets may be elsewhere. None may be in another namespace than the pods,
    except where a ReferenceGrant allows it, which the listeners of the Gateway API have asked for.
    """
    for name in server.tls.credentials if server.tls else ():
        where, _, found = name.removeprefix("kubernetes://").rpartition("/")
        where = where or client.namespace
        is_elsewhere = where != client.namespace and server.gateway.group == NETWORKING
        is_refused = is_elsewhere and mesh.world is World.CLOSED
        if is_refused or mesh.lacks(ResourceId("", "Secret", where, found)):
            return name
    return ""


def _first_match(host: VirtualHost, request: Request) -> Selected | Outcome:
    """The first route of a virtual host whose conditions a request meets."""
    for candidate in host.routes:
        truth = all_hold(candidate.conditions, request)
        if truth is None:
            why = because(candidate)
            return Unknown(f"whether {why[0].text} cannot be decided", why=why)
        if truth:
            return Selected(candidate, because(candidate))
    why = (Reason(None, f"no route of {host.domain} matches"),)
    return Failed(404, "NR", "route_not_found", why=why)
