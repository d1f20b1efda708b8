"""What single objects have a bearing on, where nothing else leads to the same."""

import pytest

from meshplan.proof.footprint import Footprint
from meshplan.proof.index import Index
from meshplan.proof.types import Topic, TopicKind
from meshplan.proof.versions import Versions
from support.around import DOMAIN, snapshot


def topics(text: str, of: str, after: str = "") -> list[Topic]:
    """Of an object by kind, namespace and name; all objects change if there is another text."""
    base, head = (snapshot(one)[1] for one in (text, after or text))
    versions = Versions(base, head)
    footprint = Footprint(Index(versions, "cluster.local"), versions, "istio-system")
    (id_,) = (one for one in {**dict(base.items()), **dict(head.items())} if str(one) == of)
    return list(footprint.topics(id_))


def named(found: list[Topic]) -> set[str]:
    """Hosts in short, and pods with their labels."""
    words = set()
    for topic in found:
        shown = ",".join(f"{key}={value}" for key, value in topic.labels)
        what = f"{topic.namespace}/{shown}" if topic.kind is TopicKind.SERVER else topic.host
        words.add(f"{topic.kind} {what.removesuffix(f'.{DOMAIN}')}")
    assert len(words) == len(found)
    return words


SORTS = """
    both Gateway edge/a {servers: [{port: {number: 80, protocol: HTTP}, hosts: [a.net]}]}
    both Gateway edge/b {servers: [{port: {number: 80, protocol: TCP}, hosts: [b.net]}, {port: {number: 81, protocol: HTTP}, hosts: [c.net]}]}
    both Gateway edge/d {servers: [{port: {number: 81, protocol: HTTP}, hosts: [d.net]}]}
"""
ALIAS = "{type: ExternalName, externalName: %s.svc.cluster.local}"


@pytest.mark.parametrize(
    ("text", "of", "expected"),
    [
        # What stands for a host, in turn as well, and in a circle.
        (
            f"""both Service shop/a {{}}
            both Service far/o {ALIAS % "a.shop"}
            both Service far/p {ALIAS % "o.far"}
            both Service far/q {ALIAS % "b.shop"}
            both DestinationRule shop/r {{host: a}}""",
            "DestinationRule shop/r",
            {"mesh a.shop", "mesh o.far", "mesh p.far"},
        ),
        (
            f"""both Service far/o {ALIAS % "p.far"}
            both Service far/p {ALIAS % "o.far"}
            both DestinationRule far/r {{host: p}}""",
            "DestinationRule far/r",
            {"mesh o.far", "mesh p.far"},
        ),
        # Who asks for a name that is declared besides a wildcard may be served by either.
        (
            """both ServiceEntry out/w {hosts: ['*.a.net']}
            both ServiceEntry out/x {hosts: [b.a.net]}
            both ServiceEntry out/y {hosts: [a.net]}""",
            "ServiceEntry out/w",
            {"mesh *.a.net", "mesh b.a.net"},
        ),
        # All that a rule for a wildcard is about.
        (
            """both Service shop/a {}
            both ServiceEntry shop/b {hosts: [B.shop.svc.cluster.local, c.web.svc.cluster.local]}
            both DestinationRule shop/r {host: '*.shop.svc.cluster.local'}""",
            "DestinationRule shop/r",
            {"mesh *.shop", "mesh a.shop", "mesh b.shop"},
        ),
        # Listeners without routes.
        (
            """both API edge/g {listeners: [{hostname: L.example.io}, {port: 80}]}""",
            "Gateway edge/g",
            {"gateway l.example.io", "gateway *"},
        ),
        # Routes are for the hosts of their parents, wherever those are.
        (
            """both API edge/g {listeners: [{hostname: L.example.io}]}
            both API shop/g {listeners: [{hostname: m.example.io}]}
            both HTTPRoute shop/r {parentRefs: [{name: g, namespace: edge}, {kind: Service, name: s, namespace: web}, {kind: Service, name: s}]}""",
            "HTTPRoute shop/r",
            {"gateway l.example.io", "mesh s.web", "mesh s.shop"},
        ),
        # Names of clusters that other networks ask for.
        (
            """both API edge/g {listeners: [{hostname: '*.local', tls: {options: {gateway.istio.io/listener-protocol: auto-passthrough}}}]}
            both Service shop/a {ports: [{port: 80}]}""",
            "Gateway edge/g",
            {"gateway *.local", "gateway outbound_.80_._.a.shop"},
        ),
        (
            """both Gateway edge/g {servers: [{port: {number: 15443, protocol: TLS}, tls: {mode: AUTO_PASSTHROUGH}, hosts: ['*.local']}]}
            both Service shop/a {ports: [{port: 80}]}""",
            "Gateway edge/g",
            {"gateway *.local", "gateway outbound_.80_._.a.shop"},
        ),
        # Servers of different sorts on one port, of which the oldest may be the only one.
        (SORTS, "Gateway edge/a", {"gateway a.net", "gateway b.net"}),
        (SORTS, "Gateway edge/b", {"gateway a.net", "gateway b.net", "gateway c.net"}),
        (SORTS, "Gateway edge/d", {"gateway d.net"}),
        # A Gateway that asks for no labels says the same whatever pods there are.
        (
            """both Gateway edge/g {servers: [{port: {number: 80}, hosts: ['*']}]}
            both Pod edge/p {metadata: {labels: {istio: x}}}""",
            "Pod edge/p",
            set(),
        ),
        # Pods behind a Service that a Gateway names as its own.
        (
            """both API edge/g {addresses: [{type: Hostname, value: in}], listeners: [{hostname: l.example.io}]}
            both Service edge/in {selector: {app: in}}
            both Pod edge/p {metadata: {labels: {app: in}}}""",
            "Pod edge/p",
            {"mesh in.edge", "gateway l.example.io"},
        ),
        # A Namespace may say how all that is declared there is reached.
        (
            f"""both Namespace far {{}}
            both Service far/o {ALIAS % "a.shop"}
            both Service far/s {{selector: {{app: s}}}}
            both ServiceEntry far/e {{hosts: [e.example.net]}}
            both Service shop/a {{}}""",
            "Namespace far",
            {"mesh o.far", "mesh s.far", "mesh e.example.net"},
        ),
    ],
)  # fmt: skip
def test_what_it_reaches(text: str, of: str, expected: set[str]) -> None:
    assert named(topics(text, of)) == expected


def test_either_of_two_that_stand_for_each_other_reaches_both() -> None:
    """Whichever is asked for first."""
    text = f"""both Service far/o {ALIAS % "p.far"}
        both Service far/p {ALIAS % "o.far"}
        both DestinationRule far/ro {{host: o}}
        both DestinationRule far/rp {{host: p}}"""
    base = snapshot(text)[1]
    versions = Versions(base, base)
    footprint = Footprint(Index(versions, "cluster.local"), versions, "istio-system")
    rules = [one for one in base if one.kind == "DestinationRule"]
    found = [named(list(footprint.topics(rule))) for rule in (*rules, *rules[::-1])]
    assert found == [{"mesh o.far", "mesh p.far"}] * 4


CHOSEN = """
    both API edge/some {listeners: [{hostname: l.example.io, allowedRoutes: {namespaces: {from: All}}}, {hostname: m.example.io, allowedRoutes: {namespaces: {from: Selector}}}]}
    both API edge/same {listeners: [{hostname: n.example.io, allowedRoutes: {namespaces: {from: Same}}}]}
    both HTTPRoute shop/r {parentRefs: [{name: some, namespace: edge}], hostnames: [r.example.io]}
    both HTTPRoute web/q {parentRefs: [{name: some, namespace: edge}], hostnames: [q.example.io]}
    both HTTPRoute shop/s {parentRefs: [{name: same, namespace: edge}], hostnames: [s.example.io]}
    both Namespace shop {}
    both Namespace web {}
    both Namespace edge {}
"""


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [("shop", {"gateway r.example.io"}), ("web", {"gateway q.example.io"}), ("edge", set())],
)
def test_routes_that_listeners_choose_by_namespace(namespace: str, expected: set[str]) -> None:
    assert named(topics(CHOSEN, f"Namespace {namespace}")) == expected


POLICY = "both AuthorizationPolicy shop/p {selector: {matchLabels: {app: a}}}\n"
DEPLOYMENT = "both Deployment shop/d {template: %s}\n"
OF_A, OF_B = (f"{{metadata: {{labels: {{z: '1', app: {one}}}}}}}" for one in "ab")


@pytest.mark.parametrize(
    ("before", "after"),
    [(OF_A, OF_B), (OF_B, OF_A), (OF_A, "none"), ("none", OF_A), (OF_A, OF_A)],
)
def test_a_policy_is_for_versions_of_pods_that_have_its_labels(before: str, after: str) -> None:
    found = topics(
        POLICY + DEPLOYMENT % before, "AuthorizationPolicy shop/p", POLICY + DEPLOYMENT % after
    )
    assert named(found) == {"server shop/app=a,z=1"}


def test_hosts_of_a_sidecar_come_in_order() -> None:
    """Not in that of their hashes, which are others in each process."""
    hosts = [f"{letter}.example.net" for letter in "hcgbfade"]
    entries = ", ".join(f"'*/{host}'" for host in hosts)
    found = topics(f"both Sidecar shop/s {{egress: [{{hosts: [{entries}]}}]}}", "Sidecar shop/s")
    assert [topic.host for topic in found] == sorted(hosts)
