"""The orders of Helm, kubectl and Kustomize against the real tools, which write to a stand-in for
the API server that takes down what comes.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from meshplan.deployers.deployer import Options
from meshplan.deployers.helm import HELM, INSTALL_ORDER
from meshplan.deployers.kubectl import KUBECTL
from meshplan.diff import diff
from meshplan.identity import ResourceId
from meshplan.plan import Plan, Remove
from meshplan.resource import Origin, Resource, Snapshot
from support.apiserver import ApiServer, running

CLUSTER = frozenset(
    [
        "PriorityClass",
        "Namespace",
        "PodSecurityPolicy",
        "StorageClass",
        "PersistentVolume",
        "CustomResourceDefinition",
        "ClusterRole",
        "ClusterRoleBinding",
        "IngressClass",
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "GatewayClass",
    ]
)
GROUPS = {
    "scheduling.k8s.io/v1": "PriorityClass",
    "networking.k8s.io/v1": "NetworkPolicy IngressClass Ingress",
    "policy/v1": "PodSecurityPolicy PodDisruptionBudget",
    "storage.k8s.io/v1": "StorageClass",
    "apiextensions.k8s.io/v1": "CustomResourceDefinition",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "apps/v1": "DaemonSet ReplicaSet Deployment StatefulSet",
    "autoscaling/v2": "HorizontalPodAutoscaler",
    "batch/v1": "Job CronJob",
    "apiregistration.k8s.io/v1": "APIService",
    "admissionregistration.k8s.io/v1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "networking.istio.io/v1": "DestinationRule Gateway ServiceEntry Sidecar VirtualService",
    "security.istio.io/v1": "AuthorizationPolicy PeerAuthentication RequestAuthentication",
    "telemetry.istio.io/v1": "Telemetry",
    "gateway.networking.k8s.io/v1": "GatewayClass HTTPRoute GRPCRoute",
    "cert-manager.io/v1": "Certificate",
}
VERSIONS = {kind: version for version, kinds in GROUPS.items() for kind in kinds.split()}
CORE = [
    "Namespace",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Service",
    "Endpoints",
    "Pod",
    "ReplicationController",
]
KINDS = [(VERSIONS.get(kind, "v1"), kind, kind not in CLUSTER) for kind in (*CORE, *VERSIONS)]
#: Kinds of random changes. Helm 3 does not know the webhooks, Helm 4 does; it lists Secrets in a
#: form of its own.
DRAWN = [
    kind
    for _, kind, _ in KINDS
    if kind not in {"Secret", "PodSecurityPolicy"} and not kind.endswith("WebhookConfiguration")
]


class Files:
    """Objects in the files of a folder, for a tool to write and for meshplan to order."""

    def __init__(self, folder: Path, via: str = ""):
        self.folder = folder
        self.via = via
        self.files: dict[str, list[dict[str, Any]]] = {}

    def add(
        self,
        path: str,
        kind: str,
        name: str,
        value: int = 0,
        notes: Mapping[str, str] | None = None,
    ) -> None:
        """An object at the end of a file."""
        # Labels are what all kinds have.
        metadata: dict[str, Any] = {"name": name, "labels": {"app": "x", "value": str(value)}}
        if kind not in CLUSTER:
            metadata["namespace"] = "shop"
        if notes:
            metadata["annotations"] = dict(notes)
        manifest = {"apiVersion": VERSIONS.get(kind, "v1"), "kind": kind, "metadata": metadata}
        self.files.setdefault(path, []).append(manifest)

    def write(self) -> Snapshot:
        """Write the files; what they hold."""
        found = []
        for path, manifests in self.files.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(yaml.safe_dump_all(manifests))
            for number, manifest in enumerate(manifests):
                version, metadata = manifest["apiVersion"], manifest["metadata"]
                group = version.rpartition("/")[0]
                where = metadata.get("namespace", "")
                id_ = ResourceId(group, manifest["kind"], where, metadata["name"])
                origin = Origin(path, document=number, via=self.via)
                found.append(Resource(id_, version, manifest, origin))
        return Snapshot(found)


def random_files(random: Random, folder: Path, names: Sequence[str], via: str = "") -> Files:
    """Some objects of random kinds in random files, whose names decide nothing else."""
    files = Files(folder, via)
    for number, kind in enumerate(random.sample(DRAWN, 12)):
        for name in random.sample("abc", random.randint(1, 2)):
            files.add(random.choice(names), kind, f"{name}{number}", random.randint(0, 1))
    return files


def changed(random: Random, files: Files, names: Sequence[str]) -> Files:
    """The same with some objects gone, some edited, some in other files, and some new."""
    found = Files(files.folder, files.via)
    for path, manifests in files.files.items():
        for old in manifests:
            fate = random.random()
            where = random.choice(names) if fate < 0.2 else path
            if fate < 0.7:
                value = random.randint(0, 3)
                found.add(where, old["kind"], old["metadata"]["name"], value)
    for number in range(4):
        found.add(random.choice(names), random.choice(DRAWN), f"new{number}")
    return found


def signs(plan: Plan, base: Snapshot) -> list[list[str]]:
    """The waves of a plan as the API server would take them down."""
    there = set(base)
    waves = []
    for wave in plan.waves:
        found = []
        for step in wave.steps:
            sign = "-" if isinstance(step, Remove) else "~" if step.id in there else "+"
            (there.discard if sign == "-" else there.add)(step.id)
            found.append(f"{sign}{step.id.kind}/{step.id.name}")
        waves.append(found)
    return waves


def in_waves(found: list[str], waves: list[list[str]]) -> list[list[str]]:
    """Writes put together as the waves of a plan are, each in the order of names."""
    cut, position = [], 0
    for wave in waves:
        cut.append(sorted(found[position : position + len(wave)]))
        position += len(wave)
    return [*cut, *([found[position:]] if found[position:] else [])]


def told(plan: Plan, base: Snapshot) -> list[str]:
    """As `signs`, for a plan of single writes."""
    waves = signs(plan, base)
    assert all(len(wave) == 1 for wave in waves)
    return [wave[0] for wave in waves]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with running(KINDS, tmp_path) as server:
        yield server


def call(api: ApiServer, *command: str) -> list[str]:
    """Run a tool against the stand-in; what it wrote."""
    env = {"PATH": os.environ["PATH"], "HOME": str(api.kubeconfig.parent)}
    done = subprocess.run(
        command,
        env={**env, "KUBECONFIG": str(api.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return api.taken()


CHART = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
TEMPLATES = [
    "templates/a.yaml",
    "templates/b/c.yaml",
    "templates/z.yaml",
    "charts/s/templates/q.yaml",
]


def chart(folder: Path) -> Path:
    """A chart with another one inside."""
    for path in (folder, folder / "charts" / "s"):
        (path / "templates").mkdir(parents=True)
        (path / "Chart.yaml").write_text(CHART.replace("c\n", f"{path.name}\n", 1))
    return folder


def helm(api: ApiServer, action: str, *more: str) -> list[str]:
    """`helm install`, `upgrade` or `uninstall` of a release."""
    return call(api, "helm", action, "r", *more, "--namespace=shop")


def clear(files: Files) -> None:
    """Make place for other files."""
    for path in files.files:
        (files.folder / path).unlink()


@pytest.mark.tool("helm")
@pytest.mark.parametrize("seed", range(2))
def test_helm_writes_upgrades_and_uninstalls_in_its_order(
    seed: int, api: ApiServer, tmp_path: Path
) -> None:
    random = Random(f"helm {seed}")
    where = str(chart(tmp_path / "c"))
    files = random_files(random, tmp_path / "c", TEMPLATES)
    base = files.write()
    installed = helm(api, "install", where, "--disable-openapi-validation")
    waves = signs(HELM.order(diff(Snapshot(), base), Snapshot(), Options()), Snapshot())
    assert in_waves(installed, waves) == [sorted(wave) for wave in waves]
    clear(files)
    files = changed(random, files, TEMPLATES)
    head = files.write()
    upgraded = helm(api, "upgrade", where, "--disable-openapi-validation")
    assert upgraded == told(HELM.order(diff(base, head), base, Options()), base)
    assert {write[0] for write in upgraded} == {"+", "~", "-"}
    removed = helm(api, "uninstall")
    waves = signs(HELM.order(diff(head, Snapshot()), head, Options()), head)
    assert in_waves(removed, waves) == [sorted(wave) for wave in waves]


@pytest.mark.tool("helm")
def test_helm_installs_every_kind_that_it_knows_in_its_order(
    api: ApiServer, tmp_path: Path
) -> None:
    files = Files(chart(tmp_path / "c"))
    webhooks = {kind for kind in INSTALL_ORDER if kind.endswith("WebhookConfiguration")}
    known = [kind for _, kind, _ in KINDS if kind in INSTALL_ORDER and kind not in webhooks]
    others = [kind for _, kind, _ in KINDS if kind not in INSTALL_ORDER]
    for kind in sorted((*known, *others)):
        if kind != "Secret":
            files.add("templates/all.yaml", kind, "x")
    base = files.write()
    installed = helm(
        api, "install", str(files.folder), "--disable-openapi-validation", "--skip-crds"
    )
    assert installed == told(HELM.order(diff(Snapshot(), base), Snapshot(), Options()), Snapshot())
    assert len(installed) > 40


@pytest.mark.tool("helm")
def test_helm_runs_hooks_around_and_keeps_what_it_is_told_to(
    api: ApiServer, tmp_path: Path
) -> None:
    hook, weight, policy = (
        f"helm.sh/{name}" for name in ("hook", "hook-weight", "hook-delete-policy")
    )
    before = Files(chart(tmp_path / "c"))
    before.add("templates/a.yaml", "ConfigMap", "early", 0, {hook: "pre-upgrade", weight: "5"})
    before.add("templates/a.yaml", "ConfigMap", "kept", 0, {"helm.sh/resource-policy": "keep"})
    before.add("templates/a.yaml", "VirtualService", "route", 0)
    before.add("templates/a.yaml", "DestinationRule", "gone", 0)
    base = before.write()
    helm(api, "install", str(before.folder), "--disable-openapi-validation")
    # The hooks of an upgrade are there from the upgrade before.
    helm(api, "upgrade", str(before.folder), "--disable-openapi-validation")
    after = Files(before.folder)
    after.add("templates/a.yaml", "ConfigMap", "early", 1, {hook: "pre-upgrade", weight: "5"})
    after.add("templates/a.yaml", "ConfigMap", "first", 1, {hook: "pre-upgrade", weight: "-1"})
    after.add(
        "templates/a.yaml", "ConfigMap", "b-last", 1, {hook: "post-upgrade", policy: "hook-failed"}
    )
    after.add("templates/a.yaml", "ConfigMap", "a-last", 1, {hook: "post-upgrade,post-install"})
    after.add("templates/a.yaml", "ConfigMap", "never", 1, {hook: "pre-install"})
    after.add("templates/a.yaml", "VirtualService", "route", 1)
    head = after.write()
    upgraded = helm(api, "upgrade", str(after.folder), "--disable-openapi-validation")
    assert upgraded == told(HELM.order(diff(base, head), base, Options()), base)
    assert upgraded == [
        "+ConfigMap/first",
        "-ConfigMap/early",
        "+ConfigMap/early",
        "~VirtualService/route",
        "-DestinationRule/gone",
        "+ConfigMap/a-last",
        "+ConfigMap/b-last",
    ]


NAMES = ["a.yaml", "a/b.yaml", "a/a/z.yaml", "a-b.yaml", "b.yaml", "B.yaml", "10.yaml", "9.yaml"]


@pytest.mark.tool("kubectl")
@pytest.mark.parametrize("seed", range(2))
def test_kubectl_writes_file_by_file_and_prunes_at_the_end(
    seed: int, api: ApiServer, tmp_path: Path
) -> None:
    random = Random(f"kubectl {seed}")
    folder = tmp_path / "manifests"
    folder.mkdir()
    apply = ("kubectl", "apply", "--validate=false", "--recursive", f"--filename={folder}")
    files = random_files(random, folder, NAMES)
    base = files.write()
    created = call(api, *apply)
    assert created == told(KUBECTL.order(diff(Snapshot(), base), Snapshot(), Options()), Snapshot())
    clear(files)
    files = changed(random, files, NAMES)
    head = files.write()
    gone = {(r.api_version, r.id.kind) for r in base.values() if r.id not in head}
    listed = [f"--prune-allowlist={v if '/' in v else f'core/{v}'}/{k}" for v, k in sorted(gone)]
    done = call(api, *apply, "--prune", "--selector=app=x", *listed)
    *writes, pruned = signs(KUBECTL.order(diff(base, head), base, Options()), base)
    assert done[: len(writes)] == [wave[0] for wave in writes]
    assert sorted(done[len(writes) :]) == sorted(pruned)


@pytest.mark.tool("kubectl")
@pytest.mark.parametrize("seed", range(4))
def test_kubectl_writes_a_kustomization_in_the_legacy_order(
    seed: int, api: ApiServer, tmp_path: Path
) -> None:
    random = Random(f"kustomize {seed}")
    folder = tmp_path / "manifests"
    names = ["a.yaml", "b.yaml", "z.yaml"]
    files = random_files(random, folder, names, "kustomize manifests")
    base = files.write()
    resources = random.sample(sorted(files.files), len(files.files))
    (folder / "kustomization.yaml").write_text(yaml.safe_dump({"resources": resources}))
    expected = told(KUBECTL.order(diff(Snapshot(), base), Snapshot(), Options()), Snapshot())
    assert call(api, "kubectl", "apply", "--validate=false", f"--kustomize={folder}") == expected
    rendered = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True
    )
    shown = [f"+{o['kind']}/{o['metadata']['name']}" for o in yaml.safe_load_all(rendered.stdout)]
    assert shown == expected
