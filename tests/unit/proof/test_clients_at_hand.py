"""Clients that objects tell apart in one of their versions, or together with others of their kind."""

import pytest

from meshplan.proof.types import Topic, TopicKind
from support.asking import HOST, OTHERS, OWN, SERVICE, clients, doc, policy, sidecar
from support.meshes import with_versions
from support.proofs import Change, change

IN_MESH = Topic(TopicKind.MESH, HOST)


def changed(before: str, after: str) -> Change:
    return change(*(with_versions(one.strip().removeprefix("---\n")) for one in (before, after)))


def asked(found: Change, topic: Topic = IN_MESH) -> list[str]:
    """Clients with their accounts, each once, in their order."""
    named = []
    for case in found.prover.cases_of(topic).cases(reverse=False):
        assert case.client.proxy is not None
        account = case.client.proxy.service_account
        named.append(f"{case.client}" + (f" as {account}" if account != "default" else ""))
    return list(dict.fromkeys(named))


# In the mesh


def test_a_sidecar_of_the_root_namespace_that_is_for_some_pods_in_one_version() -> None:
    """Without a selector it is for everybody, with one it is for pods of its own namespace."""
    every = sidecar("istio-system", "'shop/*'")
    some = sidecar("istio-system", "'shop/*'", labels="app: c")
    for before, after in ((every, some), (some, every)):
        found = asked(changed(SERVICE + before, SERVICE + after))
        own = ["namespace istio-system", "namespace istio-system (app=c)"]
        assert sorted(found) == sorted([OWN, OTHERS, *own])


def test_what_else_sidecars_say_counts_in_any_order() -> None:
    mode = "outboundTrafficPolicy: {mode: REGISTRY_ONLY}"
    pool = "inboundConnectionPool: {tcp: {maxConnections: 1}}"
    rest = "egress: [{hosts: [shop/*]}]"
    one = doc("Sidecar", "s", "n1", f"{{{mode}, {pool}, {rest}}}")
    other = doc("Sidecar", "s", "n2", f"{{{pool}, {rest}, {mode}}}")
    assert clients(SERVICE + one + other) == {OWN, OTHERS, "namespace n1"}
    more = doc("Sidecar", "s", "n3", f"{{{pool}, {rest}}}")
    assert clients(SERVICE + one + more) == {OWN, OTHERS, "namespace n1", "namespace n3"}


WILD = "*.example.com"
BOTH = SERVICE + doc(
    "VirtualService",
    "v",
    "web",
    f"{{hosts: ['{WILD}'], http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]}}",
)


@pytest.mark.parametrize(
    ("hosts", "is_told_apart"),
    [
        ("web/x.example.com", True),
        ("'*/x.example.com'", True),
        ("'web/*.x.example.com'", True),
        ("web/X.Example.com", True),
        # These import nothing more of what is at hand.
        ("web/xexample.com", False),
        ("web/example.com", False),
        ("far/x.example.com", False),
        ("web/a.shop.svc.cluster.local", False),
    ],
)
def test_who_imports_one_name_of_a_wildcard_besides(hosts: str, is_told_apart: bool) -> None:
    """All import the Service that the route of the wildcard leads to."""
    text = BOTH + sidecar("n1", "'shop/*'") + sidecar("n2", f"'shop/*', {hosts}")
    more = {"namespace n2"} if is_told_apart else set()
    assert clients(text, WILD) == {OWN, "namespace web", OTHERS, "namespace n1", *more}


def test_who_imports_what_is_no_name_of_a_wildcard_does_not_ask() -> None:
    entry = doc("ServiceEntry", "e", "web", f"{{hosts: ['{WILD}'], resolution: NONE, ports: [{{number: 80, name: http, protocol: HTTP}}]}}")  # fmt: skip
    found = clients(entry.removeprefix("---\n") + sidecar("n1", "web/xexample.com"), WILD)
    assert found == {"namespace web", OTHERS}


def test_too_many_labels_tell_nobody_apart_twice() -> None:
    """Each selector still has its client, in whatever order it names the labels."""
    rules = "".join(
        doc("DestinationRule", f"d{n}", "shop", f"{{host: a, workloadSelector: {{matchLabels: {{{labels}}}}}}}")
        for n, labels in enumerate(["b: '1', a: '1'", "a: '1', b: '1'", *(f"l{n}: '1'" for n in range(9))])
    )  # fmt: skip
    made = changed(SERVICE, SERVICE + rules)
    found = made.prover.cases_of(IN_MESH)
    said = [str(one.client) for one in found.cases(reverse=False)]
    labels = [one.client.proxy.labels for one in found.cases(reverse=False) if one.client.proxy]
    assert found.undecided == "clients are told apart by too many labels"
    keys = [f"{one} {sorted(held.items())}" for one, held in zip(said, labels, strict=True)]
    ports = [one.base.host for one in found.cases(reverse=False)]
    assert len(set(zip(keys, ports, strict=True))) == len(keys)
    assert {"namespace shop", "namespace shop (a=1,b=1)", "namespace shop (l8=1)"} <= set(said)


# At gateways

EDGE = Topic(TopicKind.GATEWAY, "x.example.com")
GATEWAY = "{selector: {istio: %s}, servers: [{port: {number: 443, name: h, protocol: HTTPS}, hosts: [x.example.com], tls: {mode: SIMPLE, credentialName: %s}}]}"


def gateway(name: str, label: str, credential: str) -> str:
    return doc("Gateway", name, "edge", GATEWAY % (label, credential))


def secret(name: str, namespace: str) -> str:
    return f"---\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\n"


def test_gateways_are_where_their_own_certificates_are() -> None:
    """Not where those of others are, nor where something else is called alike."""
    text = (
        gateway("one", "x", "first")
        + gateway("two", "z", "second")
        + SERVICE.replace("name: a,", "name: first,").replace("kind", "---\nkind", 1)
    )
    route = doc("VirtualService", "v", "shop", "{hosts: [x.example.com], gateways: [edge/one, edge/two], http: [{route: [{destination: {host: first}}]}]}")  # fmt: skip
    added = secret("first", "n1") + secret("second", "n2")
    found = asked(changed(text + route, text + route + added), EDGE)
    assert set(found) == {
        *(f"gateway {where}/istio=x" for where in ("edge", "istio-system", "n1")),
        *(f"gateway {where}/istio=z" for where in ("edge", "istio-system", "n2")),
    }


DEPLOYMENT = "---\nkind: Deployment\nmetadata: {name: d, namespace: far}\nspec: %s\n"
RUNNING = "{template: {metadata: {labels: {istio: x}}, spec: {serviceAccountName: one, containers: [{name: c}]}}}"


@pytest.mark.parametrize("turned", [False, True])
def test_a_version_of_the_pods_without_a_template_makes_none(turned: bool) -> None:
    sides = [DEPLOYMENT % spec for spec in (RUNNING, "{replicas: 1}")]
    before, after = sides[::-1] if turned else sides
    edge = gateway("gw", "x", "c")
    assert asked(changed(edge + before, edge + after), EDGE) == ["gateway far/istio=x as one"]


def test_accounts_of_a_gateway_are_asked_in_order() -> None:
    names = [f"n{letter}" for letter in "hbdafgce"]
    naming = policy(f"serviceAccounts: [{', '.join(f'edge/{name}' for name in names)}]")  # fmt: skip
    route = doc("VirtualService", "v", "shop", f"{{hosts: [x.example.com], gateways: [edge/gw], http: [{{route: [{{destination: {{host: {HOST}}}}}]}}]}}")  # fmt: skip
    text = gateway("gw", "x", "c") + SERVICE.replace("\nkind", "---\nkind", 1) + route + naming
    found = [one for one in asked(changed(text, text), EDGE) if one.startswith("gateway edge/")]
    assert found == [
        "gateway edge/istio=x",
        *(f"gateway edge/istio=x as {name}" for name in sorted(names)),
    ]
