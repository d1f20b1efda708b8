"""Provers that are made from others find what new ones find."""

import pytest

from meshplan import proof
from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Apply, Remove, Step
from meshplan.proof import Proof
from meshplan.proof.prove import Prover
from meshplan.proof.types import Budget
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from support.asking import HOST, SERVICE, doc, pod
from support.meshes import with_versions
from support.proofs import plan, steps_of
from support.snapshots import snapshot as parsed

BOTH = f"{SERVICE}---{SERVICE.replace('name: a,', 'name: b,').replace('app: a', 'app: b')}"


def objects(*texts: str) -> Snapshot:
    return parsed(with_versions("".join(texts).strip().removeprefix("---\n")))


def one(text: str) -> Resource:
    (found,) = objects(text).values()
    return found


def mesh(found: Snapshot) -> Mesh:
    return Mesh.of(found, MeshConfig(), World.OPEN)


def route(host: str, match: str = "{uri: {prefix: /}}") -> str:
    http = f"[{{match: [{match}], route: [{{destination: {{host: {host}}}}}]}}]"
    return doc("VirtualService", "r", "web", f"{{hosts: [{HOST}], http: {http}}}")


def rule(subsets: str = "") -> str:
    return doc("DestinationRule", "d", "shop", f"{{host: a, subsets: [{subsets}]}}")


BASE = objects(BOTH, route(HOST), pod("shop", "app: a"))
HEAD = objects(BOTH, route("b.shop.svc.cluster.local"), pod("shop", "app: a"), rule())
STEPS, BACK = list(steps_of(BASE, HEAD)), list(steps_of(HEAD, BASE))


def told(proof: Proof) -> object:
    return (
        proof.classes,
        proof.views,
        [one.to_json() for one in proof.counterexamples],
        [one.to_json() for one in proof.unknowns],
        [one.to_json() for one in proof.lost],
    )


EXTRA = {
    "a route that asks for labels": route(HOST, "{sourceLabels: {app: c}}"),
    "a route that asks for a path": route(HOST, "{uri: {exact: /x}}"),
    "a route that is for a subset": route(HOST).replace("}}]}]}", ", subset: s}}]}]}"),
    "a rule with a subset": rule("{name: s, labels: {v: '1'}}"),
    "another Service": SERVICE.replace("port: 80", "port: 81"),
    "pods elsewhere": pod("far", "app: z").replace("name: p", "name: q"),
    "a policy": doc(
        "AuthorizationPolicy",
        "p",
        "shop",
        "{action: DENY, rules: [{from: [{source: {namespaces: [job]}}]}]}",
    ),
}


@pytest.mark.parametrize("name", EXTRA)
def test_a_prover_for_further_versions(name: str) -> None:
    extra = one(EXTRA[name])
    first = Prover(mesh(BASE), mesh(HEAD))
    first.check(plan([STEPS]))
    made = first.with_versions([extra])
    new = Prover(mesh(BASE), mesh(HEAD), extra_versions=[extra])
    waves = [STEPS], [[Apply(extra, "")], STEPS], [[*STEPS, Apply(extra, "")]]
    for steps in waves:
        assert told(made.check(plan(steps))) == told(new.check(plan(steps)))
    # What plans write besides is taken up as it is met.
    late = Prover(mesh(BASE), mesh(HEAD))
    late.check(plan([STEPS]))
    assert told(late.check(plan(waves[1]))) == told(new.check(plan(waves[1])))


def test_a_prover_for_the_way_back() -> None:
    first = Prover(mesh(BASE), mesh(HEAD))
    there = first.check(plan([STEPS]))
    back = first.back()
    new = Prover(mesh(HEAD), mesh(BASE))
    assert told(back.check(plan([BACK]))) == told(new.check(plan([BACK])))
    assert (back.base.snapshot, back.head.snapshot) == (HEAD, BASE)
    # They count their work together.
    assert back.meter is first.meter
    assert new.meter is not first.meter
    assert there.lost == first.lost()


def test_what_was_proven_there_need_not_be_looked_at_on_the_way_back() -> None:
    """Two services change; for one of them the way back is the way there, turned round."""
    base = objects(BOTH, route(HOST))
    head = objects(BOTH, route("b.shop.svc.cluster.local"))
    steps: list[Step] = [Apply(head[one(route(HOST)).id], "")]
    back: list[Step] = [Apply(base[one(route(HOST)).id], "")]
    first = Prover(mesh(base), mesh(head))
    first.check(plan([steps]))
    found = first.back().check(plan([back]), proven=plan([steps]))
    assert (found.classes, found.views) == (0, 0)
    assert first.back().check(plan([back])).views > 0
    # Of another plan it is no mirror.
    assert first.back().check(plan([back]), proven=plan([[*steps, *back]])).views > 0
    # An object that is created there is the youngest, and goes on the way back.
    made = Prover(mesh(BASE), mesh(HEAD))
    made.check(plan([STEPS]))
    assert made.back().check(plan([BACK]), proven=plan([STEPS])).views > 0


def test_times_make_the_way_back_another() -> None:
    dated = route(HOST).replace("name: r,", "name: r, creationTimestamp: '2020-01-01T00:00:00Z',")
    base = objects(BOTH, dated)
    head = objects(BOTH, dated.replace(f"host: {HOST}", "host: b.shop.svc.cluster.local"))
    (id_,) = [i for i in base if i.kind == "VirtualService"]
    there, back = plan([[Apply(head[id_], "")]]), plan([[Apply(base[id_], "")]])
    first = Prover(mesh(base), mesh(head))
    first.check(there)
    assert first.back().check(back, proven=there).views > 0


def test_more_classes_than_may_be_looked_at() -> None:
    whole = Prover(mesh(BASE), mesh(HEAD)).check(plan([STEPS]))
    assert not whole.unknowns
    for total, too_many in ((whole.classes, False), (whole.classes - 1, True)):
        found = Prover(mesh(BASE), mesh(HEAD), budget=Budget(total=total)).check(plan([STEPS]))
        why = [one.why for one in found.unknowns]
        assert why == ([f"more than {total} request classes"] if too_many else [])


def test_the_first_class_too_many_is_the_last_to_be_looked_at() -> None:
    """The second of two services that change is not asked for."""
    ports = SERVICE, SERVICE.replace("80", "81")
    few = [objects(one) for one in ports]
    many = [objects(one, f"---{one.replace('name: a,', 'name: z,')}") for one in ports]
    found = Prover(*map(mesh, many), budget=Budget(total=0)).check(plan([list(steps_of(*many))]))
    single = Prover(*map(mesh, few)).check(plan([list(steps_of(*few))]))
    assert [one.why for one in found.unknowns] == ["more than 0 request classes"]
    assert found.classes == single.classes > 0


def test_settings_that_change_reach_every_request() -> None:
    other = Mesh.of(HEAD, MeshConfig(trust_domain="other"), World.OPEN)
    found = Prover(mesh(BASE), other).check(plan([STEPS]))
    assert [one.why for one in found.unknowns] == [
        "the settings of the mesh itself change, which reaches every request"
    ]
    assert not Prover(mesh(BASE), other).allows({}, STEPS)


def test_what_a_state_allows() -> None:
    """The rule with the subset has to be there before the route that needs it."""
    subset = rule("{name: s, labels: {app: a}}")
    sent = route(HOST).replace("}}]}]}", ", subset: s}}]}]}")
    base, head = objects(BOTH, route(HOST), rule()), objects(BOTH, sent, subset)
    prover = Prover(mesh(base), mesh(head))
    there, ruled = (Apply(one(text), "") for text in (sent, subset))
    assert not prover.allows({}, [there])
    assert not prover.allows({}, [there, ruled])
    assert prover.allows({}, [ruled])
    assert prover.allows({ruled.id: ruled.resource}, [there])
    assert not prover.allows({ruled.id: None}, [there])
    # A filter that nobody understands is never allowed.
    filter_ = one(doc("EnvoyFilter", "f", "shop", "{configPatches: [{applyTo: LISTENER}]}"))
    assert not prover.allows({}, [Apply(filter_, "")])


def test_of_which_wave_it_is_not_known() -> None:
    """Where there are more classes than may be, of the only wave; of several none is named."""
    prover = Prover(mesh(BASE), mesh(HEAD), budget=Budget(classes=0))
    (found,) = {(one.wave, one.why) for one in prover.check(plan([STEPS])).unknowns}
    assert found == (0, "more than 0 classes of requests")
    route_step = next(step for step in STEPS if step.id.kind == "VirtualService")
    gone = Remove(route_step.id, "networking.istio.io/v1", "")
    waves = plan([[gone], [route_step]])
    assert {one.wave for one in prover.check(waves).unknowns} == {None}
    for one in prover.check(waves).unknowns:
        assert one.culprits == (route_step.id, route_step.id)


def test_what_is_not_known_is_not_allowed() -> None:
    too_little = Prover(mesh(BASE), mesh(HEAD), budget=Budget(classes=0))
    assert Prover(mesh(BASE), mesh(HEAD)).allows({}, STEPS)
    assert not too_little.allows({}, STEPS)


def test_the_prover_comes_with_the_package() -> None:
    """Though it is imported late."""
    assert proof.Prover is Prover
    with pytest.raises(AttributeError, match="has no attribute 'Nobody'"):
        _ = proof.Nobody


def test_a_topic_of_sidecars_has_no_parts() -> None:
    """However many clients it has; each topic is named once."""
    found = Prover(mesh(objects(SERVICE)), mesh(objects(SERVICE.replace("80", "81"))))
    topics = found.topics_of(found.head.snapshot)
    assert [(topic.kind.value, topic.host) for topic in topics] == [("mesh", HOST)]
    assert len({case.client for case in found.cases_of(topics[0]).cases(reverse=False)}) > 1
