"""Which DestinationRule a client uses: where it is written decides, then how it is merged."""

import pytest

from meshplan.mesh import Mesh
from meshplan.mesh.destination_rule import DestinationRule, _merge_into, destination_rule_of
from support.meshes import mesh

HOST = "reviews.shop.svc.cluster.local"


def rule(
    name: str, namespace: str, *subsets: str, host: str = HOST, export_to: str = "", extra: str = ""
) -> str:
    listed = ", ".join(f"{{name: {s}, labels: {{from: {name}}}}}" for s in subsets)
    exported = f"\n  exportTo: [{export_to}]" if export_to else ""
    return f"""
kind: DestinationRule
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  host: "{host}"
  subsets: [{listed}]{exported}{extra}
"""


def used(state: Mesh, client: str, **labels: str) -> dict[str, str]:
    """Subset to the name of the rule it is from, for clients of a namespace."""
    found = state.destination_rule(HOST, client, labels, "shop")
    return {s.name: s.source.name for s in found.subsets} if found else {}


def test_the_clients_namespace_beats_the_services_beats_the_root() -> None:
    rules = {
        "web": rule("client", "web", "v1"),
        "shop": rule("service", "shop", "v1"),
        "root": rule("root", "istio-system", "v1"),
    }
    assert used(mesh("---".join(rules.values())), "web") == {"v1": "client"}
    assert used(mesh(rules["shop"] + "---" + rules["root"]), "web") == {"v1": "service"}
    assert used(mesh(rules["root"]), "web") == {"v1": "root"}
    assert used(mesh(rules["web"]), "other") == {}


def test_rules_of_two_namespaces_are_never_merged() -> None:
    state = mesh(rule("client", "web", "v1") + "---" + rule("service", "shop", "v2"))
    assert used(state, "web") == {"v1": "client"}
    assert used(state, "other") == {"v2": "service"}


def test_a_wildcard_in_the_clients_namespace_shadows_the_services_own_rule() -> None:
    near = rule("near", "web", host="*.shop.svc.cluster.local")
    assert used(mesh(near + "---" + rule("own", "shop", "v1")), "web") == {}


def test_the_most_specific_host_of_a_namespace_is_taken() -> None:
    state = mesh(rule("wide", "shop", "v2", host="*.local") + "---" + rule("own", "shop", "v1"))
    assert used(state, "web") == {"v1": "own"}


def test_subsets_of_one_host_are_put_together_and_the_first_of_a_name_wins() -> None:
    state = mesh(rule("a", "shop", "v1", "v2") + "---" + rule("b", "shop", "v2", "v3"))
    assert used(state, "web") == {"v1": "a", "v2": "a", "v3": "b"}


def test_the_first_policy_wins_whole() -> None:
    policy = "\n  trafficPolicy: {tls: {mode: %s}}"
    state = mesh(
        rule("a", "shop")
        + "---"
        + rule("b", "shop", extra=policy % "DISABLE")
        + "---"
        + rule("c", "shop", extra=policy % "ISTIO_MUTUAL")
    )
    found = state.destination_rule(HOST, "web")
    assert found is not None
    assert found.policy == {"tls": {"mode": "DISABLE"}}
    assert found.policy_source is not None
    assert found.policy_source.name == "b"
    assert [source.name for source in found.sources] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("export_to", "clients"),
    [
        ("", {"shop", "web"}),
        ("'*'", {"shop", "web"}),
        ("'.'", {"shop"}),
        ("web", {"web"}),
        ("'.', web", {"shop", "web"}),
    ],
)
def test_export_to_hides_a_rule(export_to: str, clients: set[str]) -> None:
    state = mesh(rule("a", "shop", "v1", export_to=export_to))
    assert {n for n in ("shop", "web", "other") if used(state, n)} - {"other"} == clients


def test_a_hidden_rule_lets_that_of_the_root_namespace_through() -> None:
    text = rule("own", "shop", "v1", export_to="'.'") + "---" + rule("root", "istio-system", "v2")
    assert used(mesh(text), "web") == {"v2": "root"}
    assert used(mesh(text), "shop") == {"v1": "own"}


def test_a_private_rule_of_the_root_namespace_is_for_its_own_clients() -> None:
    state = mesh(rule("a", "istio-system", "v1", export_to="'.'"))
    assert used(state, "istio-system") == {"v1": "a"}
    assert used(state, "web") == {}


def test_a_selector_picks_clients_of_its_own_namespace() -> None:
    selector = "\n  workloadSelector: {matchLabels: {app: client}}"
    state = mesh(rule("all", "web", "v1") + "---" + rule("some", "web", "v2", extra=selector))
    assert used(state, "web", app="client") == {"v2": "some"}
    assert used(state, "web", app="other") == {"v1": "all"}
    assert state.destination_rule(HOST, "web") == state.destination_rule(HOST, "web", {"a": "b"})


def test_a_selector_of_the_services_namespace_picks_nobody_elsewhere() -> None:
    """It is for pods of its own namespace (`DestinationRule.workloadSelector`), as in a Sidecar."""
    selector = "\n  workloadSelector: {matchLabels: {app: client}}"
    state = mesh(rule("all", "shop", "v1") + "---" + rule("some", "shop", "v2", extra=selector))
    assert used(state, "web", app="client") == {"v1": "all"}
    assert used(state, "shop", app="client") == {"v2": "some"}


def test_the_older_rule_is_the_first() -> None:
    text = rule("a", "shop", "v1").replace(
        "name: a,", "name: a, creationTimestamp: '2024-01-02T00:00:00Z',"
    )
    older = rule("b", "shop", "v1").replace(
        "name: b,", "name: b, creationTimestamp: '2024-01-01T00:00:00Z',"
    )
    assert used(mesh(text + "---" + older), "web") == {"v1": "b"}


SELECTOR = "\n  workloadSelector: {matchLabels: {app: %s}}"


@pytest.mark.parametrize(
    ("first", "second", "rules"),
    [
        # Merged into the first, and not kept beside it.
        (("'.'", ""), ("'.', web", ""), [("a", "b")]),
        (("'.'", "one"), ("'.', web", "one"), [("a", "b")]),
        (("'.'", "one"), ("'.'", "one"), [("a", "b")]),
        # Merged into the first and kept beside it.
        (("'.'", "one"), ("'.', web", ""), [("a", "b"), ("b",)]),
        # Neither.
        (("'.'", ""), ("web", ""), [("a",), ("b",)]),
        (("'.'", "one"), ("'.'", "two"), [("a",), ("b",)]),
    ],
)
def test_rules_are_merged_as_istiod_does(
    first: tuple[str, str], second: tuple[str, str], rules: list[tuple[str, ...]]
) -> None:
    """`mergeDestinationRule`, with `exportTo` and a selector for each of two rules."""
    texts = [
        rule(name, "shop", f"v-{name}", export_to=shown, extra=SELECTOR % app if app else "")
        for name, (shown, app) in (("a", first), ("b", second))
    ]
    snapshot = mesh("---".join(texts)).snapshot
    found: tuple[DestinationRule, ...] = ()
    for one in snapshot.of_kind("networking.istio.io", "DestinationRule"):
        found = _merge_into(found, destination_rule_of(one, "cluster.local"))
    assert [tuple(s.name for s in one.sources) for one in found] == rules


@pytest.mark.parametrize("export_to", ["", "'*'", "'.'", "web", "'*', shop"])
def test_a_rule_of_the_clients_namespace_counts_for_hosts_of_others(export_to: str) -> None:
    state = mesh(rule("a", "web", "v1", export_to=export_to))
    assert used(state, "web") == {"v1": "a"}
    assert used(state, "other") == {}
    elsewhere = mesh(rule("a", "web", "v1", export_to="shop"))
    assert used(elsewhere, "web") == {}


@pytest.mark.parametrize(
    ("export_to", "default", "clients"),
    [
        # Who uses a rule of shop: its own clients, others, those of the root namespace.
        ("", "*", {"shop", "web", "istio-system"}),
        ("", ".", {"shop"}),
        ("'*'", ".", {"shop", "web", "istio-system"}),
        ("shop", "*", {"shop"}),
        ("'.'", "*", {"shop"}),
        ("'.', '*'", "*", {"shop", "web", "istio-system"}),
        ("shop, web", "*", {"shop", "web"}),
        ("web", "*", {"web"}),
        ("istio-system", "*", {"istio-system"}),
    ],
)
def test_a_rule_counts_for_the_clients_that_it_is_exported_to(
    export_to: str, default: str, clients: set[str]
) -> None:
    """`setDestinationRules`, `getExportedDestinationRuleFromNamespace`."""
    state = mesh(
        rule("a", "shop", "v1", export_to=export_to),
        default_destination_rule_export_to=(default,),
    )
    assert {n for n in ("shop", "web", "istio-system") if used(state, n)} == clients


@pytest.mark.parametrize(
    ("export_to", "clients"),
    [
        # A rule of the root namespace is everybody's, unless it is private to that.
        ("", {"shop", "web", "istio-system"}),
        ("'.'", {"istio-system"}),
        ("istio-system", {"istio-system"}),
        ("web", {"web"}),
        ("istio-system, web", {"web"}),
    ],
)
def test_a_rule_of_the_root_namespace(export_to: str, clients: set[str]) -> None:
    state = mesh(rule("a", "istio-system", "v1", export_to=export_to))
    found = {n for n in ("shop", "web", "istio-system") if used(state, n)}
    # Its own clients look there as everybody does, at what is exported to them.
    assert found - {"istio-system"} == clients - {"istio-system"}
    assert ("istio-system" in found) is (
        "istio-system" in clients or export_to == "istio-system, web"
    )


def test_a_rule_with_a_selector_is_for_its_own_namespace_whatever_it_says() -> None:
    """`setDestinationRules`: such a rule counts as exported to `.`."""
    text = rule("a", "shop", "v1", export_to="'*'", extra=SELECTOR % "client")
    assert used(mesh(text), "web", app="client") == {}
    assert used(mesh(text), "shop", app="client") == {"v1": "a"}
    assert used(mesh(text), "shop", app="other") == {}


def test_what_a_rule_holds() -> None:
    text = """
kind: DestinationRule
metadata: {name: a, namespace: shop, creationTimestamp: '2024-01-01T00:00:00Z'}
spec:
  host: reviews
  exportTo: ['*', web]
  trafficPolicy: {tls: {mode: SIMPLE}}
  subsets:
  - {name: v1, labels: {version: 1, live: true}}
  - {name: v2, trafficPolicy: {loadBalancer: {simple: RANDOM}}}
  - {name: v3, trafficPolicy: {}}
"""
    (resource,) = mesh(text).snapshot.of_kind("networking.istio.io", "DestinationRule")
    found = destination_rule_of(resource, "cluster.local")
    assert (found.host, found.namespace, found.created) == (HOST, "shop", "2024-01-01T00:00:00Z")
    assert (found.export_to, found.selector) == (frozenset(("*", "web")), None)
    assert found.policy == {"tls": {"mode": "SIMPLE"}}
    assert (found.policy_source, found.sources) == (resource.id, (resource.id,))
    assert [(s.name, dict(s.labels), s.policy, s.source, s.pointer) for s in found.subsets] == [
        ("v1", {"version": "1", "live": "true"}, None, resource.id, "/spec/subsets/0"),
        ("v2", {}, {"loadBalancer": {"simple": "RANDOM"}}, resource.id, "/spec/subsets/1"),
        ("v3", {}, None, resource.id, "/spec/subsets/2"),
    ]
    assert [found.subset(name) for name in ("v2", "v9")] == [found.subsets[1], None]
    bare = mesh(rule("b", "shop")).destination_rule(HOST, "web")
    assert bare is not None
    assert (bare.policy, bare.policy_source) == (None, None)


def test_where_a_host_is_declared_tells_whose_rule_counts() -> None:
    """`PushContext.destinationRule`: the namespace of the service, else the one in its name."""
    entry = """
kind: ServiceEntry
metadata: {name: e, namespace: shop}
spec: {hosts: [a.com], ports: [{number: 80, name: http, protocol: HTTP}]}
"""
    text = rule("own", "shop", "v1", host="a.com")
    found = mesh(f"{entry}---{text}").destination_rule("a.com", "web")
    assert found is not None
    assert mesh(text).destination_rule("a.com", "web") is None
    named = mesh(rule("own", "shop", "v1")).destination_rule(HOST, "web")
    assert named is not None


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["*.shop.svc.cluster.local", "*.cluster.local"], "a"),
        (["*.cluster.local", "*.shop.svc.cluster.local"], "b"),
        (["*", HOST], "b"),
        (["*.web.svc.cluster.local", "*"], "b"),
    ],
)
@pytest.mark.parametrize("namespace", ["web", "shop", "istio-system"])
def test_the_nearest_host_counts_in_every_namespace(
    hosts: list[str], expected: str, namespace: str
) -> None:
    rules = [rule(name, namespace, "v1", host=host) for name, host in zip("ab", hosts, strict=True)]
    assert used(mesh("---".join(rules)), "web") == {"v1": expected}


def test_rules_of_one_age_are_merged_by_name() -> None:
    """`sortConfigBySelectorAndCreationTime`: with a selector first, then time, then name."""
    texts = [
        rule("b", "shop", "v1"),
        rule("a", "shop", "v1"),
        rule("s", "shop", "v1", extra=SELECTOR % "client"),
    ]
    state = mesh("---".join(texts))
    found = state.destination_rules.for_host(HOST, "shop", "shop")
    assert [tuple(s.name for s in one.sources) for one in found] == [("s",), ("a", "b")]
    assert used(state, "shop", app="client") == {"v1": "s"}
    assert used(state, "shop") == {"v1": "a"}
    young = texts[1].replace("name: a,", "name: a, creationTimestamp: '2024-01-02T00:00:00Z',")
    assert used(mesh("---".join((texts[0], young))), "shop") == {"v1": "b"}
