"""States of the changed objects around a topic, as meshes, and what each stage looks at."""

from itertools import pairwise

import pytest

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.age import creation_time
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.proof.meter import Meter
from meshplan.proof.opaque import opaque_changes
from meshplan.proof.scope import Scope, Stages, between, normal
from meshplan.proof.types import Client, Topic, TopicKind
from meshplan.proof.versions import HEAD, Versions
from meshplan.resource import Resource, Snapshot
from meshplan.settings import World
from support.snapshots import resource

TOPIC = Topic(TopicKind.MESH, "a.shop.svc.cluster.local")
NETWORKING, GATEWAY_API = "networking.istio.io/v1", "gateway.networking.k8s.io/v1"


def made(
    name: str,
    note: str = "",
    time: str = "",
    kind: str = "Service",
    api: str = "v1",
    **spec: object,
) -> Resource:
    meta = {"name": name, "namespace": "shop", "annotations": {"note": note}}
    if time:
        meta["creationTimestamp"] = time
    return resource({"apiVersion": api, "kind": kind, "metadata": meta, "spec": spec})


def scope_of(
    base: list[Resource], head: list[Resource], *, reverse: bool = False, selective: bool = True
) -> Scope:
    versions = Versions(Snapshot(base), Snapshot(head))
    mesh = Mesh.of(Snapshot(base), MeshConfig(root_namespace="root"), World.OPEN)
    ids = dict.fromkeys(one.id for one in (*base, *head))
    return Scope(
        TOPIC,
        ids,
        versions,
        mesh,
        meter=Meter(1000),
        reverse_ages=reverse,
        selective=selective,
    )


A, A2, B, C, D = made("a"), made("a", "new"), made("b"), made("c"), made("d")
SCOPE = ([D, B, A], [C, A2, D])


def notes(mesh: Mesh) -> dict[str, str]:
    return {one.id.name: str(one.annotations["note"]) for one in mesh.snapshot.values()}


def test_states_are_versions_of_changed_objects() -> None:
    scope = scope_of(*SCOPE)
    assert [id_.name for id_ in scope.ids] == ["a", "b", "c"]
    assert scope.positions == {one.id: n for n, one in enumerate((A, B, C))}
    assert [one.id.name for one in scope.context] == ["d"]
    assert scope.state({}) == (0, 0, 0)
    assert scope.state({}, HEAD) == (1, 1, 1)
    assert scope.state({C.id: 1, A.id: 2, D.id: 5}) == (2, 0, 1)
    assert list(scope.all_versions()) == [(A, A2), (B, None), (None, C)]


def test_meshes_of_states() -> None:
    scope = scope_of(*SCOPE)
    assert notes(scope.mesh((0, 0, 0))) == {"a": "", "b": "", "d": ""}
    assert notes(scope.mesh((1, 0, 0))) == {"a": "new", "b": "", "d": ""}
    assert notes(scope.mesh((0, 1, 0))) == {"a": "", "d": ""}
    assert notes(scope.mesh((1, 1, 1))) == {"a": "new", "c": "", "d": ""}
    assert scope.mesh((1, 0, 0)) is scope.mesh((1, 0, 0))


def by_age(scope: Scope, state: tuple[int, ...]) -> str:
    """Names in the order of the times that objects have; alike ones by name."""
    found = scope.mesh(state).snapshot.values()
    return "".join(
        one.id.name for one in sorted(found, key=lambda one: (creation_time(one), one.id.name))
    )


def test_what_is_created_is_the_youngest() -> None:
    assert by_age(scope_of(*SCOPE), (0, 0, 1)) == "abdc"
    old = [made("z", time="2020-01-01T00:00:00Z"), made("y", time="2021-01-01T00:00:00Z"), B]
    scope = scope_of(old, [*old, A, C])
    assert by_age(scope, (1, 1)) == "bzyac"
    times = {one.id.name: creation_time(one) for one in scope.mesh((1, 1)).snapshot.values()}
    # Who has a time keeps it; who has none and was there is the oldest.
    assert times["z"].startswith("2020")
    assert times["b"] == ""
    assert times["a"] == times["c"]


def test_an_update_makes_nobody_younger() -> None:
    """The cluster keeps the time, whether or not the new version states one."""
    old, new = made("a", time="2020-01-01T00:00:00Z"), made("a", "new")
    stated = made("a", "new", time="2021-01-01T00:00:00Z")

    def head(before: Resource, after: Resource) -> Resource:
        found = scope_of([before], [after]).mesh((1,)).snapshot[old.id]
        assert found.annotations["note"] == "new"
        assert found.metadata["name"] == "a"
        assert {**found.manifest, "metadata": 0} == {**after.manifest, "metadata": 0}
        return found

    assert creation_time(head(old, new)) == "2020-01-01T00:00:00Z"
    assert creation_time(head(old, stated)) == "2021-01-01T00:00:00Z"
    assert creation_time(head(made("a"), new)) == ""
    assert creation_time(head(made("a"), stated)) == "2021-01-01T00:00:00Z"


def test_an_order_of_ages_turned_round() -> None:
    dated = made("x", time="2020-01-01T00:00:00Z")
    scope = scope_of([A, B, D, dated], [A2, B, C, D, made("e"), dated], reverse=True)
    # First the one with a time, then those that were there, then the created ones.
    assert by_age(scope, (1, 1, 1)) == "xdbaec"
    times = [creation_time(one) for one in scope.mesh((1, 1, 1)).snapshot.values()]
    assert len(set(times)) == len(times)
    assert (
        by_age(scope_of([A, B, D, dated], [A2, B, C, D, made("e"), dated]), (1, 1, 1)) == "abdxce"
    )


@pytest.mark.parametrize("reverse", [False, True])
def test_who_has_a_time_keeps_it(reverse: bool) -> None:
    """One that is there as well as one that comes; whichever way ages are ordered."""
    one, other = made("a", time="2020-01-01T00:00:00Z"), made("c", time="2021-01-01T00:00:00Z")
    changed = made("b", "new", time="2022-01-01T00:00:00Z")
    scope = scope_of([one, B], [one, changed, other], reverse=reverse)
    times = {two.id.name: creation_time(two) for two in scope.mesh((1, 1)).snapshot.values()}
    assert {name: time[:4] for name, time in times.items()} == {"a": "2020", "b": "2022", "c": "2021"}  # fmt: skip


def test_the_order_of_many_is_turned_round() -> None:
    """More than there are minutes in an hour, and seconds in a minute."""
    many = [made(f"s{number:04d}") for number in range(4000)]
    scope = scope_of(many, many, reverse=True)
    times = [creation_time(one) for one in sorted(scope.context, key=lambda one: one.id.name)]
    assert all(one > other for one, other in pairwise(times))


def test_ages_of_one_name_in_several_namespaces() -> None:
    def there(namespace: str) -> Resource:
        meta = {"name": "a", "namespace": namespace}
        return resource({"apiVersion": "v1", "kind": "Service", "metadata": meta})

    both = [there("one"), there("two")]
    scope = scope_of(both, both, reverse=True)
    one, two = (creation_time(found) for found in scope.context)
    assert one > two > ""


def test_only_some_positions_matter() -> None:
    assert normal((3, 4, 5), [0, 2]) == (3, 0, 5)
    assert normal((3, 4, 5), []) == (0, 0, 0)


def test_all_states_that_moves_lead_to() -> None:
    found = list(between((0, 0, 7), [(0, (1, 2)), (1, (3,))]))
    assert found == [
        ((0, 0, 7), ()),
        ((1, 0, 7), (0,)),
        ((2, 0, 7), (0,)),
        ((0, 3, 7), (1,)),
        ((1, 3, 7), (0, 1)),
        ((2, 3, 7), (0, 1)),
    ]
    assert list(between((4,), [])) == [((4,), ())]


# Stages

#: Each kind with the stages that look at it: routes, clusters, servers; at gateways `g` more.
KINDS = {
    ("v1", "Service"): "rcs",
    (NETWORKING, "ServiceEntry"): "rcs",
    (NETWORKING, "VirtualService"): "ri",
    (NETWORKING, "DestinationRule"): "c",
    (NETWORKING, "Gateway"): "r",
    (NETWORKING, "Sidecar"): "ois",
    (NETWORKING, "WorkloadEntry"): "gcs",
    (NETWORKING, "EnvoyFilter"): "rs",
    ("extensions.istio.io/v1alpha1", "WasmPlugin"): "rs",
    (GATEWAY_API, "Gateway"): "r",
    (GATEWAY_API, "GatewayClass"): "r",
    (GATEWAY_API, "HTTPRoute"): "ri",
    (GATEWAY_API, "GRPCRoute"): "ri",
    (GATEWAY_API, "TCPRoute"): "ri",
    (GATEWAY_API, "TLSRoute"): "ri",
    (GATEWAY_API, "ReferenceGrant"): "ri",
    ("v1", "Namespace"): "rcs",
    ("v1", "Endpoints"): "c",
    ("discovery.k8s.io/v1", "EndpointSlice"): "c",
    ("v1", "Pod"): "gcs",
    ("apps/v1", "Deployment"): "gcs",
    ("security.istio.io/v1", "PeerAuthentication"): "gcs",
    ("security.istio.io/v1", "AuthorizationPolicy"): "gs",
    ("security.istio.io/v1", "RequestAuthentication"): "gs",
    ("v1", "Secret"): "g",
    ("v1", "ConfigMap"): "",
}


def looked_at(stages: Stages) -> str:
    return "".join(
        letter if found else ""
        for letter, found in zip(
            "rcs", (stages.routes, stages.clusters, stages.servers), strict=True
        )
    )


@pytest.mark.parametrize(("api", "kind"), KINDS)
def test_what_stages_look_at(api: str, kind: str) -> None:
    said = KINDS[api, kind]
    one = made("a", kind=kind, api=api, template={"metadata": {}, "spec": {"containers": []}})
    for selective in (True, False):
        scope = scope_of([], [one], selective=selective)
        for namespace, proxy in (
            ("shop", sidecar("shop", {})),
            ("web", sidecar("web", {})),
            ("shop", gateway("shop", {})),
            ("", None),
        ):
            at_gateway = proxy is not None and proxy.kind.value == "gateway"
            own = namespace == "shop" and not at_gateway
            imported = "i" in said and selective and (own or kind != "Sidecar")
            expected = (
                "r" * ("r" in said or ("g" in said and at_gateway) or ("o" in said and own)),
                "c" * ("c" in said or imported),
                "s" * ("s" in said),
            )
            found = looked_at(scope.stages(Client(proxy)))
            assert found == "".join(expected), (selective, proxy)


def test_routes_of_a_gateway_look_at_its_own_pods_alone() -> None:
    def pods(name: str, **labels: str) -> Resource:
        template = {"metadata": {"labels": labels}, "spec": {"containers": []}}
        return made(name, kind="Deployment", api="apps/v1", template=template)

    was, becomes = pods("turned", app="b"), pods("turned", app="a", tier="x")
    scope = scope_of([was], [becomes, pods("own", app="a"), pods("other", app="b"), pods("none")])
    for namespace, labels, expected in (
        ("shop", {"app": "a"}, {"own", "turned"}),
        ("shop", {"app": "a", "tier": "x"}, {"turned"}),
        ("shop", {}, {"none", "other", "own", "turned"}),
        ("web", {"app": "a"}, set()),
    ):
        found = scope.stages(Client(gateway(namespace, labels))).routes
        assert {scope.ids[position].name for position in found} == expected
    assert scope.stages(Client(sidecar("shop", {"app": "a"}))).routes == ()


def test_sidecars_of_the_root_namespace_are_for_all() -> None:
    id_ = ResourceId("networking.istio.io", "Sidecar", "root", "a")
    meta = {"name": "a", "namespace": "root"}
    one = resource({"apiVersion": NETWORKING, "kind": "Sidecar", "metadata": meta})
    assert one.id == id_
    stages = scope_of([], [one]).stages(Client(sidecar("web", {})))
    assert (stages.routes, stages.clusters, stages.servers) == ((0,), (0,), (0,))
    at_gateway = scope_of([], [one]).stages(Client(gateway("web", {})))
    assert (at_gateway.routes, at_gateway.clusters) == ((), ())


def test_positions_of_all_stages() -> None:
    stages = Stages((0, 2), (1,), (2, 4))
    assert stages.everything == {0, 1, 2, 4}
    scope = scope_of([], [made("b"), made("a", kind="Secret"), made("c")])
    found = scope.stages(Client(sidecar("web", {})))
    names = [[scope.ids[p].name for p in stage] for stage in (found.routes, found.servers)]
    assert names == [["b", "c"], ["b", "c"]]


# What is not modelled

FILTERS = (NETWORKING.replace("v1", "v1alpha3"), "EnvoyFilter")
PLUGINS = ("extensions.istio.io/v1alpha1", "WasmPlugin")
EXTENSIONS = ("extensions.istio.io/v1alpha1", "TrafficExtension")
BOOTSTRAP, LISTENER = {"applyTo": "BOOTSTRAP"}, {"applyTo": "LISTENER"}


def patches(kind: tuple[str, str], *found: dict[str, str]) -> Resource:
    return resource(
        {
            "apiVersion": kind[0],
            "kind": kind[1],
            "metadata": {"name": "f", "namespace": "shop"},
            "spec": {"configPatches": list(found)},
        }
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (patches(FILTERS, LISTENER), None, "patches the proxies' configuration"),
        (None, patches(FILTERS, LISTENER), "patches the proxies' configuration"),
        (patches(FILTERS, BOOTSTRAP), patches(FILTERS, LISTENER), "patches the proxies' configuration"),
        (patches(FILTERS, BOOTSTRAP, LISTENER), None, "patches the proxies' configuration"),
        (patches(FILTERS, LISTENER), patches(FILTERS, LISTENER), ""),
        (patches(FILTERS, BOOTSTRAP), patches(FILTERS, BOOTSTRAP, BOOTSTRAP), ""),
        (patches(FILTERS), None, ""),
        (None, patches(PLUGINS), "puts code into the proxies"),
        (patches(PLUGINS, BOOTSTRAP), None, "puts code into the proxies"),
        (None, patches(EXTENSIONS), "puts code into the proxies"),
        (None, patches((GATEWAY_API, "EnvoyFilter")), ""),
        (None, A, ""),
    ],
)  # fmt: skip
def test_what_is_not_modelled(before: Resource | None, after: Resource | None, told: str) -> None:
    base, head = ([one] if one else [] for one in (before, after))
    id_ = (before or after or A).id
    found = list(opaque_changes([id_], Versions(Snapshot(base), Snapshot(head))))
    assert [one.why for one in found] == ([f"{id_} {told}, which is not modelled"] if told else [])
    assert all(one.ids == one.culprits == (id_,) for one in found)
