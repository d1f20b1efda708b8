"""The order in which each deployer writes, as its source says."""

from collections.abc import Mapping

import pytest

from meshplan.deployers import DEPLOYERS, Options, deployer_named
from meshplan.diff import Change, ChangeSet, Create, Delete, Update
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Remove, simulate
from meshplan.resource import Origin, Resource, Snapshot

GROUPS = {
    "VirtualService": "networking.istio.io/v1",
    "DestinationRule": "networking.istio.io/v1",
    "ServiceEntry": "networking.istio.io/v1",
    "Service": "v1",
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Deployment": "apps/v1",
}


def thing(
    kind: str, name: str, spec: str = "new", path: str = "", notes: Mapping[str, str] | None = None
) -> Resource:
    api = GROUPS[kind]
    group = api.rpartition("/")[0]
    namespace = "" if kind == "Namespace" else "shop"
    manifest = {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": dict(notes or {})},
        "spec": {"value": spec},
    }
    origin = Origin(path or f"{kind}-{name}.yaml".lower())
    return Resource(ResourceId(group, kind, namespace, name), api, manifest, origin)


def update(kind: str, name: str, **more: str) -> Change:
    return Update(thing(kind, name, "old"), thing(kind, name, **more), ())


def create(kind: str, name: str, notes: Mapping[str, str] | None = None) -> Change:
    return Create(thing(kind, name, notes=notes))


def delete(kind: str, name: str, notes: Mapping[str, str] | None = None) -> Change:
    return Delete(thing(kind, name, notes=notes))


def written(plan: Plan) -> list[list[str]]:
    """The waves as text: `+kind/name` is written, `-kind/name` deleted."""
    return [
        sorted(
            ("-" if isinstance(step, Remove) else "+") + f"{step.id.kind}/{step.id.name}"
            for step in wave.steps
        )
        for wave in plan.waves
    ]


def order(name: str, *changes: Change, options: Options | None = None) -> list[list[str]]:
    deployer = deployer_named(name)
    assert deployer is not None
    return written(deployer.order(ChangeSet(changes), Snapshot(), options or Options()))


MIXED = (
    update("VirtualService", "b"),
    update("DestinationRule", "c"),
    create("ServiceEntry", "a"),
    delete("DestinationRule", "old"),
    create("Service", "s"),
    create("Namespace", "shop"),
)


def test_helm_writes_in_install_order_and_deletes_afterwards() -> None:
    assert order("helm", *MIXED) == [
        ["+Namespace/shop"],
        ["+Service/s"],
        ["+DestinationRule/c"],
        ["+ServiceEntry/a"],
        ["+VirtualService/b"],
        ["-DestinationRule/old"],
    ]


def test_helm_deletes_a_rule_before_the_route_that_used_it() -> None:
    gone = (delete("VirtualService", "x"), delete("DestinationRule", "x"))
    assert order("helm", *gone) == [["-DestinationRule/x"], ["-VirtualService/x"]]


def test_flux_prunes_in_reverse_after_applying() -> None:
    gone = (delete("DestinationRule", "x"), delete("VirtualService", "x"))
    assert order("flux", *gone, update("VirtualService", "y")) == [
        ["+VirtualService/y"],
        ["-VirtualService/x"],
        ["-DestinationRule/x"],
    ]


def test_argocd_prunes_first_and_then_goes_by_name() -> None:
    assert order("argocd", *MIXED) == [
        ["-DestinationRule/old"],
        ["+Namespace/shop"],
        ["+Service/s"],
        ["+ServiceEntry/a"],
        ["+VirtualService/b"],
        ["+DestinationRule/c"],
    ]


def test_argocd_sends_a_run_of_one_kind_off_together() -> None:
    changes = [update("VirtualService", name) for name in ("a", "b")]
    assert order("argocd", *changes, update("DestinationRule", "c")) == [
        ["+VirtualService/a", "+VirtualService/b"],
        ["+DestinationRule/c"],
    ]


def test_argocd_leaves_objects_of_one_name_in_no_certain_order() -> None:
    both = (update("VirtualService", "reviews"), update("DestinationRule", "reviews"))
    assert order("argocd", *both) == [["+DestinationRule/reviews", "+VirtualService/reviews"]]


WAVE = "argocd.argoproj.io/sync-wave"


def test_argocd_reads_waves_and_mirrors_those_of_deletions() -> None:
    changes = (
        create("VirtualService", "v", {WAVE: "2"}),
        create("DestinationRule", "w", {WAVE: "-1"}),
        delete("VirtualService", "x", {WAVE: "2"}),
        delete("DestinationRule", "y", {WAVE: "0"}),
        create("ConfigMap", "c", {WAVE: "not a number"}),
    )
    assert order("argocd", *changes) == [
        ["+DestinationRule/w"],
        ["-VirtualService/x"],
        ["+ConfigMap/c"],
        ["-DestinationRule/y"],
        ["+VirtualService/v"],
    ]


@pytest.mark.parametrize("by_option", [True, False])
def test_argocd_prunes_last_where_it_is_told_to(by_option: bool) -> None:
    notes = {} if by_option else {"argocd.argoproj.io/sync-options": "PruneLast=true"}
    found = order(
        "argocd",
        delete("DestinationRule", "x", notes),
        create("VirtualService", "v", {WAVE: "3"}),
        options=Options(prune_last=by_option),
    )
    assert found == [["+VirtualService/v"], ["-DestinationRule/x"]]


def test_argocd_keeps_what_must_not_be_pruned() -> None:
    kept = delete("ConfigMap", "x", {"argocd.argoproj.io/sync-options": "Prune=false"})
    assert order("argocd", kept) == []


def test_argocd_pulls_a_namespace_before_what_is_in_it() -> None:
    found = order("argocd", create("Namespace", "shop"), create("ConfigMap", "c", {WAVE: "-5"}))
    assert found == [["+Namespace/shop"], ["+ConfigMap/c"]]


def test_kubectl_follows_the_names_of_files() -> None:
    found = order(
        "kubectl",
        update("DestinationRule", "r", path="b/rule.yaml"),
        update("VirtualService", "r", path="a/route.yaml"),
        delete("Service", "s"),
    )
    assert found == [["+VirtualService/r"], ["+DestinationRule/r"], ["-Service/s"]]


def test_kapp_knows_no_order_of_istio_kinds() -> None:
    assert order("kapp", *MIXED) == [
        ["+Namespace/shop", "-DestinationRule/old"],
        ["+DestinationRule/c", "+Service/s", "+ServiceEntry/a", "+VirtualService/b"],
    ]


@pytest.mark.parametrize("deployer", DEPLOYERS, ids=lambda d: d.name)
def test_every_deployer_ends_at_the_head(deployer: object) -> None:
    assert deployer in DEPLOYERS
    base = Snapshot([thing("VirtualService", "b", "old"), thing("DestinationRule", "old")])
    head = Snapshot([thing("VirtualService", "b"), thing("Service", "s")])
    changes = ChangeSet(
        (
            Update(thing("VirtualService", "b", "old"), thing("VirtualService", "b"), ()),
            delete("DestinationRule", "old"),
            create("Service", "s"),
        )
    )
    plan = deployer.order(changes, base, Options())  # type: ignore[attr-defined]
    after = simulate(plan.steps, base)
    assert {r.id: r.manifest for r in after.values()} == {r.id: r.manifest for r in head.values()}
