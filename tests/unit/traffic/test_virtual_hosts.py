"""Which virtual host of a sidecar a host leads to (`BuildSidecarOutboundVirtualHosts`)."""

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.proxy import sidecar
from meshplan.settings import World
from meshplan.traffic.outcome import Direct, Outcome, Passthrough, Served
from meshplan.traffic.sidecar_routes import SidecarRoutes
from support.meshes import ask, failure, mesh


def service(
    name: str, namespace: str = "shop", spec: str = "", port: str = "{name: http, port: 80}"
) -> str:
    return f"""
kind: Service
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{ports: [{port}]{spec}}}
"""


def entry(
    host: str,
    port: str = "{number: 80, name: http, protocol: HTTP}",
    spec: str = "",
    namespace: str = "shop",
) -> str:
    name = "e" + "".join(c for c in host if c.isalnum())
    return f"""
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: ['{host}'], resolution: DNS, ports: [{port}]{spec}}}
"""


def virtual(hosts: str, status: int, name: str = "v", namespace: str = "shop") -> str:
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: [{hosts}], http: [{{directResponse: {{status: {status}}}}}]}}
"""


def state(*texts: str, **config: object) -> Mesh:
    return mesh("---".join(texts), **config)


def kind(outcome: Outcome) -> str:
    """`pass`, `own` for a service without pods, or the status of a rule."""
    if isinstance(outcome, Direct):
        return str(outcome.status)
    if isinstance(outcome, Passthrough):
        return "pass"
    return "own" if isinstance(outcome, Served) or failure(outcome) == (503, "UH") else "lost"


REVIEWS = service("reviews", spec=", clusterIP: 10.0.0.9")
HEADLESS = service("db", spec=", clusterIP: None")
ALIAS = service("old", "web", ", type: ExternalName, externalName: reviews.shop.svc.cluster.local")


@pytest.mark.parametrize(
    ("host", "client", "expected"),
    [
        # `generateVirtualHostDomains`, `GenerateAltVirtualHosts`.
        ("reviews.shop.svc.cluster.local", "web", "own"),
        ("reviews.shop.svc.cluster.local.", "web", "own"),
        ("reviews.shop.svc", "web", "own"),
        ("reviews.shop", "web", "own"),
        ("reviews", "shop", "own"),
        ("reviews", "web", "pass"),
        ("reviews.shop.svc.", "web", "pass"),
        ("reviews.shop.", "web", "pass"),
        ("reviews.shop.svc.other", "web", "pass"),
        ("reviews.shop.x", "web", "pass"),
        ("x.reviews.shop", "web", "pass"),
        ("*.reviews.shop", "web", "pass"),
        ("10.0.0.9", "web", "own"),
        ("10.0.0.8", "web", "pass"),
        # Pods of a headless Service have names below it.
        ("db.shop", "web", "own"),
        ("pod.db.shop.svc.cluster.local", "web", "own"),
        ("pod.db.shop.svc.cluster.local.", "web", "own"),
        ("pod.db.shop.svc", "web", "own"),
        ("pod.db.shop", "web", "own"),
        ("pod.db", "shop", "own"),
        ("pod.db", "web", "pass"),
        # Another name stands for the same Service.
        ("old.web.svc.cluster.local", "edge", "own"),
        ("old.web.svc", "edge", "own"),
        ("old.web", "edge", "own"),
        ("old", "web", "own"),
        ("old", "shop", "pass"),
        ("ext.com", "web", "own"),
        ("EXT.com", "web", "own"),
        ("x.ext.com", "web", "pass"),
        ("a.wild.com", "web", "own"),
        ("a.b.wild.com", "web", "own"),
        ("wild.com", "web", "pass"),
    ],
)
def test_a_service_has_domains(host: str, client: str, expected: str) -> None:
    found = state(
        REVIEWS,
        HEADLESS,
        ALIAS,
        entry("ext.com"),
        entry("*.wild.com", spec=", endpoints: [{address: 10.9.9.9}]"),
    )
    assert kind(ask(found, f"http://{host}/", sidecar(client))) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        # A short form that is the full name of another service is left to that.
        ("reviews.shop", "201"),
        ("reviews.shop.svc", "202"),
        ("reviews.shop.svc.cluster.local", "202"),
    ],
)
def test_a_short_form_may_be_somebody_elses_name(host: str, expected: str) -> None:
    found = state(
        REVIEWS,
        entry("reviews.shop"),
        virtual("reviews.shop", 201, "a"),
        virtual("reviews.shop.svc.cluster.local", 202, "b"),
    )
    assert kind(ask(found, f"http://{host}/")) == expected
    # On another port it is nobody's but the service's own.
    other = state(
        REVIEWS,
        entry("reviews.shop", "{number: 81, name: http, protocol: HTTP}"),
        virtual("reviews.shop.svc.cluster.local", 202, "b"),
    )
    assert kind(ask(other, f"http://{host}/")) == "202"


@pytest.mark.parametrize(
    ("hosts", "host", "expected"),
    [
        # `separateVSHostsAndServices`: the service of a host, else the host itself.
        ("reviews.shop.svc.cluster.local", "reviews.shop", "201"),
        ("reviews", "reviews.shop", "201"),
        ("REVIEWS.shop.svc.cluster.local", "reviews.shop", "201"),
        ("reviews.shop", "reviews.shop", "201"),
        ("reviews.shop", "reviews.shop.svc", "own"),
        ("'*.shop.svc.cluster.local'", "reviews.shop", "201"),
        ("'*'", "reviews.shop", "201"),
        ("'*'", "x.com", "pass"),
        ("'*.com'", "x.com", "201"),
        ("'*.com'", "x.org", "pass"),
        ("x.com", "x.com", "201"),
        ("x.com", "y.x.com", "pass"),
        ("'*.x.com'", "x.com", "pass"),
        ("old.web.svc.cluster.local", "old.web", "201"),
        ("reviews.shop.svc.cluster.local", "old.web", "201"),
        ("reviews.shop.svc.cluster.local", "10.0.0.9", "201"),
        ("db.shop.svc.cluster.local", "pod.db.shop", "201"),
    ],
)
def test_a_rule_owns_the_domains_of_its_hosts(hosts: str, host: str, expected: str) -> None:
    found = state(REVIEWS, HEADLESS, ALIAS, virtual(hosts, 201))
    assert kind(ask(found, f"http://{host}/")) == expected


@pytest.mark.parametrize(
    ("rules", "host", "expected"),
    [
        # The first that claims a domain has it; a wildcard is a service's only if no host fits better.
        ([virtual("reviews", 201, "a"), virtual("reviews", 202, "b")], "reviews.shop", "201"),
        ([virtual("reviews", 201, "b"), virtual("reviews", 202, "a")], "reviews.shop", "202"),
        (
            [virtual("'*.cluster.local'", 201, "a"), virtual("reviews", 202, "b")],
            "reviews.shop",
            "202",
        ),
        (
            [virtual("'*.cluster.local'", 201, "a"), virtual("'*.svc.cluster.local'", 202, "b")],
            "reviews.shop",
            "202",
        ),
        (
            [virtual("'*.cluster.local'", 201, "b"), virtual("'*.cluster.local'", 202, "a")],
            "reviews.shop",
            "202",
        ),
        ([virtual("'*.cluster.local'", 201, "a"), virtual("reviews", 202, "b")], "db.shop", "201"),
        ([virtual("reviews.shop", 201, "a"), virtual("reviews", 202, "b")], "reviews.shop", "201"),
        ([virtual("reviews.shop", 201, "b"), virtual("reviews", 202, "a")], "reviews.shop", "202"),
        ([virtual("'*.com'", 201, "a"), virtual("x.com", 202, "b")], "x.com", "202"),
        ([virtual("'*.com'", 201, "b"), virtual("'*.com'", 202, "a")], "x.com", "202"),
    ],
)
def test_of_several_rules_one_has_a_domain(rules: list[str], host: str, expected: str) -> None:
    assert kind(ask(state(REVIEWS, HEADLESS, *rules), f"http://{host}/")) == expected


def test_all_rules_that_claim_a_domain_are_known() -> None:
    found = state(
        REVIEWS,
        virtual("reviews", 201, "b"),
        virtual("'*.svc.cluster.local', reviews.shop.svc.cluster.local", 202, "c"),
        virtual("reviews.shop", 203, "a"),
        virtual("x.com", 204, "d"),
    )
    client = sidecar("web")
    listener = found.scope(client).listener(80)
    assert listener is not None
    routes = SidecarRoutes(found, client, 80, listener)

    def names(host: str) -> list[str]:
        return [vs.id.name for vs in routes.claimants(host)]

    assert names("reviews.shop") == ["a", "b", "c"]
    assert names("reviews.shop.svc") == ["b", "c"]
    assert names("x.com") == ["d"]
    assert names("y.com") == []


MORE = (
    "{name: http, port: 80}, {name: http-x, port: 81}, {name: tcp, port: 82}, {name: x, port: 83}"
)


@pytest.mark.parametrize(
    ("hosts", "url", "expected"),
    [
        # On another port than 80 a rule counts through a service that it routes for, whichever.
        ("reviews.shop.svc.cluster.local", "http://reviews.shop:81/", "201"),
        ("reviews.shop.svc.cluster.local", "http://reviews.shop:83/", "201"),
        ("x.com", "http://x.com:81/", "pass"),
        ("x.com", "http://x.com:80/", "201"),
        ("x.com, reviews.shop.svc.cluster.local", "http://x.com:81/", "201"),
        ("x.com, reviews.shop.svc.cluster.local", "http://x.com:83/", "201"),
        ("x.com, reviews.shop.svc.cluster.local", "http://x.com:84/", "pass"),
        ("x.com, '*.svc.cluster.local'", "http://x.com:81/", "201"),
        ("x.com, '*.org'", "http://x.com:81/", "pass"),
        ("x.com, reviews.shop.svc.cluster.local", "http://x.com:82/", "pass"),
        ("'*.com'", "http://x.com:81/", "pass"),
        ("'*.com', '*.svc.cluster.local'", "http://x.com:81/", "201"),
        # A wildcard is itself a domain only where no service of the port lies below it.
        ("'*.cluster.local'", "http://gone.shop.svc.cluster.local:80/", "pass"),
        ("'*.cluster.local'", "http://gone.shop.svc.cluster.local:82/", "pass"),
    ],
)
def test_rules_count_on_a_port_through_their_services(hosts: str, url: str, expected: str) -> None:
    found = state(service("reviews", port=MORE), virtual(hosts, 201))
    assert kind(ask(found, url)) == expected


def test_a_better_rule_of_a_service_leaves_a_wildcard_without_one() -> None:
    texts = (service("reviews", port=MORE), virtual("x.com, '*.svc.cluster.local'", 201, "a"))
    own = virtual("reviews.shop.svc.cluster.local", 202, "b")
    assert kind(ask(state(*texts), "http://x.com:81/")) == "201"
    assert kind(ask(state(*texts, own), "http://x.com:81/")) == "pass"


@pytest.mark.parametrize(
    ("port", "url", "expected"),
    [
        # What is no HTTP is not looked up by its host.
        ("{name: tcp, port: 80}", "http://reviews.shop/", "own"),
        ("{name: http, port: 80}", "http://reviews.shop/", "201"),
        ("{name: x, port: 80}", "http://reviews.shop/", "201"),
        ("{name: grpc, port: 80}", "http://reviews.shop/", "201"),
        ("{name: https, port: 80}", "http://reviews.shop/", "own"),
        ("{name: http, port: 81}", "http://reviews.shop/", "pass"),
    ],
)
def test_rules_are_for_ports_that_speak_http(port: str, url: str, expected: str) -> None:
    found = state(service("reviews", port=port), virtual("reviews", 201))
    assert kind(ask(found, url)) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # Without any service on the port, nobody's rules count on it.
        ([virtual("x.com", 201)], "pass"),
        ([virtual("x.com", 201), service("any")], "201"),
        ([virtual("x.com", 201), service("any", port="{name: tcp, port: 80}")], "pass"),
        ([virtual("x.com", 201), service("any", port="{name: http, port: 81}")], "pass"),
    ],
)
def test_a_port_is_open_through_its_services(texts: list[str], expected: str) -> None:
    assert kind(ask(state(*texts), "http://x.com/")) == expected
    # In an open world others may have some.
    assert kind(ask(state(*texts, world=World.OPEN), "http://x.com/")) == "201"


def wanted(protocol: str, hosts: str = "*/*") -> str:
    return f"""
kind: Sidecar
metadata: {{name: s, namespace: web}}
spec: {{egress: [{{port: {{number: 80, name: p, protocol: {protocol}}}, hosts: ['{hosts}']}}]}}
"""


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # `buildSidecarOutboundListeners`: a listener with a port is opened for its services, with
        # the protocol of its own.
        ([service("any"), wanted("HTTP")], "201"),
        ([service("any", port="{name: tcp, port: 80}"), wanted("HTTP")], "201"),
        ([wanted("HTTP")], "pass"),
        ([service("any", port="{name: http, port: 81}"), wanted("HTTP")], "pass"),
        ([service("any"), wanted("HTTP", "other/*")], "pass"),
    ],
)
def test_a_listener_of_a_sidecar_is_open_for_its_services(texts: list[str], expected: str) -> None:
    hosts = "x.com, any.shop.svc.cluster.local"
    outcome = ask(state(virtual(hosts, 201), *texts), "http://x.com/")
    assert kind(outcome) == expected


def route(name: str, namespace: str, parent: str, status: int) -> str:
    return f"""
kind: HTTPRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  parentRefs: [{{{parent}}}]
  rules: [{{filters: [{{type: RequestRedirect, requestRedirect: {{statusCode: {status}, hostname: r.com}}}}]}}]
"""


TO_REVIEWS = "group: '', kind: Service, name: reviews, namespace: shop"


@pytest.mark.parametrize(
    ("texts", "client", "status"),
    [
        # Routes of the Gateway API count from the namespace of the service, or of the client.
        ([route("a", "shop", TO_REVIEWS, 301)], "web", 301),
        ([route("a", "web", TO_REVIEWS, 301)], "web", 301),
        ([route("a", "web", TO_REVIEWS, 301)], "edge", None),
        ([route("a", "shop", TO_REVIEWS, 301), route("b", "web", TO_REVIEWS, 302)], "web", 301),
        ([route("a", "shop", TO_REVIEWS, 301), route("b", "edge", TO_REVIEWS, 302)], "edge", 302),
        ([route("a", "shop", f"{TO_REVIEWS}, port: 81", 301)], "web", None),
        ([route("a", "shop", f"{TO_REVIEWS}, port: 80", 301)], "web", 301),
        (
            [route("a", "web", "group: '', kind: Service, name: gone, namespace: web", 301)],
            "web",
            None,
        ),
    ],
)
def test_routes_for_the_mesh_are_near(texts: list[str], client: str, status: int | None) -> None:
    outcome = ask(state(REVIEWS, *texts), "http://reviews.shop/", sidecar(client))
    assert getattr(outcome, "status", None) == (status or 503)


def test_of_two_services_for_one_host_a_single_one_opens_a_listener() -> None:
    """`servicesByName` in `BuildSidecarOutboundVirtualHosts` keeps the last."""
    near = entry("reviews.shop.svc.cluster.local", "{number: 81, name: http, protocol: HTTP}")
    near = near.replace("resolution: DNS", "resolution: DNS, exportTo: [web]")
    plain = service("reviews", port="{name: tcp, port: 81}")
    rule = virtual("x.com, '*'", 201)
    assert kind(ask(state(near, rule), "http://x.com:81/")) == "201"
    assert kind(ask(state(near, plain, rule), "http://x.com:81/")) == "pass"


def test_a_route_of_the_gateway_api_never_counts_for_a_wildcard() -> None:
    """`buildSidecarVirtualHostsForVirtualService` looks for services among the plain hosts."""
    wild = """
kind: ServiceEntry
metadata: {name: wild, namespace: shop}
spec: {hosts: ["*.x.com"], resolution: NONE, ports: [{number: 80, name: http, protocol: HTTP}]}
"""
    parent = "group: networking.istio.io, kind: ServiceEntry, name: wild"
    for text in (wild, wild.replace('"*.x.com"', "a.x.com")):
        outcome = ask(state(text, route("a", "shop", parent, 301)), "http://a.x.com/")
        assert getattr(outcome, "status", None) == (None if "*" in text else 301)


def test_a_destination_that_stands_for_another_leads_there() -> None:
    """`GetDestinationCluster`."""
    made = virtual("x.com", 0).replace(
        "directResponse: {status: 0}", "route: [{destination: {host: old.web.svc.cluster.local}}]"
    )
    outcome = ask(state(REVIEWS, ALIAS, made), "http://x.com/")
    assert failure(outcome) == (503, "UH")
    assert outcome.backends[0].host == "reviews.shop.svc.cluster.local"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("ports", "asked", "host"),
    [
        # `buildSidecarOutboundListener` opens nothing for an alias, whatever its ports say.
        ("[{name: tcp, port: 80}]", "http://old.web/", "reviews.shop.svc.cluster.local"),
        ("[{name: http, port: 81}]", "http://old.web:81/", None),
    ],
)
def test_an_alias_has_no_listener_of_its_own(ports: str, asked: str, host: str | None) -> None:
    alias = ALIAS.replace("[{name: http, port: 80}]", ports)
    outcome = ask(state(REVIEWS, alias), asked)
    if host is None:
        assert outcome == Passthrough("old.web", 81)
    else:
        assert failure(outcome) == (503, "UH")
        assert outcome.backends[0].host == host  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [("ALLOW_ANY", Passthrough("x.com", 80)), ("REGISTRY_ONLY", (502, "-"))],
)
def test_hosts_that_nobody_declares(policy: str, outcome: Passthrough | tuple[int, str]) -> None:
    found = ask(state(REVIEWS, outbound_traffic_policy=policy), "http://x.com/")
    assert (found if isinstance(outcome, Passthrough) else failure(found)) == outcome
    # A connection that is no HTTP, or to a port without listener, is not answered at all.
    for url in ("tcp://x.com:80", "https://x.com/"):
        other = ask(state(REVIEWS, outbound_traffic_policy=policy), url)
        if isinstance(outcome, Passthrough):
            assert isinstance(other, Passthrough)
        else:
            assert failure(other) == (None, "UH")


def test_a_star_in_the_host_of_a_connection_is_nobodys() -> None:
    tcp = service("db", port="{name: tcp, port: 80}")
    assert kind(ask(state(tcp), "http://*.db.shop/")) == "pass"
