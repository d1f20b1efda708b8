"""`action.yml`, run step by step as the runner does, against a server that answers as GitHub does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from meshplan.report import REPORTS
from support.actions import CompositeAction, Run
from support.git import GIT_ENVIRONMENT, Repository
from support.github_api import FakeGitHub, Reply, github_server

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "bench" / "order" / "scenarios"
MARKER = "<!-- meshplan v1 id=meshplan "


def mesh(scenario: str, side: str) -> str:
    return (SCENARIOS / scenario / side / "mesh.yaml").read_text("utf-8")


class Job:
    """A repository at GitHub with a pull request, and a runner with a checkout of it."""

    def __init__(self, tmp_path: Path, fake: FakeGitHub):
        self.tmp_path = tmp_path
        self.fake = fake
        self.upstream = Repository.create(tmp_path / "upstream")
        self.env: dict[str, str] = {
            **{name: text for name, text in GIT_ENVIRONMENT.items() if "CONFIG" in name},
            "GITHUB_API_URL": fake.url,
            "GITHUB_GRAPHQL_URL": f"{fake.url}/graphql",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": fake.repository,
            "GITHUB_RUN_ID": "100",
            "GITHUB_RUN_ATTEMPT": "1",
        }
        self.action = CompositeAction(
            ROOT,
            tmp_path / "temp",
            tmp_path / "work",
            self.env,
            {"install": {"python": sys.executable}},
        )

    def history(self, base: dict[str, str | None], change: dict[str, str | None]) -> None:
        """`main` with a second commit, a branch from its first one, and their merge as GitHub's."""
        git = self.upstream.git
        self.first = self.upstream.commit(base, "base")
        git("checkout", "--quiet", "-b", "change")
        self.head = self.upstream.commit(change, "change")
        git("checkout", "--quiet", "main")
        self.base = self.upstream.commit({"README.md": "on main\n"}, "meanwhile")
        git("checkout", "--quiet", "--detach")
        git("merge", "--quiet", "--no-ff", "-m", "merge", "change")
        self.merge = git("rev-parse", "HEAD")
        git("update-ref", "refs/pull/7/merge", self.merge)
        git("update-ref", "refs/pull/7/head", self.head)
        git("checkout", "--quiet", "main")
        self.pull = self.fake.pull(7, self.head)
        self.pull["base"]["sha"] = self.base
        self.fake.commits[self.merge] = (self.base, self.head)

    def checkout(self, commit: str, depth: int) -> None:
        """What actions/checkout leaves: a shallow clone of one commit, detached."""
        work = Repository.create(self.tmp_path / "work")
        work.git("remote", "add", "origin", self.upstream.path.as_uri())
        work.git("fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", commit)
        work.git("checkout", "--quiet", "--detach", commit)

    def event(self, name: str, value: dict[str, Any]) -> None:
        path = self.tmp_path / "event.json"
        path.write_text(json.dumps(value))
        self.env |= {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}

    def pull_request(self, depth: int = 2, fork: str = "") -> None:
        self.checkout(self.merge, depth)
        repo = fork or self.fake.repository
        head = {"sha": self.head, "ref": "change", "repo": {"full_name": repo}}
        base = {"sha": self.base, "ref": "main", "repo": {"full_name": self.fake.repository}}
        self.event("pull_request", {"pull_request": {"number": 7, "head": head, "base": base}})

    def run(self, **inputs: str) -> Run:
        return self.action.run({"token": self.fake.token}, **inputs)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_server() as made:
        yield made


@pytest.fixture
def job(tmp_path: Path, fake: FakeGitHub) -> Job:
    made = Job(tmp_path, fake)
    before, after = (mesh("subset-added", side) for side in ("before", "after"))
    made.history({"mesh.yaml": before}, {"mesh.yaml": after})
    return made


class TestPullRequest:
    @pytest.mark.parametrize("depth", [1, 2])
    def test_one_checkout_is_enough(self, job: Job, depth: int) -> None:
        job.pull_request(depth)
        run = job.run(deployer="argocd")
        assert run.status == 0, run.log
        assert run.outputs["verdict"] == "safe-in-order"
        assert run.outputs["exit-code"] == "0"
        assert run.outputs["changed"] == "true"
        assert int(run.outputs["steps"]) >= 2
        [comment] = job.fake.comments
        assert comment["body"].startswith(MARKER + "run=100 attempt=1 ")
        assert comment["html_url"] == run.outputs["comment-url"]
        text = Path(run.outputs["markdown-file"]).read_text("utf-8")
        assert comment["body"].endswith(text)
        assert run.summary.strip() == text.strip()
        document = json.loads(Path(run.outputs["plan-json"]).read_text("utf-8"))
        assert (document["base"]["commit"], document["head"]["commit"]) == (job.base, job.merge)
        assert document["targets"][0]["plan"]["digest"] == run.outputs["plan-digest"]

    def test_a_checkout_of_the_branch_itself_is_enough_too(self, job: Job) -> None:
        job.pull_request()
        shutil.rmtree(job.tmp_path / "work")
        job.checkout(job.head, 1)
        run = job.run()
        assert run.status == 0, run.log
        document = json.loads(Path(run.outputs["plan-json"]).read_text("utf-8"))
        assert (document["base"]["commit"], document["head"]["commit"]) == (job.base, job.merge)

    def test_the_base_may_be_what_is_checked_out(self, job: Job) -> None:
        """pull_request_target: objects of the fork are fetched, and nothing of it is checked out."""
        job.pull_request(fork="mallory/shop")
        shutil.rmtree(job.tmp_path / "work")
        job.checkout(job.base, 1)
        job.env["GITHUB_EVENT_NAME"] = "pull_request_target"
        run = job.run()
        assert run.status == 0, run.log
        assert run.outputs["verdict"] == "safe-in-order"
        assert len(job.fake.comments) == 1
        work = Repository(job.tmp_path / "work")
        assert work.git("rev-parse", "HEAD") == job.base
        assert work.git("status", "--porcelain") == ""

    def test_branches_that_conflict_are_compared_from_where_they_parted(self, job: Job) -> None:
        job.upstream.git("update-ref", "-d", "refs/pull/7/merge")
        job.pull_request()
        shutil.rmtree(job.tmp_path / "work")
        job.checkout(job.head, 50)
        Repository(job.tmp_path / "work").git("fetch", "--quiet", "--depth=50", "origin", job.base)
        run = job.run()
        assert run.status == 0, run.log
        document = json.loads(Path(run.outputs["plan-json"]).read_text("utf-8"))
        assert (document["base"]["commit"], document["head"]["commit"]) == (job.first, job.head)

    def test_a_merge_queue_names_both_commits(self, job: Job) -> None:
        job.checkout(job.merge, 1)
        job.event("merge_group", {"merge_group": {"base_sha": job.base, "head_sha": job.merge}})
        run = job.run()
        assert run.status == 0, run.log
        assert run.outputs["verdict"] == "safe-in-order"

    def test_a_second_run_updates_and_a_third_leaves_alone(self, job: Job) -> None:
        job.pull_request()
        job.run()
        job.fake.comments[0]["body"] = job.fake.comments[0]["body"].replace("meshplan:", "was:")
        job.env["GITHUB_RUN_ID"] = "101"
        assert "comment updated" in job.run().log
        job.env["GITHUB_RUN_ID"] = "102"
        assert "comment left alone" in job.run().log
        assert len(job.fake.comments) == 1

    def test_what_is_held_back_fails_the_step_and_is_told(self, job: Job, fake: FakeGitHub) -> None:
        made = Job(job.tmp_path / "other", fake)
        before, after = (mesh("https-gateway-renamed", side) for side in ("before", "after"))
        fake.pulls.clear()
        made.history({"mesh.yaml": before}, {"mesh.yaml": after + "---\n{"})
        made.pull_request()
        run = made.run()
        assert run.status == 3, run.log
        assert run.outputs["exit-code"] == "3"
        assert fake.comments
        assert "meshplan" in run.summary

    def test_inputs_reach_meshplan(self, job: Job) -> None:
        job.pull_request()
        run = job.run(deployer="argocd, flux", comment="never", summary="false", fail_on="warning")
        assert run.status == 0, run.log
        document = json.loads(Path(run.outputs["plan-json"]).read_text("utf-8"))
        assert [d["name"] for d in document["targets"][0]["deployers"]] == ["argocd", "flux"]
        assert document["judgement"]["failOn"] == "warning"
        assert not job.fake.asked
        assert run.summary == ""

    def test_reports_for_other_tools_are_written(self, job: Job, fake: FakeGitHub) -> None:
        names = {report.name for report in REPORTS}
        if not names & {"sarif", "github"}:
            pytest.skip("there is no report for code scanning or annotations yet")
        job.pull_request()
        run = job.run()
        assert run.status == 0, run.log
        if "sarif" in names:
            found = json.loads(Path(run.outputs["sarif-file"]).read_text("utf-8"))
            assert found["version"] == "2.1.0"
        assert {kind for kind, _ in run.commands} <= {
            "error",
            "warning",
            "notice",
            "group",
            "endgroup",
        }
        assert not job.run(sarif="false").outputs["sarif-file"]

    @pytest.mark.parametrize(
        ("inputs", "said"),
        [
            ({"comment": "sometimes"}, "`comment` is one of auto, always, never"),
            ({"deployer": "puppet"}, "`deployer` is one of"),
            ({"fail_on": "x\n::error::y"}, "`fail-on` is one of"),
            ({"base": "--upload-pack=touch x"}, "is no revision"),
            ({"base": "nowhere"}, "there is no revision"),
            ({"head": "HEAD"}, "`head` is given without `base`"),
            ({"working_directory": "../../nowhere"}, "is no folder"),
            ({"config": "missing.yaml"}, "missing.yaml"),
            ({"plan": "missing.json"}, "cannot read missing.json"),
        ],
    )
    def test_a_wrong_input_is_one_sentence(
        self, job: Job, inputs: dict[str, str], said: str
    ) -> None:
        job.pull_request()
        run = job.run(**inputs)
        assert run.status == 2, run.log
        [(kind, message)] = run.commands
        assert kind == "error"
        assert said in message
        assert run.summary.startswith("## ❌ meshplan: ")
        assert run.outputs["exit-code"] == "2"
        assert not (job.tmp_path / "work" / "x").exists()


class TestPush:
    def push(self, job: Job, before: str, after: str) -> None:
        job.event("push", {"before": before, "after": after, "ref": "refs/heads/main"})

    @pytest.mark.parametrize("depth", [1, 2])
    def test_the_commit_before_the_push_is_fetched(self, job: Job, depth: int) -> None:
        job.checkout(job.head, depth)
        self.push(job, job.first, job.head)
        run = job.run()
        assert run.status == 0, run.log
        assert run.outputs["verdict"] == "safe-in-order"
        assert not job.fake.asked, "a push has no pull request to comment on"

    def test_a_new_branch_is_compared_with_its_parent(self, job: Job) -> None:
        job.checkout(job.head, 1)
        self.push(job, "0" * 40, job.head)
        run = job.run()
        assert run.status == 0, run.log
        assert run.outputs["verdict"] == "safe-in-order"

    def test_a_commit_that_is_nowhere_is_named(self, job: Job) -> None:
        job.checkout(job.head, 1)
        self.push(job, "d" * 40, job.head)
        run = job.run()
        assert run.status == 2
        [(_, message)] = run.commands
        assert "d" * 40 in message
        assert "fetch-depth: 0" in message

    def test_the_first_commit_has_nothing_to_be_compared_with(self, job: Job) -> None:
        job.checkout(job.first, 1)
        self.push(job, "0" * 40, job.first)
        run = job.run()
        assert run.status == 2
        assert "nothing to compare with" in run.log

    def test_a_full_clone_stays_one(self, job: Job) -> None:
        job.checkout(job.merge, 1)
        work = Repository(job.tmp_path / "work")
        work.git("fetch", "--quiet", "--unshallow", "origin", job.merge)
        work.git("fetch", "--quiet", "origin", "main:refs/remotes/origin/main")
        lost = job.upstream.commit({"later.md": "x\n"}, "later")
        self.push(job, lost, job.head)
        assert job.run().status == 0
        assert work.git("rev-parse", "--is-shallow-repository") == "false"

    def test_other_events_need_a_base(self, job: Job) -> None:
        job.checkout(job.head, 1)
        job.event("schedule", {})
        run = job.run()
        assert run.status == 2
        assert "nothing says what to compare with" in run.log
        run = job.run(base=job.first)
        assert run.status == 0, run.log
        assert run.outputs["verdict"] == "safe-in-order"


class TestNoComment:
    """The plan is never lost, whatever becomes of the comment."""

    def there(self, run: Run) -> None:
        assert run.outputs["verdict"] == "safe-in-order"
        assert "meshplan" in run.summary
        assert Path(run.outputs["plan-json"]).is_file()
        assert not run.outputs["comment-url"]

    @pytest.mark.parametrize(
        ("method", "path", "reply", "said"),
        [
            ("POST", "/issues/7", Reply(403, {"message": "Resource not accessible"}), "may not"),
            ("GET", "/pulls/7", Reply(200, "<html>login</html>"), "not with JSON"),
            ("GET", "/pulls/7", Reply(404, {"message": "Not Found"}), "is not there"),
            ("GET", "/pulls/7", Reply(403, {"message": "m"}, {"Retry-After": "999"}), "to wait"),
        ],
    )
    def test_refusals_are_warnings(
        self, job: Job, method: str, path: str, reply: Reply, said: str
    ) -> None:
        job.pull_request()
        job.fake.fail(method, path, reply)
        run = job.run()
        self.there(run)
        assert run.status == 0
        [(kind, message)] = run.commands
        assert kind == "warning"
        assert said in message

    def test_a_comment_that_is_asked_for_is_missed(self, job: Job) -> None:
        job.pull_request()
        job.fake.fail("POST", "/issues/7", Reply(403, {"message": "Resource not accessible"}))
        run = job.run(comment="always")
        self.there(run)
        assert run.status == 3
        assert run.outputs["exit-code"] == "3"
        assert run.commands[-1][0] == "error"

    def test_no_token(self, job: Job) -> None:
        job.pull_request()
        run = job.run(token="")
        self.there(run)
        assert run.status == 0
        assert "there is no token" in run.commands[-1][1]

    @pytest.mark.parametrize("field", [{"state": "closed"}, {"head": {"sha": "d" * 40}}])
    def test_a_pull_request_that_is_over_or_has_moved_on(
        self, job: Job, field: dict[str, Any]
    ) -> None:
        job.pull_request()
        job.pull.update(field)
        run = job.run()
        self.there(run)
        assert run.status == 0
        assert not job.fake.writes()

    def test_a_locked_conversation(self, job: Job) -> None:
        job.pull_request()
        job.pull["locked"] = True
        refused = Reply(403, {"message": "Unable to create comment because issue is locked."})
        job.fake.fail("POST", "/issues/7/comments", refused)
        run = job.run()
        self.there(run)
        assert run.status == 0
        [(kind, message)] = run.commands
        assert kind == "warning"
        assert "pull request 7 is locked" in message

    def test_an_api_that_is_not_there(self, job: Job) -> None:
        job.pull_request()
        with github_server() as gone:
            job.env |= {"GITHUB_API_URL": gone.url, "GITHUB_GRAPHQL_URL": f"{gone.url}/graphql"}
        run = job.run()
        self.there(run)
        assert run.status == 0
        [(kind, message)] = run.commands
        assert kind == "warning"
        assert "cannot be reached" in message

    def test_a_comment_that_is_deleted_meanwhile(self, job: Job) -> None:
        """Between reading and writing: it is made again."""
        job.pull_request()
        job.fake.comment(f"{MARKER}run=1 attempt=1 digest={'0' * 16} -->\nof yesterday")

        def delete(method: str, path: str) -> None:
            if method == "GET" and "/issues/7/comments" in path:
                job.fake.comments.clear()

        job.fake.after = delete
        run = job.run()
        assert run.status == 0, run.log
        assert not run.commands
        [comment] = job.fake.comments
        assert run.outputs["comment-url"] == comment["html_url"]
        assert "of yesterday" not in comment["body"]
        assert job.fake.writes()[:2] == ["PATCH", "POST"]

    def test_a_fork_gets_a_notice_and_an_artifact(self, job: Job) -> None:
        job.pull_request(fork="mallory/shop")
        run = job.run()
        self.there(run)
        assert run.status == 0
        assert [kind for kind, _ in run.commands] == ["notice"]
        assert not job.fake.asked
        folder = Path(run.outputs["plan-json"]).parent
        assert (folder / "plan.digest").read_text().strip() == run.outputs["plan-digest"]


class TestForks:
    """The second job, with what the first has left."""

    @pytest.fixture
    def saved(self, job: Job, tmp_path: Path) -> Path:
        job.pull_request(fork="mallory/shop")
        run = job.run()
        folder = tmp_path / "saved"
        shutil.copytree(Path(run.outputs["plan-json"]).parent, folder)
        shutil.rmtree(tmp_path / "work")
        (tmp_path / "work").mkdir()
        self.started(job)
        return folder / "plan.json"

    def started(self, job: Job, **fields: Any) -> None:
        run = {
            "id": 100,
            "run_attempt": 1,
            "event": "pull_request",
            "head_sha": job.head,
            "head_branch": "change",
            "head_repository": {"full_name": "mallory/shop", "owner": {"login": "fork-owner"}},
            "html_url": "https://github.example/acme/shop/actions/runs/100",
            "pull_requests": [],
        }
        job.event("workflow_run", {"workflow_run": run | fields})
        job.env["GITHUB_RUN_ID"] = "555"

    def test_the_comment_is_rendered_anew(self, job: Job, saved: Path) -> None:
        (saved.parent / "comment.md").write_text("# LGTM, merge this\n")
        run = job.run(plan=str(saved))
        assert run.status == 0, run.log
        [comment] = job.fake.comments
        assert comment["body"].startswith(MARKER + "run=100 attempt=1 ")
        assert "A run of the fork has made this" in comment["body"]
        assert "meshplan:" in comment["body"]
        assert "LGTM" not in comment["body"]

    def test_the_job_delivers_and_does_not_judge(self, job: Job, saved: Path) -> None:
        document = json.loads(saved.read_text("utf-8"))
        document["errors"] = [{"message": "unreadable", "path": None, "line": None}]
        document["exitStatus"] = 3
        saved.write_text(json.dumps(document))
        run = job.run(plan=str(saved))
        assert run.status == 0, run.log
        assert "unreadable" in job.fake.comments[0]["body"]

    def test_the_number_is_not_taken_from_the_artifact(self, job: Job, saved: Path) -> None:
        document = json.loads(saved.read_text("utf-8"))
        document["pull_request"] = document["number"] = 1
        saved.write_text(json.dumps(document))
        other = job.fake.pull(1, "d" * 40)
        other["head"]["ref"] = "change"
        assert job.run(plan=str(saved)).status == 0
        assert [comment["number"] for comment in job.fake.comments] == [7]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda d: d["head"].update(commit="d" * 40), "commit"),
            (lambda d: d["base"].update(commit="d" * 40), "not the merge of"),
            (lambda d: d["head"].update(commit=None), "does not say which commits"),
            (lambda d: d.update(verdict="safe"), "contradicts itself"),
            (lambda d: d.update(schema="other"), "is no result of meshplan"),
            (lambda d: d["targets"][0]["plan"]["waves"].pop(), "digest does not belong"),
        ],
    )
    def test_forgeries_are_refused(
        self, job: Job, saved: Path, change: Callable[[Any], Any], said: str
    ) -> None:
        document = json.loads(saved.read_text("utf-8"))
        change(document)
        saved.write_text(json.dumps(document))
        run = job.run(plan=str(saved))
        assert run.status in (2, 3)
        assert said in run.commands[-1][1]
        assert not job.fake.comments

    def test_another_plan_than_the_digest_beside_it(self, job: Job, saved: Path) -> None:
        saved.with_name("plan.digest").write_text("sha256:" + "0" * 64)
        run = job.run(plan=str(saved))
        assert run.status == 2
        assert "is not the plan" in run.log

    def test_a_branch_that_has_moved_on_is_left_alone(self, job: Job, saved: Path) -> None:
        job.pull["head"]["sha"] = "e" * 40
        run = job.run(plan=str(saved))
        assert run.status == 0, run.log
        assert "no open pull request" in run.log
        assert not job.fake.writes()

    def test_runs_of_other_events_are_refused(self, job: Job, saved: Path) -> None:
        self.started(job, event="push")
        run = job.run(plan=str(saved))
        assert run.status == 3
        assert "not started by a pull request" in run.log

    def test_two_pull_requests_with_one_commit(self, job: Job, saved: Path) -> None:
        release = job.fake.pull(8, job.head)
        release["base"]["sha"] = "f" * 40
        assert job.run(plan=str(saved)).status == 0
        assert [comment["number"] for comment in job.fake.comments] == [7]
        release["base"]["sha"] = job.base
        run = job.run(plan=str(saved))
        assert run.status == 3
        assert "several pull requests" in run.log


class TestHostile:
    def test_nothing_of_the_repository_is_run(self, job: Job) -> None:
        """Modules beside the manifests, and a `.git` of their own, are data."""
        job.pull_request()
        work = job.tmp_path / "work"
        proof = job.tmp_path / "executed"
        code = f"open({str(proof)!r}, 'w').close()\n"
        for name in ("click", "yaml", "git", "sitecustomize", "usercustomize", "jinja2", "json"):
            (work / f"{name}.py").write_text(code)
        for folder in ("meshplan", "rich", "networkx"):
            (work / folder).mkdir()
            (work / folder / "__init__.py").write_text(code)
        (work / "pip.conf").write_text("[global]\nindex-url = https://evil.example\n")
        (work / "pyvenv.cfg").write_text("home = /nowhere\n")
        run = job.run()
        assert run.status == 0, run.log
        assert not proof.exists()

    def test_names_are_no_workflow_commands(self, job: Job, fake: FakeGitHub) -> None:
        evil = "x\n::error::owned\n::set-output name=verdict::safe\n::add-mask::e"
        made = Job(job.tmp_path / "other", fake)
        fake.pulls.clear()
        after = mesh("subset-added", "after")
        rule = {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {"name": "evil", "namespace": "shop", "annotations": {evil: evil}},
            "spec": {"hosts": [evil, 7], "gateways": ["nowhere"], "http": [{"name": evil}]},
        }
        made.history(
            {"mesh.yaml": mesh("subset-added", "before")},
            {"mesh.yaml": after, "::error file=x::y.yaml": json.dumps(rule)},
        )
        made.pull_request()
        run = made.run(fail_on="never")
        assert run.outputs["verdict"], run.log
        assert not [found for found in run.commands if found[1] == "owned"]
        assert {kind for kind, _ in run.commands} <= {"error", "warning", "notice"}
        assert "\n::error::owned" not in fake.comments[0]["body"]

    def test_a_huge_change_fits_summary_and_comment(self, job: Job, fake: FakeGitHub) -> None:
        made = Job(job.tmp_path / "other", fake)
        fake.pulls.clear()
        long = "x" * 4000
        maps = "---\n".join(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"map-{n}-{'n' * 200}", "namespace": "shop"},
                    "data": {"key": long, f"k{n}": str(n)},
                }
            )
            + "\n"
            for n in range(400)
        )
        made.history({"a.yaml": maps}, {"a.yaml": maps.replace("xxxx", "yyyy")})
        made.pull_request()
        run = made.run()
        assert run.status in (0, 1), run.log
        assert len(run.summary.encode()) < 1024 * 1024
        assert len(fake.comments[0]["body"].encode()) < 65_536
        assert fake.comments[0]["body"].count("\n```") % 2 == 0


@pytest.mark.parametrize("missing", ["python9.99", "./no-python"])
def test_a_runner_without_python_is_told_so(job: Job, missing: str) -> None:
    job.pull_request()
    job.action.done = {}
    run = job.run(python=missing)
    assert run.status == 2
    [(_, message)] = run.commands
    assert "needs Python 3.11 or later" in message
    assert run.outputs["exit-code"] == "2"


def test_it_installs_itself_from_its_own_checkout(job: Job, tmp_path: Path) -> None:
    """With the wheels that the lock names, in an environment without the checkout's packages."""
    reachable = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
         "--dest", str(tmp_path / "wheels"), "smmap"],
        capture_output=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    if reachable.returncode != 0:
        pytest.skip("no package index can be reached")
    job.pull_request()
    job.action.done = {}
    job.action.env |= {"PYTHONPATH": str(tmp_path / "nowhere"), "PIP_REQUIRE_VIRTUALENV": "1"}
    run = job.run(python=sys.executable)
    assert run.status == 0, run.log
    assert run.outputs["verdict"] == "safe-in-order"
    python = run.steps["install"]["python"]
    assert Path(python).is_relative_to(job.action.temp)
    where = [
        python,
        "-I",
        "-c",
        "import meshplan, yaml; print(meshplan.__file__); print(yaml.__file__)",
    ]
    found = subprocess.run(where, capture_output=True, text=True, check=True).stdout.split()
    assert Path(found[0]).is_relative_to(ROOT / "pipeline")
    assert Path(found[1]).is_relative_to(job.action.temp)
