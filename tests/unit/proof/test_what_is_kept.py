"""What provers keep from one question to the next, and what they find out once more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import Apply, Plan, Remove, Step
from meshplan.proof import Proof, Prover
from meshplan.proof.topics import TopicCases
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from support.asking import doc, pod
from support.meshes import with_versions
from support.proofs import plan, steps_of
from support.scenarios import scenario_snapshots
from support.snapshots import snapshot


def objects(*texts: str) -> Snapshot:
    return snapshot(with_versions("".join(texts).removeprefix("---\n")))


def prover(base: Snapshot, head: Snapshot, *more: Resource) -> Prover:
    sides = (Mesh.of(one, MeshConfig(), World.OPEN) for one in (base, head))
    return Prover(*sides, extra_versions=more)


def told(proof: Proof) -> object:
    return proof.to_json(), [one.to_json() for one in proof.lost]


@contextmanager
def looking() -> Iterator[list[str]]:
    """The hosts of the topics that are looked at meanwhile."""
    seen: list[str] = []
    look = Prover._looked_at

    def noted(self: Prover, cases: TopicCases, *args: object, **named: object) -> object:
        seen.append(cases.topic.host.partition(".")[0])
        return look(self, cases, *args, **named)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prover, "_looked_at", noted)
        yield seen


def service(name: str) -> str:
    return doc("Service", name, "shop", f"{{selector: {{app: {name}}}, ports: [{{name: http, port: 80}}]}}")  # fmt: skip


def route(name: str, match: str = "", subset: str = "", meta: str = "") -> str:
    asked = f"match: [{match}], " if match else ""
    to = f"host: {name}" + (f", subset: {subset}" if subset else "")
    text = doc("VirtualService", name, "shop", f"{{hosts: [{name}], http: [{{{asked}route: [{{destination: {{{to}}}}}]}}]}}")  # fmt: skip
    return text.replace(f"name: {name},", f"name: {name}{meta},", 1)


def rule(name: str, subset: str) -> str:
    subsets = f"[{{name: {subset}, labels: {{v: '1'}}}}]" if subset else "[]"
    return doc("DestinationRule", name, "shop", f"{{host: {name}, subsets: {subsets}}}")


def one(text: str) -> Resource:
    (found,) = objects(text).values()
    return found


def step(text: str) -> Step:
    return Apply(one(text), "")


#: Two services, the routes of which come to ask for a path.
BASE = objects(service("a"), service("b"), route("a"), route("b"))
HEAD = objects(service("a"), service("b"), *(route(n, "{uri: {prefix: /x}}") for n in "ab"))
STEPS = list(steps_of(BASE, HEAD))


def test_the_same_is_not_looked_at_twice() -> None:
    made = prover(BASE, HEAD)
    with looking() as seen:
        made.check(plan([STEPS]))
        assert seen == ["a", "b"]
        made.check(plan([STEPS]))
        assert seen == ["a", "b"]
        # What is taken up late makes everything uncertain; what is known already does not.
        extra = route("a", "{uri: {prefix: /y}}")
        made.check(plan([[step(extra)], STEPS]))
        assert sorted(seen) == ["a", "a", "b", "b"]
        made.check(plan([[step(extra)], STEPS]))
        assert len(seen) == 4


def test_what_further_versions_have_no_bearing_on_is_kept() -> None:
    first = prover(BASE, HEAD)
    first.check(plan([STEPS]))
    extra = one(route("a", "{uri: {prefix: /y}}"))
    made = first.with_versions([extra])
    assert made.meter is first.meter
    with looking() as seen:
        found = made.check(plan([[Apply(extra, "")], STEPS]))
        assert seen == ["a"]
    assert told(found) == told(prover(BASE, HEAD, extra).check(plan([[Apply(extra, "")], STEPS])))


def test_what_is_known_of_twins_is_kept() -> None:
    """A host that is not looked at before is like one that is."""
    names = ("svc-001", "svc-002")
    far = service("far") + route("far")
    base = objects(far, *(service(name) + route(name) for name in names))
    head = objects(far, *(service(name) + route(name, "{uri: {prefix: /x}}") for name in names))
    first, second = steps_of(base, head)
    there = prover(base, head)
    there.check(plan([[first]]))
    extra = one(route("far", "{uri: {prefix: /x}}"))
    with looking() as seen:
        there.with_versions([extra]).check(plan([[second]]))
        assert seen == ["far"]


def labelled(text: str) -> str:
    """With names that have numbers, so that one topic may be taken for another."""
    return text.replace("shop", "shop01")


@pytest.mark.parametrize(
    "more",
    [
        route("a", "{sourceLabels: {app: c}}"),
        route("a", "{uri: {exact: /y}}"),
        route("a", subset="s"),
        rule("a", "s"),
        service("a").replace("port: 80", "port: 81"),
        pod("shop", "app: a"),
        doc("Sidecar", "s", "shop", "{egress: [{hosts: ['~/*']}]}"),
        doc("AuthorizationPolicy", "p", "shop", "{action: DENY, rules: [{from: [{source: {namespaces: [job]}}]}]}"),
    ],
)  # fmt: skip
def test_names_with_numbers_make_nothing_stale(more: str) -> None:
    text = [labelled(one) for one in (service("a"), route("a"), route("a", "{uri: {prefix: /x}}"))]
    base, head = objects(*text[:2]), objects(text[0], text[2])
    extra = one(labelled(more))
    steps = list(steps_of(base, head))
    first = prover(base, head)
    first.check(plan([steps]))
    first.allows({}, steps)
    made, new = first.with_versions([extra]), prover(base, head, extra)
    late = prover(base, head)
    late.check(plan([steps]))
    for waves in ([steps], [[Apply(extra, "")], steps], [[*steps, Apply(extra, "")]]):
        expected = told(new.check(plan(waves)))
        assert told(made.check(plan(waves))) == expected
        if len(waves) > 1:
            assert told(late.check(plan(waves))) == expected
    before = {extra.id: extra}
    assert made.allows(before, steps) == new.allows(before, steps)
    assert first.allows(before, steps) == new.allows(before, steps)
    assert made.allows({}, [Apply(extra, "")]) == new.allows({}, [Apply(extra, "")])


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("gateway-host-moved", "Gateway edge/b"),
        ("gateway-host-moved", "Gateway edge/a"),
        ("httproute-backend-replaced", "Service shop/shop-v1"),
        ("sidecar-narrowed-after-route", "VirtualService web/reviews"),
        ("sidecar-flip", "VirtualService web/backend"),
    ],
)
def test_objects_have_a_say_beyond_what_they_are_about(name: str, of: str) -> None:
    """A third version of one that has a say in hosts that it does not name."""
    base, head = scenario_snapshots(name)
    (id_,) = [found for found in {**base, **head} if str(found) == of]
    version = (head.get(id_) or base[id_]).manifest
    meta = {**version["metadata"], "annotations": {"note": "third"}}
    extra = replace(head.get(id_) or base[id_], manifest={**version, "metadata": meta})
    steps = list(steps_of(base, head))
    first = prover(base, head)
    first.check(plan([steps]))
    waves = plan([[Apply(extra, "")], steps])
    assert told(first.with_versions([extra]).check(waves)) == told(
        prover(base, head, extra).check(waves)
    )


# The way back


def back(base: Snapshot, head: Snapshot, there: Plan, waves: Plan) -> tuple[int, object]:
    """Views of a way back of a proven plan; what is found has to be what a new prover finds."""
    first = prover(base, head)
    first.check(there)
    found = first.back().check(waves, proven=there)
    whole = prover(head, base).check(waves)
    assert (found.verdict, found.counterexamples) == (whole.verdict, whole.counterexamples)
    return found.views, whole.views


def ways(before: str, after: str) -> tuple[Snapshot, Snapshot, list[Step], list[Step]]:
    base, head = objects(before), objects(after)
    return base, head, list(steps_of(base, head)), list(steps_of(head, base))


X = "{uri: {prefix: /x}}"


def test_a_way_back_that_is_the_way_there() -> None:
    base, head, there, again = ways(service("a") + route("a"), service("a") + route("a", X))
    views, whole = back(base, head, plan([there]), plan([again]))
    assert views == 0 < whole


@pytest.mark.parametrize("several", [False, True])
def test_what_is_created_is_no_mirror_if_ages_count(several: bool) -> None:
    """Of pods and Services they do not."""
    usual = service("a") + route("a")
    made = rule("a", "") if several else pod("shop", "app: a")
    base, head, there, again = ways(usual, usual + made)
    views, whole = back(base, head, plan([there]), plan([again]))
    assert whole > 0
    assert (views > 0) == several


@pytest.mark.parametrize("sides", [(True, False), (False, True), (True, True)])
def test_who_has_a_time_in_any_version_is_no_mirror(sides: tuple[bool, bool]) -> None:
    meta = ", creationTimestamp: '2020-01-01T00:00:00Z'"
    first, last = (
        service("a") + route("a", match, meta=meta if dated else "")
        for match, dated in zip(("", X), sides, strict=True)
    )
    base, head, there, again = ways(first, last)
    views, _ = back(base, head, plan([there]), plan([again]))
    assert views > 0


def test_other_waves_are_no_mirror() -> None:
    """In more waves than on the way there, and with one of two as it was."""
    usual = service("a")
    base, head, there, again = ways(
        usual + route("a") + rule("a", "s"), usual + route("a", X) + rule("a", "t")
    )
    by_kind = {one.id.kind: one for one in there}
    reverse = {one.id.kind: one for one in again}
    names = ("VirtualService", "DestinationRule")
    two = plan([[by_kind[kind]] for kind in names])
    mirror = plan([[reverse[kind]] for kind in names[::-1]])
    assert back(base, head, two, mirror)[0] == 0
    assert back(base, head, two, plan([again]))[0] > 0
    assert back(base, head, two, plan([[reverse[kind]] for kind in names]))[0] > 0
    third = Apply(one(route("a", "{uri: {prefix: /z}}")), "")
    detour = plan([[reverse["DestinationRule"]], [third], [reverse["VirtualService"]]])
    assert back(base, head, two, detour)[0] > 0
    at_once = plan([[reverse["DestinationRule"]], [third, reverse["VirtualService"]]])
    assert back(base, head, two, at_once)[0] > 0


# What is allowed


def test_all_that_a_wave_is_about_has_to_be_safe() -> None:
    base = objects(*(service(n) + route(n) + rule(n, "s") for n in "ab"))
    head = objects(*(service(n) + route(n, subset="s") + rule(n, "s") for n in "ab"))
    made = prover(base, head)
    first, second = steps_of(base, head)
    gone = Remove(one(rule("b", "s")).id, "networking.istio.io/v1", "")
    assert made.allows({}, [first, second])
    assert not made.allows({}, [first, second, gone])
    assert made.allows({}, [gone])
    assert not made.allows({second.id: head[second.id]}, [first, gone])


def test_alike_states_of_other_topics_are_looked_at_by_themselves() -> None:
    """Of two routes that change in the same way one leads to a subset that is not there yet."""
    for broken in "ab":
        other = {name: rule(name, "t" if name == broken else "s, x: y") for name in "ab"}
        base = objects(*(service(n) + route(n) + other[n] for n in "ab"))
        head = objects(*(service(n) + route(n, subset="s") + rule(n, "s") for n in "ab"))
        steps = [one for one in steps_of(base, head) if one.id.kind == "VirtualService"]
        assert not prover(base, head).allows({}, steps)
        for changed in steps:
            assert prover(base, head).allows({}, [changed]) == (changed.id.name != broken)


def test_what_a_way_back_leaves_out_is_not_asked_for() -> None:
    """Not even where it could not be told."""
    many = "".join(
        doc("DestinationRule", f"d{n}", "shop", f"{{host: b, workloadSelector: {{matchLabels: {{l{n}: '1'}}}}}}")
        for n in range(9)
    )  # fmt: skip
    usual = service("a") + service("b") + many
    sides = [usual + "".join(route(name, match) for name in "ab") for match in ("", X)]
    base, head, there, again = ways(*sides)
    first = prover(base, head)
    assert {one.why for one in first.check(plan([there])).unknowns} == {
        "clients are told apart by too many labels"
    }
    found = first.back().check(plan([again[:1]]), proven=plan([there]))
    assert (found.unknowns, found.views, found.lost) == ((), 0, ())


def test_what_one_of_two_twins_is_unsure_of() -> None:
    """A policy may be for pods of the one that nobody knows; the other is in another namespace."""

    def fleet(match: str) -> str:
        return "".join(
            (service(name) + route(name, match)).replace("shop", team)
            for name, team in (("svc-001", "team-10"), ("svc-002", "team-11"))
        )

    policy = doc("PeerAuthentication", "p", "team-10", "{selector: {matchLabels: {v: x, app: svc-001}}, mtls: {mode: STRICT}}")  # fmt: skip
    base, head, there, _ = ways(fleet("") + policy, fleet(X) + policy)
    for order in (there, there[::-1]):
        found = prover(base, head).check(plan([order]))
        (why,) = {one.why for one in found.unknowns}
        assert why.startswith(
            "whether PeerAuthentication team-10/p is for pods of Service team-10/svc-001 is not"
        )


def test_objects_around_a_wave_may_be_in_versions_that_nobody_knew() -> None:
    """A route leads to another service for the time being, the rule of which loses its subset."""
    usual = service("a") + service("b") + route("a")
    base, head = objects(usual, rule("b", "t")), objects(usual, rule("b", "s"))
    steps = list(steps_of(base, head))
    detour = one(route("a").replace("{host: a}", "{host: b, subset: t}"))
    assert prover(base, head).allows({}, steps)
    for more in ((), (detour,)):
        assert not prover(base, head, *more).allows({detour.id: detour}, steps)


def test_what_is_written_as_it_is_moves_nothing() -> None:
    made = prover(BASE, HEAD)
    same: list[Step] = [Apply(BASE[step.id], "") for step in STEPS]
    assert made.check(plan([same])).views == 0
    whole = made.check(plan([STEPS]))
    assert made.check(plan([same, STEPS])).views == whole.views > 0
    # What goes and comes again does move.
    away: list[Step] = [Remove(step.id, "networking.istio.io/v1", "") for step in STEPS]
    assert made.check(plan([[*away, *same]])).views > 0


EXTERNAL = """---
kind: ServiceEntry
metadata: {{name: ext-{n}, namespace: shop}}
spec: {{hosts: [ext-{n}.example.com], resolution: DNS, ports: [{{number: 80, name: http, protocol: HTTP}}]}}
---
kind: VirtualService
metadata: {{name: near-{n}, namespace: shop}}
spec: {{hosts: [ext-{n}.example.com], http: [{{route: [{{destination: {{host: {to}, port: {{number: 80}}}}}}]}}]}}
"""
FAR = """---
kind: VirtualService
metadata: {{name: far-{n}, namespace: shop}}
spec: {{hosts: [ext-{n}.example.com], gateways: [edge/egress], http: [{{route: [{{destination: {{host: ext-{n}.example.com}}}}]}}]}}
"""
EGRESS = """---
kind: Gateway
metadata: {name: egress, namespace: edge}
spec: {selector: {istio: egress}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*.example.com']}]}
---
kind: Service
metadata: {name: egress, namespace: edge}
spec: {selector: {istio: egress}, ports: [{name: http2, port: 80}]}
"""


@pytest.mark.parametrize("missing", ["001", "002"])
def test_twins_that_are_sent_on_may_meet_different_gateways(missing: str) -> None:
    """The gateway has the route of one host already, the route of the other is still to come."""
    numbers = ("001", "002")
    first = "".join(EXTERNAL.format(n=n, to=f"ext-{n}.example.com") for n in numbers)
    last = "".join(EXTERNAL.format(n=n, to="egress.edge.svc.cluster.local") for n in numbers)
    far = {n: FAR.format(n=n) for n in numbers}
    base = objects(first, EGRESS, *(far[n] for n in numbers if n != missing))
    head = objects(last, EGRESS, *far.values())
    steps = {one.id.name: one for one in steps_of(base, head)}
    near = [steps[f"near-{n}"] for n in numbers]
    for order in (near, near[::-1]):
        assert not prover(base, head).allows({}, order)
        made = prover(base, head)
        for step in order:
            assert made.allows({}, [step]) == (not step.id.name.endswith(missing))
        ready = steps[f"far-{missing}"].id
        assert made.allows({ready: head[ready]}, order)
