"""The Job that carries out what a sync cannot, in a cluster that lives in memory."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshplan.argocd.carry import is_ready
from meshplan.argocd.kubernetes import merge_patch
from meshplan.cli import main
from meshplan.mesh import Mesh
from meshplan.plan import Apply, Gate, GateKind, Plan, Remove, Step, Wave, wave_to_json
from meshplan.resource import Resource, Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings
from meshplan.verify import verify
from support.argo_api import TOKEN, FakeArgo, application, argo_server
from support.kube_api import merged
from support.snapshots import of_values

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"
OLD, NEW = "a" * 40, "b" * 40
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def values(scenario: str, side: str) -> list[Any]:
    text = (SCENARIOS / scenario / side / "mesh.yaml").read_text("utf-8")
    return [value for value in yaml.safe_load_all(text) if value]


class Job:
    """The Job, its cluster, and the sync that follows."""

    def __init__(
        self,
        fake: FakeArgo,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ):
        self.fake, self.capsys = fake, capsys
        self.cluster = fake.cluster
        self.message = tmp_path / "message"
        #: What the cluster holds whenever the Job has waited for proxies.
        self.settled: list[list[Any]] = []
        self.slept: list[float] = []
        monkeypatch.setattr("time.sleep", self._sleep)
        account = tmp_path / "account"
        account.mkdir()
        (account / "token").write_text(TOKEN)
        monkeypatch.setattr("meshplan.argocd.server.SERVICE_ACCOUNT", account)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("MESHPLAN_KUBERNETES_API", fake.url)
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if seconds == 15.0:
            self.settled.append(self.manifests())

    def manifests(self) -> list[Any]:
        """The objects as their manifests say."""
        return [cleaned(value) for value in self.cluster.objects.values()]

    def changes(self, scenario: str, *options: str, applied: bool = True) -> None:
        self.before, self.after = values(scenario, "before"), values(scenario, "after")
        self.fake.application = application(OLD, NEW)
        self.fake.application["spec"]["syncPolicy"]["syncOptions"] = list(options)
        self.fake.manifests = {OLD: self.before, NEW: self.after}
        for value in self.before:
            self.cluster.seed(value, applied=applied)

    def run(self, *options: str) -> tuple[int, str]:
        words = ["--application", "shop", "--server", self.fake.url, "--wait", "0"]
        status = main(["argocd", "apply", *words, "--termination-log", str(self.message), *options])
        self.log = "".join(self.capsys.readouterr())
        return status, self.message.read_text("utf-8") if self.message.exists() else ""

    def sync(self) -> None:
        """What Argo CD does after the Job: write what differs, prune what is not there."""
        wanted = {self.cluster.path(value): value for value in self.after}
        for path, value in wanted.items():
            there = self.cluster.objects.get(path)
            tracked = json.loads(json.dumps(value))
            tracked["metadata"].setdefault("labels", {})["app.kubernetes.io/instance"] = "shop"
            if there is None:
                self.cluster.seed(value)
                continue
            original = json.loads(there["metadata"]["annotations"][LAST_APPLIED])
            patch = merge_patch(original, tracked, there)
            self.cluster.objects[path] = merged(there, patch)
        for path, there in list(self.cluster.objects.items()):
            instance = there["metadata"].get("labels", {}).get("app.kubernetes.io/instance")
            if path not in wanted and instance == "shop":
                del self.cluster.objects[path]


def cleaned(value: Any) -> Any:
    found = json.loads(json.dumps({k: v for k, v in value.items() if k != "status"}))
    metadata = found["metadata"]
    metadata.pop("resourceVersion", None)
    for part, name in (
        ("labels", "app.kubernetes.io/instance"),
        ("annotations", LAST_APPLIED),
    ):
        metadata.get(part, {}).pop(name, None)
        if not metadata.get(part, True):
            del metadata[part]
    return found


@pytest.fixture
def job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Job]:
    with argo_server() as fake:
        yield Job(fake, tmp_path, capsys, monkeypatch)


def steps_between(before: Snapshot, after: Snapshot, head: Snapshot) -> tuple[Step, ...]:
    written: list[Step] = [
        Apply(r, "", bridge=head.get(id_) is None or _body(head[id_]) != _body(r))
        for id_, r in after.items()
        if id_ not in before or _body(before[id_]) != _body(r)
    ]
    gone = [Remove(id_, r.api_version, "") for id_, r in before.items() if id_ not in after]
    return (*written, *gone)


def _body(resource: Resource) -> Any:
    return {k: v for k, v in resource.manifest.items() if k != "status"}


def mesh_at(found: Snapshot) -> Mesh:
    return mesh_of(found, Settings())[0]


BRIDGED = (
    "subset-renamed",
    "subset-swap",
    "weights-and-subset",
    "egress-host-edited",
    "hosts-swapped",
    "allow-grants-swapped",
    "mtls-auto-strict",
)


@pytest.mark.parametrize("scenario", BRIDGED)
def test_what_the_cluster_goes_through_is_confirmed(scenario: str, job: Job) -> None:
    """Every state that proxies have seen, and the sync at the end, by the independent checker."""
    job.changes(scenario)
    status, message = job.run()
    assert status == 0, (message, job.log)
    assert "the sync is safe now" in message
    head = of_values(*job.after)
    seen = [of_values(*found) for found in [job.before, *job.settled, job.manifests()]]
    job.sync()
    seen.append(of_values(*job.manifests()))
    gate = Gate(GateKind.DRAINED, "")
    waves = [
        Wave(steps, gate)
        for before, after in pairwise(seen)
        if (steps := steps_between(before, after, head))
    ]
    plan = Plan(tuple(waves))
    written = {"waves": [wave_to_json(wave) for wave in waves], "digest": plan.digest}
    found = verify(written, mesh_at(seen[0]), mesh_at(head))
    assert found.verdict == "confirmed", (found.refutations, found.gaps)


@pytest.mark.parametrize("scenario", BRIDGED)
def test_nothing_in_between_stays(scenario: str, job: Job) -> None:
    job.changes(scenario)
    assert job.run()[0] == 0
    job.sync()
    found = {job.cluster.path(v): cleaned(v) for v in job.cluster.objects.values()}
    assert found == {job.cluster.path(v): v for v in job.after}


def test_a_run_that_was_interrupted_is_taken_up(job: Job) -> None:
    job.changes("subset-renamed")
    wrote = []

    def refuse(method: str, path: str) -> tuple[int, dict[str, Any]] | None:
        if method == "PATCH":
            wrote.append(path)
            if len(wrote) == 2:
                return 403, {"message": "virtualservices is forbidden"}
        return None

    job.cluster.refuse = refuse
    status, message = job.run()
    assert status == 3
    assert "virtualservices is forbidden" in message
    job.cluster.refuse = lambda *_: None
    status, message = job.run()
    assert status == 0, job.log
    assert "an earlier run has carried out 1 of" in job.log
    job.sync()
    found = {job.cluster.path(v): cleaned(v) for v in job.cluster.objects.values()}
    assert found == {job.cluster.path(v): v for v in job.after}
    # And once more, with everything done: nothing is written again.
    before = len(job.cluster.journal)
    assert job.run()[0] in (0, 3)
    assert len(job.cluster.journal) == before


def test_a_cluster_that_somebody_has_changed_is_left_alone(job: Job) -> None:
    job.changes("subset-renamed")
    for found in job.cluster.objects.values():
        if found["kind"] == "DestinationRule":
            text = found["metadata"]["annotations"][LAST_APPLIED]
            found["metadata"]["annotations"][LAST_APPLIED] = text.replace("v1", "v9")
    status, message = job.run()
    assert status == 3
    assert "DestinationRule shop/reviews differs" in message
    assert not job.cluster.journal


def test_what_needs_no_bridge_is_carried_out_as_far_as_waves_need(job: Job) -> None:
    """A deletion that has to wait for another: no wave can do that, the Job can."""
    job.changes("subset-last-use")
    status, message = job.run()
    assert status == 0, (message, job.log)
    assert job.cluster.journal[0][0] == "delete"
    job.sync()
    assert {job.cluster.path(v) for v in job.cluster.objects.values()} == {
        job.cluster.path(v) for v in job.after
    }


def test_a_safe_sync_needs_nothing(job: Job) -> None:
    job.changes("weights-shifted")
    assert job.run() == (0, "the sync is safe as it is")
    assert not job.cluster.journal


def test_without_a_safe_plan_the_sync_is_refused(job: Job) -> None:
    for scenario in ("service-made-headless", "envoyfilter-meets-change"):
        job.changes(scenario)
        status, message = job.run()
        assert status == 1
        assert message.startswith("no "), message
    assert not job.cluster.journal


def test_what_is_not_known_is_refused(job: Job) -> None:
    """Several sources; no sync that it could start from; an API that is not there."""
    job.changes("subset-renamed")
    source = job.fake.application["spec"].pop("source")
    job.fake.application["spec"]["sources"] = [source, source]
    status, message = job.run()
    assert (status, "several sources" in message) == (3, True), message
    job.changes("subset-renamed")
    job.fake.application["status"]["history"] = []
    status, message = job.run("--before", "history")
    assert (status, "no full sync in its history" in message) == (3, True), message
    assert not job.cluster.journal


def test_a_dry_run_writes_nothing(job: Job) -> None:
    job.changes("subset-renamed")
    status, message = job.run("--dry-run")
    assert status == 0
    assert message.startswith("would carry out ")
    assert not job.cluster.journal


def test_where_argo_cd_leaves_out_what_is_in_sync_all_is_carried_out(job: Job) -> None:
    job.changes("subset-renamed", "ApplyOutOfSyncOnly=true")
    status, message = job.run()
    assert status == 0
    assert "0 left for it" in message
    found = {job.cluster.path(v): cleaned(v) for v in job.cluster.objects.values()}
    assert found == {job.cluster.path(v): v for v in job.after}


def test_server_side_apply_is_done_in_the_name_of_argo_cd(job: Job) -> None:
    job.changes("subset-renamed", "ServerSideApply=true", applied=False)
    status, _ = job.run()
    assert status == 0, job.log
    assert {verb for verb, _, _ in job.cluster.journal} == {"apply"}


def test_gates_wait_for_what_the_cluster_can_tell(job: Job) -> None:
    """A deletion that takes a while, as of an object with a finalizer."""
    job.changes("subset-last-use")
    asked: list[str] = []

    def linger(method: str, path: str) -> tuple[int, dict[str, Any]] | None:
        deleted = [name for verb, _, name in job.cluster.journal if verb == "delete"]
        if method == "GET" and deleted and path.endswith("/virtualservices/reviews"):
            asked.append(path)
            if len(asked) < 4:
                return 200, {"kind": "VirtualService", "metadata": {"deletionTimestamp": "now"}}
        return None

    job.cluster.refuse = linger
    status, message = job.run()
    assert status == 0, (message, job.log)


@pytest.mark.parametrize(
    ("live", "ready"),
    [
        (None, False),
        ({"kind": "VirtualService"}, True),
        ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}, False),
        ({"kind": "Deployment", "spec": {"replicas": 2}, "status": {"readyReplicas": 2}}, True),
        (
            {
                "kind": "Deployment",
                "metadata": {"generation": 3},
                "status": {"readyReplicas": 1, "observedGeneration": 2},
            },
            False,
        ),
        (
            {
                "kind": "Deployment",
                "spec": {"replicas": 2},
                "status": {"readyReplicas": 2, "updatedReplicas": 1},
            },
            False,
        ),
        ({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 2, "numberReady": 1}}, False),
        ({"kind": "Job", "status": {}}, False),
        ({"kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True"}]}}, True),
        ({"kind": "CustomResourceDefinition", "status": {"conditions": []}}, False),
        ({"kind": "Namespace", "status": {"phase": "Terminating"}}, False),
    ],
)
def test_what_counts_as_ready(live: Any, *, ready: bool) -> None:
    assert is_ready(live) is ready


def test_secrets_are_never_written(job: Job) -> None:
    """Argo CD's API hides their values."""
    job.changes("subset-renamed", "ApplyOutOfSyncOnly=true")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key", "namespace": "shop"},
        "data": {"key": "++++++++"},
    }
    job.fake.manifests[NEW] = [*job.after, secret]
    status, message = job.run()
    assert status == 3
    assert "Secret shop/key would have to be written" in message
    assert not job.cluster.journal


def test_a_kind_that_the_cluster_does_not_have(job: Job) -> None:
    job.changes("subset-renamed")
    for found in job.fake.manifests.values():
        for value in found:
            if value["kind"] == "DestinationRule":
                value["apiVersion"] = "networking.istio.io/v1alpha9"
    status, message = job.run()
    assert status == 3
    assert "v1alpha9" in message


@pytest.mark.parametrize(
    ("original", "modified", "current", "patch"),
    [
        ({}, {"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {}, {"a": 1}, {"a": None}),
        ({}, {}, {"a": 1}, {}),
        ({"s": {"a": 1, "b": 2}}, {"s": {"a": 1}}, {"s": {"a": 1, "b": 2, "c": 3}}, {"s": {"b": None}}),
        ({"l": [1]}, {"l": [2]}, {"l": [1]}, {"l": [2]}),
        ({"a": 1}, {"a": 1}, {"a": 1, "d": 0}, {}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": {"b": 1}}, {"a": 2}),
    ],
)  # fmt: skip
def test_patches_are_as_kubectl_makes_them(
    original: Any, modified: Any, current: Any, patch: Any
) -> None:
    assert merge_patch(original, modified, current) == patch
