"""Other people's repositories: every case loads, and Kustomize agrees with what is read directly."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from meshplan.result import CoverageStatus
from meshplan.settings import Settings
from meshplan.source.documents import Manifests
from meshplan.source.git import open_revision
from meshplan.source.load import Loaded
from meshplan.source.render.kustomize_files import Walker
from meshplan.source.render.renderer import Renderer, rendering
from meshplan.source.tree import tree_of
from meshplan.source.units import Kustomization, Outcome
from support.git import Repository
from support.loading import changed, load

pytestmark = [pytest.mark.corpus, pytest.mark.tool("kubectl"), pytest.mark.tool("helm")]

#: Cases that hold something that meshplan has to fail on, with the reason.
EXPLAINED = {
    "bb-gateway-jaeger": "the head refers to a file that its commit does not have",
    "kf-istio-19-upgrade": "a generator reads a file that was left out of the case",
    "kf-seaweedfs-dr-host": "the head refers to a folder that was left out of the case",
    "perf-kubeflow-2024-2026": "kustomizations refer to CRDs, which were left out of the case",
}


def case_names() -> list[str]:
    """The cases there are; none where the corpora are absent."""
    found = Path(__file__).parents[2].parent / "shared" / "corpora" / "cases"
    return sorted(path.name for path in found.iterdir()) if found.is_dir() else []


def committed(corpora: Path, name: str, folder: Path) -> Repository:
    """A repository with both trees of a case, tagged `base` and `head`."""
    case = corpora / "cases" / name
    trees = case
    if (case / "trees.tar.gz").exists():
        trees = folder / "trees"
        with tarfile.open(case / "trees.tar.gz") as packed:
            packed.extractall(trees, filter="data")
    made = Repository.create(folder / name)
    for side in ("base", "head"):
        for path in made.path.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        if (trees / side).exists():
            shutil.copytree(
                trees / side, made.path, dirs_exist_ok=True, copy_function=shutil.copyfile
            )
        made.git("add", "--all", "--force")
        made.git("commit", "--quiet", "--allow-empty", f"--message={side}")
        made.git("tag", side)
    return made


@pytest.fixture(scope="module")
def loaded(
    corpora: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], tuple[Repository, Loaded]]:
    """Cases by name, each loaded once."""
    known: dict[str, tuple[Repository, Loaded]] = {}

    def get(name: str) -> tuple[Repository, Loaded]:
        if name not in known:
            repository = committed(corpora, name, tmp_path_factory.mktemp("case"))
            known[name] = repository, load(repository, "base..head")
        return known[name]

    return get


@pytest.mark.parametrize("name", case_names())
def test_every_case_loads_without_a_failure_that_is_not_explained(
    name: str, loaded: Callable[[str], tuple[Repository, Loaded]]
) -> None:
    _, found = loaded(name)
    failed = [e for e in found.coverage if e.status is CoverageStatus.FAILED]
    assert bool(failed) == (name in EXPLAINED), failed
    assert found.targets
    assert all(target.base or target.head for target in found.targets)


def test_a_tree_that_only_moves_has_no_change_in_the_mesh(
    loaded: Callable[[str], tuple[Repository, Loaded]],
) -> None:
    _, found = loaded("perf-xg-massive-refactor")
    kinds = {line.split()[1] for target in found.targets for line in changed(target)}
    assert kinds == {"ConfigMap", "HelmRelease", "Kustomization", "OCIRepository", "ResourceSet"}


@pytest.mark.parametrize("name", ["perf-xg-deprecate-istio", "perf-kubeflow-2024-2026"])
def test_kustomizations_that_only_list_files_are_read_as_kustomize_does(
    name: str,
    loaded: Callable[[str], tuple[Repository, Loaded]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository, _ = loaded(name)
    tree = tree_of(open_revision(repository.path, "head"))
    manifests = Manifests()
    manifests.load([tree])
    walker = Walker(tree, manifests)
    closures = {folder: walker.closure(folder) for folder in tree.kustomizations}
    listed = [f for f, c in closures.items() if not c.transforms and not c.why]
    recipes = [Kustomization(folder, unrestricted=True) for folder in listed]
    with rendering(manifests, Settings()) as renderer:
        read = renderer.render([(tree, recipe) for recipe in recipes])
    monkeypatch.setattr(Renderer, "_listed", lambda *_: ())
    with rendering(manifests, Settings()) as renderer:
        built = renderer.render([(tree, recipe) for recipe in recipes])
    assert len(listed) > 30
    assert [_values(outcome) for outcome in read] == [_values(outcome) for outcome in built]


def _values(outcome: Outcome) -> list[str]:
    return sorted(repr(_sorted(document.value)) for document in outcome.documents)


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
