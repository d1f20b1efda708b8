"""Which topics are twins, and which only look like it."""

import ast
import re
from pathlib import Path

import pytest

import meshplan
from meshplan.proof.twins import MEANINGS, Scripts, likeness_of
from meshplan.proof.types import Topic, TopicKind
from support.meshes import VERSIONS
from support.proofs import Change, change

PACKAGE = Path(meshplan.__file__).parent
#: Times that are compared with other times, and what is told of requests.
NOT_COMPARED_WITH_NAMES = frozenset(
    "00z 01 01t 01t00 12 15443 192 29 31t23 3339 401 403 443 502 503 59 59z 80 9999".split()  # noqa: SIM905
)

OBJECTS = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec:
  selector: {{app: {name}}}
  ports: [{{name: http, port: 80}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: shop}}
spec:
  hosts: [{name}.shop.svc.cluster.local]
  http:
  - {extra}
    route: [{{destination: {{host: {name}, subset: {subset}}}}}]
"""


def twins(one: str, other: str, *, extra: str = "timeout: 1s", before: str = "") -> bool:
    """Whether two services with these names are twins, the objects of which are otherwise alike."""
    both = [(one, extra), (other, extra)]
    found = made(both, before)
    return alike(found, one, other)


def made(both: list[tuple[str, str]], before: str = "") -> Change:
    """The same change of services with some names and lines."""
    base, head = (
        "---".join(OBJECTS.format(name=name, extra=extra, subset=subset) for name, extra in both)
        for subset in ("old", "new")
    )
    return change(base + before, head + before)


def alike(found: Change, *names: str) -> bool:
    """Whether the topics of some services are twins."""
    prover = found.prover
    likenesses = []
    for name in names:
        topic = Topic(TopicKind.MESH, f"{name}.shop.svc.cluster.local")
        likeness = likeness_of(prover.cases_of(topic), {})
        likenesses.append(likeness and likeness.key)
    return None not in likenesses and len(set(likenesses)) == 1


def test_names_with_numbers_are_exchangeable() -> None:
    assert twins("svc-001", "svc-002")
    assert twins("a1", "a2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Of another length, which decides which of two patterns is the more specific.
        ("svc-01", "svc-002"),
        # Words without a digit may mean something.
        ("svc-one", "svc-two"),
        # A letter comes after all digits.
        ("svc-01", "svc-a1"),
        # Elsewhere in the order of what is there.
        ("svc-a1", "svc-z9"),
    ],
)
def test_other_names_are_not(one: str, other: str) -> None:
    assert not twins(one, other)


@pytest.mark.parametrize(
    "extra",
    [
        "match: [{uri: {regex: '/x.*'}}]",
        "match: [{headers: {x: {exact: 'svc-001 svc-002'}}}]",
        "match: [{uri: {prefix: /001/002}}]",
        "rewrite: {uri: /001-002}",
        # The names begin with it, or one ends with it.
        "match: [{headers: {x: {prefix: '00'}}}]",
        "match: [{headers: {x: {suffix: '01'}}}]",
    ],
)
def test_what_requests_are_compared_with_is_no_name(extra: str) -> None:
    assert not twins("svc-001", "svc-002", extra=extra)


@pytest.mark.parametrize(("key", "alike"), [("value", False), ("x", True)])
def test_what_headers_are_compared_with_is_no_name(key: str, alike: bool) -> None:
    """Routes of the Gateway API for each of the two; a note that nobody reads makes no difference."""
    routes = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: svc-%s, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: svc-%s}]
  rules: [{matches: [{headers: [{%s}]}], backendRefs: [{name: svc-%s, port: 80}]}]
"""
    headers = {
        "value": "name: x-v, value: %s",
        "x": "name: x-v, value: a",
    }
    both = "".join(
        routes % (n, n, headers[key] % n if "%s" in headers[key] else headers[key], n)
        for n in ("001", "002")
    )
    assert twins("svc-001", "svc-002", before=both) == alike


@pytest.mark.parametrize("word", sorted({v.rpartition("/")[2] for v in VERSIONS.values()}))
def test_versions_of_interfaces_are_no_names(word: str) -> None:
    """A Service may be called like one, and its objects are written in it."""
    assert word in MEANINGS
    assert not twins(f"{word}-a1", f"{word[:-1]}9-a1")


def test_another_line_makes_another_topic() -> None:
    found = made([("svc-001", "timeout: 1s"), ("svc-002", "timeout: 2s")])
    assert not alike(found, "svc-001", "svc-002")


def test_another_object_makes_another_topic() -> None:
    rule = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: shop}
spec: {host: svc-002, subsets: [{name: old, labels: {v: "1"}}]}
"""
    assert not twins("svc-001", "svc-002", before=rule)


def test_wildcards_within_words_are_no_names() -> None:
    rule = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: x, namespace: shop}
spec: {host: "*01.shop.svc.cluster.local", subsets: [{name: old, labels: {v: "1"}}]}
"""
    assert not twins("svc-101", "svc-201", before=rule)


def test_the_model_knows_no_name_that_is_exchangeable() -> None:
    words = set()
    for package in ("mesh", "traffic", "proof"):
        for file in (PACKAGE / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    is_word = len(node.value) < 40 and "\n" not in node.value
                    words.update(re.findall("[A-Za-z0-9]+", node.value) if is_word else ())
    found = {w.lower() for w in words if len(w) > 1 and any(c.isdigit() for c in w)}
    found = {word for word in found if word not in MEANINGS | NOT_COMPARED_WITH_NAMES}
    assert found <= {
        *("0001", "00", "02d", "04d", "l4singlematch", "i1", "i2", "i3", "i4", "i5"),
        "0123456789abcdefabcdef",
    }


@pytest.mark.parametrize(
    ("text", "alike"),
    [
        ("see svc-NUM", True),
        ("svc-NUM", True),
        ("x,NUM/y", True),
        # Addresses, ports and times are compared by their parts.
        ("svc-NUM:80", False),
        ("NUM.0.0", False),
        # What may be read in another way than it is written.
        ("é svc-NUM", False),
        ("x\\\\NUM", False),
        ("x\\nNUM", False),
        ("x\\u0007NUM", False),
        # Paths, and wildcards within words.
        ("/svc-NUM", False),
        ("NUM*", False),
        ("*NUM", False),
        ("svc-NUM*", False),
        ("*svc-NUM", False),
        ("*-svc-NUM", True),
        ("svc-*.NUM", True),
    ],
)
def test_texts_that_are_names_and_others(text: str, alike: bool) -> None:
    """In a place that nobody looks at: each has its own number there."""
    both = [
        (name, f'headers: {{request: {{set: {{x: "{text.replace("NUM", name[-3:])}"}}}}}}')
        for name in ("svc-001", "svc-002")
    ]
    found = made(both)
    prover = found.prover
    keys = [
        likeness_of(prover.cases_of(Topic(TopicKind.MESH, f"{name}.shop.svc.cluster.local")), {})
        for name, _ in both
    ]
    assert (keys[0] is not None and keys[1] is not None and keys[0].key == keys[1].key) == alike


@pytest.mark.parametrize("key", ["exact", "prefix", "suffix", "uri", "value"])
def test_under_some_keys_texts_are_compared(key: str) -> None:
    both = [(name, f"unknown: {{{key}: {name}}}") for name in ("svc-001", "svc-002")]
    assert not alike(made(both), "svc-001", "svc-002")
    others = [(name, f"unknown: {{x{key}: {name}}}") for name in ("svc-001", "svc-002")]
    assert alike(made(others), "svc-001", "svc-002")
    listed = [
        (name, f"unknown: {{{key}: [{{y: a}}, [{name}]]}}") for name in ("svc-001", "svc-002")
    ]
    assert not alike(made(listed), "svc-001", "svc-002")


@pytest.mark.parametrize("key", ["regex", "safeRegex", "safeRegexMatch"])
def test_patterns_look_at_names_in_their_own_way(key: str) -> None:
    for extra in (f"unknown: {{{key}: a}}", "unknown: RegularExpression"):
        assert not twins("svc-001", "svc-002", extra=extra)
    assert twins("svc-001", "svc-002", extra=f"unknown: {{{key}x: a}}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # One of them is the beginning of another word, or begins with one.
        ("a1", "a2"),
        ("svc-8a", "svc-9a"),
    ],
)
def test_words_that_begin_others(one: str, other: str) -> None:
    """Only the first of the two has a namesake that is longer."""
    more = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: shop}}
spec: {{host: {host}}}
"""
    assert twins(one, other)
    host = f"{one}.shop.svc.cluster.local"
    rule = more.format(name=f"{one}b", host=host) + more.format(
        name="x", host=host.replace(one, other)
    )
    assert not twins(one, other, before=rule)


def test_capitals_are_no_names() -> None:
    assert not twins("svc-A01", "svc-A02")


def test_one_character_is_no_name() -> None:
    assert not twins("svc-1", "svc-2")
    assert not twins("svc-3", "svc-4")


def test_what_is_known_of_an_object_is_kept() -> None:
    found = made([("svc-001", "timeout: 1s"), ("svc-002", "timeout: 1s")])
    scripts: Scripts = {}
    topic = Topic(TopicKind.MESH, "svc-001.shop.svc.cluster.local")
    first = likeness_of(found.prover.cases_of(topic), scripts)
    kept = {key: script for key, (_, script) in scripts.items()}
    assert kept
    assert likeness_of(found.prover.cases_of(topic), scripts) == first
    assert {key: script for key, (_, script) in scripts.items()} == kept


def test_the_names_are_told_in_order() -> None:
    found = made([("svc-002-a1", "timeout: 1s"), ("svc-001-a1", "timeout: 1s")])
    names = []
    for name in ("svc-002-a1", "svc-001-a1"):
        topic = Topic(TopicKind.MESH, f"{name}.shop.svc.cluster.local")
        likeness = likeness_of(found.prover.cases_of(topic), {})
        assert likeness is not None
        names.append(likeness.names)
    assert names == [("002", "a1"), ("001", "a1")]


POD = """
---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop{meta}}}
spec:
  replicas: {replicas}
  template:
    metadata: {{labels: {{app: {name}, v: "{v}"}}}}
    spec:
      serviceAccountName: {account}
      containers: [{{name: c, image: {image}, ports: [{{name: {port}, containerPort: {number}}}]}}]
"""
USUAL = {
    "kind": "Deployment",
    "meta": "",
    "replicas": "1",
    "v": "x",
    "account": "one",
    "image": "one",
    "port": "web",
    "number": "80",
}


@pytest.mark.parametrize(
    ("name", "value", "alike"),
    [
        ("image", "two", True),
        ("replicas", "2", True),
        ("replicas", "0", False),
        ("v", "y", False),
        ("account", "two", False),
        ("port", "other", False),
        ("number", "81", False),
        ("meta", ", creationTimestamp: '2020-01-01T00:00:00Z'", False),
        ("kind", "StatefulSet", False),
    ],
)
def test_what_counts_of_pods(name: str, value: str, alike: bool) -> None:
    """One of the two Deployments is otherwise."""
    pods = POD.format(name="svc-001", **USUAL) + POD.format(name="svc-002", **USUAL | {name: value})
    assert twins("svc-001", "svc-002", before=pods) == alike


ENTRY = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: e-{n}, namespace: shop}}
spec:
  hosts: [e-{n}.example.com]
  resolution: STATIC
  workloadSelector: {{labels: {{app: e-{n}}}}}
  ports: [{{number: 80, name: http, protocol: HTTP}}]
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {{name: e-{n}, namespace: shop}}
spec: {{address: {address}, labels: {{app: e-{n}}}}}
"""


@pytest.mark.parametrize("same", [True, False])
def test_of_a_workload_entry_everything_counts(same: bool) -> None:
    base = ENTRY.format(n="001", address="10.0.0.9")
    base += ENTRY.format(n="002", address="10.0.0.9" if same else "10.0.0.8")
    found = change(base, base.replace("number: 80", "number: 81"))
    keys = set()
    for number in ("001", "002"):
        topic = Topic(TopicKind.MESH, f"e-{number}.example.com")
        likeness = likeness_of(found.prover.cases_of(topic), {})
        keys.add(likeness and likeness.key)
    assert (len(keys) == 1) == same


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (("shop", "svc-001"), ("shop", "svc-002"), True),
        (("shop", "svc-001"), ("other", "svc-002"), False),
        (("team-01", "svc-001"), ("team-02", "svc-002"), True),
    ],
)
def test_workloads(one: tuple[str, str], other: tuple[str, str], alike: bool) -> None:
    """The policies of two workloads change in the same way."""
    text = """
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{selector: {{matchLabels: {{app: {name}}}}}, rules: [{{to: [{{operation: {{paths: [/{path}]}}}}]}}]}}
"""
    base, head = (
        "".join(text.format(namespace=n, name=name, path=path) for n, name in (one, other))
        for path in ("a", "b")
    )
    found = change(base, head)
    keys = set()
    for namespace, name in (one, other):
        topic = Topic(TopicKind.SERVER, "", namespace, (("app", name),))
        likeness = likeness_of(found.prover.cases_of(topic), {})
        assert likeness is not None
        keys.add(likeness.key)
    assert (len(keys) == 1) == alike
