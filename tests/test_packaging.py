"""The wheel holds the package and the data it reads, and nothing else."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import meshplan
from meshplan.data import data_path


@pytest.fixture(scope="session")
def project(root: Path) -> Mapping[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the backend itself: no isolation, so no network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def tracked(root: Path, *folders: str) -> set[str]:
    """The files below some folders that Git knows, or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *folders],
        cwd=root,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return {name for name in listed.split("\0") if name and (root / name).is_file()}


def test_the_wheel_holds_the_package_and_its_data(root: Path, wheel: Path) -> None:
    if not (root / ".git").exists():
        pytest.skip("the tests do not lie in a Git checkout")
    package = {name.removeprefix("pipeline/") for name in tracked(root, "pipeline")}
    data = tracked(root, "examples", "policies", "schemas")
    wanted = package | {f"meshplan/_data/{name}" for name in data}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == wanted


def test_the_wheel_carries_licence_and_type_marker(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "meshplan/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_every_data_folder_is_found(project: Mapping[str, Any]) -> None:
    folders = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    for name in folders:
        assert any(data_path(name).iterdir()), name


def test_there_is_one_version(root: Path, wheel: Path) -> None:
    assert wheel.name == f"meshplan-{meshplan.__version__}-py3-none-any.whl"
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    assert re.search(
        rf"^## \[(Unreleased|{re.escape(meshplan.__version__)})\]", changelog, re.MULTILINE
    )


def test_runs_as_a_module_and_as_a_command() -> None:
    script = str(Path(sys.executable).parent / "meshplan")
    ways = ([sys.executable, "-m", "meshplan"], [script])
    said = [
        subprocess.run([*way, "--version"], capture_output=True, text=True, check=True).stdout
        for way in ways
    ]
    assert said == [f"meshplan {meshplan.__version__}\n"] * 2
