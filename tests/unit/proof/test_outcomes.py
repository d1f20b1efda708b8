"""Outcomes that are worked out once for many views: as the model of the whole mesh tells each."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from meshplan.proof.assumptions import NOTHING, Assumptions, OpenQuestionError
from meshplan.proof.cases import Case
from meshplan.proof.outcomes import Triple
from meshplan.proof.scope import State
from meshplan.proof.versions import BASE, HEAD
from meshplan.settings import World
from meshplan.traffic import View, admit, route_in
from meshplan.traffic.outcome import Denied, Failed, Outcome, Unknown
from meshplan.traffic.request import Request
from support.asking import doc, policy
from support.meshes import with_versions
from support.proofs import Change, change

PODS = "".join(
    f"---\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {app}, v: '{v}', "
    f"sidecar.istio.io/inject: '{inject}'}}}}\nspec: {{containers: [{{name: c}}]}}\n"
    for name, app, v, inject in (
        ("a1", "a", 1, "true"),
        ("a2", "a", 2, "true"),
        ("b", "b", 1, "true"),
        ("c", "c", 1, "false"),
    )
)
SERVICES = "".join(
    doc("Service", n, "shop", f"{{selector: {{app: {n}}}, ports: [{{name: http, port: 80}}]}}")
    for n in "abc"
)
MESH = SERVICES + PODS


def routed(*routes: str, host: str = "a", more: str = "") -> str:
    return doc("VirtualService", "v", "shop", f"{{hosts: [{host}]{more}, http: [{', '.join(routes)}]}}")  # fmt: skip


def to(host: str, more: str = "", match: str = "") -> str:
    found = f"match: [{match}], " if match else ""
    return f"{{{found}route: [{{destination: {{host: {host}{more}}}}}]}}"


def subsets(*versions: int) -> str:
    named = ", ".join(f"{{name: v{v}, labels: {{v: '{v}'}}}}" for v in versions)
    return doc("DestinationRule", "d", "shop", f"{{host: a, subsets: [{named}]}}")


def mutual_tls(mode: str) -> str:
    return doc("PeerAuthentication", "m", "shop", f"{{mtls: {{mode: {mode}}}}}")


FILTER = doc("EnvoyFilter", "f", "shop", "{configPatches: [{applyTo: HTTP_FILTER}]}")
GATEWAY = doc(
    "Gateway",
    "gw",
    "shop",
    "{selector: {istio: x}, servers: [{port: {number: 80, name: p, protocol: HTTP}, hosts: ['*/*.example.org']}]}",
)
PUT = "{to: [{operation: {methods: [PUT]}}]}"


def denies(rules: str, name: str = "p", app: str = "a") -> str:
    spec = f"{{action: DENY, selector: {{matchLabels: {{app: {app}}}}}, rules: [{rules}]}}"
    return doc("AuthorizationPolicy", name, "shop", spec)


CHANGES = {
    "subsets": (
        routed(to("a")) + subsets(1),
        routed(to("a", ", subset: v1", "{uri: {prefix: /x}}"), to("a", ", subset: v2"))
        + subsets(1, 2),
    ),
    "targets": (routed(to("a")), routed(to("b", "", "{method: {exact: PUT}}"), to("c"))),
    "answers": (
        routed("{match: [{uri: {prefix: /x}}], redirect: {uri: /y}}", to("a")),
        routed("{match: [{headers: {x-v: {exact: '1'}}}], directResponse: {status: 418}}", to("b")),
    ),
    "no route": (routed(to("a", "", "{uri: {prefix: /x}}")), routed(to("gone"))),
    "policies": (policy("namespaces: [web]") + denies(PUT), denies("{}", "q", "b")),
    "mutual TLS": (mutual_tls("STRICT"), mutual_tls("PERMISSIVE") + mutual_tls("DISABLE").replace("name: m", "name: m2").replace("{mtls", "{selector: {matchLabels: {v: '2'}}, mtls")),
    "opaque": (routed(to("a")), routed(to("b")) + FILTER),
    "rewritten": (
        routed(to("a", "", "{uri: {prefix: /x}}").replace("route:", "rewrite: {uri: /y}, route:"), to("b")),
        routed(to("b")) + denies("{to: [{operation: {paths: ['/y*']}}]}"),
    ),
    "at a gateway": (
        GATEWAY + routed(to("a"), host="x.example.org", more=", gateways: [gw]"),
        GATEWAY.replace("80", "81") + routed(to("b"), host="x.example.org", more=", gateways: [gw]") + doc("AuthorizationPolicy", "g", "shop", f"{{action: DENY, selector: {{matchLabels: {{istio: x}}}}, rules: [{PUT}]}}"),
    ),
    "opaque servers": (denies(PUT) + FILTER, denies("{}")),
    "other reasons": (
        GATEWAY + routed(to("a"), host="x.example.org", more=", gateways: [gw]"),
        GATEWAY.replace("servers: [", "servers: [{port: {number: 82, name: q, protocol: HTTP}, hosts: ['*']}, "),
    ),
    "no such port": (MESH + routed(to("a", ", port: {number: 81}")), MESH.replace("name: a,", "name: z,") + routed(to("a", ", port: {number: 81}"))),
    "services": (SERVICES.replace("name: a", "name: z") + PODS, ""),
}  # fmt: skip


def changed(before: str, after: str, world: World = World.OPEN) -> Change:
    sides = [text if "kind: Pod" in text else MESH + text for text in (before, after)]
    texts = (with_versions(text.removeprefix("---\n").strip()) for text in sides)
    return change(*texts, world=world)


def cases_of(found: Change) -> Iterator[Case]:
    prover = found.prover
    for topic in prover.topics_of(prover._versions.changed):
        yield from prover.cases_of(topic).cases(reverse=False)


def states(case: Case) -> list[State]:
    """Each changed object as it was, or as it will be."""
    head = case.scope.state({}, HEAD)
    return [*product(*({BASE, last} for last in head))]


def requests(case: Case) -> Iterator[Request]:
    for method, path in product(("GET", "PUT"), ("/", "/x", "/y/z?q=1")):
        yield replace(case.base, method=method, path=path)
    yield replace(case.base, headers={"x-v": "1"})


def modelled(case: Case, triple: Triple, request: Request) -> Outcome:
    """What happens to a request by the model of the whole mesh."""
    mesh, proxy = case.scope.mesh, case.client.proxy
    if proxy is None:
        assert case.server is not None
        return admit(mesh(triple.servers), request, case.server, case.transport)
    if case.is_nowhere(mesh(triple.routes)):
        return Failed(None, "-", "no such host")
    view = View(mesh(triple.routes), mesh(triple.clusters), mesh(triple.servers))
    return route_in(view, request, proxy)


@pytest.mark.parametrize("world", World)
@pytest.mark.parametrize("name", CHANGES)
def test_each_view_is_as_the_model_tells_it(name: str, world: World) -> None:
    random, kinds, count = Random(name), set(), 0
    for case in cases_of(changed(*CHANGES[name], world=world)):
        known = states(case)
        some = [random.choices(known, k=3) for _ in range(12)]
        for request in requests(case):
            asked = case.outcomes.asked(request, NOTHING)
            for triple in (Triple(*states) for states in some):
                expected, found = modelled(case, triple, request), asked(triple)
                assert found == expected, (case.client, request, triple)
                assert repr(found) == repr(case.outcomes.worked_out(triple, asked))
                if not case.is_nowhere(case.scope.mesh(triple.routes)):
                    assert found.why == expected.why
                kinds.add(repr(found))
                count += 1
    assert count > 100
    assert len(kinds) > 3


# What nobody knows, against the same where it is known

UNKNOWN = "when: [{key: destination.ip, values: [10.0.0.1]}]"


def if_known(text: str, truth: bool) -> str:
    """In the place of what nobody knows, what is so or is not so at every server here."""
    name = "values" if truth else "notValues"
    known = f"when: [{{key: destination.port, {name}: ['80', '70', '8080']}}]"
    return text.replace(UNKNOWN, known)


TCP = MESH.replace("[{name: http, port: 80}]", "[{name: tcp, port: 70}]", 1)
CLOSED = mutual_tls("STRICT") + doc("Sidecar", "s", "far", "{egress: [{hosts: ['shop/*']}]}")
AT_GATEWAY = GATEWAY + routed(to("a"), host="x.example.org", more=", gateways: [gw]")


def allows(rules: str, app: str = "app: a") -> str:
    spec = f"{{selector: {{matchLabels: {{{app}}}}}, rules: [{rules}]}}"
    return doc("AuthorizationPolicy", "p", "shop", spec)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (denies(f"{{{UNKNOWN}}}") + routed(to("a")), denies(f"{{{UNKNOWN}}}") + routed(to("b"))),
        (denies(f"{{{UNKNOWN}}}"), denies(f"{{{UNKNOWN}}}, {PUT}")),
        (allows(PUT), allows(f"{{to: [{{operation: {{paths: [/x]}}}}], {UNKNOWN}}}")),
        (allows(f"{{from: [{{source: {{namespaces: [shop]}}}}], {UNKNOWN}}}"), ""),
        (allows(f"{{from: [{{source: {{notNamespaces: [shop]}}}}], {UNKNOWN}}}"), FILTER),
        (TCP + allows(f"{PUT}, {{{UNKNOWN}}}"), TCP),
        (allows(f"{{from: [{{source: {{namespaces: [shop]}}}}], {UNKNOWN}}}") + CLOSED, CLOSED),
        (AT_GATEWAY + allows(f"{{{UNKNOWN}}}", "istio: x"), AT_GATEWAY),
        (AT_GATEWAY + allows(f"{{to: [{{operation: {{paths: [/x]}}}}], {UNKNOWN}}}"), AT_GATEWAY),
    ],
)
@pytest.mark.parametrize("truth", [True, False])
def test_with_answers_it_is_as_if_it_were_known(before: str, after: str, truth: bool) -> None:
    random, asked_for = Random(before), 0
    both = [changed(before, after), changed(if_known(before, truth), if_known(after, truth))]
    for case, known in zip(*map(cases_of, both), strict=True):
        assert case.base == known.base
        triples = [Triple(*random.choices(states(case), k=3)) for _ in range(6)]
        for request, triple in product(requests(case), triples):
            found, answers = answered(case, triple, request, truth=truth)
            expected = modelled(known, triple, request)
            assert without_names(found) == without_names(expected), (case.client, request, triple)
            if answers and case.server and isinstance(found, Denied):
                assert found.policy == "assumed"
            asked_for += answers
    assert asked_for > 5


def without_names(outcome: Outcome) -> Outcome:
    """Without the policy that denies: of what is assumed nobody can tell which it is."""
    if isinstance(outcome, Unknown) and outcome.otherwise is not None:
        return replace(outcome, otherwise=without_names(outcome.otherwise))
    return replace(outcome, policy="") if isinstance(outcome, Denied) else outcome


def answered(case: Case, triple: Triple, request: Request, *, truth: bool) -> tuple[Outcome, int]:
    """The outcome if all questions have one answer, and how many it took."""
    assumptions = NOTHING
    while True:
        asked = case.outcomes.asked(request, assumptions)
        try:
            return asked(triple), len(assumptions.answers)
        except OpenQuestionError as question:
            found = question
        with pytest.raises(OpenQuestionError, match=found.words) as again:
            asked(triple)
        assert again.value.question == found.question
        yes, no = assumptions.with_answers(found)
        assumptions = yes if truth else no


TOKENS = doc("RequestAuthentication", "t", "shop", "{selector: {matchLabels: {%s}}, jwtRules: [{issuer: me}]}")  # fmt: skip


@pytest.mark.parametrize(
    ("where", "rest"),
    [
        ("app: a", denies(PUT)),
        ("app: a", CLOSED),
        ("istio: x", AT_GATEWAY),
        ("istio: x", AT_GATEWAY + allows(PUT, "istio: x")),
    ],
)
def test_a_good_token_is_as_none_and_a_bad_one_is_refused(where: str, rest: str) -> None:
    refused = set()
    both = [changed(rest + TOKENS % where, rest + subsets(1)), changed(rest + "---\n", rest + subsets(1))]  # fmt: skip
    for case in cases_of(both[0]):
        for state, method in product(states(case), ("GET", "PUT")):
            triple = Triple(state, state, state)
            plain = replace(case.base, method=method)
            bearing = replace(plain, headers={"authorization": "Bearer x"})
            good, count = answered(case, triple, bearing, truth=True)
            assert good == modelled(case, triple, plain)
            bad, same = answered(case, triple, bearing, truth=False)
            assert same == count
            if not count or (case.server and isinstance(good, Failed)):
                assert bad == good
                continue
            refused.add(case.client.proxy is None)
            assert isinstance(bad, Denied)
            is_ours = case.client.is_gateway is (where != "app: a")
            assert is_ours or case.client.proxy is None
            assert (bad.policy, bad.status) == ("jwt", 401 if where != "app: a" or case.server else 403)  # fmt: skip
    assert refused == {True, False}


# What is worked out once


def test_one_outcome_costs_one_step_of_work() -> None:
    [case, *_] = cases_of(changed(*CHANGES["subsets"]))
    triple = Triple(*[states(case)[0]] * 3)
    case.outcomes.asked(case.base, NOTHING)(triple)
    for headers, cost in (({"x": "1"}, 1), ({"x": "1"}, 0), ({"x": "2"}, 1), ({}, 0)):
        before = case.scope.meter.spent
        case.outcomes.asked(replace(case.base, headers=headers), NOTHING)(triple)
        assert case.scope.meter.spent - before == cost


def test_requests_that_differ_are_told_apart() -> None:
    [case, *_] = cases_of(changed(*CHANGES["subsets"]))
    base = Request("a", headers={"x": "1", "y": "2"})
    others = [
        replace(base, method="PUT"),
        replace(base, path="/x"),
        replace(base, client_ip="10.0.0.1"),
        replace(base, headers={"x": "1"}),
        replace(base, headers={"x": "1", "y": "3"}),
    ]
    answers = [NOTHING, *NOTHING.with_answers(OpenQuestionError(("route", 1), "it is"))]
    keys = [case.outcomes.asked(r, a).key for r in (base, *others) for a in answers]
    assert len(set(keys)) == len(keys) == 18
    same = case.outcomes.asked(replace(base, headers={"y": "2", "x": "1"}), Assumptions({}))
    assert same.key == keys[0]
