"""What deploy/argocd has is what Argo CD, Kubernetes and the command take."""

import json
import re
import shutil
import subprocess
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


def test_the_container_installs_what_is_locked() -> None:
    text = (DEPLOY / "Containerfile").read_text("utf-8")
    assert "--require-hashes" in text
    for copied in re.findall(r"^COPY (\S+) ", text, re.MULTILINE):
        assert (ROOT / copied).exists(), copied
    assert re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
