"""Where a barrier cuts a sync, and what is no barrier."""

from typing import Any

import pytest
import yaml

from meshplan.argocd.barrier import Barriers, barrier_file, is_barrier
from meshplan.argocd.order import sync_of
from meshplan.deployers import Options
from meshplan.diff import diff
from support.snapshots import of_values

WAVE = "argocd.argoproj.io/sync-wave"
ISTIO = "networking.istio.io/v1"


def thing(name: str, wave: int | None = None, **body: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "shop"}
    if wave is not None:
        metadata["annotations"] = {WAVE: str(wave)}
    spec = {"hosts": [f"{name}.example.com"], "ports": [{"number": 80}], **body}
    return {"apiVersion": ISTIO, "kind": "ServiceEntry", "metadata": metadata, "spec": spec}


def barrier(wave: int) -> dict[str, Any]:
    found: dict[str, Any] = next(
        v for v in yaml.safe_load_all(barrier_file([(wave, "x")], "shop", Barriers())) if v
    )
    return found


def cut(before: list[Any], after: list[Any], **options: bool) -> list[list[str]]:
    base, head = of_values(*before), of_values(*after)
    sync = sync_of(diff(base, head), base, head, Options(**options))
    assert not sync.unclear
    return [sorted(step.id.name for step in wave.steps) for wave in sync.plan.waves]


def test_without_barriers_all_is_one() -> None:
    assert cut([], [thing("a", 0), thing("b", 1), thing("c", 2)]) == [["a", "b", "c"]]


def test_a_barrier_holds_later_waves() -> None:
    after = [thing("a", 0), barrier(1), thing("b", 2)]
    assert cut([], after) == [["a"], ["b"]]


def test_what_is_in_its_own_wave_is_not_held() -> None:
    """Argo CD sends off a Job before custom resources, and waits for nothing within a wave."""
    after = [thing("a", 0), barrier(1), thing("b", 1), thing("c", 2)]
    assert cut([], after) == [["a", "b"], ["c"]]


def test_a_barrier_that_did_not_change_runs_all_the_same() -> None:
    before = [thing("a", 0), barrier(1), thing("b", 2)]
    after = [thing("a", 0, location="x"), barrier(1), thing("b", 2, location="x")]
    assert cut(before, after) == [["a"], ["b"]]


def test_deletions_are_where_argo_cd_has_them() -> None:
    before = [thing("gone"), thing("a")]
    assert cut(before, [thing("a", -2, location="x"), barrier(-1)]) == [["a"], ["gone"]]
    assert cut(before, [thing("a", 2, location="x"), barrier(1)]) == [["gone"], ["a"]]
    both = cut(before, [thing("a", 2, location="x"), barrier(3)], prune_last=True)
    assert both == [["a"], ["gone"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda job: job["metadata"]["labels"].pop("meshplan.dev/part"),
        lambda job: job["metadata"]["annotations"].update({"argocd.argoproj.io/hook": "PostSync"}),
        lambda job: job["metadata"]["annotations"].pop("argocd.argoproj.io/hook-delete-policy"),
        lambda job: container(job).update(command=["true"]),
        lambda job: container(job).update(command=["sleep", "0"]),
        lambda job: container(job).update(command=["sleep", "x"]),
        lambda job: container(job).update(args=["--help"]),
        lambda job: job["spec"].update(suspend=True),
        lambda job: job["spec"]["template"]["spec"]["containers"].append({}),
        lambda job: job["spec"].update(template=None),
    ],
)
def test_labels_alone_make_no_barrier(change: Any) -> None:
    job = barrier(1)
    [found] = of_values(job).values()
    assert is_barrier(found)
    change(job)
    [found] = of_values(job).values()
    assert not is_barrier(found)


def container(job: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = job["spec"]["template"]["spec"]["containers"][0]
    return found
