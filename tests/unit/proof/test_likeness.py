"""What topics have in common with their twins: all that is known of them, under other names."""

from collections.abc import Hashable, Iterator
from typing import Any, cast

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh.proxy import Proxy, ProxyKind, sidecar
from meshplan.proof.cases import Case
from meshplan.proof.scope import Stages
from meshplan.proof.topics import TopicCases
from meshplan.proof.twins import likeness_of
from meshplan.proof.types import Client, Topic, TopicKind
from meshplan.resource import Resource
from meshplan.traffic.outcome import Transport
from meshplan.traffic.request import Request
from support.meshes import with_versions
from support.proofs import Change, change
from support.snapshots import resource

OBJECTS = """kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80}}]}}
---
kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec: {{hosts: [{name}], http: [{{{extra}, route: [{{destination: {{host: {name}, subset: {subset}}}}}]}}]}}"""


def made(*both: tuple[str, str]) -> Change:
    """The same change of services with some names and lines."""
    texts = (
        "\n---\n".join(
            OBJECTS.format(name=name, extra=extra, subset=subset) for name, extra in both
        )
        for subset in ("old", "new")
    )
    return change(*map(with_versions, texts))


def topic(name: str) -> Topic:
    return Topic(TopicKind.MESH, f"{name}.shop.svc.cluster.local")


def key(cases: object) -> Hashable:
    found = likeness_of(cast("TopicCases", cases), {})
    assert found is not None
    return found.key


def alike(found: Change, *names: str) -> bool:
    return len({key(found.prover.cases_of(topic(name))) for name in names}) == 1


@pytest.mark.parametrize(
    ("one", "other", "word", "expected"),
    [
        # What one of them begins with, or what begins with one; and a word that does neither.
        ("x1", "y1", "x", False),
        ("x1", "y1", "w", True),
        ("w1", "x1", "x1b", False),
        ("w1", "x1", "z1b", True),
    ],
)
def test_words_that_begin_others_in_the_same_order(
    one: str, other: str, word: str, expected: bool
) -> None:
    extra = f"headers: {{request: {{set: {{h: {word}}}}}}}"
    assert alike(made((one, extra), (other, extra)), one, other) == expected


def test_letters_are_not_taken_for_how_they_may_be_written() -> None:
    names = {"u00e9": "é", "u00ea": "ê"}
    both = [(name, f'headers: {{request: {{set: {{h: "{c}"}}}}}}') for name, c in names.items()]
    assert not alike(made(*both), *names)
    assert alike(made(*((name, "timeout: 1s") for name in names)), *names)


@pytest.mark.parametrize("name", ["svc-one", "svc-3", "svc-A01"])
def test_who_has_no_such_name_is_compared_with_nobody(name: str) -> None:
    found = made((name, "timeout: 1s")).prover.cases_of(topic(name))
    assert likeness_of(found, {}) is None
    longer = f"{name}-x01"
    other = likeness_of(made((longer, "timeout: 1s")).prover.cases_of(topic(longer)), {})
    assert other is not None
    assert other.names == ("x01",)


def test_names_are_told_in_the_order_of_words() -> None:
    name = "svc-f1-002-b9-a1-d4-c3-e5"
    found = likeness_of(made((name, "timeout: 1s")).prover.cases_of(topic(name)), {})
    assert found is not None
    assert found.names == ("002", "a1", "b9", "c3", "d4", "e5", "f1")


# All that is known


class Stand:
    """A topic with something about it changed."""

    def __init__(self, real: object, **other: Any):
        self._real = real
        self._other = other

    def __getattr__(self, name: str) -> Any:
        return self._other[name] if name in self._other else getattr(self._real, name)


NAMES = ("svc-001", "svc-002")


@pytest.fixture(scope="module")
def real() -> TopicCases:
    return made(*((name, "timeout: 1s") for name in NAMES)).prover.cases_of(topic(NAMES[0]))


def test_what_is_known_of_a_topic_counts(real: TopicCases) -> None:
    rule = ResourceId("networking.istio.io", "DestinationRule", "shop", "a")
    others = [
        {"topic": Topic(TopicKind.GATEWAY, real.topic.host)},
        {"topic": Topic(TopicKind.MESH, real.topic.host, "shop")},
        {"topic": Topic(TopicKind.MESH, real.topic.host, labels=(("app", "a"),))},
        {"topic": Topic(TopicKind.MESH, real.topic.host, labels=(("app", "b"),))},
        {"known": [("a", True, False)]},
        {"known": [("a", False, True)]},
        {"rivals": (rule,)},
        {"rivals": (ResourceId(rule.group, rule.kind, "far", "a"),)},
        {"rivals": (ResourceId(rule.group, "VirtualService", "shop", "a"),)},
    ]
    keys = [key(Stand(real, **other)) for other in ({}, *others)]
    assert len(set(keys)) == len(keys)
    assert key(real) == keys[0]


def cases(real: TopicCases) -> Iterator[Case]:
    """A case, and others that differ from it in one thing each."""
    (first, *_) = real.cases(reverse=False)
    stages, base = first.stages, first.base
    assert first.client.proxy is not None
    plain = first.client.proxy

    def case(
        client: Client = first.client,
        base: Request = base,
        stages: Stages = stages,
        transport: Transport = first.transport,
    ) -> Case:
        return Case(first.scope, client, base, stages, None, transport)

    yield case()
    yield case(Client())
    yield case(Client(plain, anywhere=True))
    yield case(Client(sidecar("far")))
    yield case(Client(Proxy(ProxyKind.GATEWAY, plain.namespace, {})))
    yield case(Client(Proxy(plain.kind, plain.namespace, {"a": "b"})))
    yield case(Client(Proxy(plain.kind, plain.namespace, {}, "somebody")))
    yield case(base=Request("other", port=80))
    yield case(base=Request(base.host, port=81))
    yield case(base=Request(base.host, port=80, scheme="tcp"))
    yield case(base=Request(base.host, port=80, principal="td/ns/a/sa/b"))
    yield case(transport=Transport.MTLS)
    for number in range(3):
        parts = [stages.routes, stages.clusters, stages.servers]
        parts[number] = (*parts[number], 5)
        yield case(stages=Stages(*parts))


def test_whoever_asks_counts(real: TopicCases) -> None:
    keys = [key(Stand(real, cases=lambda *, reverse, one=one: [one])) for one in cases(real)]
    assert len(set(keys)) == len(keys) == 15
    (first, *_) = cases(real)
    twice = key(Stand(real, cases=lambda *, reverse: [first, first]))
    assert twice not in (keys[0], key(Stand(real, cases=lambda *, reverse: [])))


def test_words_of_clients_are_words_as_well() -> None:
    """Between two names there is a namespace that only a client has."""
    found = made(*((name, "timeout: 1s") for name in ("y1", "z1")))
    for namespace, expected in (("zz", True), ("yz", False)):
        keys = set()
        for name in ("y1", "z1"):
            of = found.prover.cases_of(topic(name))
            (first, *_) = of.cases(reverse=False)
            more = Case(
                first.scope, Client(sidecar(namespace)), Request("a", port=80), first.stages
            )
            keys.add(key(Stand(of, cases=lambda *, reverse, more=more: [more])))
        assert (len(keys) == 1) == expected


def version(name: str, note: str) -> Resource:
    meta = {"name": name, "namespace": "shop", "annotations": {"note": note}}
    return resource({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {}})


def test_versions_are_those_of_one_object(real: TopicCases) -> None:
    """An object that goes is not one that comes next to it."""
    (a, b), (c, d) = ([version(name, note) for note in ("x", "y")] for name in "ab")
    every = [
        [(a, b, None), (c, d)],
        [(a, b), (None, c, d)],
        [(a, b), (c, d)],
        [(a, None, b), (c, d)],
        [(a, b), (c, d), ()],
    ]
    keys = []
    for versions in every:
        scope = Stand(real.scope, all_versions=lambda versions=versions: iter(versions))
        keys.append(key(Stand(real, scope=scope)))
    assert len(set(keys)) == len(keys)
