"""What a Sidecar imports (istiod 1.29.1, pilot/pkg/model/sidecar.go)."""

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.mesh.scope import Listener, host_patterns
from meshplan.mesh.service import Protocol
from meshplan.mesh.sidecar import sidecar_of
from support.meshes import mesh

CLIENT = sidecar("web", {"app": "client"})


def entry(name: str, namespace: str, host: str, ports: str = "80", export_to: str = "'*'") -> str:
    listed = ", ".join(
        f"{{number: {port}, name: p{port}, protocol: HTTP}}" for port in ports.split()
    )
    return f"""
kind: ServiceEntry
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: ['{host}'], resolution: STATIC, ports: [{listed}], exportTo: [{export_to}]}}
"""


def virtual(name: str, namespace: str, hosts: str, rules: str = "", kind: str = "http") -> str:
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{hosts: [{hosts}], {kind}: [{rules}]}}
"""


def to(host: str, port: int = 0) -> str:
    stated = f", port: {{number: {port}}}" if port else ""
    return f"{{destination: {{host: {host}{stated}}}}}"


def imports(*egress: str, more: str = "") -> str:
    return f"""
kind: Sidecar
metadata: {{name: default, namespace: web}}
spec: {{egress: [{", ".join(egress)}]{more}}}
"""


def egress(hosts: str, port: int = 0, protocol: str = "HTTP") -> str:
    stated = f"port: {{number: {port}, name: p, protocol: {protocol}}}, " if port else ""
    return f"{{{stated}hosts: [{hosts}]}}"


def state(*objects: str) -> Mesh:
    return mesh("---".join(objects))


def listener(state_: Mesh, port: int = 80) -> Listener:
    found = state_.scope(CLIENT).listener(port)
    assert found is not None
    return found


SERVICES = (
    entry("a", "shop", "a.com"),
    entry("b", "shop", "b.com", "80 81"),
    entry("c", "web", "c.com"),
    entry("d", "edge", "x.d.com", "81"),
    entry("h", "edge", "hidden.com", export_to="'.'"),
    entry("w", "edge", "'*.w.com'".strip("'")),
)


@pytest.mark.parametrize(
    ("hosts", "imported"),
    [
        # `hostClassification.Matches`: a service is imported if its host lies below a pattern.
        ("'*/*'", {"a.com", "b.com", "c.com", "x.d.com", "*.w.com"}),
        ("'shop/*'", {"a.com", "b.com"}),
        ("'./*'", {"c.com"}),
        ("'web/*'", {"c.com"}),
        ("'~/*'", set()),
        ("'shop/a.com'", {"a.com"}),
        ("'*/a.com'", {"a.com"}),
        ("'web/a.com'", set()),
        ("'*/*.com'", {"a.com", "b.com", "c.com", "x.d.com", "*.w.com"}),
        ("'edge/*.d.com', 'shop/b.com'", {"x.d.com", "b.com"}),
        ("'shop/*', '*/c.com'", {"a.com", "b.com", "c.com"}),
        ("'*/*.w.com'", {"*.w.com"}),
        ("'*/y.w.com'", set()),
        ("'edge/hidden.com'", set()),
        # What is no `namespace/host` imports nothing.
        ("a.com", set()),
        ("'shop/a.com/x'", set()),
    ],
)
def test_services_are_imported_by_namespace_and_host(hosts: str, imported: set[str]) -> None:
    found = state(*SERVICES, imports(egress(hosts)))
    one = listener(found)
    every = ("a.com", "b.com", "c.com", "x.d.com", "hidden.com", "*.w.com")
    assert {host for host in every if one.services_for(host)} == imported
    assert {service.host for service in one.matching("*")} == imported
    assert {host for host in every if found.scope(CLIENT).service(host)} == imported
    assert one.imports_everything is (hosts == "'*/*'")


def test_a_wildcard_is_looked_up_in_both_directions() -> None:
    one = listener(state(*SERVICES, imports(egress("'*/*'"))))
    assert {service.host for service in one.matching("*.d.com")} == {"x.d.com"}
    assert {service.host for service in one.matching("*.y.w.com")} == {"*.w.com"}
    assert one.matching("*.org") == ()


@pytest.mark.parametrize(
    ("port", "seen"),
    [
        # `serviceMatchingListenerPort`: only services with the port, with that port alone.
        (80, {"a.com": [80], "b.com": [80], "c.com": [80], "*.w.com": [80]}),
        (81, {"b.com": [81], "x.d.com": [81]}),
        (82, {}),
    ],
)
def test_a_listener_with_a_port_imports_that_port_alone(
    port: int, seen: dict[str, list[int]]
) -> None:
    found = state(*SERVICES, imports(egress("'*/*'", port)))
    one = listener(found, port)
    assert {s.host: [p.number for p in s.ports] for s in one.matching("*")} == seen
    assert not one.imports_everything
    assert found.scope(CLIENT).listener(port + 100) is None


@pytest.mark.parametrize(
    ("stated", "ports"),
    [
        # `GetEgressListenerForRDS`: the listener of the port, else the one without a port.
        ([egress("'shop/*'", 81), egress("'*/*'")], {80: "*/*", 81: "shop/*"}),
        ([egress("'shop/*'", 81)], {80: None, 81: "shop/*"}),
        ([egress("'shop/*'")], {80: "shop/*", 81: "shop/*"}),
        ([], {80: "*/*", 81: "*/*"}),
    ],
)
def test_each_port_has_its_listener(stated: list[str], ports: dict[int, str | None]) -> None:
    scope = state(*SERVICES, imports(*stated)).scope(CLIENT)
    found = {port: scope.listener(port) for port in ports}
    assert {port: one.egress.hosts[0] if one else None for port, one in found.items()} == ports


@pytest.mark.parametrize(
    ("objects", "chosen"),
    [
        # Of one host that several namespaces import: the client's own, else Kubernetes', else the first.
        (["shop", "web"], "web"),
        (["shop", "edge"], "edge"),
        (["shop"], "shop"),
    ],
)
def test_of_several_services_for_one_host_one_namespace_counts(
    objects: list[str], chosen: str
) -> None:
    found = state(
        *(entry("e", namespace, "e.com") for namespace in objects), imports(egress("'*/*'"))
    )
    one = listener(found).service_on("e.com", 80)
    assert one is not None
    assert one.namespace == chosen
    assert listener(found).service_on("e.com", 81) is None
    assert listener(found).service_on("f.com", 80) is None


def test_routes_mean_the_last_service_of_a_port() -> None:
    """`buildSidecarOutboundHTTPRouteConfig` fills its table of services in order."""
    found = state(entry("e", "shop", "e.com"), entry("f", "shop", "e.com", "81 80"))
    one = listener(found).service_on("e.com", 80)
    assert one is not None
    assert one.id.name == "f"


@pytest.mark.parametrize(
    ("hosts", "names"),
    [
        # `SelectVirtualServices`: one with any host that a pattern meets, with all its hosts.
        ("'*/*'", ["v-edge", "v-many", "v-wide"]),
        ("'shop/*'", ["v-many", "v-wide"]),
        ("'edge/*'", ["v-edge"]),
        ("'shop/a.com'", ["v-many", "v-wide"]),
        ("'shop/z.org'", ["v-many"]),
        ("'*/y.com'", ["v-wide"]),
        ("'./*'", []),
    ],
)
def test_virtual_services_are_imported_by_any_host(hosts: str, names: list[str]) -> None:
    found = state(
        virtual("v-many", "shop", "a.com, z.org"),
        virtual("v-wide", "shop", "'*.com'"),
        virtual("v-edge", "edge", "b.net"),
        imports(egress(hosts)),
    )
    assert sorted(vs.id.name for vs in listener(found).virtual_services) == names


def test_routes_of_the_gateway_api_are_imported_by_hosts_below_a_pattern() -> None:
    """`VSMatches` with the semantics of the Gateway API."""
    text = """
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {parentRefs: [{group: networking.istio.io, kind: ServiceEntry, name: w}]}
"""
    rule = text.rstrip().removesuffix("}") + ", rules: [{backendRefs: [{name: x, port: 80}]}]}\n"
    wild = entry("w", "shop", "*.w.com")
    for hosts, imported in (("'shop/*.w.com'", True), ("'shop/y.w.com'", False)):
        found = state(rule, wild, imports(egress(hosts)))
        assert bool(listener(found).virtual_services) is imported
    # A VirtualService meets the pattern from either side.
    found = state(virtual("v", "shop", "'*.w.com'"), imports(egress("'shop/y.w.com'")))
    assert listener(found).virtual_services


def test_positions_are_by_host_in_lower_case() -> None:
    found = state(
        virtual("a", "shop", "A.com, b.com, a.com"), virtual("b", "shop", "a.com, '*.com'")
    )
    assert listener(found).positions == {"a.com": (0, 1), "b.com": (0,), "*.com": (1,)}


@pytest.mark.parametrize(
    ("host", "name"),
    [("a.com", "b"), ("x.a.com", "c"), ("b.com", "d"), ("b.org", None), ("*.a.com", "c")],
)
def test_the_most_specific_virtual_service_covers_a_service(host: str, name: str | None) -> None:
    """`computeWildcardHostVirtualServiceIndex`: the first of those with the best host."""
    found = state(
        virtual("b", "shop", "a.com"),
        virtual("c", "shop", "'*.a.com'"),
        virtual("d", "shop", "'*.com'"),
        virtual("e", "shop", "'*.com', a.com"),
    )
    one = listener(found).most_specific(host)
    assert (one.id.name if one else None) == name


RULES = f"{{route: [{to('a.com', 80)}], mirror: {{host: m.com}}, mirrors: [{{destination: {{host: n.com}}}}]}}"


@pytest.mark.parametrize(
    ("rules", "kind", "expected"),
    [
        # `virtualServiceDestinationsFilteredBySourceNamespace`.
        (RULES, "http", {"a.com": {80}, "m.com": {0}, "n.com": {0}}),
        (
            f"{{route: [{to('a.com', 80)}]}}, {{route: [{to('a.com', 81)}, {to('b.com')}]}}",
            "http",
            {"a.com": {80, 81}, "b.com": {0}},
        ),
        (f"{{match: [{{sourceNamespace: web}}], route: [{to('a.com')}]}}", "http", {"a.com": {0}}),
        (f"{{match: [{{sourceNamespace: shop}}], route: [{to('a.com')}]}}", "http", {}),
        (
            f"{{match: [{{sourceNamespace: shop}}, {{sourceNamespace: web}}], route: [{to('a.com')}]}}",
            "http",
            {"a.com": {0}},
        ),
        (
            f"{{match: [{{sourceNamespace: shop}}, {{uri: {{prefix: /}}}}], route: [{to('a.com')}]}}",
            "http",
            {},
        ),
        (f"{{match: [{{port: 1}}], route: [{to('a.com', 80)}]}}", "tcp", {"a.com": {80}}),
        (f"{{match: [{{sniHosts: [x.com]}}], route: [{to('a.com', 80)}]}}", "tls", {"a.com": {80}}),
    ],
)
def test_destinations_are_imported_with_their_ports(
    rules: str, kind: str, expected: dict[str, set[int]]
) -> None:
    found = listener(
        state(virtual("v", "web", "v.com", rules, kind), imports(egress("'web/v.com'")))
    )
    assert found.destinations == expected


@pytest.mark.parametrize(
    ("stated", "objects", "seen"),
    [
        # `collectImportedServices`: what a VirtualService sends to is imported beside the hosts.
        (egress("'web/v.com'"), [(80, "b.com")], {"b.com": ["shop", 80]}),
        (egress("'web/v.com'"), [(0, "b.com")], {"b.com": ["shop", 80, 81]}),
        (egress("'web/v.com'"), [(81, "b.com"), (80, "b.com")], {"b.com": ["shop", 80, 81]}),
        (egress("'web/v.com'"), [(82, "b.com")], {}),
        (egress("'web/v.com'"), [(80, "hidden.com")], {}),
        (egress("'web/v.com'"), [(80, "gone.com")], {}),
        # On a listener with a port only that counts.
        (egress("'web/v.com'", 80), [(81, "b.com")], {"b.com": ["shop", 80]}),
        (egress("'web/v.com'", 80), [(0, "b.com")], {"b.com": ["shop", 80]}),
        (egress("'web/v.com'", 81), [(80, "a.com")], {}),
        # A service that is imported with its ports stays as it is.
        (egress("'web/v.com', 'shop/b.com'"), [(80, "b.com")], {"b.com": ["shop", 80, 81]}),
        # Of several namespaces the client's own, else the first by name that is visible.
        (egress("'web/v.com'"), [(80, "two.com")], {"two.com": ["web", 80]}),
        (egress("'web/v.com'"), [(80, "three.com")], {"three.com": ["edge", 80]}),
        (egress("'web/v.com', 'shop/three.com'"), [(80, "three.com")], {"three.com": ["shop", 80]}),
    ],
)
def test_what_is_sent_to_is_imported(
    stated: str, objects: list[tuple[int, str]], seen: dict[str, list[str | int]]
) -> None:
    routes = ", ".join(to(host, port) for port, host in objects)
    found = state(
        *SERVICES,
        entry("two", "shop", "two.com"),
        entry("two", "web", "two.com"),
        entry("three", "edge", "three.com"),
        entry("three", "shop", "three.com"),
        entry("three", "aaa", "three.com", export_to="'.'"),
        virtual("v", "web", "v.com", f"{{route: [{routes}]}}"),
        imports(stated),
    )
    services = {host: found.scope(CLIENT).service(host) for _, host in objects}
    assert {
        host: [one.namespace, *(port.number for port in one.ports)]
        for host, one in services.items()
        if one
    } == seen


def test_gateways_see_all_that_their_namespace_sees() -> None:
    found = state(*SERVICES, entry("z", "web", "z.com", export_to="'.'"), imports(egress("'~/*'")))
    scope = found.scope(gateway("web"))
    assert scope.sidecar is None
    assert [bool(scope.service(host)) for host in ("a.com", "z.com", "hidden.com")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("more", "policy"),
    [
        ("", "ALLOW_ANY"),
        (", outboundTrafficPolicy: {mode: REGISTRY_ONLY}", "REGISTRY_ONLY"),
        (", outboundTrafficPolicy: {mode: ALLOW_ANY}", "ALLOW_ANY"),
        # REGISTRY_ONLY is the first value of the enum.
        (", outboundTrafficPolicy: {}", "REGISTRY_ONLY"),
    ],
)
def test_a_sidecar_says_what_becomes_of_other_hosts(more: str, policy: str) -> None:
    assert state(imports(egress("'*/*'"), more=more)).scope(CLIENT).outbound_policy == policy


def test_the_mesh_says_it_where_no_sidecar_does() -> None:
    for objects in (imports(egress("'*/*'")), SERVICES[0]):
        found = mesh(objects, outbound_traffic_policy="REGISTRY_ONLY")
        assert found.scope(CLIENT).outbound_policy == "REGISTRY_ONLY"


def one_sidecar(name: str, namespace: str, selector: str = "", created: str = "") -> str:
    stated = f"workloadSelector: {{labels: {selector}}}, " if selector else ""
    time = f", creationTimestamp: '{created}'" if created else ""
    return f"""
kind: Sidecar
metadata: {{name: {name}, namespace: {namespace}{time}}}
spec: {{{stated}egress: [{{hosts: ['*/*']}}]}}
"""


EARLY, LATE = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("sidecars", "chosen", "candidates"),
    [
        # `getSidecarScope`: with a matching selector, else without one, else of the root namespace.
        ([], None, []),
        ([one_sidecar("a", "web")], "a", ["a"]),
        ([one_sidecar("a", "shop")], None, []),
        ([one_sidecar("a", "istio-system")], "a", []),
        ([one_sidecar("a", "istio-system", "{app: client}")], None, []),
        ([one_sidecar("a", "istio-system"), one_sidecar("b", "web")], "b", ["b"]),
        ([one_sidecar("a", "web"), one_sidecar("b", "web", "{app: client}")], "b", ["b"]),
        ([one_sidecar("a", "web"), one_sidecar("b", "web", "{app: other}")], "a", ["a"]),
        ([one_sidecar("a", "istio-system"), one_sidecar("b", "web", "{app: other}")], "a", []),
        ([one_sidecar("b", "web"), one_sidecar("a", "web")], "a", ["a", "b"]),
        (
            [one_sidecar("b", "web", created=EARLY), one_sidecar("a", "web", created=LATE)],
            "b",
            ["b", "a"],
        ),
        (
            [
                one_sidecar("b", "web", "{app: client}"),
                one_sidecar("a", "web", "{app: client}"),
                one_sidecar("0", "web"),
            ],
            "a",
            ["a", "b"],
        ),
        (
            [
                one_sidecar("a", "istio-system", created=LATE),
                one_sidecar("b", "istio-system", created=EARLY),
            ],
            "b",
            [],
        ),
    ],
)
def test_the_sidecar_of_a_workload(
    sidecars: list[str], chosen: str | None, candidates: list[str]
) -> None:
    sidecars = [text.replace("name: 0,", "name: '0',") for text in sidecars]
    found = state(*sidecars, SERVICES[0])
    one = found.sidecar("web", {"app": "client"})
    assert (one.id.name if one else None) == chosen
    assert [s.id.name for s in found.sidecars("web", {"app": "client"})] == candidates


def test_a_sidecar_as_it_is_written() -> None:
    text = """
kind: Sidecar
metadata: {name: s, namespace: web}
spec:
  workloadSelector: {labels: {app: client, n: 1}}
  egress:
  - {hosts: ['./*', shop/a.com]}
  - {port: {number: 80, protocol: http}, bind: 127.0.0.1, hosts: ['*/*']}
  - {port: {number: 81, protocol: HTTP_PROXY}, hosts: ['*/*']}
  ingress:
  - {port: {number: 9080, protocol: GRPC}, tls: {mode: SIMPLE}}
  - {port: {number: 9081, protocol: TCP}}
""".replace("n: 1", "more: 1")
    (resource,) = mesh(text).snapshot.values()
    found = sidecar_of(resource)
    assert (found.id, found.outbound_policy) == (resource.id, "")
    assert found.selector == {"app": "client", "more": "1"}
    assert [
        (e.hosts, e.port, e.protocol, e.bind, e.pointer, e.matches_port) for e in found.egress
    ] == [
        (("./*", "shop/a.com"), 0, Protocol.SNIFFED, "", "/spec/egress/0", False),
        (("*/*",), 80, Protocol.HTTP, "127.0.0.1", "/spec/egress/1", True),
        (("*/*",), 81, Protocol.HTTP_PROXY, "", "/spec/egress/2", False),
    ]
    assert [(i.port, i.protocol, i.tls_mode) for i in found.ingress] == [
        (9080, Protocol.GRPC, "SIMPLE"),
        (9081, Protocol.TCP, ""),
    ]
    (bare,) = mesh(one_sidecar("s", "web")).snapshot.values()
    assert sidecar_of(bare).selector is None


def test_envoy_tries_the_exact_domain_then_the_longest_wildcard() -> None:
    """`findVirtualHost`: a wildcard stands for at least one character."""
    assert list(host_patterns("ab.c")) == ["ab.c", "*b.c", "*.c", "*c", "*"]
    assert list(host_patterns("*.c")) == ["*.c", "*.c", "*c"]
