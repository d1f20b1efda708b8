"""Edges and plans of changes that people made, read as plain YAML without targets."""

import json
import tarfile
from functools import cache
from pathlib import Path

import pytest

from support.plans import Planned, planned, tree

pytestmark = pytest.mark.corpus

CASES = Path(__file__).parents[3] / "shared" / "corpora" / "cases"

#: Hints that are no edge here, with the reason.
NO_EDGE = {
    "ae-dr-host-change": "the route did not change and led nowhere before",
    "cns-remove-dr-gateway": "the route is left with a subset that nobody defines",
    "du-subset-added-tls": "read without targets: two files define the object",
    "istio-bookinfo-gateway-split": "read without targets: two files define the object",
    "rs-egress-refactor": "read without targets: two files define the object",
}


def _names() -> list[str]:
    return sorted(path.name for path in CASES.iterdir()) if CASES.is_dir() else []


@cache
def _planned(name: str) -> Planned:
    return planned(tree(CASES / name / "base"), tree(CASES / name / "head"))


def _plain(name: str) -> bool:
    return (CASES / name / "base").is_dir() or (CASES / name / "head").is_dir()


def _hints(name: str) -> list[tuple[str, str]]:
    order = json.loads((CASES / name / "case.json").read_text())["change"]["subset_order"]
    first = [(h["destination_rule"], h["virtual_service"]) for h in order["dr_before_vs"]]
    return first + [(h["virtual_service"], h["destination_rule"]) for h in order["vs_before_dr"]]


def _short(name: str) -> tuple[str, str]:
    kind, _, rest = name.partition(" ")
    return kind, rest.rpartition("/")[2]


@pytest.mark.parametrize("name", _names())
def test_a_hint_of_a_case_is_an_edge(name: str) -> None:
    if not _plain(name):
        pytest.skip("packed trees")
    pairs = {(_short(first), _short(then)) for first, then in _planned(name).pairs}
    missing = {h for h in _hints(name) if (_short(h[0]), _short(h[1])) not in pairs}
    assert bool(missing) == (name in NO_EDGE), missing


def test_a_swap_of_subsets_is_a_cycle_that_names_all_four() -> None:
    (cycle,) = _planned("step-istio-503-subset-swap").graph.cycles
    assert [found.kind for found in cycle.ids] == ["DestinationRule", "VirtualService"]
    for subset in ("v1", "v2", "v3", "v4"):
        assert f"subset {subset} of c.default.svc.cluster.local" in cycle.why


def test_an_egress_host_is_ordered_between_entry_and_route() -> None:
    pairs = _planned("cns-egress-host-swap").pairs
    kinds = {(first.split()[0], then.split()[0]) for first, then in pairs}
    assert kinds & {("ServiceEntry", "VirtualService"), ("VirtualService", "ServiceEntry")}


def test_renamed_entries_are_created_first() -> None:
    plan = _planned("md-serviceentry-rename").plan
    first, last = plan.waves
    assert {type(step).__name__ for step in first.steps} == {"Apply"}
    assert {type(step).__name__ for step in last.steps} == {"Remove"}


@pytest.mark.parametrize(
    "name", ["sa-short-host-names", "step-bookinfo-shift-50-v3", "sc-vs-formatting"]
)
def test_what_means_the_same_needs_no_order(name: str) -> None:
    found = _planned(name)
    assert not found.graph.edges
    assert len(found.plan.waves) == 1


def test_the_plan_of_an_upgrade_waits_for_webhooks_kinds_and_pods(tmp_path: Path) -> None:
    """A control plane is replaced: 133 objects."""
    plan = _planned("cf-meshpolicy-to-peerauth").plan
    places = {str(step.id): n for n, wave in enumerate(plan.waves) for step in wave.steps}
    path = [
        "ClusterRole istiod-istio-system",
        "ClusterRoleBinding istiod-pilot-istio-system",
        "Deployment istio-system/istiod",
        "MutatingWebhookConfiguration istio-sidecar-injector",
        "Deployment istio-system/istio-sidecar-injector",
        "ServiceAccount istio-system/istio-sidecar-injector-service-account",
    ]
    waves = [places[name] for name in path]
    assert waves == sorted(set(waves))


def test_a_thousand_objects_have_a_graph(tmp_path: Path) -> None:
    archive = CASES / "perf-kubeflow-2024-2026" / "trees.tar.gz"
    if not archive.is_file():
        pytest.skip("this case is not among the corpora")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    found = planned(tree(tmp_path / "base"), tree(tmp_path / "head"))
    assert len(found.changes) > 700
    assert not found.graph.cycles
