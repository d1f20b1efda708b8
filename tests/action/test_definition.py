"""`action.yml` and what it installs, as its own auditors see them."""

import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
LOCK = ROOT / "requirements" / "runtime.txt"
ENVIRONMENTS = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": platform}
    for version in ("3.11", "3.12", "3.13")
    for platform in ("linux", "darwin")
]


def audited(*command: str) -> None:
    done = subprocess.run(
        [shutil.which(command[0]) or "", *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.tool("zizmor")
def test_zizmor_has_nothing_to_say() -> None:
    audited("zizmor", "--offline", "--persona=auditor", "action.yml")


@pytest.mark.tool("check-jsonschema")
def test_it_is_what_its_schema_says() -> None:
    audited("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


@pytest.mark.tool("actionlint")
def test_examples_in_the_documentation_are_what_they_should_be(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "github-action.md").read_text("utf-8")
    whole = [b for b in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if b.startswith("name:")]
    assert len(whole) == 2
    for number, text in enumerate(whole):
        path = tmp_path / f"{number}.yml"
        path.write_text(text)
        audited("actionlint", str(path))
        for used in re.findall(r"uses: (\S+) # (.*)", text):
            assert re.search(r"@[0-9a-f]{40}$", used[0]), used


def test_every_input_goes_through_the_environment() -> None:
    action = yaml.safe_load(ACTION.read_text("utf-8"))
    used = ""
    for step in action["runs"]["steps"]:
        assert "${{" not in step["run"], step["name"]
        used += " ".join(step["env"].values())
    assert set(re.findall(r"inputs\.([\w-]+)", used)) == set(action["inputs"])


def test_every_input_and_output_is_documented() -> None:
    action = yaml.safe_load(ACTION.read_text("utf-8"))
    page = (ROOT / "docs" / "how-to" / "github-action.md").read_text("utf-8")
    for name in (*action["inputs"], *action["outputs"]):
        assert f"`{name}`" in page, name


def locked() -> dict[str, tuple[str, Marker | None, int]]:
    """Version, marker and number of hashes of each package in the lock."""
    found: dict[str, tuple[str, Marker | None, int]] = {}
    text = LOCK.read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            stated, *hashes = line.split("--hash=")
            requirement = Requirement(stated)
            [pin] = requirement.specifier
            assert pin.operator == "==", line
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h.strip()) for h in hashes), line
            found[canonicalize_name(requirement.name)] = (
                pin.version,
                requirement.marker,
                len(hashes),
            )
    return found


def test_the_lock_is_current() -> None:
    """Everything that pyproject.toml asks for is pinned to a version that it allows."""
    lock = locked()
    assert all(hashes for _, _, hashes in lock.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [Requirement(text) for text in project["dependencies"]]
    for requirement in asked:
        version = lock[canonicalize_name(requirement.name)][0]
        assert requirement.specifier.contains(version), requirement


def test_the_lock_is_complete_and_has_nothing_more() -> None:
    """What is pinned is what the direct dependencies need, and what those need in turn."""
    lock = locked()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed: set[str] = set()
    left = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    while left:
        name = left.pop()
        needed.add(name)
        for text in metadata.requires(name) or ():
            requirement = Requirement(text)
            marker = requirement.marker
            if marker is None or any(
                marker.evaluate({"extra": "", **environment}) for environment in ENVIRONMENTS
            ):
                left |= {canonicalize_name(requirement.name)} - needed
    assert needed <= lock.keys()
    # An older release that is installed here may need less than the one that is pinned.
    same = all(metadata.version(name) == lock[name][0] for name in needed)
    assert not same or needed == lock.keys()
