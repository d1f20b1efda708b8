"""The command of the PreSync Job, against stand-ins of Argo CD, Kubernetes and a Git server."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshplan.argocd.barrier import Barriers
from meshplan.argocd.stamp import stamp
from meshplan.cli import main
from meshplan.cli.diff import request_of
from meshplan.cli.options import today
from support.argo_api import TOKEN, FakeArgo, application, argo_server
from support.git import Repository

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"
OLD, NEW = "a" * 40, "b" * 40


def mesh(name: str, side: str) -> str:
    return (SCENARIOS / name / side / "mesh.yaml").read_text("utf-8")


def values(text: str) -> list[Any]:
    return [value for value in yaml.safe_load_all(text) if value]


@dataclass
class Ended:
    """What became of the Job."""

    status: int
    log: str
    error: str
    message: str


class Job:
    """A pod with a token, and what it may ask."""

    def __init__(self, fake: FakeArgo, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
        self.fake = fake
        self.message = tmp_path / "termination-log"
        self.capsys = capsys

    def changes(self, scenario: str, **state: Any) -> None:
        self.fake.application = application(OLD, NEW, **state)
        self.fake.manifests = {
            OLD: values(mesh(scenario, "before")),
            NEW: values(mesh(scenario, "after")),
        }

    def run(self, *options: str, command: str = "gate", server: bool = True) -> Ended:
        where = ["--server", self.fake.url] if server else []
        words = ["--application", "shop", "--termination-log", str(self.message), "--wait", "0"]
        status = main(["argocd", command, *words, *where, *options])
        out, err = self.capsys.readouterr()
        message = self.message.read_text("utf-8") if self.message.exists() else ""
        return Ended(status, out, err, message)


@pytest.fixture
def job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Job]:
    monkeypatch.setenv("ARGOCD_AUTH_TOKEN", TOKEN)
    for name in ("ARGOCD_SERVER", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    with argo_server() as fake:
        yield Job(fake, tmp_path, capsys)


class TestRulings:
    def test_a_sync_that_is_safe_in_any_order_goes_on(self, job: Job) -> None:
        job.changes("weights-shifted")
        ended = job.run()
        assert ended.status == 0, ended
        assert "proven safe" in ended.message
        assert "syncing shop to bbbbbbbbb" in ended.log

    def test_one_that_is_not_is_refused_with_a_request(self, job: Job) -> None:
        job.changes("subset-removed")
        ended = job.run()
        assert ended.status == 1
        assert ended.message.startswith("not safe: GET reviews.shop/")
        assert "503 NC" in ended.message
        assert ended.message in ended.log

    def test_one_that_needs_waiting_says_so(self, job: Job) -> None:
        """DestinationRule before VirtualService, by name: right, and nothing waits."""
        job.changes("service-created-and-routed")
        ended = job.run()
        assert ended.status == 1
        assert "nothing waits for that" in ended.message
        assert job.run("--settled").status == 0

    def test_what_is_not_decided_is_refused(self, job: Job) -> None:
        job.changes("envoyfilter-meets-change")
        ended = job.run()
        assert ended.status == 1
        assert "not decided" in ended.message

    def test_nothing_to_do_goes_on(self, job: Job) -> None:
        job.changes("subset-removed")
        job.fake.manifests[NEW] = job.fake.manifests[OLD]
        ended = job.run()
        assert ended.status == 0
        assert ended.message == "nothing changes"

    def test_a_stamped_change_goes_on(self, job: Job, repo: Callable[..., Repository]) -> None:
        before, after = mesh("subset-removed", "before"), mesh("subset-removed", "after")
        made = repo({"mesh.yaml": before})
        made.write({"mesh.yaml": after})
        request = request_of("HEAD", made.path, as_of=today(), no_cache=True)
        files = stamp(request, Barriers(), lambda _: None).files
        job.changes("subset-removed")
        stamped = "\n---\n".join(content.decode() for content in files.values())
        job.fake.manifests[NEW] = values(stamped)
        ended = job.run()
        assert ended.status == 0, ended

    def test_deletions_go_last_where_the_application_says_so(self, job: Job) -> None:
        job.changes("service-removed-and-unrouted")
        assert job.run().status == 1
        spec = job.fake.application["spec"]
        spec["syncPolicy"]["syncOptions"] = ["CreateNamespace=true", "PruneLast=true"]
        ended = job.run()
        # In the right order now, but still without waiting.
        assert ended.status == 1
        assert "nothing waits for that" in ended.message
        assert job.run("--settled").status == 0

    def test_a_sync_that_does_not_prune_deletes_nothing(self, job: Job) -> None:
        job.changes("service-removed-and-unrouted")
        job.fake.application["status"]["operationState"]["operation"]["sync"]["prune"] = False
        assert job.run().status == 0

    def test_a_hook_is_no_change_of_the_mesh(self, job: Job) -> None:
        job.changes("weights-shifted")
        gate = yaml.safe_load_all((ROOT / "deploy" / "argocd" / "gate.yaml").read_text("utf-8"))
        job.fake.manifests[NEW] += [v for v in gate if v["kind"] == "Job"]
        assert job.run().status == 0


ROOT = Path(__file__).parents[2]


class TestRevisions:
    def test_the_commit_is_waited_for(self, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
        """Argo CD writes it down after the pass that made the hook."""
        monkeypatch.setattr("time.sleep", lambda _: None)
        job.changes("weights-shifted")
        ready = job.fake.application
        unknown = application(OLD, NEW, operation={"sync": {"revision": "main"}}, syncResult={})
        job.fake.application, job.fake.later = unknown, [unknown, ready]
        ended = job.run("--wait", "30")
        assert ended.status == 0, ended
        assert ended.log.count("waiting until") == 2

    @pytest.mark.parametrize(
        ("state", "why"),
        [
            ({"operation": {"sync": {}}, "syncResult": {}}, "has not written the commit down"),
            ({"syncResult": {"revision": "main"}, "operation": {}}, "has not written"),
            ({"phase": "Succeeded"}, "no sync runs"),
            ({"operation": {"sync": {"resources": [{"kind": "Service"}]}}}, "selective"),
            ({"operation": {"sync": {"syncStrategy": {"apply": {}}}}}, "without hooks"),
        ],
    )
    def test_what_is_not_known_is_refused(self, job: Job, state: dict[str, Any], why: str) -> None:
        job.changes("weights-shifted", **state)
        ended = job.run()
        assert ended.status == 3
        assert why in ended.message
        assert ended.error.startswith("error: ")

    def test_the_newest_full_sync_is_what_is_compared_with(self, job: Job) -> None:
        job.changes("weights-shifted")
        assert [entry["id"] for entry in job.fake.application["status"]["history"]] == [3, 2]
        job.run()
        asked = [path for path in job.fake.asked if "/manifests" in path]
        assert [NEW in asked[0], OLD in asked[1]] == [True, True]

    def test_without_history_the_live_objects_are(self, job: Job) -> None:
        job.changes("subset-removed")
        job.fake.application["status"]["history"] = []
        job.fake.live = [as_live(value) for value in job.fake.manifests[OLD]]
        ended = job.run()
        assert ended.status == 1
        assert "comparing with the live objects" in ended.log
        assert "503 NC" in ended.message
        assert job.run("--before", "history").status == 3
        job.fake.live = [as_live(value) for value in job.fake.manifests[NEW]]
        assert job.run().message == "nothing changes"

    @pytest.mark.parametrize("applied", [True, False])
    def test_what_the_server_adds_to_objects_is_no_change(self, job: Job, *, applied: bool) -> None:
        job.changes("weights-shifted")
        job.fake.live = [as_live(value, applied=applied) for value in job.fake.manifests[NEW]]
        ended = job.run("--before", "live")
        assert ended.message == "nothing changes", ended

    def test_several_sources_are_refused(self, job: Job) -> None:
        job.changes("weights-shifted")
        spec = job.fake.application["spec"]
        spec["sources"] = [spec.pop("source")] * 2
        ended = job.run()
        assert ended.status == 3
        assert "several sources" in ended.message
        spec["sources"].pop()
        ended = job.run()
        assert ended.status == 3
        assert "spec.sources to spec.source" in ended.message

    def test_force_and_replace_are_refused(self, job: Job) -> None:
        job.changes("weights-shifted")
        operation = job.fake.application["status"]["operationState"]["operation"]
        operation["sync"]["syncOptions"] = ["Replace=true", "Force=true"]
        assert job.run().status == 3


def as_live(value: dict[str, Any], *, applied: bool = True) -> dict[str, Any]:
    """An object as the API server gives it."""
    found: dict[str, Any] = json.loads(json.dumps(value))
    found["metadata"] |= {"uid": "1", "resourceVersion": "7", "creationTimestamp": "2026-01-01"}
    found["metadata"]["managedFields"] = [{"manager": "argocd"}]
    if applied:
        found["metadata"].setdefault("annotations", {})[
            "kubectl.kubernetes.io/last-applied-configuration"
        ] = json.dumps(value)
    if found["kind"] == "Service":
        found["spec"] |= {"clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"]}
        for port in found["spec"]["ports"]:
            port.setdefault("protocol", "TCP")
    found["status"] = {"loadBalancer": {}}
    return found


class TestFailures:
    @pytest.mark.parametrize(
        ("path", "answer", "why"),
        [
            ("/applications/shop", (200, "<html>login</html>"), "not with JSON"),
            ("/applications/shop", (403, {"message": "permission denied"}), "permission denied"),
            ("/applications/shop", (404, {"message": "not found"}), "has no Application shop"),
            ("/applications/shop", (200, {}), "is no Application"),
            ("/applications/shop", (200, []), "is no Application"),
            ("/manifests", (200, {"manifests": None}), "has no manifests"),
            ("/manifests", (200, {"manifests": ["{"]}), "is no JSON"),
            ("/manifests", (400, {"message": "cannot resolve"}), "answers 400"),
        ],
    )
    def test_what_the_api_says_otherwise_is_refused(
        self, job: Job, path: str, answer: tuple[int, Any], why: str
    ) -> None:
        job.changes("weights-shifted")
        job.fake.instead[path] = answer
        ended = job.run()
        assert ended.status == 3
        assert why in ended.message
        assert "Traceback" not in ended.error

    def test_a_token_that_is_not_accepted(self, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
        job.changes("weights-shifted")
        monkeypatch.setenv("ARGOCD_AUTH_TOKEN", "wrong")
        assert "does not accept the token" in job.run().message
        monkeypatch.delenv("ARGOCD_AUTH_TOKEN")
        assert "there is no token" in job.run().message

    def test_an_api_that_is_not_there(self, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.sleep", lambda _: None)
        job.fake.url = f"http://127.0.0.1:{free_port()}"
        ended = job.run()
        assert ended.status == 3
        assert "cannot be reached" in ended.message

    def test_outside_of_a_cluster(self, job: Job) -> None:
        ended = job.run(server=False)
        assert ended.status == 3
        assert "does not run in a cluster" in ended.message

    def test_the_message_fits_what_kubernetes_keeps(self, job: Job) -> None:
        job.changes("weights-shifted")
        job.fake.instead["/applications/shop"] = (500, {"message": "é" * 10_000})
        job.fake.instead["/applications/shop"] = (403, {"message": "é" * 10_000})
        ended = job.run()
        assert 0 < len(ended.message.encode()) <= 4096


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[str]:
    """A Git server on loopback that serves what is under a folder."""
    folder = subprocess.run(
        [shutil.which("git") or "git", "--exec-path"], capture_output=True, text=True, check=True
    ).stdout.strip()
    daemon = Path(folder) / "git-daemon"
    if not daemon.exists():
        pytest.skip("this git has no daemon")
    port = free_port()
    running = subprocess.Popen(
        [daemon, "--reuseaddr", "--export-all", f"--base-path={tmp_path}",
         "--listen=127.0.0.1", f"--port={port}", str(tmp_path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"git://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


class TestGit:
    """Without Argo CD's API: the Application from Kubernetes, and the manifests from Git."""

    @pytest.fixture
    def pod(self, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
        account = tmp_path / "account"
        account.mkdir()
        (account / "token").write_text(f"{TOKEN}\n")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("MESHPLAN_KUBERNETES_API", job.fake.url)
        monkeypatch.setattr("meshplan.argocd.server.SERVICE_ACCOUNT", account)
        return job

    def repository(self, tmp_path: Path, scenario: str, path: str = "apps/shop") -> Repository:
        made = Repository.create(tmp_path / "shop.git")
        for side in ("before", "after"):
            made.commit({f"{path}/mesh.yaml": mesh(scenario, side), "other/x.yaml": "a: 1\n"}, side)
        return made

    @pytest.mark.parametrize(
        ("scenario", "status"), [("subset-removed", 1), ("weights-shifted", 0)]
    )
    def test_both_commits_are_fetched(
        self, pod: Job, tmp_path: Path, git_server: str, scenario: str, status: int
    ) -> None:
        made = self.repository(tmp_path, scenario)
        commits = made.git("rev-parse", "HEAD~1"), made.git("rev-parse", "HEAD")
        url = f"{git_server}/shop.git"
        pod.fake.application = application(*commits, url=url, path="apps/shop")
        ended = pod.run(server=False)
        assert ended.status == status, ended
        assert "safe" in ended.message
        assert any("/apis/argoproj.io/" in path for path in pod.fake.asked)

    def test_a_commit_that_is_not_there(self, pod: Job, tmp_path: Path, git_server: str) -> None:
        self.repository(tmp_path, "weights-shifted")
        pod.fake.application = application(OLD, NEW, url=f"{git_server}/shop.git")
        ended = pod.run(server=False)
        assert ended.status == 3
        assert "commit aaaaaaaaa cannot be fetched" in ended.message

    @pytest.mark.parametrize(
        ("source", "why"),
        [
            ({"chart": "shop", "path": ""}, "does not come from a folder in Git"),
            ({"plugin": {"name": "x"}}, "does not come from a folder in Git"),
            ({"helm": {"parameters": [{"name": "a", "value": "b"}]}}, "only Argo CD can render"),
            ({"kustomize": {"images": ["a=b"]}}, "only Argo CD can render"),
            ({"path": "nowhere"}, "cannot be read from Git|has no manifests"),
            ({"repoURL": "ext::sh -c touch% x"}, "cannot be fetched"),
            ({"repoURL": "--upload-pack=touch x"}, "no address"),
        ],
    )
    def test_what_cannot_be_read_is_refused(
        self, pod: Job, tmp_path: Path, git_server: str, source: dict[str, Any], why: str
    ) -> None:
        made = self.repository(tmp_path, "weights-shifted")
        commits = made.git("rev-parse", "HEAD~1"), made.git("rev-parse", "HEAD")
        pod.fake.application = application(*commits, url=f"{git_server}/shop.git", path="apps/shop")
        pod.fake.application["spec"]["source"] |= source
        ended = pod.run(server=False)
        assert ended.status in (2, 3), ended
        assert any(part in ended.message for part in why.split("|")), ended

    def test_without_history_there_is_nothing_to_compare_with(self, pod: Job) -> None:
        pod.fake.application = application("", NEW)
        ended = pod.run(server=False)
        assert ended.status == 3
        assert "no full sync in its history" in ended.message
