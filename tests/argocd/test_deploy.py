"""What deploy/argocd has is what Argo CD, Kubernetes and the command take."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from jsonschema import Draft202012Validator

from meshplan.argocd.barrier import Barriers, barrier_file, is_barrier
from meshplan.argocd.manifests import snapshot_of
from meshplan.cli.argocd import command
from support.argo_api import application

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "argocd"
HOOKS = {"PreSync", "Sync", "PostSync", "SyncFail", "Skip", "PreDelete", "PostDelete"}
POLICIES = {"HookSucceeded", "HookFailed", "BeforeHookCreation"}


def documents(path: Path) -> list[dict[str, Any]]:
    return [value for value in yaml.safe_load_all(path.read_text("utf-8")) if value]


def jobs() -> list[dict[str, Any]]:
    barriers = barrier_file([(-1, "it"), (3, "that\n--- x")], "shop", Barriers())
    found = [v for path in sorted(DEPLOY.glob("*.yaml")) for v in documents(path)]
    return [v for v in [*found, *yaml.safe_load_all(barriers)] if v["kind"] == "Job"]


@pytest.mark.parametrize("job", jobs(), ids=lambda job: job["metadata"]["name"])
def test_jobs_are_hooks_that_cannot_do_harm(job: dict[str, Any]) -> None:
    annotations = job["metadata"]["annotations"]
    assert annotations["argocd.argoproj.io/hook"] in HOOKS
    assert set(annotations["argocd.argoproj.io/hook-delete-policy"].split(",")) <= POLICIES
    assert re.fullmatch(r"-?\d+", annotations["argocd.argoproj.io/sync-wave"])
    assert job["spec"]["backoffLimit"] == 0
    assert job["spec"]["activeDeadlineSeconds"] > 0
    pod = job["spec"]["template"]
    assert pod["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert "automountServiceAccountToken" in pod["spec"]
    for container in pod["spec"]["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]


def test_barriers_are_recognized() -> None:
    text = barrier_file([(1, "x"), (3, "y")], "shop", Barriers(30, "registry.example.com/box:1"))
    found = snapshot_of([v for v in yaml.safe_load_all(text) if v], "shop", "x")
    assert len(found) == 2
    assert all(is_barrier(job) for job in found.values())
    [container] = next(iter(found.values())).spec["template"]["spec"]["containers"]
    assert container["command"] == ["sleep", "30"]
    assert container["image"] == "registry.example.com/box:1"


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.yaml")), ids=lambda path: path.name)
def test_arguments_are_what_the_command_takes(path: Path) -> None:
    for job in (v for v in documents(path) if v["kind"] == "Job"):
        for container in job["spec"]["template"]["spec"]["containers"]:
            group, name, *rest = container["args"]
            assert group == "argocd"
            context = click.Context(command)
            inner = command.get_command(context, name)
            assert inner is not None
            inner.make_context(name, list(rest))


def test_accounts_may_do_no_more_than_they_have_to() -> None:
    [role, binding] = documents(DEPLOY / "rbac.yaml")
    assert role["rules"] == [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["applications"],
            "resourceNames": ["SHOP"],
            "verbs": ["get"],
        }
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    accounts = [v for v in documents(DEPLOY / "gate.yaml") if v["kind"] == "ServiceAccount"]
    assert [s["name"] for s in binding["subjects"]] == [a["metadata"]["name"] for a in accounts]


@pytest.mark.parametrize("name", ["gate.yaml", "apply.yaml"])
def test_accounts_and_roles_are_there_before_the_job(name: str) -> None:
    *before, job = documents(DEPLOY / name)
    waves = [
        int(v["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]) for v in [*before, job]
    ]
    assert max(waves[:-1]) < waves[-1] < 0
    assert {v["metadata"]["annotations"]["argocd.argoproj.io/hook"] for v in [*before, job]} == {
        "PreSync"
    }
    account = job["spec"]["template"]["spec"]["serviceAccountName"]
    assert account in [v["metadata"]["name"] for v in before if v["kind"] == "ServiceAccount"]


def test_the_job_may_write_only_what_a_bridge_needs() -> None:
    [role] = [v for v in documents(DEPLOY / "apply.yaml") if v["kind"] == "Role"]
    for rule in role["rules"]:
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
        assert "secrets" not in rule["resources"]
        assert set(rule["verbs"]) <= {"get", "create", "patch", "delete"}


@pytest.mark.tool("kubectl")
@pytest.mark.parametrize("path", sorted(DEPLOY.glob("*.yaml")), ids=lambda path: path.name)
def test_kubectl_reads_them(path: Path) -> None:
    kubectl = shutil.which("kubectl") or ""
    done = subprocess.run(
        [kubectl, "annotate", "--local", "-f", str(path), "checked=yes", "-o", "name"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == len(documents(path))


def test_applications_in_tests_are_what_argo_cd_has() -> None:
    """The shapes that the gate is tested with, against the facts of the real CRD."""
    schema = json.loads(
        (ROOT / "tests" / "data" / "argocd" / "application.schema.json").read_text("utf-8")
    )
    validator = Draft202012Validator(schema)
    for found in (application("a" * 40, "b" * 40), application("", "b" * 40)):
        problems = [e for e in validator.iter_errors(found) if "history" not in e.json_path]
        # The history of a real one says also what was deployed from where.
        assert not problems, problems
    with_typo = application("a" * 40, "b" * 40)
    with_typo["status"]["operationState"]["syncResults"] = {}
    assert list(validator.iter_errors(with_typo))


def instructions() -> list[tuple[str, str]]:
    """The Containerfile, as words and what follows them."""
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    whole = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in whole.split("\n"))]


def test_the_container_is_made_with_care() -> None:
    """What linters of such files ask for, as far as it is not a matter of taste."""
    found = [(word, rest) for word, rest in instructions() if word]
    assert {word for word, _ in found} <= {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENTRYPOINT"}
    [image] = [rest for word, rest in found if word == "FROM"]
    assert re.fullmatch(r"[a-z.]+(/[a-z-]+)+:[\w.-]+", image), "a registry and a tag"
    assert not image.endswith(":latest")
    for run in (rest for word, rest in found if word == "RUN"):
        assert "sudo" not in run
        assert "curl" not in run
        assert ("apt-get install" in run) <= ("--no-install-recommends" in run)
        assert ("apt-get" in run) <= ("rm -rf /var/lib/apt/lists/*" in run)
        assert ("pip install" in run) <= ("--require-hashes" in run and "--no-cache-dir" in run)
    for folder in (rest for word, rest in found if word == "WORKDIR"):
        assert folder.startswith("/")
    [user] = [rest for word, rest in found if word == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "numbers, or runAsNonRoot cannot tell"
    assert found.index(("USER", user)) > max(n for n, f in enumerate(found) if f[0] == "RUN")
    [entry] = [rest for word, rest in found if word == "ENTRYPOINT"]
    assert isinstance(json.loads(entry), list), "no shell in front that swallows signals"


def test_the_container_gets_what_it_copies_and_no_more() -> None:
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    let = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert {rest.split()[0] for word, rest in instructions() if word == "COPY"} == let
    assert all((ROOT / name).exists() for name in let)


@pytest.fixture
def image() -> Iterator[Path]:
    """A folder that anybody may look into, in the place of /opt/meshplan."""
    folder = Path(tempfile.mkdtemp(prefix="meshplan-image-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def anybody_may_run(program: Path) -> bool:
    """An interpreter in somebody's home is no use to other users."""
    real = program.resolve()
    return all(part.stat().st_mode & 0o001 for part in (real, *real.parents))


def test_the_container_runs_without_rights(image: Path) -> None:
    """Its instructions, carried out in a folder; then the entry point as the Job runs it."""
    index = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--dest", str(image / "w")]
    if subprocess.run([*index, "smmap"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no package index can be reached")
    home, entry, user = "", [""], ""
    for word, rest in instructions():
        match word:
            case "WORKDIR":
                home = rest
            case "COPY":
                source, target = rest.split()
                (image / target).parent.mkdir(parents=True, exist_ok=True)
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copyfile
                copy(ROOT / source, image / target)
            case "RUN" if "apt-get" not in rest:
                script = rest.replace(home, str(image)).replace("python -m venv", "$PYTHON -m venv")
                env = {**os.environ, "PYTHON": sys.executable}
                subprocess.run(["sh", "-ec", script], cwd=image, env=env, check=True)
            case "USER":
                user = rest.partition(":")[0]
            case "ENTRYPOINT":
                entry = [part.replace(home, str(image)) for part in json.loads(rest)]
    scratch = image / "tmp"
    scratch.mkdir()
    scratch.chmod(0o1777)
    done = subprocess.run(
        [*entry, "demo"],
        cwd="/",
        env={"HOME": str(scratch), "TMPDIR": str(scratch), "PATH": os.environ["PATH"]},
        user=int(user) if os.geteuid() == 0 and anybody_may_run(Path(entry[0])) else None,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "proven safe" in done.stdout
