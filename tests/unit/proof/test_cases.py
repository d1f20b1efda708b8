"""What one case sees of its states: servers, tokens, and hosts that do not exist."""

import pytest

from meshplan.identity import ResourceId
from meshplan.plan import Apply, Step
from meshplan.proof.cases import Case
from meshplan.proof.declared import known_by
from meshplan.proof.findings import reported
from meshplan.proof.types import Invariant, Topic, TopicKind
from meshplan.proof.views import Tally, Violation
from meshplan.traffic.outcome import Failed, Redirect, Unknown
from meshplan.traffic.request import Request
from support import asking
from support.asking import HOST, doc, pod
from support.meshes import with_versions
from support.proofs import Change, change, plan

SERVICE = f"---{asking.SERVICE}"
ROUTE = doc(
    "VirtualService",
    "r",
    "shop",
    f"{{hosts: [{HOST}], http: [{{route: [{{destination: {{host: a}}}}]}}]}}",
)
OTHER = doc("DestinationRule", "z", "far", "{host: other.example.com}")


def changed(before: str, after: str) -> Change:
    texts = [one.strip().removeprefix("---\n") for one in (before, after)]
    return change(*map(with_versions, texts))


def case(found: Change, host: str = HOST) -> Case:
    return found.prover.cases_of(Topic(TopicKind.MESH, host)).cases(reverse=False)[0]


@pytest.mark.parametrize(
    ("labels", "reached"),
    [
        ("app: a, sidecar.istio.io/inject: 'true'", [("shop", "a", 8080)]),
        ("app: a, sidecar.istio.io/inject: 'false'", []),
        # The pods of the Service are elsewhere, where they have sidecars as well.
        ("app: b, sidecar.istio.io/inject: 'true'", [("shop", "a", 8080)]),
    ],
)
def test_servers_are_workloads_with_a_sidecar(
    labels: str, reached: list[tuple[str, str, int]]
) -> None:
    service = SERVICE.replace("port: 80", "port: 80, targetPort: 8080")
    base = service + ROUTE + pod("shop", labels)
    found = case(changed(base, base + OTHER))
    state = found.scope.state({})
    names = found.names([state])
    assert [(name.host, name.port) for name in names] == [(HOST, 80)]
    servers = [
        (one.namespace, one.labels["app"], one.port) for one in found.servers([state], names)
    ]
    assert servers == reached
    assert found.servers([], names) == []
    assert found.servers([state], []) == []


def test_servers_of_all_states() -> None:
    before = SERVICE + ROUTE + pod("shop", "app: a, sidecar.istio.io/inject: 'true'")
    after = before.replace("targetPort", "x").replace("port: 80", "port: 80, targetPort: 9090")
    found = case(changed(before, after))
    states = [found.scope.state({}), found.scope.state({}, 1)]
    names = found.names(states)
    assert [one.port for one in found.servers(states, names)] == [80, 9090]
    assert [one.port for one in found.servers(states[::-1], names)] == [9090, 80]


def test_names_of_services_that_do_not_exist() -> None:
    """A Service that is there in some state is nowhere in the others; what is no Service is not."""
    found = case(changed(OTHER, OTHER + SERVICE))
    before, after = (found.scope.mesh(found.scope.state({}, number)) for number in (0, 1))
    assert found.is_nowhere(before)
    assert not found.is_nowhere(after)
    entry = "{hosts: [%s], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}"
    for host in ("x.example.com", HOST):
        made = changed(OTHER, OTHER + doc("ServiceEntry", "e", "shop", entry % host))
        one = case(made, host)
        # An entry for the name of a Service makes none either.
        assert one.is_nowhere(one.scope.mesh(one.scope.state({}))) == (host == HOST)
        assert not one.is_nowhere(one.scope.mesh(one.scope.state({}, 1)))
    # Of what no state has nothing is known.
    far = changed(SERVICE, SERVICE.replace("port: 80", "port: 81"))
    one = case(far, "b.shop.svc.cluster.local")
    assert not one.is_nowhere(one.scope.mesh(one.scope.state({})))


# What is told of it


VIEW = ((0,), (), ())
REQUEST = Request("a")
GONE = Failed(503, "NC")


def violation(**named: object) -> Violation:
    given = {
        "wave": 3,
        "invariant": Invariant.NO_OPENING,
        "request": REQUEST,
        "before": Redirect(301, "/a"),
        "during": GONE,
        "after": Redirect(301, "/b"),
        "seen": VIEW,
        "matter": (0,),
        **named,
    }
    return Violation(**given)  # type: ignore[arg-type]


def test_what_is_certain_is_broken_and_what_is_not_is_unknown() -> None:
    made = case(changed(SERVICE, SERVICE.replace("port: 80", "port: 81")))
    id_ = ResourceId("", "Service", "shop", "a")
    filter_ = ResourceId("networking.istio.io", "EnvoyFilter", "shop", "f")
    unknown = Unknown("nobody knows", (filter_,))
    tally = Tally(
        5,
        7,
        [
            violation(assumed=("it holds",)),
            violation(certain=False, assumed=("not: it holds",)),
            violation(invariant=None, during=unknown, why="because"),
        ],
        [violation(invariant=Invariant.POLICY, why="a blend")],
        [(REQUEST, Redirect(301, "/a"), GONE)],
    )
    found = reported(made.scope, made, tally)
    assert (found.classes, found.views) == (5, 7)
    (broken,) = found.counterexamples
    assert (broken.wave, broken.invariant) == (3, Invariant.NO_OPENING)
    assert broken.visible == broken.culprits == (id_,)
    assert broken.stages == {"routes": (id_,), "clusters": (), "servers": ()}
    assert broken.request.assumed == ("it holds",)
    unsure, opaque = found.unknowns
    assert (unsure.wave, unsure.ids, unsure.culprits) == (3, (), (id_,))
    assert unsure.why == broken.sentence
    assert unsure.request is not None
    assert unsure.request.assumed == ("not: it holds",)
    assert (opaque.wave, opaque.why, opaque.ids) == (3, "because", (filter_,))
    (warned,) = found.warnings
    assert warned.invariant is Invariant.POLICY
    assert warned.sentence.endswith(": a blend")
    (lost,) = found.lost
    assert (lost.before, lost.after) == (Redirect(301, "/a"), GONE)
    assert lost.request.request == REQUEST


def test_steps_are_told_in_order() -> None:
    rules = "".join(doc("DestinationRule", f"d{n}", "shop", f"{{host: {HOST}}}") for n in range(9))
    made = case(changed(SERVICE, SERVICE + rules))
    seen = violation(seen=((8,), (1, 8), (0,)), matter=(0, 1))
    (found,) = reported(made.scope, made, Tally(0, 0, [seen])).counterexamples
    assert [id_.name for id_ in found.visible] == ["d0", "d1", "d8"]
    assert [[id_.name for id_ in ids] for ids in found.stages.values()] == [["d8"], ["d1", "d8"], ["d0"]]  # fmt: skip


# Hosts and pods that are the tree's own


def known(before: str, after: str) -> tuple[set[str], set[str]]:
    """Hosts that come or go, and those of which pods do, by their first parts."""
    prover = changed(before, after).prover
    found = known_by(prover._index, prover._versions)
    one, two = (
        {host.partition(".")[0] for host in some} for some in (found.hosts, found.populated)
    )
    return one, two


def deployment(labels: str, replicas: int = 1) -> str:
    spec = f"{{replicas: {replicas}, template: {{metadata: {{labels: {{{labels}}}}}, spec: {{containers: [{{name: c}}]}}}}}}"
    return doc("Deployment", "p", "shop", spec)


ENTRY = doc(
    "ServiceEntry",
    "e",
    "shop",
    "{hosts: [E.example.com], resolution: STATIC, workloadSelector: {labels: {app: e}}, ports: [{number: 80, name: http, protocol: HTTP}]}",
)


@pytest.mark.parametrize(
    ("before", "after", "hosts", "populated"),
    [
        (OTHER, OTHER + SERVICE, {"a"}, set()),
        (SERVICE, OTHER, {"a"}, set()),
        (OTHER, OTHER + ENTRY, {"e"}, set()),
        # With pods that are there already.
        (deployment("app: a"), deployment("app: a") + SERVICE, {"a"}, {"a"}),
        (deployment("app: a", 0), deployment("app: a", 0) + SERVICE, {"a"}, set()),
        (deployment("app: b"), deployment("app: b") + SERVICE, {"a"}, set()),
        (deployment("app: e"), deployment("app: e") + ENTRY, {"e"}, {"e"}),
        (deployment("app: b"), deployment("app: b") + ENTRY, {"e"}, set()),
        (
            deployment("app: a") + deployment("app: a", 0).replace("name: p", "name: q"),
            deployment("app: a") + deployment("app: a", 0).replace("name: p", "name: q") + SERVICE,
            {"a"},
            {"a"},
        ),
        # Pods that come, go, or are no more selected.
        (SERVICE, SERVICE + deployment("app: a"), set(), {"a"}),
        (SERVICE + deployment("app: a"), SERVICE, set(), {"a"}),
        (SERVICE + deployment("app: a", 0), SERVICE + deployment("app: a"), set(), {"a"}),
        (SERVICE + deployment("app: a"), SERVICE + deployment("app: b"), set(), {"a"}),
        (SERVICE, SERVICE + deployment("app: b"), set(), set()),
        (SERVICE, SERVICE + deployment("app: a", 0), set(), set()),
        (SERVICE.replace("app: a", "app: a, v: w"), SERVICE.replace("app: a", "app: a, v: w") + deployment("app: a"), set(), set()),
        (SERVICE + ENTRY, SERVICE + ENTRY + deployment("app: e"), set(), {"e"}),
        (OTHER, OTHER + ROUTE, set(), set()),
    ],
)  # fmt: skip
def test_hosts_and_pods_of_the_tree(
    before: str, after: str, hosts: set[str], populated: set[str]
) -> None:
    assert known(before, after) == (hosts, populated)


def test_waves_in_which_nothing_moves_have_no_views() -> None:
    """Pods of a Service that nobody asks for in the second wave."""
    far = SERVICE.replace("name: a,", "name: far,").replace("app: a", "app: far")
    found = changed(SERVICE + far, SERVICE.replace("port: 80", "port: 81") + far.replace("port: 80", "port: 82"))  # fmt: skip
    steps: dict[str, Step] = {step.id.name: step for step in found.steps}
    both = found.prover.check(plan([[steps["a"]], [steps["far"]]]))
    assert all(isinstance(step, Apply) for step in steps.values())
    single = sum(
        changed(*sides).together().views
        for sides in (
            (SERVICE, SERVICE.replace("port: 80", "port: 81")),
            (far, far.replace("port: 80", "port: 82")),
        )
    )
    assert both.views == single
