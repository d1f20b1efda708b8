"""The repository keeps its own rules: workflows, layers, and families without strays."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="session")
def workflows(root: Path) -> dict[str, dict[str, Any]]:
    found = sorted((root / ".github" / "workflows").glob("*.yml"))
    assert found
    return {path.name: yaml.safe_load(path.read_text("utf-8")) for path in found}


def test_every_action_is_pinned_by_commit_and_names_its_version(root: Path) -> None:
    for path in sorted((root / ".github").rglob("*.yml")):
        for line in path.read_text("utf-8").splitlines():
            if "uses:" in line and "./" not in line:
                assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_workflows_start_without_permissions(workflows: dict[str, dict[str, Any]]) -> None:
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {}, name
        for job in workflow["jobs"].values():
            assert set(job["permissions"].values()) <= {"read", "write"}, name


def test_ci_runs_on_every_python_that_is_promised(
    root: Path, workflows: dict[str, dict[str, Any]]
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    prefix = "Programming Language :: Python :: "
    promised = [c.removeprefix(prefix) for c in project["classifiers"] if c.startswith(prefix)]
    tested = workflows["ci.yml"]["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert tested == promised
    assert project["requires-python"] == f">={promised[0]}"


@pytest.mark.tool("zizmor")
def test_zizmor_has_nothing_to_say(root: Path) -> None:
    run([shutil.which("zizmor"), "--offline", "--persona=auditor", ".github/workflows"], root)


@pytest.mark.tool("actionlint")
def test_actionlint_has_nothing_to_say(root: Path) -> None:
    run([shutil.which("actionlint")], root)


@pytest.mark.tool("check-jsonschema")
def test_workflows_are_what_their_schema_says(root: Path) -> None:
    files = [str(path) for path in sorted((root / ".github" / "workflows").glob("*.yml"))]
    schema = ["--builtin-schema", "vendor.github-workflows"]
    run([shutil.which("check-jsonschema"), *schema, *files], root)


def test_imports_point_down(root: Path) -> None:
    run([str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"], root)


def test_scripts_are_executable(root: Path) -> None:
    for name in (".ci/run", "scripts/setup.sh"):
        assert (root / name).stat().st_mode & 0o111, name


@pytest.mark.tool("kubectl")
@pytest.mark.parametrize("folder", ["demo/base", "demo/head", "bookinfo"])
def test_examples_are_what_kubectl_reads(root: Path, folder: str) -> None:
    command = ["kubectl", "annotate", "--local", "-R", "-f", f"examples/{folder}"]
    names = run([*command, "checked=yes", "-o", "name"], root).splitlines()
    assert len(names) == len(set(names)) > 10


def run(command: list[str | None], root: Path) -> str:
    """Standard output of a command that has to succeed."""
    words = [word for word in command if word is not None]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
