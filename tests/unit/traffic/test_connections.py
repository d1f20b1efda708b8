"""Connections that are not read: by port, by server name, at sidecars and at gateways."""

import pytest

from meshplan.mesh.proxy import Proxy, gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import Request, route
from meshplan.traffic.gateway_routes import name_rank
from meshplan.traffic.outcome import Direct, Outcome, Passthrough, Served
from support.meshes import endpoints, failure, mesh

CLIENT = sidecar("web", {"app": "client"})
EDGE = gateway("edge", {"istio": "ingress"})


def entry(name: str, host: str, ports: str, resolution: str = "DNS") -> str:
    return f"""
kind: ServiceEntry
metadata: {{name: {name}, namespace: shop}}
spec: {{hosts: ['{host}'], resolution: {resolution}, ports: [{ports}]}}
"""


TCP = "{number: 5432, name: tcp, protocol: TCP}"
TLS = "{number: 443, name: tls, protocol: TLS}"
HTTPS = "{number: 443, name: https, protocol: HTTPS}"
DB, OTHER = entry("db", "db.com", TCP), entry("other", "other.com", TCP)
DB = DB.replace("hosts:", "location: MESH_INTERNAL, hosts:")
SECURE = entry("secure", "secure.com", TLS)


def rules(
    kind: str, *stated: str, hosts: str = "db.com", name: str = "v", gateways: str = ""
) -> str:
    bound = f"gateways: [{gateways}], " if gateways else ""
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec: {{{bound}hosts: [{hosts}], {kind}: [{", ".join(stated)}]}}
"""


def to(host: str, match: str = "", more: str = "") -> str:
    matched = f"match: [{match}], " if match else ""
    return f"{{{matched}route: [{{destination: {{host: {host}{more}}}}}]}}"


def sent(
    *texts: str,
    scheme: str = "tcp",
    host: str = "db.com",
    port: int = 5432,
    sni: str = "",
    client: Proxy = CLIENT,
    world: World = World.CLOSED,
) -> Outcome:
    request = Request(host, scheme=scheme, port=port, sni=sni)
    return route(mesh("---".join(texts), world=world), request, client)


# At a sidecar.


@pytest.mark.parametrize(
    ("match", "taken"),
    [
        # `matchTCP`: port, labels and namespace of the source, gateway; subnets are not known.
        ("", True),
        ("{port: 5432}", True),
        ("{port: 5433}", False),
        ("{sourceLabels: {app: client}}", True),
        ("{sourceLabels: {app: other}}", False),
        ("{sourceNamespace: web}", True),
        ("{sourceNamespace: shop}", False),
        ("{gateways: [mesh]}", True),
        ("{gateways: [edge/gw]}", False),
        ("{gateways: [edge/gw, mesh]}", True),
        ("{destinationSubnets: [10.0.0.0/8]}", False),
        ("{port: 5433}, {port: 5432}", True),
        ("{destinationSubnets: [10.0.0.0/8]}, {port: 5432}", True),
        ("{sourceLabels: {app: client}, sourceNamespace: shop}", False),
    ],
)
def test_a_tcp_rule_is_for_some_connections(match: str, taken: bool) -> None:
    outcome = sent(DB, OTHER, rules("tcp", to("other.com", match)))
    assert endpoints(outcome) == ["other.com:5432" if taken else "db.com:5432"]


def test_the_first_rule_that_fits_is_taken() -> None:
    first = rules("tcp", to("gone.com", "{port: 1}"), to("other.com"), to("db.com"))
    assert endpoints(sent(DB, OTHER, first)) == ["other.com:5432"]
    # Of several VirtualServices those that have the host.
    elsewhere = rules("tcp", to("gone.com"), hosts="x.com", name="a")
    wide = rules("tcp", to("other.com"), hosts="'*.com'", name="b")
    assert endpoints(sent(DB, OTHER, elsewhere, wide)) == ["other.com:5432"]


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        # `GetDestinationCluster`: a port that is not named is the only one, else that of the listener.
        ("other.com", "other.com:5432"),
        ("one.com", "one.com:99"),
        ("two.com, port: {number: 98}", "two.com:98"),
        ("two.com", "two.com:5432"),
        ("old.shop.svc.cluster.local", "other.com:5432"),
    ],
)
def test_where_a_rule_leads(destination: str, expected: str) -> None:
    one = entry("one", "one.com", "{number: 99, name: tcp, protocol: TCP}")
    two = entry("two", "two.com", f"{TCP}, {{number: 98, name: tcp-x, protocol: TCP}}")
    alias = """
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: ExternalName, externalName: other.com, ports: [{name: tcp, port: 5432}]}
"""
    host, _, more = destination.partition(", ")
    made = rules("tcp", to(host, "", f", {more}" if more else ""))
    assert endpoints(sent(DB, OTHER, one, two, alias, made)) == [expected]


def test_weights_of_connections() -> None:
    body = "{route: [{destination: {host: db.com}, weight: 90}, {destination: {host: other.com}, weight: 10}, {destination: {host: gone.com}}]}"
    outcome = sent(DB, OTHER, rules("tcp", body))
    assert isinstance(outcome, Served)
    assert [(b.host, b.weight) for b in outcome.backends] == [("db.com", 90), ("other.com", 10)]
    single = "{route: [{destination: {host: other.com}, weight: 0}]}"
    assert endpoints(sent(DB, OTHER, rules("tcp", single))) == ["other.com:5432"]


def test_a_service_without_rules_is_its_own_destination() -> None:
    assert endpoints(sent(DB)) == ["db.com:5432"]
    found = sent(entry("s", "db.com", f"{TCP}, {TLS}"))
    assert endpoints(found) == ["db.com:5432"]
    own = DB.replace("hosts:", "addresses: [10.0.0.9], hosts:")
    assert sent(own, host="nowhere.com") == Passthrough("nowhere.com", 5432)


def sni(names: str, more: str = "") -> str:
    return f"{{sniHosts: [{names}]{more}}}"


@pytest.mark.parametrize(
    ("stated", "name", "expected"),
    [
        # `matchTLS`, and Envoy's choice of the filter chain: exact, then the longest wildcard.
        ([to("a.com", sni("secure.com"))], "secure.com", "a.com"),
        ([to("a.com", sni("secure.com"))], "SECURE.com", "a.com"),
        ([to("a.com", sni("'*.com'")), to("b.com", sni("secure.com"))], "secure.com", "b.com"),
        ([to("a.com", sni("'*.com'")), to("b.com", sni("'*re.com'"))], "secure.com", "b.com"),
        ([to("a.com", sni("secure.com")), to("b.com", sni("secure.com"))], "secure.com", "a.com"),
        ([to("a.com", sni("x.com, secure.com"))], "secure.com", "a.com"),
        ([to("a.com", sni("secure.com", ", port: 443"))], "secure.com", "a.com"),
        ([to("a.com", sni("secure.com", ", sourceLabels: {app: client}"))], "secure.com", "a.com"),
        # Rules for other names take the place of the service itself.
        ([to("a.com", sni("x.com"))], "secure.com", None),
        # Rules that are not for this client do not.
        ([to("a.com", sni("secure.com", ", port: 444"))], "secure.com", "secure.com"),
        ([to("a.com", sni("secure.com", ", sourceNamespace: shop"))], "secure.com", "secure.com"),
        ([to("a.com", sni("secure.com", ", gateways: [edge/gw]"))], "secure.com", "secure.com"),
        ([], "secure.com", "secure.com"),
    ],
)
@pytest.mark.parametrize("port", [TLS, HTTPS])
def test_tls_is_routed_by_its_server_name(
    stated: list[str], name: str, expected: str | None, port: str
) -> None:
    targets = [entry(name_, f"{name_}.com", TLS) for name_ in ("a", "b")]
    made = rules("tls", *stated, hosts="secure.com")
    outcome = sent(
        entry("secure", "secure.com", port),
        *targets,
        made,
        scheme="tls",
        host="secure.com",
        port=443,
        sni=name,
    )
    if expected is None:
        assert outcome == Passthrough("secure.com", 443)
    else:
        assert endpoints(outcome) == [f"{expected}:443"]


SHARED = (
    SECURE,
    entry("wild", "*.w.com", HTTPS, "NONE"),
    entry("deep", "*.x.w.com", TLS, "NONE"),
    entry("own", "own.com", TLS).replace("hosts:", "addresses: [10.0.0.9], hosts:"),
)
TO_SECURE = rules("tls", to("secure.com", sni("a.w.com")), hosts="'*.w.com'")


@pytest.mark.parametrize(
    ("rule", "host", "name", "expected"),
    [
        # Without an address there is one listener for all hosts of a port, and the name tells
        # them apart; rules take the place of a service.
        ("", "secure.com", "", "secure.com:443"),
        ("", "a.w.com", "", "*.w.com"),
        ("", "a.x.w.com", "", "*.x.w.com"),
        ("", "w.com", "", None),
        ("", "secure.com", "a.w.com", "*.w.com"),
        ("", "nobody.com", "secure.com", "secure.com:443"),
        ("", "secure.com", "nobody.com", None),
        ("", "secure.com", "own.com", None),
        (TO_SECURE, "a.w.com", "", "secure.com:443"),
        (TO_SECURE, "b.w.com", "", None),
        (TO_SECURE, "a.x.w.com", "", None),
        # An address of its own takes whatever is dialled.
        ("", "own.com", "", "own.com:443"),
        ("", "own.com", "secure.com", "own.com:443"),
    ],
)
def test_hosts_without_an_address_are_told_by_their_name(
    rule: str, host: str, name: str, expected: str | None
) -> None:
    """`buildSidecarOutboundTLSFilterChainOpts`."""
    texts = (*SHARED, rule) if rule else SHARED
    for scheme in ("tls", "https"):
        outcome = sent(*texts, scheme=scheme, host=host, sni=name, port=443)
        if isinstance(outcome, Passthrough):
            assert (outcome.host if outcome.declared else None) == expected
        else:
            assert endpoints(outcome) == [expected]


FIRST, SECOND = entry("a", "a.com", TCP), entry("b", "b.com", TCP)
WEB = entry("web", "web.com", "{number: 5432, name: http, protocol: HTTP}")
OWN = entry("own", "own.com", TCP).replace("hosts:", "addresses: [10.0.0.9], hosts:")


@pytest.mark.parametrize(
    ("texts", "scheme", "host", "expected"),
    [
        # The listener for all addresses sends TCP to the first host without one.
        ((FIRST, SECOND), "tcp", "a.com", "a.com"),
        ((FIRST, SECOND), "tcp", "b.com", "a.com"),
        ((FIRST, SECOND), "http", "b.com", "a.com"),
        ((FIRST, SECOND), "tls", "b.com", "a.com"),
        ((FIRST, SECOND), "tcp", "nobody.com", "a.com"),
        ((FIRST, SECOND, OWN), "tcp", "own.com", "own.com"),
        ((SECOND, OWN), "tcp", "nobody.com", "b.com"),
        ((OWN,), "tcp", "nobody.com", None),
        ((FIRST, rules("tcp", to("own.com"), hosts="a.com"), OWN), "tcp", "x.com", "own.com"),
        # What is HTTP is read where any host speaks it.
        ((FIRST, WEB), "http", "web.com", "web.com"),
        ((FIRST, WEB), "http", "a.com", None),
        ((FIRST, WEB), "tcp", "web.com", "a.com"),
        ((WEB,), "tcp", "web.com", None),
    ],
)
def test_tcp_to_hosts_without_an_address(
    texts: tuple[str, ...], scheme: str, host: str, expected: str | None
) -> None:
    """`buildSidecarOutboundListener`: all share 0.0.0.0, and the first chain stays."""
    outcome = sent(*texts, scheme=scheme, host=host)
    if expected is None:
        assert outcome == Passthrough(host, 5432)
    else:
        assert endpoints(outcome) == [f"{expected}:5432"]


def test_in_an_open_world_an_unknown_host_may_have_an_address() -> None:
    for scheme in ("tcp", "http"):
        outcome = sent(FIRST, scheme=scheme, host="nobody.com", world=World.OPEN)
        assert outcome == Passthrough("nobody.com", 5432)
        known = sent(FIRST, SECOND, scheme=scheme, host="b.com", world=World.OPEN)
        assert endpoints(known) == ["a.com:5432"]


@pytest.mark.parametrize("scheme", ["tcp", "http"])
def test_what_has_no_name_finds_no_host_without_an_address(scheme: str) -> None:
    outcome = sent(*SHARED, scheme=scheme, host="secure.com", port=443)
    assert outcome == Passthrough("secure.com", 443)
    found = sent(*SHARED, scheme=scheme, host="own.com", port=443)
    assert endpoints(found) == ["own.com:443"]


def test_tcp_rules_are_not_for_ports_of_tls() -> None:
    made = rules("tcp", to("a.com"), hosts="secure.com")
    found = sent(SECURE, entry("a", "a.com", TLS), made, scheme="tls", host="secure.com", port=443)
    assert endpoints(found) == ["secure.com:443"]


def test_tls_of_requests_to_a_port_of_tls() -> None:
    made = rules("tls", to("a.com", sni("secure.com")), hosts="secure.com")
    texts = (SECURE, entry("a", "a.com", TLS), made)
    assert endpoints(sent(*texts, scheme="https", host="secure.com", port=443)) == ["a.com:443"]


# At a gateway.


def at_gateway(server: str, *texts: str, **stated: object) -> Outcome:
    gw = f"""
kind: Gateway
metadata: {{name: gw, namespace: edge}}
spec: {{selector: {{istio: ingress}}, servers: [{server}]}}
"""
    return sent(gw, DB, OTHER, *texts, client=EDGE, **stated)  # type: ignore[arg-type]


PLAIN = "{port: {number: 5432, name: tcp, protocol: TCP}, hosts: [%s]}"
THROUGH = "{port: {number: 443, name: tls, protocol: TLS}, hosts: [%s], tls: {mode: PASSTHROUGH}}"


@pytest.mark.parametrize(
    ("hosts", "match", "taken"),
    [
        # `l4SingleMatch`: the port of the server and the gateway; sources do not count.
        ("'*'", "", True),
        ("'*'", "{port: 5432}", True),
        ("'*'", "{port: 5433}", False),
        ("'*'", "{port: 5433}, {port: 5432}", True),
        ("'*'", "{gateways: [edge/gw]}", True),
        ("'*'", "{gateways: [mesh]}", False),
        ("'*'", "{sourceLabels: {app: x}}", True),
        ("db.com", "", True),
        ("other.com", "", False),
        ("'shop/*'", "", True),
        ("'web/*'", "", False),
    ],
)
def test_tcp_at_a_gateway(hosts: str, match: str, taken: bool) -> None:
    made = rules("tcp", to("other.com", match), gateways="edge/gw")
    outcome = at_gateway(PLAIN % hosts, made)
    if taken:
        assert endpoints(outcome) == ["other.com:5432"]
    else:
        # Nothing else is routed on the port, so that istiod opens none.
        assert failure(outcome) == (None, "-")


@pytest.mark.parametrize(
    ("stated", "name", "expected"),
    [
        ([to("other.com", sni("db.com"))], "db.com", "other.com"),
        ([to("other.com", sni("db.com"))], "x.com", None),
        ([to("other.com", sni(""))], "x.com", "other.com"),
        ([to("gone.com", sni("'*.com'")), to("other.com", sni("db.com"))], "db.com", "other.com"),
        ([to("other.com", sni("'*.com'")), to("gone.com", sni("db.com"))], "x.com", "other.com"),
        ([to("other.com", sni("db.com", ", port: 443"))], "db.com", "other.com"),
        ([to("other.com", sni("db.com", ", port: 444"))], "db.com", None),
        ([to("other.com", sni("db.com", ", gateways: [edge/gw]"))], "db.com", "other.com"),
        ([to("other.com", sni("db.com", ", gateways: [mesh]"))], "db.com", None),
        # A rule with a name that an older one has is left out as a whole.
        (
            [to("other.com", sni("db.com")), to("gone.com", sni("db.com, y.com"))],
            "db.com",
            "other.com",
        ),
        ([to("other.com", sni("db.com")), to("gone.com", sni("db.com, y.com"))], "y.com", None),
    ],
)
def test_tls_that_a_gateway_passes_through(
    stated: list[str], name: str, expected: str | None
) -> None:
    made = rules("tls", *stated, hosts="'*'", gateways="edge/gw")
    outcome = at_gateway(THROUGH % "'*'", made, scheme="tls", port=443, sni=name)
    if expected:
        assert endpoints(outcome) == [f"{expected}:5432"]
    else:
        # A port for which there is no rule at all is not open.
        assert failure(outcome) in ((None, "NR"), (None, "-"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Names of clusters as `BuildDNSSrvSubsetKey` writes them; each that the mesh has, has a
        # chain of filters (`builtAutoPassthroughFilterChains`).
        ("outbound_.5432_._.db.com", ["db.com:5432"]),
        ("outbound_.5433_._.db.com", (None, "NR")),
        ("outbound_.5432_.v1_.db.com", (None, "NR")),
        ("outbound_.5432_._.other.com", (None, "NR")),
        ("inbound_.5432_._.db.com", (None, "NR")),
        ("outbound_.http_._.db.com", (None, "NR")),
        ("outbound_.5432_.db.com", (None, "NR")),
        ("db.com", (None, "NR")),
    ],
)
def test_clients_of_other_networks_name_clusters(
    name: str, expected: list[str] | tuple[int | None, str]
) -> None:
    server = "{port: {number: 15443, name: tls, protocol: TLS}, hosts: [db.com], tls: {mode: AUTO_PASSTHROUGH}}"
    outcome = at_gateway(server, scheme="tls", host="db.com", port=15443, sni="db.com")
    assert failure(outcome) == (None, "NR")
    wide = server.replace("[db.com]", "[db.com, '*_.db.com', '*.other.com', '*_.other.com']")
    found = at_gateway(wide, scheme="tls", port=15443, sni=name)
    if isinstance(expected, list):
        assert endpoints(found) == expected
    else:
        assert failure(found) == expected


# Servers by name.


@pytest.mark.parametrize(
    ("pattern", "name", "rank"),
    [
        ("a.com", "a.com", 1000),
        ("A.com", "a.com", 1000),
        ("*.com", "a.com", 5),
        ("*a.com", "xa.com", 6),
        ("*", "a.com", 1),
        ("b.com", "a.com", 0),
        ("*.com", "a.org", 0),
        ("*.com", ".com", 0),
        ("*.a.com", "a.com", 0),
    ],
)
def test_how_well_a_pattern_fits_a_name(pattern: str, name: str, rank: int) -> None:
    assert name_rank(pattern, name) == rank


SECRET = "\nkind: Secret\nmetadata: {name: c, namespace: edge}\n"


def server(protocol: str, hosts: str, name: str, mode: str = "") -> str:
    tls = f", tls: {{mode: {mode}}}" if mode else ""
    port = f"{{number: 443, name: {name}, protocol: {protocol}}}"
    return f"{{port: {port}, hosts: [{hosts}]{tls}}}"


ENDED = "SIMPLE, credentialName: c"


@pytest.mark.parametrize(
    ("scheme", "name", "expected"),
    [
        # Envoy looks for the name among all chains of the port: those of servers that end TLS have
        # the hosts of the server, others the names in the rules.
        ("tls", "a.com", "db.com"),
        ("tls", "x.a.com", "other.com"),
        ("tls", "deep.x.a.com", "other.com"),
        # The server for just this host has no rule, so it has no chain.
        ("tls", "y.a.com", "other.com"),
        ("https", "z.a.com", 201),
        ("tls", "b.com", (None, "NR")),
        # Only what is for all names takes connections without a name.
        ("tcp", "a.com", (None, "NR")),
        ("http", "z.a.com", (None, "NR")),
    ],
)
def test_a_handshake_finds_its_chain(
    scheme: str, name: str, expected: str | int | tuple[int | None, str]
) -> None:
    """`buildGatewayTCPBasedFilterChains`, Envoy's `FilterChainMatch.server_names`."""
    stated = (
        server("TLS", "'*.a.com', a.com, b.com", "wide", "PASSTHROUGH"),
        server("TLS", "y.a.com", "exact", "PASSTHROUGH"),
        server("HTTPS", "z.a.com", "ended", ENDED),
    )
    tls = rules(
        "tls",
        to("other.com", sni("'*.a.com'")),
        to("db.com", sni("a.com")),
        hosts="'*.a.com', a.com",
        name="t",
        gateways="edge/gw",
    )
    http = rules(
        "http", "{directResponse: {status: 201}}", hosts="z.a.com", name="h", gateways="edge/gw"
    )
    outcome = at_gateway(
        ", ".join(stated), f"{tls}---{http}---{SECRET}", scheme=scheme, host=name, port=443
    )
    if isinstance(expected, str):
        assert endpoints(outcome) == [f"{expected}:5432"]
    elif isinstance(expected, int):
        assert outcome == Direct(expected)
    else:
        assert failure(outcome) == expected


@pytest.mark.parametrize(
    ("stated", "scheme", "expected"),
    [
        # What a port takes besides TLS with the name p.com.
        (server("TCP", "'*'", "t"), "tls", "other.com"),
        (server("TCP", "'*'", "t"), "tcp", "other.com"),
        (server("HTTP", "'*'", "h"), "tls", (None, "DPE")),
        (server("HTTP", "'*'", "h"), "http", 201),
        (server("HTTPS", "'*'", "s", ENDED), "https", 201),
        (server("HTTPS", "'*'", "s", ENDED), "http", (None, "-")),
        (server("TLS", "'*'", "s", ENDED), "tls", "other.com"),
        (server("TLS", "'*'", "s", ENDED), "tcp", (None, "-")),
        (server("TLS", "q.com", "s", ENDED), "tls", (None, "NR")),
    ],
)
def test_what_a_port_takes_besides_names(
    stated: str, scheme: str, expected: str | int | tuple[int | None, str]
) -> None:
    both = f"{server('TLS', 'p.com', 'p', 'PASSTHROUGH')}, {stated}"
    found = {
        "tls": to("db.com", sni("p.com")),
        "tcp": to("other.com"),
        "http": "{directResponse: {status: 201}}",
    }
    made = "---".join(
        rules(kind, rule, hosts="'*'", name=kind, gateways="edge/gw")
        for kind, rule in found.items()
    )
    outcome = at_gateway(both, f"{made}---{SECRET}", scheme=scheme, host="any.com", port=443)
    if isinstance(expected, str):
        assert endpoints(outcome) == [f"{expected}:5432"]
    elif isinstance(expected, int):
        assert outcome == Direct(expected)
    else:
        assert failure(outcome) == expected
    named = at_gateway(both, f"{made}---{SECRET}", scheme="tls", host="p.com", port=443)
    assert endpoints(named) == ["db.com:5432"]


def test_a_name_is_for_the_oldest_rule_of_the_port() -> None:
    """`CheckDuplicates` over all servers of a port; the later match is left out as a whole."""
    both = ", ".join(server("TLS", host, host, "PASSTHROUGH") for host in ("'*.com'", "db.com"))
    first = to("other.com", sni("db.com"))
    second = rules(
        "tls",
        to("db.com", sni("db.com, y.com")),
        hosts="db.com, y.com",
        name="w",
        gateways="edge/gw",
    )
    made = rules("tls", first, hosts="'*.com'", gateways="edge/gw")
    found = {
        name: at_gateway(both, f"{made}---{second}", scheme="tls", host=name, port=443)
        for name in ("db.com", "y.com")
    }
    assert endpoints(found["db.com"]) == ["other.com:5432"]
    assert failure(found["y.com"]) == (None, "NR")


# Routes of the Gateway API at a gateway.


def test_a_rule_exported_to_the_pods_comes_before_their_own_public_ones() -> None:
    """`VirtualServicesForGateway`: private and exported ones, then the Gateway API's own, then the rest."""

    def made(name: str, namespace: str, status: int) -> str:
        return f"""
kind: HTTPRoute
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  parentRefs: [{{name: gw, namespace: edge}}]
  hostnames: ['{name}.com']
  rules: [{{filters: [{{type: RequestRedirect, requestRedirect: {{statusCode: {status}}}}}]}}]
"""

    gw = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: gw, namespace: edge}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
"""
    exported = """
kind: VirtualService
metadata: {name: v, namespace: shop}
spec:
  hosts: ['*']
  exportTo: [edge]
  gateways: ['edge/gw~istio-autogenerated-k8s-gateway~http']
  http: [{directResponse: {status: 418}}]
"""
    pods = gateway("edge", {"gateway.networking.k8s.io/gateway-name": "gw"})
    own, other = made("a", "edge", 301), made("a", "aaa", 302)
    exported = exported.replace("'*'", "a.com").replace("name: v,", "name: a,")
    public = exported.replace("exportTo: [edge]", "exportTo: ['*']")
    expected = {
        # Routes of one host are one, the oldest first, then by namespace.
        (own, other): 302,
        (own, exported): 418,
        (own, public): 301,
        # Those of other namespaces stand by their names, `a` before `edge~gw…`.
        (other, public): 418,
    }
    for texts, status in expected.items():
        outcome = route(mesh("---".join((gw, *texts))), Request("a.com"), pods)
        assert getattr(outcome, "status", None) == status


# A gateway that reads requests.

REDIRECT = "{port: {number: 80, name: http, protocol: HTTP}, hosts: [%s], tls: {httpsRedirect: %s}}"


@pytest.mark.parametrize(
    ("hosts", "redirects", "host", "scheme", "status"),
    [
        ("a.com", "true", "a.com", "http", 301),
        ("a.com", "true", "b.com", "http", 404),
        ("a.com", "false", "a.com", "http", 200),
        ("'*.com'", "true", "a.com", "http", 301),
        ("'*.com'", "true", "x.com", "http", 301),
        ("'*.com'", "false", "x.com", "http", 404),
    ],
)
def test_a_redirect_to_https_is_for_the_hosts_of_its_server(
    hosts: str, redirects: str, host: str, scheme: str, status: int
) -> None:
    made = """
kind: VirtualService
metadata: {name: v, namespace: edge}
spec: {hosts: [a.com], gateways: [gw], http: [{directResponse: {status: 200}}]}
"""
    outcome = at_gateway(REDIRECT % (hosts, redirects), made, scheme=scheme, host=host, port=80)
    assert getattr(outcome, "status", None) == status


def test_requests_over_tls_are_not_redirected() -> None:
    server = REDIRECT % ("a.com", "true")
    made = """
kind: VirtualService
metadata: {name: v, namespace: edge}
spec: {hosts: [a.com], gateways: [gw], http: [{directResponse: {status: 200}}]}
"""
    secure = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: [a.com], tls: {mode: SIMPLE, credentialName: c}}"
    secret = "\nkind: Secret\nmetadata: {name: c, namespace: edge}\n"
    found = at_gateway(f"{server}, {secure}", made, secret, scheme="https", host="a.com", port=443)
    assert found == Direct(200)
    missing = at_gateway(f"{server}, {secure}", made, scheme="https", host="a.com", port=443)
    assert failure(missing) == (None, "-")
    elsewhere = secret.replace("namespace: edge", "namespace: shop")
    assert failure(
        at_gateway(f"{server}, {secure}", made, elsewhere, scheme="https", host="a.com", port=443)
    ) == (None, "-")
    unknown = at_gateway(
        f"{server}, {secure}", made, scheme="https", host="a.com", port=443, world=World.OPEN
    )
    assert unknown == Direct(200)
