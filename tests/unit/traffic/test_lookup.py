"""Virtual hosts are looked up one by one; here they are built all at once, as istiod does it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.hosts import is_wildcard, matches, subset_of, wildcards_above
from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.mesh.scope import Listener
from meshplan.mesh.service import MeshService, Resolution
from meshplan.mesh.virtual_service import VirtualService
from meshplan.settings import World
from meshplan.traffic.gateway_routes import GatewayRoutes
from meshplan.traffic.http_routes import RouteContext, build_routes
from meshplan.traffic.sidecar_routes import SidecarRoutes
from meshplan.traffic.table import Route
from support.snapshots import of_values

NETWORKING = "networking.istio.io/v1"
HOSTS = (
    "reviews.shop.svc.cluster.local",
    "ratings.shop.svc.cluster.local",
    "reviews.web.svc.cluster.local",
    "api.example.com",
    "reviews.shop",
)
PATTERNS = ("*", "*.com", "*.example.com", "*.shop.svc.cluster.local", "*.svc.cluster.local")
ASKED = (
    *HOSTS,
    "reviews",
    "ratings",
    "reviews.shop.svc",
    "reviews.web",
    "reviews.shop.svc.cluster.local.",
    "x.example.com",
    "x.org",
    "pod.ratings.shop.svc.cluster.local",
)

_namespaces = st.sampled_from(["shop", "web"])
_exports = st.sampled_from([[], ["*"], ["."], ["web"]])


@st.composite
def _services(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(["service", "headless", "entry"]))
    port = draw(st.sampled_from([80, 81]))
    if kind == "entry":
        return {
            "apiVersion": NETWORKING,
            "kind": "ServiceEntry",
            "metadata": {"name": name, "namespace": draw(_namespaces)},
            "spec": {
                "hosts": [draw(st.sampled_from(HOSTS))],
                "resolution": "STATIC",
                "ports": [{"number": port, "name": "http", "protocol": "HTTP"}],
                "exportTo": draw(_exports),
            },
        }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": draw(st.sampled_from(["reviews", "ratings"])),
            "namespace": draw(_namespaces),
        },
        "spec": {
            "ports": [{"name": draw(st.sampled_from(["http", "tcp", "x"])), "port": port}],
            **({"clusterIP": "None"} if kind == "headless" else {}),
        },
    }


@st.composite
def _virtual_services(draw: st.DrawFn, name: str) -> dict[str, Any]:
    prefix = draw(st.sampled_from(["/", "/a"]))
    match = {"uri": {"prefix": prefix}}
    if draw(st.integers(0, 5)) == 0:
        match["sourceNamespace"] = "other"  # type: ignore[assignment]
    return {
        "apiVersion": NETWORKING,
        "kind": "VirtualService",
        "metadata": {"name": name, "namespace": draw(_namespaces)},
        "spec": {
            "hosts": draw(
                st.lists(st.sampled_from(HOSTS + PATTERNS), min_size=1, max_size=3, unique=True)
            ),
            "gateways": draw(st.sampled_from([["mesh"], ["mesh", "shop/gw"], ["shop/gw"]])),
            "exportTo": draw(_exports),
            "http": [{"match": [match], "directResponse": {"status": 200}}],
        },
    }


@st.composite
def _states(draw: st.DrawFn) -> Mesh:
    found = [draw(_services(f"s{n}")) for n in range(draw(st.integers(0, 4)))]
    found += [draw(_virtual_services(f"v{n}")) for n in range(draw(st.integers(0, 4)))]
    hosts = draw(
        st.sampled_from(
            [None, "*/*", "./*", "shop/*", "*/*.com", "shop/reviews.shop.svc.cluster.local"]
        )
    )
    if hosts:
        metadata = {"name": "default", "namespace": "web"}
        spec = {"egress": [{"hosts": [hosts]}]}
        found.append(
            {"apiVersion": NETWORKING, "kind": "Sidecar", "metadata": metadata, "spec": spec}
        )
    names = draw(
        st.lists(
            st.sampled_from(("*", "api.example.com", "*.com", "web/*")),
            min_size=1,
            max_size=2,
            unique=True,
        )
    )
    found.append(
        {
            "apiVersion": NETWORKING,
            "kind": "Gateway",
            "metadata": {"name": "gw", "namespace": "shop"},
            "spec": {
                "servers": [
                    {"port": {"number": 80, "name": f"h{n}", "protocol": "HTTP"}, "hosts": [name]}
                    for n, name in enumerate(names)
                ]
            },
        }
    )
    unique = {(o["kind"], o["metadata"]["namespace"], o["metadata"]["name"]): o for o in found}
    return Mesh.of(of_values(*unique.values()), MeshConfig(), World.CLOSED)


Table = dict[str, tuple[Route, ...]]


def _pick(table: Table, host: str) -> tuple[Route, ...] | None:
    """Envoy's choice: the exact domain, the longest suffix, then everything."""
    if host in table:
        return table[host]
    fitting = [d for d in table if d.startswith("*") and len(d) > 1 and host.endswith(d[1:])]
    fitting = [domain for domain in fitting if len(host) > len(domain) - 1]
    return table[max(fitting, key=len)] if fitting else table.get("*")


class _Eager:
    """All virtual hosts of a sidecar for a port, in istiod's order."""

    def __init__(self, mesh: Mesh, proxy: Proxy, port: int, listener: Listener):
        self.mesh, self.proxy, self.port, self.listener = mesh, proxy, port, listener
        self.services = {s.host: s for s in listener.matching("*") if s.port(port)}
        self.context = RouteContext(proxy, port, "mesh", False, lambda d: (d.host, port))
        self.table: Table = {}
        self.names: set[str] = set()
        wrappers = [w for vs in listener.virtual_services for w in self.wrapper(vs)]
        routed = {s.host for _, services, _ in wrappers for s in services}
        for service in self.services.values():
            declared = service.port(port)
            assert declared is not None
            if service.host not in routed and declared.protocol.is_http_or_sniffed:
                wrappers.append(([], [service], self.default(service)))
        self.full = {s.host for _, services, _ in wrappers for s in services}
        for hosts, services, routes in wrappers:
            for host in hosts:
                self.add(host, [host.lower()], [], routes)
            for service in services:
                self.add(service.host, *self.domains(service), routes)

    def wrapper(
        self, vs: VirtualService
    ) -> list[tuple[list[str], list[MeshService], tuple[Route, ...]]]:
        routes = build_routes(self.mesh, vs, self.context)
        if not routes:
            return []
        plain, services = [], []
        for host in (h.lower() for h in vs.hosts if not is_wildcard(h)):
            if host in self.services:
                services.append(self.services[host])
            else:
                plain.append(host)
        for host in (h for h in vs.hosts if is_wildcard(h)):
            met = [s for s in self.services.values() if matches(s.host, host)]
            services += [s for s in met if self.best(s.host) is vs]
            if not met:
                plain.append(host)
        services = [s for s in services if self.speaks_http(s)]
        if not services and self.port != 80:
            return []
        return [(plain, services, routes)]

    def best(self, host: str) -> VirtualService | None:
        for pattern in (host, *wildcards_above(host)):
            for vs in self.listener.virtual_services:
                if pattern in vs.hosts:
                    return vs
        return None

    def speaks_http(self, service: MeshService) -> bool:
        declared = service.port(self.port)
        return declared is not None and declared.protocol.is_http_or_sniffed

    def default(self, service: MeshService) -> tuple[Route, ...]:
        routes = SidecarRoutes(self.mesh, self.proxy, self.port, self.listener)
        return (routes._default_route(service),)

    def domains(self, service: MeshService) -> tuple[list[str], list[str]]:
        host = service.host
        short = [f"{host}."]
        if host.endswith(".svc.cluster.local"):
            stem = host.removesuffix(".svc.cluster.local")
            short += [stem, f"{stem}.svc"]
            if stem.endswith(f".{self.proxy.namespace}"):
                short.append(stem.split(".")[0])
        found = [host, *short]
        if service.resolution is Resolution.PASSTHROUGH and service.id.kind == "Service":
            found += [f"*.{domain}" for domain in found]
        return found, short

    def add(
        self, name: str, domains: list[str], short: list[str], routes: tuple[Route, ...]
    ) -> None:
        if name in self.names:
            return
        self.names.add(name)
        for domain in domains:
            if domain not in self.table and not (domain in short and domain in self.full):
                self.table[domain] = routes


@settings(max_examples=400, deadline=None)
@given(_states(), st.sampled_from([80, 81]))
def test_a_sidecar_finds_what_istiod_would_build(mesh: Mesh, port: int) -> None:
    client = sidecar("web")
    listener = mesh.scope(client).listener(port)
    assert listener is not None
    table = _Eager(mesh, client, port, listener).table
    lazy = SidecarRoutes(mesh, client, port, listener)
    for host in ASKED:
        expected = _pick(table, host)
        found = lazy.virtual_host(host)
        assert (found.routes if found is not lazy.catch_all else None) == expected, host


@settings(max_examples=300, deadline=None)
@given(_states())
def test_a_gateway_finds_what_istiod_would_build(mesh: Mesh) -> None:
    pods = gateway("edge")
    (group,) = mesh.servers(pods).by_port[80]
    table: Table = {}
    for server in group.servers:
        context = RouteContext(pods, 80, "shop/gw", False, lambda d: (d.host, 80))
        for vs in mesh.virtual_services_for("shop/gw", "edge"):
            routes = build_routes(mesh, vs, context)
            for own in server.hosts_for(vs.namespace):
                for host in vs.hosts:
                    common = own if subset_of(own, host) else host if subset_of(host, own) else ""
                    # The same rule a second time changes nothing.
                    if common and routes and not set(routes) <= set(table.get(common, ())):
                        table[common] = table.get(common, ()) + routes
    for domain, routes in table.items():
        table[domain] = tuple(sorted(routes, key=lambda route: route.is_catch_all))
    lazy = GatewayRoutes(mesh, pods, group.servers)
    for host in ASKED:
        found = lazy.virtual_host(host)
        assert (found.routes if found else None) == _pick(table, host), host


@pytest.mark.parametrize("port", [80, 81])
def test_nothing_is_found_in_an_empty_mesh(port: int) -> None:
    empty = Mesh.of(of_values(), MeshConfig(), World.CLOSED)
    listener = empty.scope(sidecar("web")).listener(port)
    assert listener is not None
    lazy = SidecarRoutes(empty, sidecar("web"), port, listener)
    assert lazy.virtual_host("a.com") is lazy.catch_all
