"""Changes of AuthorizationPolicies against every request in every state that the graph allows."""

from itertools import combinations, product
from typing import Any

from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from meshplan.identity import ResourceId
from meshplan.resource import Resource, Snapshot
from support.plans import planned, resource
from support.revisions_of_meshes import shown
from support.snapshots import snapshot

_PRINCIPALS = tuple(f"cluster.local/ns/{ns}/sa/{sa}" for ns, sa in ("aa", "ab", "bc"))
#: One comes without a certificate: it has no principal and no namespace.
_CALLERS = (*_PRINCIPALS, "cluster.local/ns/a/sa/other", "cluster.local/ns/b/sa/other", "")
_REQUESTS = tuple(product(_CALLERS, ("GET", "POST", "PUT"), ("/x/one", "/y", "/z")))

_SOURCES = st.sampled_from(
    (
        {"principals": [_PRINCIPALS[0]]},
        {"principals": [_PRINCIPALS[1], _PRINCIPALS[2]]},
        {"namespaces": ["a"]},
        {"principals": ["*"]},
    )
)
_OPERATIONS = st.sampled_from(
    ({"methods": ["GET"]}, {"paths": ["/x/*"]}, {"paths": ["/y"], "methods": ["POST"]})
)


@st.composite
def _rules(draw: st.DrawFn) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    if draw(st.booleans()):
        rule["from"] = [{"source": draw(_SOURCES)}]
    if draw(st.booleans()):
        rule["to"] = [{"operation": draw(_OPERATIONS)}]
    return rule


@st.composite
def _policies(draw: st.DrawFn) -> Resource:
    action = draw(st.sampled_from(("ALLOW", "ALLOW", "DENY")))
    spec = {"action": action, "rules": draw(st.lists(_rules(), max_size=2))}
    metadata = {"name": draw(st.sampled_from(("k", "l", "m"))), "namespace": "shop"}
    api, kind = "security.istio.io/v1", "AuthorizationPolicy"
    return resource({"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec})


def _matches(rule: dict[str, Any], request: tuple[str, str, str]) -> bool:
    principal, method, path = request
    for entry in rule.get("from", ()):
        source = entry["source"]
        if source and not principal:
            return False
        if not any(p in (principal, "*") for p in source.get("principals", ["*"])):
            return False
        if principal.split("/")[2] not in source.get("namespaces", [principal.split("/")[2]]):
            return False
    for entry in rule.get("to", ()):
        operation = entry["operation"]
        if method not in operation.get("methods", [method]):
            return False
        wanted = operation.get("paths", [path])
        if not any(path == p or (p.endswith("*") and path.startswith(p[:-1])) for p in wanted):
            return False
    return True


def _let_in(state: Snapshot, request: tuple[str, str, str]) -> bool:
    specs = [found.spec for found in state.values()]
    said = {
        action: [
            any(_matches(rule, request) for rule in spec["rules"])
            for spec in specs
            if spec["action"] == action
        ]
        for action in ("DENY", "ALLOW")
    }
    return not any(said["DENY"]) and (not said["ALLOW"] or any(said["ALLOW"]))


def _state(base: Snapshot, head: Snapshot, made: frozenset[ResourceId]) -> Snapshot:
    kept = [found for i, found in base.items() if i not in made]
    return Snapshot([*kept, *(head[i] for i in made if i in head)])


def _is_bad(base: Snapshot, head: Snapshot, made: frozenset[ResourceId]) -> bool:
    state = _state(base, head, made)
    return any(
        _let_in(base, request) == _let_in(head, request) != _let_in(state, request)
        for request in _REQUESTS
    )


_SNAPSHOTS = st.lists(_policies(), max_size=3).map(Snapshot)


@settings(max_examples=200, deadline=None)
@given(_SNAPSHOTS, _SNAPSHOTS)
def test_no_request_is_let_in_or_denied_for_a_while(base: Snapshot, head: Snapshot) -> None:
    found = planned(base, head)
    ids = sorted({step.id for step in found.plan.steps})
    assume(len(ids) > 1)
    note(shown(base, head))
    states = [frozenset(m) for n in range(len(ids) + 1) for m in combinations(ids, n)]
    bad = {made for made in states if _is_bad(base, head, made)}
    pairs = [(edge.first, edge.then) for edge in found.graph.edges]
    if not found.graph.cycles:
        allowed = {m for m in states if all(a in m for a, b in pairs if b in m)}
        assert not allowed & bad
        return
    safe = {frozenset[ResourceId]()}
    for _ in ids:
        safe = {m | {i} for m in safe for i in ids if i not in m} - bad
    assert not safe, [cycle.why for cycle in found.graph.cycles]


def test_what_three_rules_meet_at_once() -> None:
    """An ALLOW becomes a DENY and another DENY goes: what both deny stays denied."""

    def policy(name: str, spec: str) -> str:
        meta = f"metadata: {{name: {name}, namespace: shop}}"
        kind = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy"
        return f"{kind}\n{meta}\nspec: {spec}\n---\n"

    allow = "{action: ALLOW, rules: [{from: [{source: {principals: [p/ns/a/sa/a]}}]}]}"
    deny = "{action: DENY, rules: [{to: [{operation: {%s}}]}]}"
    base = snapshot(policy("k", allow) + policy("l", deny % "paths: [/x/*]"))
    head = snapshot(policy("k", deny % "methods: [GET]"))
    edges = planned(base, head).graph.edges
    assert [(edge.first.name, edge.then.name) for edge in edges] == [("k", "l")]
