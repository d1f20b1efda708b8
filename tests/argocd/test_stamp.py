"""Stamps, judged by an order of Argo CD that is written down here once more, from raw YAML."""

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshplan.argocd.barrier import FILE, Barriers
from meshplan.argocd.stamp import Stamping, stamp
from meshplan.cli.diff import request_of
from meshplan.cli.options import today
from meshplan.errors import UsageError
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Wave, wave_to_json
from meshplan.resource import Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings
from meshplan.verify import verify
from support.git import Repository
from support.snapshots import snapshot as snapshot_of_yaml

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"
WAVE = "argocd.argoproj.io/sync-wave"
Make = Callable[..., Repository]


def mesh(name: str, side: str) -> str:
    return (SCENARIOS / name / side / "mesh.yaml").read_text("utf-8")


def changed(repo: Make, before: dict[str, Any], after: dict[str, Any]) -> Repository:
    """A repository with a commit and a working tree."""
    made = repo(before)
    made.write(after)
    return made


def stamped(made: Repository, **options: Any) -> Stamping:
    """Compute the stamps and write them."""
    request = request_of("HEAD", made.path, as_of=today(), no_cache=True)
    found = stamp(request, Barriers(), lambda _: None, **options)
    for path, content in found.files.items():
        (made.path / path).write_bytes(content)
    return found


def tree(made: Repository) -> str:
    files = sorted(path for path in made.path.rglob("*.yaml") if ".git" not in path.parts)
    return "\n---\n".join(path.read_text("utf-8") for path in files)


# Argo CD's order, from raw YAML: waves ascending, prune before apply, mirrored waves of prunes,
# and nothing that counts as waiting but a barrier.


def documents(text: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    found = {}
    for value in yaml.safe_load_all(text):
        if value:
            metadata = value["metadata"]
            found[(value["kind"], metadata.get("namespace", ""), metadata["name"])] = value
    return found


def wave_of(value: dict[str, Any]) -> int:
    return int((value["metadata"].get("annotations") or {}).get(WAVE, 0))


def is_job(value: dict[str, Any]) -> bool:
    return (value["metadata"].get("annotations") or {}).get("argocd.argoproj.io/hook") == "Sync"


def argo(before: str, after: str, *, prune_last: bool = False) -> Iterator[list[tuple[str, Any]]]:
    """Parts of a sync between barriers: `apply` or `remove`, and the document."""
    old, new = documents(before), documents(after)
    gone = [old[key] for key in old if key not in new]
    distinct = sorted({wave_of(value) for value in gone})
    mirror = dict(zip(distinct, reversed(distinct), strict=True))
    last = max([wave_of(value) for value in new.values()] + distinct, default=0) + 1
    tasks = [
        (wave_of(value), 1, "apply", value)
        for key, value in new.items()
        if old.get(key) != value or is_job(value)
    ]
    tasks += [(last if prune_last else mirror[wave_of(v)], 0, "remove", v) for v in gone]
    part: list[tuple[str, Any]] = []
    for _, wave in groupby(sorted(tasks, key=lambda t: t[:2]), key=lambda t: t[0]):
        members = [(action, value) for _, _, action, value in wave]
        part += [(action, value) for action, value in members if not is_job(value)]
        if any(is_job(value) for _, value in members):
            yield part
            part = []
    yield part


def plan_of(parts: list[list[tuple[str, Any]]], base: Snapshot, head: Snapshot) -> Plan:
    waves = []
    gate = Gate(GateKind.PROXIES, "")
    for part in parts:
        steps: list[Apply | Remove] = []
        for action, value in part:
            group = value["apiVersion"].rpartition("/")[0]
            metadata = value["metadata"]
            id_ = ResourceId(group, value["kind"], metadata.get("namespace", ""), metadata["name"])
            if action == "apply":
                steps.append(Apply(head[id_], ""))
            else:
                steps.append(Remove(id_, base[id_].api_version, ""))
        if steps:
            waves.append(Wave(tuple(steps), gate))
    return Plan(tuple(waves))


def mesh_at(found: Snapshot) -> Mesh:
    return mesh_of(found, Settings())[0]


def assert_confirmed(before: str, after: str, **options: bool) -> None:
    """The independent checker confirms what Argo CD will do."""
    base, head = snapshot_of_yaml(before), snapshot_of_yaml(after)
    base, head = (s.without(*(r.id for r in s.of_kind("batch", "Job"))) for s in (base, head))
    plan = plan_of(list(argo(before, after, **options)), base, head)
    written = {"waves": [wave_to_json(wave) for wave in plan.waves], "digest": plan.digest}
    found = verify(written, mesh_at(base), mesh_at(head))
    assert found.verdict == "confirmed", (found.refutations, found.gaps)


STAMPED = (
    "subset-added",
    "subset-removed",
    "service-removed-and-unrouted",
    "allow-merged",
    "deny-renamed",
    "virtualservice-renamed",
    "service-created-and-routed",
    "serviceentry-replaced",
)


@pytest.mark.parametrize("name", STAMPED)
def test_a_stamped_sync_is_confirmed_by_the_other_checker(name: str, repo: Make) -> None:
    before, after = mesh(name, "before"), mesh(name, "after")
    made = changed(repo, {"mesh.yaml": before}, {"mesh.yaml": after})
    found = stamped(made)
    assert [target.outcome for target in found.targets] == ["stamped"]
    assert_confirmed(before, tree(made))


@pytest.mark.parametrize("name", ["subset-added", "service-removed-and-unrouted"])
def test_without_stamps_the_other_checker_refutes_it(name: str) -> None:
    with pytest.raises(AssertionError, match=r"refuted|503|404"):
        assert_confirmed(mesh(name, "before"), mesh(name, "after"))


@pytest.mark.parametrize("name", STAMPED)
def test_nothing_but_lines_of_ours_is_added(name: str, repo: Make) -> None:
    after = mesh(name, "after")
    made = changed(repo, {"mesh.yaml": mesh(name, "before")}, {"mesh.yaml": after})
    stamped(made)
    lines = (made.path / "mesh.yaml").read_text("utf-8").splitlines(keepends=True)
    kept = [
        line
        for number, line in enumerate(lines)
        if WAVE not in line and not (line.strip() == "annotations:" and WAVE in lines[number + 1])
    ]
    assert "".join(kept) == after
    assert all("# meshplan: " in line for line in lines if WAVE in line)


def test_a_second_run_changes_nothing(repo: Make) -> None:
    name = "subset-removed"
    made = changed(repo, {"mesh.yaml": mesh(name, "before")}, {"mesh.yaml": mesh(name, "after")})
    assert stamped(made).files
    again = stamped(made)
    assert not again.files
    assert [target.outcome for target in again.targets] == ["safe"]


def test_the_next_change_gets_stamps_of_its_own(repo: Make) -> None:
    """What was stamped for one change is ours, and is stamped anew for the way back."""
    before, after = mesh("subset-added", "before"), mesh("subset-added", "after")
    made = changed(repo, {"mesh.yaml": before}, {"mesh.yaml": after})
    stamped(made)
    there = tree(made)
    made.commit()
    text = (made.path / "mesh.yaml").read_text("utf-8")
    old_rule, old_route = (part for part in before.split("---\n") if "networking.istio" in part)
    kept = [part for part in text.split("---\n") if "networking.istio" not in part]
    own = [part for part in text.split("---\n") if "networking.istio" in part]
    back = [
        _with_annotations(old, new) for old, new in zip((old_rule, old_route), own, strict=True)
    ]
    made.write({"mesh.yaml": "---\n".join([*kept, *back])})
    found = stamped(made)
    assert [target.outcome for target in found.targets] == ["stamped"]
    waves = {id_.kind: wave for id_, wave in found.targets[0].waves.items()}
    assert waves["VirtualService"] < waves["DestinationRule"]
    assert_confirmed(there, tree(made))


def _with_annotations(old: str, new: str) -> str:
    """The old text with the annotations of the new one."""
    lines = new.splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if line.strip() == "annotations:")
    return old.replace("metadata:\n", "metadata:\n" + "".join(lines[place : place + 2]), 1)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("subset-renamed", "needs a version in between that is in neither revision"),
        ("service-made-headless", "no order is safe: GET details.shop"),
        ("envoyfilter-meets-change", "no safe order is known: EnvoyFilter shop/lua"),
        ("subset-last-use", "not safe even with waves: GET reviews.shop/"),
    ],
)
def test_why_waves_cannot_do_it(name: str, why: str, repo: Make) -> None:
    made = changed(repo, {"mesh.yaml": mesh(name, "before")}, {"mesh.yaml": mesh(name, "after")})
    found = stamped(made)
    [target] = found.targets
    assert target.outcome == "refused"
    assert target.why.startswith(why) or why in target.why
    assert not found.files
    assert not found.is_safe


def test_what_is_safe_anyway_is_left_alone(repo: Make) -> None:
    name = "weights-shifted"
    made = changed(repo, {"mesh.yaml": mesh(name, "before")}, {"mesh.yaml": mesh(name, "after")})
    found = stamped(made)
    assert found.is_safe
    assert not found.files


def test_deletions_come_last_where_the_application_says_so(repo: Make) -> None:
    name = "service-removed-and-unrouted"
    before, after = mesh(name, "before"), mesh(name, "after")
    made = changed(repo, {"mesh.yaml": before}, {"mesh.yaml": after})
    found = stamped(made, prune_last=True)
    assert set(found.targets[0].waves.values()) == {0}
    assert_confirmed(before, tree(made), prune_last=True)


class TestWavesOfTheUser:
    def with_wave(self, text: str, kind: str, wave: int) -> str:
        head, _, tail = text.partition(f"kind: {kind}\nmetadata:\n")
        assert tail
        return f'{head}kind: {kind}\nmetadata:\n  annotations: {{{WAVE}: "{wave}"}}\n{tail}'

    def test_they_are_kept(self, repo: Make) -> None:
        before, after = mesh("subset-added", "before"), mesh("subset-added", "after")
        after = self.with_wave(after, "DestinationRule", 5)
        made = changed(repo, {"mesh.yaml": before}, {"mesh.yaml": after})
        found = stamped(made)
        [target] = found.targets
        assert [(id_.kind, wave) for id_, wave in target.waves.items()] == [("VirtualService", 7)]
        assert_confirmed(before, tree(made))

    def test_a_contradiction_is_told(self, repo: Make) -> None:
        before, after = mesh("subset-added", "before"), mesh("subset-added", "after")
        after = self.with_wave(after, "DestinationRule", 5)
        after = self.with_wave(after, "VirtualService", 1)
        made = changed(repo, {"mesh.yaml": before}, {"mesh.yaml": after})
        [target] = stamped(made).targets
        assert "DestinationRule shop/reviews is written in wave 5" in target.why
        assert "VirtualService shop/reviews is written in wave 1" in target.why


@pytest.mark.tool("kubectl")
class TestKustomize:
    def test_barriers_become_resources(self, repo: Make) -> None:
        before, after = mesh("subset-added", "before"), mesh("subset-added", "after")
        root = "resources:\n  # all of it\n  - mesh.yaml\n"
        made = changed(
            repo,
            {"app/mesh.yaml": before, "app/kustomization.yaml": root},
            {"app/mesh.yaml": after},
        )
        found = stamped(made)
        assert [target.outcome for target in found.targets] == ["stamped"]
        text = (made.path / "app" / "kustomization.yaml").read_text("utf-8")
        assert text == f"resources:\n  # all of it\n  - {FILE}\n  - mesh.yaml\n"

    def test_stamps_are_proven_in_every_overlay(self, repo: Make) -> None:
        """Two overlays share what is stamped; in one of them a patch takes the wave away."""
        before, after = mesh("subset-added", "before"), mesh("subset-added", "after")
        patch = (
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n"
            f'  name: reviews\n  namespace: shop\n  annotations: {{{WAVE}: "0"}}\n'
        )
        files = {
            "base/mesh.yaml": before,
            "base/kustomization.yaml": "resources: [mesh.yaml]\n",
            "one/kustomization.yaml": "resources: [../base]\n",
            "two/kustomization.yaml": "resources: [../base]\npatches: [{path: wave.yaml}]\n",
            "two/wave.yaml": patch,
        }
        made = changed(repo, files, {"base/mesh.yaml": after})
        found = stamped(made)
        outcomes = {target.name: target.outcome for target in found.targets}
        assert outcomes["two"] == "refused"
        assert "held" in outcomes.values() or len(outcomes) == 1
        assert not found.files


def test_one_refused_target_holds_the_others(repo: Make) -> None:
    files = {
        f"{folder}/mesh.yaml": mesh(name, "before")
        for folder, name in (("one", "subset-added"), ("two", "subset-renamed"))
    }
    settings = "targets:\n- {name: one, paths: [one], kind: plain}\n- {name: two, paths: [two], kind: plain}\n"
    made = changed(
        repo,
        {**files, ".meshplan.yaml": settings},
        {
            "one/mesh.yaml": mesh("subset-added", "after"),
            "two/mesh.yaml": mesh("subset-renamed", "after"),
        },
    )
    found = stamped(made)
    assert {target.name: target.outcome for target in found.targets} == {
        "one": "held",
        "two": "refused",
    }
    assert not found.files


def test_a_commit_cannot_be_stamped(repo: Make) -> None:
    made = repo({"a.yaml": "x: 1\n"}, {"a.yaml": "x: 2\n"})
    with pytest.raises(UsageError, match="names two commits"):
        stamp(request_of("r0..r1", made.path), Barriers(), lambda _: None)


def test_what_no_request_tells_is_in_order_too(repo: Make) -> None:
    """A Gateway takes its certificate from a new Secret, and the old Secret goes: Argo CD would
    delete it first.
    """
    name = "gateway-credential-replaced"
    made = changed(repo, {"mesh.yaml": mesh(name, "before")}, {"mesh.yaml": mesh(name, "after")})
    [target] = stamped(made).targets
    assert target.outcome == "stamped"
    waves = {id_.kind: wave for id_, wave in target.waves.items()}
    assert waves["Secret"] < waves["Gateway"] < 0
