"""VirtualServices as they are written, and which proxies see which of them."""

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.known import Known
from meshplan.mesh.virtual_service import (
    Destination,
    HttpMatch,
    MatchKind,
    StringMatch,
    destination_of,
    string_match_of,
)
from meshplan.settings import World
from support.meshes import mesh

WRITTEN = """
kind: VirtualService
metadata: {name: v, namespace: shop, creationTimestamp: '2024-01-01T00:00:00Z'}
spec:
  hosts: [reviews, '*.example.com', a.com]
  gateways: [mesh, gw, edge/other]
  exportTo: ['.', web]
  http:
  - match:
    - uri: {exact: /a}
      scheme: {exact: http}
      method: {regex: G.*}
      authority: {prefix: a}
      headers: {x-a: {exact: '1'}, x-b: {}}
      withoutHeaders: {x-c: {prefix: c}}
      queryParams: {q: {regex: q}}
      ignoreUriCase: true
      port: 80
      sourceLabels: {app: client, live: true}
      sourceNamespace: web
      gateways: [mesh, gw]
    - {name: second}
    route:
    - destination: {host: reviews, subset: v1, port: {number: 8080}}
      weight: 90
      headers: {request: {set: {a: b}}}
    - {destination: {host: b.com}, weight: '10'}
    mirror: {host: m, subset: s}
    mirrors: [{destination: {host: n.com, port: {number: 1}}, percentage: {value: 5}}]
    timeout: 3s
    retries: {attempts: 1}
    fault: {delay: {fixedDelay: 1s}}
    headers: {response: {remove: [x]}}
    corsPolicy: {allowOrigins: []}
    rewrite: {uri: /}
    name: first
  - {redirect: {uri: /x}, directResponse: null}
  - {directResponse: {status: 200}}
  - {delegate: {name: part}}
  - {delegate: {name: part, namespace: other}}
  tls:
  - match:
    - {sniHosts: [a.com, '*.a.com'], port: 443, sourceNamespace: web, sourceLabels: {a: b}, gateways: [gw], destinationSubnets: [10.0.0.0/8]}
    - {sniHosts: [b.com]}
    route: [{destination: {host: reviews}, weight: 5}]
  tcp:
  - {route: [{destination: {host: db, port: {number: 5432}}}]}
"""
REVIEWS = "reviews.shop.svc.cluster.local"
SELF = ResourceId("networking.istio.io", "VirtualService", "shop", "v")


def text(kind: str, value: str) -> StringMatch:
    return StringMatch(MatchKind(kind), value)


def test_a_virtual_service_as_it_is_written() -> None:
    """`resolveVirtualServiceShortnames`."""
    (found,) = mesh(WRITTEN).virtual_services
    assert found.hosts == (REVIEWS, "*.example.com", "a.com")
    assert found.gateways == ("mesh", "shop/gw", "edge/other")
    assert (found.export_to, found.created) == ({".", "web"}, "2024-01-01T00:00:00Z")
    assert (found.id, found.namespace) == (SELF, "shop")
    assert found.key == ("2024-01-01T00:00:00Z", "v", "shop")
    (bare,) = mesh(
        "\nkind: VirtualService\nmetadata: {name: v, namespace: shop}\nspec: {hosts: [a]}\n"
    ).virtual_services
    assert (bare.gateways, bare.export_to) == (("mesh",), frozenset())


def test_http_rules_as_they_are_written() -> None:
    state = mesh(WRITTEN)
    (found,) = state.virtual_services
    first, second, third = state.http_rules(found)
    assert [rule.pointer for rule in (first, second, third)] == [
        f"/spec/http/{n}" for n in range(3)
    ]
    assert {rule.source for rule in (first, second, third)} == {SELF}
    one, other = first.matches
    assert one == HttpMatch(
        "/spec/http/0/match/0",
        uri=text("exact", "/a"),
        scheme=text("exact", "http"),
        method=text("regex", "G.*"),
        authority=text("prefix", "a"),
        headers={"x-a": text("exact", "1"), "x-b": StringMatch(MatchKind.PRESENT)},
        without_headers={"x-c": text("prefix", "c")},
        query={"q": text("regex", "q")},
        ignore_uri_case=True,
        port=80,
        source_labels={"app": "client", "live": "true"},
        source_namespace="web",
        gateways=("mesh", "shop/gw"),
    )
    assert other == HttpMatch("/spec/http/0/match/1")
    assert first.destinations == (
        Destination(REVIEWS, "v1", 8080, 90, {"request": {"set": {"a": "b"}}}),
        Destination("b.com", weight=10),
    )
    assert first.mirrors == (
        Destination("m.shop.svc.cluster.local", "s"),
        Destination("n.com", port=1),
    )
    assert set(first.fields) == {"timeout", "retries", "fault", "headers", "corsPolicy", "rewrite"}
    assert (first.fields["timeout"], first.fields["rewrite"]) == ("3s", {"uri": "/"})
    assert second.fields == {"redirect": {"uri": "/x"}}
    assert third.fields == {"directResponse": {"status": 200}}
    assert (second.destinations, second.matches, second.mirrors) == ((), (), ())


def test_delegates_are_named_in_full() -> None:
    """`mergeVirtualServicesIfNeeded`: without a namespace it is the root's own."""
    parts = [
        f"\nkind: VirtualService\nmetadata: {{name: part, namespace: {namespace}}}\nspec: {{http: [{{directResponse: {{status: {status}}}}}]}}\n"
        for namespace, status in (("shop", 201), ("other", 202))
    ]
    state = mesh("---".join((WRITTEN, *parts)))
    (root,) = (vs for vs in state.virtual_services if vs.hosts)
    rules = state.http_rules(root)
    assert [(r.source.namespace, r.pointer) for r in rules[3:]] == [
        ("shop", "/spec/http/0"),
        ("other", "/spec/http/0"),
    ]
    assert [r.fields["directResponse"]["status"] for r in rules[3:]] == [201, 202]
    assert all(rule.delegate is None for rule in rules)


def test_rules_of_connections_as_they_are_written() -> None:
    state = mesh(WRITTEN)
    (found,) = state.virtual_services
    (tls,) = state.tls_rules(found)
    first, second = tls.matches
    assert (tls.source, tls.pointer) == (SELF, "/spec/tls/0")
    assert (first.pointer, second.pointer) == ("/spec/tls/0/match/0", "/spec/tls/0/match/1")
    assert (first.sni_hosts, first.port) == (("a.com", "*.a.com"), 443)
    assert (first.source_namespace, first.source_labels) == ("web", {"a": "b"})
    assert (first.gateways, first.destination_subnets) == (("shop/gw",), ("10.0.0.0/8",))
    assert (second.sni_hosts, second.port, second.gateways) == (("b.com",), 0, ())
    assert tls.destinations == (Destination(REVIEWS, weight=5),)
    (tcp,) = state.tcp_rules(found)
    assert (tcp.pointer, tcp.matches) == ("/spec/tcp/0", ())
    assert tcp.destinations == (Destination("db.shop.svc.cluster.local", port=5432),)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"exact": "a"}, text("exact", "a")),
        ({"prefix": ""}, text("prefix", "")),
        ({"regex": "a"}, text("regex", "a")),
        ({}, StringMatch(MatchKind.PRESENT)),
        ({"exact": 5}, StringMatch(MatchKind.PRESENT)),
        (None, StringMatch(MatchKind.PRESENT)),
    ],
)
def test_an_empty_match_asks_for_presence(value: object, expected: StringMatch) -> None:
    assert string_match_of(value) == expected


def test_a_destination_is_read_in_the_namespace_of_its_rule() -> None:
    found = destination_of({"host": "a", "subset": "s", "port": {"number": "80"}}, "web", "x")
    assert found == Destination("a.web.svc.x", "s", 80)
    assert destination_of({}, "web", "x") == Destination("")


# Who sees which.


def virtual(name: str, namespace: str, export_to: str = "", more: str = "", time: str = "") -> str:
    created = f", creationTimestamp: '{time}'" if time else ""
    return f"""
kind: VirtualService
metadata: {{name: {name}, namespace: {namespace}{created}}}
spec: {{hosts: [a.com], exportTo: [{export_to}]{more}}}
"""


def state(*objects: str, **config: object) -> Mesh:
    return mesh("---".join(objects), **config)


@pytest.mark.parametrize(
    ("export_to", "default", "ranks"),
    [
        # How near one of shop is to shop, web and edge (`initVirtualServices`).
        ("", "*", (2, 2, 2)),
        ("", ".", (0, None, None)),
        ("'*'", ".", (2, 2, 2)),
        ("'.'", "*", (0, None, None)),
        ("shop", "*", (0, None, None)),
        ("web", "*", (None, 1, None)),
        ("'.', web", "*", (0, 1, None)),
        ("'~'", "*", (None, None, None)),
        ("'~', web", "*", (None, None, None)),
        ("'~', '*'", "*", (2, 2, 2)),
    ],
)
def test_one_is_private_exported_or_public(
    export_to: str, default: str, ranks: tuple[int | None, ...]
) -> None:
    found = state(virtual("v", "shop", export_to), default_virtual_service_export_to=(default,))
    (one,) = found.virtual_services
    assert tuple(found.routing.rank(one, n) for n in ("shop", "web", "edge")) == ranks
    seen = {n for n in ("shop", "web", "edge") if found.virtual_services_for("mesh", n)}
    assert seen == {
        n for n, rank in zip(("shop", "web", "edge"), ranks, strict=True) if rank is not None
    }


def test_private_ones_come_first_then_exported_then_public_ones() -> None:
    """`VirtualServicesForGateway`; among equals by time, name and namespace."""
    early, late = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
    found = state(
        virtual("public", "shop", time=early),
        virtual("b", "shop", "web", time=late),
        virtual("a", "shop", "web", time=late),
        virtual("a", "edge", "web", time=late),
        virtual("z", "edge", "web", time=early),
        virtual("private", "web", "'.'", time=late),
        virtual("gateway", "web", more=", gateways: [gw]"),
        virtual("both", "web", more=", gateways: [mesh, gw]", time=late),
        virtual("delegate", "web").replace("hosts: [a.com], ", ""),
    )
    names = [f"{vs.namespace}/{vs.id.name}" for vs in found.virtual_services_for("mesh", "web")]
    assert names == [
        "web/private",
        "edge/z",
        "edge/a",
        "shop/a",
        "shop/b",
        "shop/public",
        "web/both",
    ]
    bound = [vs.id.name for vs in found.virtual_services_for("web/gw", "edge")]
    assert bound == ["gateway", "both"]
    assert found.virtual_services_for("web/other", "web") == ()
    assert found.virtual_services[0].id.name == "delegate"


@pytest.mark.parametrize(
    ("export_to", "default", "users"),
    [
        # A delegate of shop is for roots in the namespaces that it is exported to.
        ("", "*", {"shop", "web"}),
        ("", ".", {"shop"}),
        ("'*'", ".", {"shop", "web"}),
        ("'.'", "*", {"shop"}),
        ("web", "*", {"web"}),
        ("shop, web", "*", {"shop", "web"}),
    ],
)
def test_a_delegate_has_users(export_to: str, default: str, users: set[str]) -> None:
    part = virtual("part", "shop", export_to).replace("hosts: [a.com], ", "")
    found = state(part, default_virtual_service_export_to=(default,))
    assert {n for n in ("shop", "web") if found.delegate(("shop", "part"), n)} == users
    assert found.delegate(("shop", "other"), "shop") is None
    assert found.delegate(("web", "part"), "web") is None


def test_one_with_hosts_is_no_delegate() -> None:
    assert state(virtual("v", "shop")).delegate(("shop", "v"), "shop") is None


def test_one_is_found_by_its_identity_unless_it_was_made() -> None:
    route = """
kind: HTTPRoute
metadata: {name: r, namespace: shop}
spec: {parentRefs: [{group: '', kind: Service, name: reviews}], rules: [{backendRefs: [{name: x, port: 80}]}]}
"""
    found = state(virtual("v", "shop"), route)
    assert len(found.virtual_services) == 2
    one = found.virtual_service(ResourceId("networking.istio.io", "VirtualService", "shop", "v"))
    assert one is not None
    assert one.id.name == "v"
    gone = ResourceId("networking.istio.io", "VirtualService", "shop", "w")
    made = ResourceId("gateway.networking.k8s.io", "HTTPRoute", "shop", "r")
    assert [found.virtual_service(id_) for id_ in (gone, made)] == [None, None]
    # Rules that were made are not looked for in the spec.
    (converted,) = (vs for vs in found.virtual_services if vs.id == made)
    assert found.http_rules(converted) == converted.made
    assert (found.tls_rules(converted), found.tcp_rules(converted)) == ((), ())


# What a tree knows of itself.


def test_names_are_read_in_the_domain_of_the_mesh() -> None:
    found = mesh("kind: Pod\nmetadata: {name: p}", cluster_domain="example")
    assert found.resolve_host("reviews", "shop") == "reviews.shop.svc.example"
    assert found.resolve_gateway("gw", "shop") == "shop/gw"


def test_in_an_open_world_only_what_is_known_can_be_absent() -> None:
    entry = "\nkind: ServiceEntry\nmetadata: {name: e, namespace: shop}\nspec: {hosts: [a.com]}\n"
    closed, open_ = mesh(entry), mesh(entry, world=World.OPEN)
    assert [closed.declares(host) for host in ("a.com", "b.com")] == [True, True]
    assert [closed.populates(host) for host in ("a.com", "b.com")] == [True, True]
    assert [open_.declares(host) for host in ("a.com", "b.com")] == [True, False]
    assert [open_.populates(host) for host in ("a.com", "b.com")] == [False, False]
    known = open_.knowing(Known(frozenset(("b.com",)))).knowing(
        Known(populated=frozenset(("a.com",)))
    )
    assert [known.declares(host) for host in ("a.com", "b.com", "c.com")] == [True, True, False]
    assert [known.populates(host) for host in ("a.com", "b.com")] == [True, False]
    # What is known stays known in other states.
    later = known.at(mesh("kind: Pod\nmetadata: {name: p}").snapshot)
    assert [later.declares(host) for host in ("a.com", "b.com")] == [False, True]
    assert later.world is World.OPEN
