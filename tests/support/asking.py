"""Who asks for a host: the cases of a topic, and objects in short for tests of them."""

from meshplan.proof.topics import TopicCases
from meshplan.proof.types import Topic, TopicKind
from meshplan.settings import World
from support.meshes import with_versions
from support.proofs import Change, change

SERVICE = """
kind: Service
metadata: {name: a, namespace: shop}
spec: {selector: {app: a}, ports: [{name: http, port: 80}]}
"""
HOST = "a.shop.svc.cluster.local"


def cases(after: str, kind: TopicKind, host: str = HOST, before: str = "", **pods: str) -> list:  # type: ignore[type-arg]
    """All cases of a topic when something is added to a mesh."""
    base = with_versions(before.strip()) if before else ""
    found = change(base, with_versions(after.strip()))
    namespace = pods.pop("namespace", "")
    topic = Topic(kind, host if not namespace else "", namespace, tuple(sorted(pods.items())))
    return found.prover.cases_of(topic).cases(reverse=False)


def clients(text: str, host: str = HOST) -> set[str]:
    """Clients with their service accounts, where these are told apart; none is asked twice."""
    found = set()
    made = cases(text, TopicKind.MESH, host, before=text)
    asked = [(str(one.client), one.client.proxy, one.base) for one in made]
    assert not any(one in asked[:number] for number, one in enumerate(asked))
    for case in made:
        assert case.client.proxy is not None
        account = case.client.proxy.service_account
        found.add(f"{case.client}" + (f" as {account}" if account != "default" else ""))
    return found


OWN, OTHERS = "namespace shop", "any other namespace"


def doc(kind: str, name: str, namespace: str, spec: str) -> str:
    return f"---\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def route(match: str = "", namespace: str = "web", more: str = "") -> str:
    found = f"match: [{match}], " if match else ""
    http = f"[{{{found}route: [{{destination: {{host: {HOST}}}}}]}}]"
    return doc("VirtualService", "r", namespace, f"{{hosts: [{HOST}], http: {http}{more}}}")


def pod(namespace: str, labels: str) -> str:
    return (
        f"---\nkind: Pod\nmetadata: {{name: p, namespace: {namespace}, labels: {{{labels}}}}}\n"
        "spec: {containers: [{name: c}]}\n"
    )


def sidecar(namespace: str, hosts: str, name: str = "s", labels: str = "") -> str:
    selector = f"workloadSelector: {{labels: {{{labels}}}}}, " if labels else ""
    return doc("Sidecar", name, namespace, f"{{{selector}egress: [{{hosts: [{hosts}]}}]}}")


def policy(source: str) -> str:
    rules = f"[{{from: [{{source: {{{source}}}}}]}}]"
    return doc(
        "AuthorizationPolicy",
        "p",
        "shop",
        f"{{selector: {{matchLabels: {{app: a}}}}, rules: {rules}}}",
    )


MESH, GATEWAY = TopicKind.MESH, TopicKind.GATEWAY
OTHER = doc("DestinationRule", "z", "far", "{host: other.example.com}")


def changed(before: str, after: str = "", **named: World) -> Change:
    """From one text to another; without another, something else changes."""
    texts = [one.strip().removeprefix("---\n") for one in (before, after or before + OTHER)]
    return change(*map(with_versions, texts), **named)  # type: ignore[arg-type]


def of(found: Change, kind: TopicKind = MESH, host: str = HOST) -> TopicCases:
    return found.prover.cases_of(Topic(kind, host))
