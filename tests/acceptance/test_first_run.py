"""The first day in a repository that has never been checked: what is old holds nothing back."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main
from support.git import GIT_ENVIRONMENT, Repository

Run = Callable[..., tuple[int, str, str]]

HOME = f"acme/meshplan@{'0123456789' * 4}"

#: Somebody's mesh of some years: two objects of one name, subsets that nobody has defined, a
#: gateway that is not there, a field that is misspelt, a chart and a Kustomization that are broken.
LEGACY: dict[str, str | bytes | None] = {
    "mesh/reviews.yaml": """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec:
  hosts: [reviews]
  gateways: [mesh, shop/nowhere]
  http:
    - route: [{destination: {host: reviews, subset: v7}}]
      timeuot: 3s
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v1}}]
""",
    "mesh/again.yaml": """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  subsets: [{name: v1, labels: {version: v2}}]
""",
    "mesh/service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports: [{name: web, port: 9080}]
""",
    "mesh/broken.yaml": "apiVersion: v1\nkind: [Service\n",
    "overlay/kustomization.yaml": "resources: [../nowhere]\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
    "chart/templates/x.yaml": "{{ .Values.a.b.c }}\n",
}
SETTLED = {
    "settings/map.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: colours, namespace: shop}
data: {colour: blue}
""",
}
NEWLY_WRONG = {
    "mesh/ratings.yaml": """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings, namespace: shop}
spec:
  hosts: [ratings]
  http:
    - route: [{destination: {host: ratings}}]
      timeuot: 3s
""",
}


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(arguments)
        out, err = capfd.readouterr()
        return status, out, err

    return call


def first_day(run: Run, made: Repository) -> None:
    """From `init` to the first change that is wrong, as CI would see each commit."""
    there = json.loads(run("check", "-o", "json")[1])
    assert there["exitStatus"] != 0
    assert run("init", "--yes", "--action", HOME)[0] == 0
    made.commit(message="Adopt meshplan")
    status, out, err = run("diff", "HEAD~1..HEAD")
    assert (status, err) == (0, ""), out
    made.commit(SETTLED, "Something else")
    status, out, err = run("diff", "HEAD~1..HEAD")
    assert (status, err) == (0, ""), out
    made.commit(NEWLY_WRONG, "A mistake")
    status, out, _ = run("diff", "HEAD~1..HEAD", "-o", "json")
    assert status == 1, out
    new = [f for f in json.loads(out)["findings"] if f["status"] == "new"]
    assert {f["rule"] for f in new if f["severity"] == "error"} == {"unknown-field"}
    assert {f["locations"][0]["path"] for f in new} == {"mesh/ratings.yaml"}


def test_a_repository_of_old_mistakes(run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = repo(LEGACY)
    monkeypatch.chdir(made.path)
    first_day(run, made)


#: Cases whose base has many findings: of each kind of layout one, and one with broken files.
CASES = ("cf-auth-proxy-no-tls", "ga-v1alpha2-route-gateway", "sc-vs-formatting")


@pytest.mark.corpus
@pytest.mark.parametrize("case", CASES)
def test_the_repositories_of_others(
    run: Run, corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    made = Repository.create(tmp_path / "old")
    shutil.copytree(corpora / "cases" / case / "base", made.path, dirs_exist_ok=True)
    made.commit(message="Years of work")
    monkeypatch.chdir(made.path)
    first_day(run, made)


def on_path(*folders: Path) -> dict[str, str]:
    path = os.pathsep.join([*map(str, folders), str(Path(sys.executable).parent)])
    return {**os.environ, **GIT_ENVIRONMENT, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}


def committed(made: Repository, env: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        ["git", "commit", "--message=change", *arguments],
        cwd=made.path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.tool("pre-commit")
class TestPreCommit:
    """pre-commit itself runs what `init` has written, and what this repository offers."""

    @pytest.fixture
    def env(self, tmp_path: Path) -> dict[str, str]:
        return on_path() | {"PRE_COMMIT_HOME": str(tmp_path / "pre-commit")}

    def installed(self, made: Repository, env: dict[str, str]) -> None:
        subprocess.run(["pre-commit", "install"], cwd=made.path, env=env, check=True)

    def test_what_init_writes(self, run: Run, repo: Any, env: dict[str, str]) -> None:
        made = repo(LEGACY)
        assert run("init", "-C", str(made.path))[0] == 0
        made.commit(message="Adopt meshplan")
        self.installed(made, env)
        made.write(SETTLED)
        made.git("add", "--all")
        assert committed(made, env)[0] == 0
        made.write(NEWLY_WRONG)
        made.git("add", "--all")
        status, said = committed(made, env)
        assert status == 1
        assert "there is no field spec.http[0].timeuot" in said
        assert made.git("log", "-1", "--format=%s") == "change"

    def test_a_commit_that_only_deletes(self, run: Run, repo: Any, env: dict[str, str]) -> None:
        """pre-commit names no file then; the subset that goes is still in use."""
        rule = str(LEGACY["mesh/again.yaml"])
        route = NEWLY_WRONG["mesh/ratings.yaml"].replace("      timeuot: 3s\n", "")
        route = route.replace("ratings", "reviews").replace("reviews}", "reviews, subset: v1}")
        service = LEGACY["mesh/service.yaml"]
        made = repo({"rule.yaml": rule, "route.yaml": route, "service.yaml": service})
        assert run("init", "-C", str(made.path))[0] == 0
        made.commit(message="Adopt meshplan")
        self.installed(made, env)
        made.git("rm", "--quiet", "rule.yaml")
        status, said = committed(made, env)
        assert status == 1, said
        assert "delete DestinationRule shop/reviews" in said

    def test_the_hooks_of_this_repository(self, root: Path, repo: Any, env: dict[str, str]) -> None:
        """As pre-commit takes them, but for the environment that it would install them into."""
        hooks = (root / ".pre-commit-hooks.yaml").read_text("utf-8")
        subprocess.run(
            ["pre-commit", "validate-manifest", str(root / ".pre-commit-hooks.yaml")], check=True
        )
        assert hooks.count("language: python\n") == hooks.count("- id: ") == 2
        offered = repo(
            {".pre-commit-hooks.yaml": hooks.replace("language: python", "language: system")}
        )
        listed = "".join(f"      - id: {name}\n" for name in ("meshplan", "meshplan-check"))
        config = f"  - repo: file://{offered.path}\n    rev: {offered.git('rev-parse', 'HEAD')}\n"
        right = {name: text.replace("timeuot", "timeout") for name, text in NEWLY_WRONG.items()}
        made = repo({".pre-commit-config.yaml": f"repos:\n{config}    hooks:\n{listed}"} | right)
        self.installed(made, env)
        made.write(NEWLY_WRONG)
        # Not staged: nothing that is to be committed is wrong, and pre-commit puts it aside.
        assert committed(made, env, "--allow-empty")[0] == 0
        made.git("add", "--all")
        status, said = committed(made, env)
        assert status == 1
        assert said.count("Failed") == 2


def test_git_runs_the_hook_by_itself(repo: Any, root: Path) -> None:
    """The hook of the documentation, also with the index that `git commit --all` makes."""
    made = repo(
        {**SETTLED, "mesh/ratings.yaml": NEWLY_WRONG["mesh/ratings.yaml"].replace("uo", "ou")}
    )
    page = (root / "docs" / "how-to" / "use-in-ci.md").read_text("utf-8")
    assert r"printf '#!/bin/sh\nexec meshplan diff --staged\n'" in page
    hook = made.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexec meshplan diff --staged\n")
    hook.chmod(0o755)
    made.write(NEWLY_WRONG)
    assert committed(made, on_path(), "--all")[0] == 1
    assert committed(made, on_path(), "--all", "--no-verify")[0] == 0
