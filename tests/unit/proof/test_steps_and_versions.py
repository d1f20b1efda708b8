"""Versions of objects and the waves of plans, on a few written objects."""

from typing import TYPE_CHECKING, Any

import pytest

from meshplan.identity import ResourceId
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave
from meshplan.proof.collector import collector_held_back
from meshplan.proof.meter import Meter, WorkSpentError
from meshplan.proof.moving import in_scope, wave_in
from meshplan.proof.numbers import Numbers
from meshplan.proof.versions import BASE, HEAD, Versions
from meshplan.proof.waves import moving_waves, version_of, wave_of
from meshplan.resource import Resource, Snapshot
from support.proofs import change
from support.snapshots import resource, snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping


def made(kind: str, name: str, value: object = 1, api: str = "v1") -> Resource:
    meta = {"name": name, "namespace": "shop"}
    return resource({"apiVersion": api, "kind": kind, "metadata": meta, "spec": {"x": value}})


def pods(kind: str, name: str, **template: Any) -> Resource:
    labels = template.pop("labels", {"app": name})
    meta = {"labels": labels, **template.pop("metadata", {})}
    spec = {
        "containers": [{"name": "c", **template.pop("container", {})}],
        **template.pop("pod", {}),
    }
    value = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"template": {"metadata": meta, "spec": spec}, **template},
    }
    return resource(value)


A, B, C, D = (made("Service", name) for name in "abcd")
A2, A3 = made("Service", "a", 2), made("Service", "a", 3)


def versions() -> Versions:
    """Of a base with a, b, d and a head with a changed, c new, d as it was and b gone."""
    return Versions(Snapshot([A, B, D]), Snapshot([A2, C, D]))


def test_what_differs_has_versions() -> None:
    found = versions()
    assert set(found.changed) == {A.id, B.id, C.id}
    assert (BASE, HEAD) == (0, 1)
    assert [found.get(A.id, number) for number in (BASE, HEAD)] == [A, A2]
    assert [found.get(B.id, number) for number in (BASE, HEAD)] == [B, None]
    assert [found.get(C.id, number) for number in (BASE, HEAD)] == [None, C]
    assert [list(found.all_of(one.id)) for one in (A, B, C, D)] == [[A, A2], [B], [C], [D]]
    assert list(found.all_of(ResourceId("", "Service", "shop", "z"))) == []


def test_numbers_of_versions() -> None:
    found = versions()
    assert [found.number(A.id, one) for one in (A, A2, A3, A3, A)] == [0, 1, 2, 2, 0]
    assert found.get(A.id, 2) == A3
    # An object that is the same in both revisions gets versions when it has another one.
    assert found.number(D.id, D) == BASE
    assert D.id not in found.changed
    other = made("Service", "d", 5)
    assert found.number(D.id, other) == 2
    assert list(found.all_of(D.id)) == [D, other]
    assert D.id in found.changed


def test_which_versions_are_known() -> None:
    found = versions()
    assert [found.is_known(A.id, one) for one in (A, A2, A3, None)] == [True, True, False, False]
    assert [found.is_known(B.id, one) for one in (B, None)] == [True, True]
    assert [found.is_known(D.id, one) for one in (D, None)] == [True, False]
    assert not found.is_known(D.id, made("Service", "d", 5))
    assert set(found.changed) == {A.id, B.id, C.id}


def test_objects_of_a_kind() -> None:
    found = versions()
    assert [one.manifest for one in found.of_kind("", "Service")] == [
        one.manifest for one in (D, A, A2, B, C)
    ]
    assert list(found.of_kind("", "Secret")) == []
    assert list(found.in_common("", "Service")) == [D]
    assert list(found.with_several("", "Service")) == [A, A2, B, C]
    assert list(found.with_several("apps", "Service")) == []
    found.number(D.id, made("Service", "d", 5))
    # What is the same in both revisions stays in common, whatever plans write.
    assert list(found.in_common("", "Service")) == [D]


def test_what_is_written_later_is_there_from_then_on() -> None:
    found = versions()
    assert list(found.all_of(A.id)) == [A, A2]
    assert list(found.of_kind("", "Service")) == [D, A, A2, B, C]
    other = made("Service", "d", 5)
    found.number(A.id, A3)
    found.number(D.id, other)
    assert list(found.all_of(A.id)) == [A, A2, A3]
    assert list(found.of_kind("", "Service")) == [A, A2, A3, B, C, D, other]


def is_one(one: Resource, other: Resource) -> bool:
    return one.id not in Versions(Snapshot([one]), Snapshot([other])).changed


def test_the_version_of_the_api_counts() -> None:
    assert not is_one(made("X", "a", api="g/v1"), made("X", "a", api="g/v2"))
    assert is_one(made("X", "a", api="g/v1"), made("X", "a", api="g/v1"))


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_of_workloads_that_counts_which_proxies_see(kind: str) -> None:
    old = pods(kind, "a")
    for same in (
        pods(kind, "a", container={"image": "new"}),
        pods(kind, "a", metadata={"annotations": {"x": "y"}}),
    ):
        assert is_one(old, same)
    for other in (
        pods(kind, "a", labels={"app": "b"}),
        pods(kind, "a", container={"ports": [{"name": "web", "containerPort": 80}]}),
        pods(kind, "a", pod={"serviceAccountName": "one"}),
        pods(kind, "a", labels={"app": "a", "sidecar.istio.io/inject": "false"}),
    ):
        assert not is_one(old, other)
    if kind != "DaemonSet":
        assert not is_one(old, pods(kind, "a", replicas=0))


def test_of_pods_that_nobody_can_read_everything_counts() -> None:
    whole = pods("Deployment", "a")
    assert is_one(made("Deployment", "a", 1, "apps/v1"), made("Deployment", "a", 1, "apps/v1"))
    assert not is_one(made("Deployment", "a", 1, "apps/v1"), made("Deployment", "a", 2, "apps/v1"))
    assert not is_one(whole, made("Deployment", "a", 1, "apps/v1"))
    assert not is_one(made("Deployment", "a", 1, "apps/v1"), whole)


def test_of_a_workload_entry_everything_counts() -> None:
    def entry(address: str, **more: str) -> Resource:
        meta = {"name": "a", "namespace": "shop"}
        spec = {"address": address, "labels": {"app": "a"}, **more}
        api = "networking.istio.io/v1"
        return resource(
            {"apiVersion": api, "kind": "WorkloadEntry", "metadata": meta, "spec": spec}
        )

    assert is_one(entry("10.0.0.1"), entry("10.0.0.1"))
    assert not is_one(entry("10.0.0.1"), entry("10.0.0.2"))
    assert not is_one(entry("10.0.0.1"), entry("10.0.0.1", locality="a/b"))


# Waves

DEPLOYMENT = pods("Deployment", "w")
ENTRY = made("WorkloadEntry", "e", api="networking.istio.io/v1")


def waves(*given: tuple[GateKind, list[Step]]) -> Plan:
    return Plan(tuple(Wave(tuple(steps), Gate(kind, "")) for kind, steps in given))


def put(one: Resource) -> Step:
    return Apply(one, "")


def gone(one: Resource) -> Step:
    return Remove(one.id, one.api_version, "")


def test_what_steps_leave_behind() -> None:
    assert version_of(put(A)) == A
    assert version_of(gone(A)) is None


@pytest.mark.parametrize("gate", [GateKind.PROXIES, GateKind.DRAINED, GateKind.ASSUMED])
def test_a_gate_that_waits_for_proxies_settles_all(gate: GateKind) -> None:
    first, second = moving_waves(waves((gate, [put(A2), gone(B)]), (gate, [put(C)])))
    assert (first.number, second.number) == (0, 1)
    assert dict(first.before) == {}
    assert dict(first.after) == {A.id: A2, B.id: None}
    assert first.ids == {A.id, B.id}
    assert dict(second.before) == {A.id: A2, B.id: None}
    assert dict(second.after) == {A.id: A2, B.id: None, C.id: C}
    assert second.ids == {C.id}


@pytest.mark.parametrize("gate", [GateKind.ESTABLISHED, GateKind.GONE, GateKind.READY])
def test_any_other_leaves_it_open(gate: GateKind) -> None:
    _, second = moving_waves(waves((gate, [put(A2)]), (GateKind.PROXIES, [put(C)])))
    assert dict(second.before) == {}
    assert dict(second.after) == {A.id: A2, C.id: C}
    assert second.ids == {A.id, C.id}


def test_a_gate_that_waits_for_pods_settles_workloads() -> None:
    steps = [put(DEPLOYMENT), put(ENTRY), put(A2)]
    _, second = moving_waves(waves((GateKind.READY, steps), (GateKind.PROXIES, [])))
    assert dict(second.before) == {DEPLOYMENT.id: DEPLOYMENT}
    assert second.ids == {ENTRY.id, A.id}


def test_what_is_written_twice_passes_through_both() -> None:
    plan = waves(
        (GateKind.GONE, [gone(A)]), (GateKind.GONE, [put(A2)]), (GateKind.PROXIES, [put(A3)])
    )
    first, second, third = moving_waves(plan, {A.id: A})
    assert dict(first.passing) == {}
    assert dict(second.passing) == {A.id: (None,)}
    assert dict(third.passing) == {A.id: (None, A2)}
    assert dict(third.after) == {A.id: A3}
    assert dict(third.before) == {A.id: A}


def test_what_a_wave_writes_as_it_was_does_not_move() -> None:
    """Of what it writes twice that moves which it passes through."""
    text = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {ports: [{name: http, port: %s}]}
"""
    one, other, third = (text % port for port in (80, 81, 82))
    made = change(one, other)
    was, becomes, between = (next(iter(snapshot(found).values())) for found in (one, other, third))
    (topic,) = made.prover.topics_of([was.id])
    scope, versions = made.prover.cases_of(topic).scope, made.prover._versions

    def moves(*written: Resource) -> list[list[Resource | None]]:
        (wave,) = moving_waves(waves((GateKind.DRAINED, [put(found) for found in written])))
        found = wave_in(scope, wave, versions)
        assert list(in_scope(scope, [wave], versions)) == [found] * bool(found.moves)
        return [[versions.get(was.id, n) for n in numbers] for _, numbers in found.moves]

    assert moves(becomes) == [[becomes]]
    assert moves(was) == []
    assert moves(between, was) == [[between]]
    assert moves(between, becomes) == [[between, becomes]]
    assert moves(B) == []


def test_a_single_wave() -> None:
    before: Mapping[ResourceId, Resource | None] = {A.id: A, B.id: B}
    found = wave_of(3, before, [gone(A), put(A2), put(C)])
    assert (found.number, dict(found.before)) == (3, before)
    assert dict(found.after) == {A.id: A2, B.id: B, C.id: C}
    assert found.ids == {A.id, C.id}
    assert dict(found.passing) == {A.id: (None,)}


# Small helpers


def test_equal_results_of_a_stage_share_a_number() -> None:
    meter = Meter(3)
    numbers = Numbers(meter)
    assert numbers.of("x", 1, lambda: ["a"]) == 0
    assert numbers.of("x", 2, lambda: ["b"]) == 1
    assert numbers.of("x", 3, lambda: ["a"]) == 0
    # What is known is not asked again, and costs nothing.
    assert numbers.of("x", 2, lambda: ["z"]) == 1
    assert meter.spent == 3
    with pytest.raises(WorkSpentError, match="more than 3 steps of work"):
        numbers.of("y", 1, lambda: ["b"])


def test_stages_count_for_themselves() -> None:
    numbers = Numbers(Meter(10))
    assert numbers.of("x", 1, lambda: "a") == 0
    assert numbers.of("y", 1, lambda: "b") == 0
    assert numbers.of("y", 2, lambda: "a") == 1


def test_the_collector_comes_back_when_the_last_block_has_ended() -> None:
    import gc

    before = gc.get_freeze_count()
    with collector_held_back():
        assert gc.get_freeze_count() > before
        with collector_held_back():
            pass
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == 0


FILTER = """
apiVersion: %s
kind: %s
metadata: {name: x, namespace: shop}
spec: {configPatches: [%s]}
"""


@pytest.mark.parametrize(
    ("api", "kind", "patches", "told"),
    [
        (
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            "{applyTo: HTTP_FILTER}",
            "EnvoyFilter shop/x patches the proxies' configuration, which is not modelled",
        ),
        (
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            "{applyTo: BOOTSTRAP}, {applyTo: CLUSTER}",
            "EnvoyFilter shop/x patches the proxies' configuration, which is not modelled",
        ),
        ("networking.istio.io/v1alpha3", "EnvoyFilter", "{applyTo: BOOTSTRAP}", None),
        (
            "extensions.istio.io/v1alpha1",
            "WasmPlugin",
            "{applyTo: BOOTSTRAP}",
            "WasmPlugin shop/x puts code into the proxies, which is not modelled",
        ),
        (
            "extensions.istio.io/v1alpha1",
            "TrafficExtension",
            "",
            "TrafficExtension shop/x puts code into the proxies, which is not modelled",
        ),
        ("networking.istio.io/v1", "ProxyConfig", "", None),
    ],
)
def test_what_is_not_modelled(api: str, kind: str, patches: str, told: str | None) -> None:
    proof = change("", FILTER % (api, kind, patches)).together()
    assert [one.why for one in proof.unknowns] == ([told] if told else [])
    group = api.partition("/")[0]
    id_ = ResourceId(group, kind, "shop", "x")
    assert [(one.ids, one.culprits) for one in proof.unknowns] == (
        [((id_,), (id_,))] if told else []
    )
