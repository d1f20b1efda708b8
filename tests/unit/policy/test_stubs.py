"""Type checkers know of rules what the compiler knows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from meshplan.policy.stubs import HERE, stubs

POLICIES = HERE.parents[2] / "policies"

GOOD = '''
from meshplan.policy import Change, Findings, Mesh, at, deny, fqdn
from meshplan.policy.istio import DestinationRule, TrafficPolicy, VirtualService
from meshplan.policy.k8s import Deployment, StatefulSet


@deny("A-1", severity="high")
def subset_exists(vs: VirtualService, mesh: Mesh) -> Findings:
    """Every route names a subset that there is."""
    for http in vs.spec.http:
        for route in http.route:
            dest = route.destination
            if dest.host is None or dest.subset is None:
                continue
            if mesh.subset(dest.host, dest.subset, vs.metadata.namespace).missing:
                host = fqdn(dest.host, vs.metadata.namespace)
                yield at(dest.subset, f"nothing defines {dest.subset} of {host}")


def silent(policy: TrafficPolicy) -> bool:
    return bool(policy) and policy.tls.mode is None


@deny("A-2", severity="low")
def replicas(app: Deployment | StatefulSet, *, least: int = 2) -> Findings:
    """There are enough pods."""
    pod = app.spec.template.spec
    for container in pod.containers + pod.initContainers:
        limit = container.resources.limits.get("memory")
        if container.image is None or limit is None:
            yield f"{container.name} of a {app.kind}"
    if app.spec.replicas < least:
        yield at(app.spec.replicas, "too few", fix=least)


@deny("A-3", holds="always")
def removed(dr: Change[DestinationRule]) -> Findings:
    """Nothing goes."""
    for subset in dr.old.spec.subsets:
        if silent(subset.trafficPolicy) and not dr.new:
            yield at(subset, "gone")
'''

BAD = (
    "vs.spec.htttp",
    "vs.spec.hosts + 1",
    "vs.metadata.labels.get('a').lower()",
    "mesh.virtualService",
    "mesh.host(1, 'a')",
    "vs.spec.http.route",
)
HEAD = f'''{GOOD}

@deny("A-4")
def bad(vs: VirtualService, mesh: Mesh) -> Findings:
    """Each line has a mistake."""
'''
WITH_MISTAKES = HEAD + "".join(f"    yield str({expression})\n" for expression in BAD)
MISTAKES = range(len(HEAD.splitlines()) + 1, len(WITH_MISTAKES.splitlines()) + 1)


def test_the_files_are_what_the_catalog_says() -> None:
    for name, text in stubs().items():
        found = (HERE / name).read_text("utf-8")
        assert found == text, f"{name} is old: run `python -m meshplan.policy.stubs`"


def test_mypy_accepts_rules_and_refuses_mistakes(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    found = checked_by_mypy(*written(tmp_path))
    assert found == {("bad.py", line) for line in MISTAKES}


@pytest.mark.tool("pyright")
def test_pyright_accepts_rules_and_refuses_mistakes(tmp_path: Path) -> None:
    written(tmp_path)
    assert checked_by_pyright(tmp_path) == {("bad.py", line) for line in MISTAKES}


def written(folder: Path) -> list[Path]:
    """The rules of the pack, the good ones, and those with mistakes."""
    (folder / "good.py").write_text(GOOD, "utf-8")
    (folder / "bad.py").write_text(WITH_MISTAKES, "utf-8")
    for rule in POLICIES.glob("*.py"):
        (folder / rule.name).write_bytes(rule.read_bytes())
    return sorted(folder.glob("*.py"))


def checked_by_mypy(*paths: Path) -> set[tuple[str, int]]:
    cache = f"--cache-dir={paths[0].parent}"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", cache]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    errors = [line.split(":") for line in done.stdout.splitlines() if ": error:" in line]
    return {(Path(path).name, int(line)) for path, line, *_ in errors}


def checked_by_pyright(folder: Path) -> set[tuple[str, int]]:
    settings = {"typeCheckingMode": "strict"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    command = ["pyright", "--pythonpath", sys.executable, "--outputjson", "--project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)["generalDiagnostics"]
    return {(Path(d["file"]).name, d["range"]["start"]["line"] + 1) for d in found}
