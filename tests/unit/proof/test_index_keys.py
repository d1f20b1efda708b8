"""By which keys single objects are found, derived by hand."""

import pytest

from meshplan.proof.fields import selector_of, targets_of
from meshplan.proof.index import MOVING, Index
from meshplan.proof.versions import Versions
from meshplan.resource import Snapshot
from support.around import snapshot

DOMAIN = "cluster.local"


def made(before: str, after: str = "") -> Index:
    return Index(Versions(snapshot(before)[1], snapshot(after or before)[1]), DOMAIN)


EGRESS, WEB = "egress: [{hosts: ['shop/*']}]", "egress: [{hosts: ['web/*']}]"
OF_A = "workloadSelector: {labels: {app: a}}"
CLOSED = "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"


@pytest.mark.parametrize(
    ("before", "after", "moves"),
    [
        ([EGRESS], [], True),
        ([], [EGRESS], True),
        ([EGRESS], [WEB], False),
        ([OF_A, EGRESS], [EGRESS], True),
        ([OF_A, EGRESS], [OF_A, WEB], False),
        ([EGRESS], [EGRESS, CLOSED], True),
        ([EGRESS, CLOSED], [CLOSED], False),
        ([EGRESS], [EGRESS], False),
    ],
)
def test_sidecars_that_leave_their_clients_alone(
    before: list[str], after: list[str], moves: bool
) -> None:
    texts = [f"both Sidecar web/s {{{', '.join(s)}}}" if s else "" for s in (before, after)]
    index = Index(Versions(snapshot(texts[0])[1], snapshot(texts[1])[1]), DOMAIN)
    assert [id_.name for id_ in index.ids(MOVING)] == ["s"] * moves
    assert {len(key) for key in index.keys("import")} <= {3}
    others = [text.replace("Sidecar", "EnvoyFilter") for text in texts]
    index = Index(Versions(snapshot(others[0])[1], snapshot(others[1])[1]), DOMAIN)
    assert list(index.ids(MOVING)) == []


def test_a_name_that_is_near_in_several_ways_is_found_once() -> None:
    index = made("both VirtualService shop/r {hosts: ['*.example.com', x.example.com, '*']}")
    for host in ("x.example.com", "*.example.com", "*", "y.example.com"):
        assert [id_.name for id_ in index.near("route.host", host)] == ["r"]
    assert sorted(index.hosts_under("route.host", "*.example.com")) == [
        "*",
        "*.example.com",
        "x.example.com",
    ]


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("x.example.com", ["*.com", "*.example.com"]),
        ("example.com", ["*.com"]),
        ("*.example.com", ["*.com", "*.example.com", "x.example.com"]),
        ("*.example.org", []),
    ],
)
def test_what_a_wildcard_covers_or_what_covers_a_name(host: str, hosts: list[str]) -> None:
    named = "['*.example.com', x.example.com, '*.com', '*.net']"
    entry = f"both ServiceEntry shop/e {{hosts: {named}%s}}"
    for changed in ("", ", location: MESH_INTERNAL"):
        index = made(entry % "", entry % changed)
        assert sorted(index.hosts_of_one("service.host", host)) == hosts


def test_an_object_with_other_versions_besides_is_found_once_by_any_of_them() -> None:
    """It is the same in both revisions; a plan writes something else in between."""
    route = "both VirtualService shop/r {hosts: [%s]}"
    base = snapshot(route % "a.example.com")[1]
    versions = Versions(base, base)
    (other,) = snapshot(route % "a.example.com, b.example.com")[1].values()
    versions.number(other.id, other)
    index = Index(versions, DOMAIN)
    assert list(index.ids(("route", "host", "a.example.com"))) == [other.id]
    assert list(index.ids(("route", "host", "b.example.com"))) == [other.id]


def test_pods_that_nobody_can_read_are_none() -> None:
    """Of another version they may be some."""
    pods = "both Deployment shop/a {template: %s}"
    labelled = "{metadata: {labels: {app: a}}}"
    assert list(made(pods % "none").keys("pod")) == []
    for one, other in ((labelled, "none"), ("none", labelled)):
        index = made(pods % one, pods % other)
        assert [id_.name for id_ in index.pods("shop", {"app": "a"})] == ["a"]
        assert list(index.pods("shop", {"app": "b"})) == []


def test_pods_of_several_versions_are_found_once() -> None:
    pods = "both Deployment shop/a {template: {metadata: {labels: {app: a, v: '%s'}}, spec: {}}}"
    index = made(pods % 1, pods % 2)
    for selector, found in (
        ({"app": "a"}, 1),
        ({}, 1),
        ({"app": "a", "v": "1"}, 1),
        ({"v": "2", "app": "a"}, 1),
        ({"v": "3", "app": "a"}, 0),
        ({"app": "b"}, 0),
    ):
        assert [id_.name for id_ in index.pods("shop", selector)] == ["a"] * found
        assert [id_.name for id_ in index.pods("", selector)] == ["a"] * found
        assert list(index.pods("web", selector)) == []


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("Service shop/a {clusterIP: None}", {("service", "host", f"a.shop.svc.{DOMAIN}")}),
        ("Service shop/a {clusterIP: ''}", {("service", "host", f"a.shop.svc.{DOMAIN}")}),
        ("Service shop/a {type: ClusterIP, externalName: b.net}", {("service", "host", f"a.shop.svc.{DOMAIN}")}),
        ("VirtualService shop/r {tls: [{route: [{destination: {host: T}}]}], tcp: [{route: [{destination: {host: b.net}}]}], http: [{mirror: {host: c}}, {mirrors: [{destination: {host: d}}]}, {mirror: no, delegate: no}]}", {("route", "gateway", "mesh"), *(("route", "destination", host) for host in (f"t.shop.svc.{DOMAIN}", "b.net", f"c.shop.svc.{DOMAIN}", f"d.shop.svc.{DOMAIN}"))}),
        ("VirtualService shop/r {hosts: [A.net], gateways: [gw, far/gw]}", {("route", "host", "a.net"), ("route", "gateway", "shop/gw"), ("route", "gateway", "far/gw")}),
        ("HTTPRoute shop/r {parentRefs: [{kind: Other, name: p, namespace: far}], rules: [{backendRefs: [{}, {kind: Hostname, name: b.net}]}]}", {("attached", "Other", "far/p"), ("attached", "host", "*"), ("attached", "destination", "b.net")}),
        ("GRPCRoute shop/r {rules: [{backendRefs: [{name: a}, {kind: Service, name: b, namespace: far}], filters: [{requestMirror: {backendRef: {name: c}}}, {}]}]}", {("attached", "destination", f"{host}.svc.{DOMAIN}") for host in ("a.shop", "b.far", "c.shop")}),
        ("Gateway shop/g {servers: [{hosts: [far/A.net, './*'], port: {number: 80}}]}", {("gateway", "name", "shop/g"), ("gateway", "host", "a.net"), ("gateway", "host", "*"), ("gateway", "port", "80")}),
        ("API shop/g {addresses: [{value: in}, {value: b.net}], listeners: [{hostname: A.net}, {}]}", {("listener", "name", "shop/g"), ("listener", "host", "a.net"), ("listener", "host", "*"), ("listener", "address", f"in.shop.svc.{DOMAIN}"), ("listener", "address", "b.net")}),
        ("Sidecar shop/s {egress: [{hosts: ['./A.net', far/b.net]}, {hosts: ['~/*']}]}", {("import", "shop", "a.net"), ("import", "far", "b.net"), ("import", "~", "*")}),
        ("ServiceEntry shop/e {hosts: [A.net], addresses: [10.0.0.1, 10.0.0.2]}", {("service", "host", "a.net"), ("service", "address", "10.0.0.1"), ("service", "address", "10.0.0.2")}),
        ("ServiceEntry shop/e {endpoints: [{labels: {a: b}}, {labels: {c: d}}]}", {*(("written", where, *label) for where in ("", "shop") for label in ((), ("a", "b"), ("c", "d")))}),
        ("Endpoints shop/a {}", {("endpoints", "shop", "a")}),
        ("EndpointSlice shop/a {metadata: {labels: {kubernetes.io/service-name: b}}}", {("endpoints", "shop", "b")}),
        ("EndpointSlice shop/a {}", {("endpoints", "shop", "")}),
    ],
)  # fmt: skip
def test_keys_of_an_object(line: str, keys: set[tuple[str, ...]]) -> None:
    """In all families that look at it; several are asked for at once."""
    families = {key[0] for key in keys}
    index = made(f"both {line}")
    assert {key for family in families for key in index.keys(family)} == keys
    assert len(list(index.ids(*keys))) == len(keys)
    after = Index(Versions(Snapshot(()), snapshot(f"both {line}")[1]), DOMAIN)
    assert {key for family in families for key in after.keys(family)} - {MOVING} == keys


@pytest.mark.parametrize(
    ("line", "selector"),
    [
        ("AuthorizationPolicy shop/p {selector: {matchLabels: {a: b}}}", {"a": "b"}),
        ("Sidecar shop/p {workloadSelector: {labels: {a: b}}}", {"a": "b"}),
        ("DestinationRule shop/p {workloadSelector: {matchLabels: {a: b}}}", {"a": "b"}),
        ("AuthorizationPolicy shop/p {selector: {matchLabels: {}}}", {}),
        ("AuthorizationPolicy shop/p {selector: {labels: {a: b}}}", {}),
    ],
)
def test_which_pods_an_object_is_for(line: str, selector: dict[str, str]) -> None:
    (one,) = snapshot(f"both {line}")[1].values()
    assert selector_of(one) == selector


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("{targetRefs: [{kind: Gateway, name: a}, {kind: Service, name: b}, {kind: Gateway, name: c}]}", ["a", "c"]),
        ("{targetRef: {kind: Gateway, name: a}}", ["a"]),
        ("{targetRefs: [{kind: Gateway, name: b}], targetRef: {kind: Gateway, name: a}}", ["b", "a"]),
        ("{targetRef: no}", []),
        ("{}", []),
    ],
)  # fmt: skip
def test_which_gateways_a_policy_is_for(spec: str, names: list[str]) -> None:
    (one,) = snapshot(f"both AuthorizationPolicy shop/p {spec}")[1].values()
    assert list(targets_of(one)) == names


def test_who_stands_for_a_host() -> None:
    alias = "{type: ExternalName, externalName: %s}"
    index = made(
        "\n".join(
            (
                f"both Service shop/a {alias % 'x.example.com'}",
                f"both Service shop/b {alias % f'a.shop.svc.{DOMAIN}'}",
                f"both Service far/c {alias % f'b.shop.svc.{DOMAIN}'}",
                f"both Service far/d {alias % f'e.far.svc.{DOMAIN}'}",
                f"both Service far/e {alias % f'd.far.svc.{DOMAIN}'}",
            )
        )
    )
    a, b, c, d, e = (
        f"{one}.svc.{DOMAIN}" for one in ("a.shop", "b.shop", "c.far", "d.far", "e.far")
    )
    assert sorted(index.aliases("x.example.com")) == sorted([a, b, c])
    assert sorted(index.aliases("*.example.com")) == sorted([a, b, c])
    assert list(index.aliases(b)) == [c]
    # In a circle each stands for the other, and none for itself.
    assert list(index.aliases(d)) == [e]
    assert list(index.aliases(c)) == []


def test_who_stands_for_a_host_in_some_version() -> None:
    """Also where a version makes a circle of it."""
    alias = "both Service shop/%s {type: ExternalName, externalName: %s.shop.svc.cluster.local}"
    before = "\n".join((alias % ("p", "a"), alias % ("q", "p")))
    index = made(before, before.replace("externalName: a.", "externalName: q."))
    found = list(index.aliases(f"a.shop.svc.{DOMAIN}"))
    assert found == [f"p.shop.svc.{DOMAIN}", f"q.shop.svc.{DOMAIN}"]


def test_what_a_service_stands_for() -> None:
    found = made(
        """
        both Service shop/a {type: ExternalName, externalName: b.shop.svc.cluster.local}
        both Service shop/b {type: ExternalName, externalName: c.net}
        both Service shop/d {type: ClusterIP, externalName: e.net}
        """
    )
    assert list(found.stood_for("a.shop.svc.cluster.local")) == [
        "b.shop.svc.cluster.local",
        "c.net",
    ]
    assert list(found.stood_for("d.shop.svc.cluster.local")) == []
