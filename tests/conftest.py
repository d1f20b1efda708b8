"""What every test gets: its own caches, repositories on demand, and skips that say why."""

import os
import shutil
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

import meshplan
from support.git import GIT_ENVIRONMENT, Repository

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

#: Where `go install` puts helm and opa, which distributions do not package.
GO_BIN = Path(os.environ.get("GOPATH") or Path.home() / "go") / "bin"


def pytest_configure() -> None:
    """Find tools where `go install` puts them, and make sure of what is tested.

    `make test WHEEL=…` sets MESHPLAN_TEST_INSTALLED: a wheel that lacks a file must not pass
    because the checkout has it.
    """
    inside = Path(meshplan.__file__).is_relative_to(ROOT / "pipeline")
    if inside and os.environ.get("MESHPLAN_TEST_INSTALLED"):
        raise pytest.UsageError(f"the tests shall run against a wheel, not {meshplan.__file__}")
    path = os.environ.get("PATH", "").split(os.pathsep)
    if GO_BIN.is_dir() and str(GO_BIN) not in path:
        os.environ["PATH"] = os.pathsep.join([*path, str(GO_BIN)])


def pytest_report_header() -> str:
    """Name what is tested."""
    return f"meshplan: {meshplan.__version__} from {Path(meshplan.__file__).parent}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip `tool("kubectl")` without kubectl, and `corpus` without the change corpora."""
    for marker in item.iter_markers("tool"):
        for name in marker.args:
            if shutil.which(name) is None:
                pytest.skip(f"{name} is not on PATH")
    if item.get_closest_marker("corpus") and not (SHARED / "corpora" / "cases").is_dir():
        pytest.skip("the change corpora are not beside the checkout (../shared/corpora)")


@pytest.fixture(autouse=True)
def _own_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test reads or writes the caches and the Git configuration of the user."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, GIT_ENVIRONMENT[name])


@pytest.fixture
def repo(tmp_path: Path) -> Callable[..., Repository]:
    """Makes repositories: `repo({"a.yaml": "…"}, {"a.yaml": None})` has one commit for each
    mapping, tagged `r0`, `r1` and so on. Without a mapping it has no commit.
    """
    numbers = count()

    def make(*revisions: dict[str, str | bytes | None]) -> Repository:
        made = Repository.create(tmp_path / f"repo{next(numbers)}")
        for number, files in enumerate(revisions):
            made.commit(files, f"revision {number}")
            made.git("tag", f"r{number}")
        return made

    return make


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout that holds the tests."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with other people's data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("other people's data are not beside the checkout (../shared)")
    return SHARED


@pytest.fixture(scope="session")
def corpora(shared: Path) -> Path:
    """The change corpora: `cases/<name>/{base,head}`."""
    if not (shared / "corpora" / "cases").is_dir():
        pytest.skip("the change corpora are not beside the checkout (../shared/corpora)")
    return shared / "corpora"
