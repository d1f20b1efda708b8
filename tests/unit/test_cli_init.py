"""`meshplan init`: what it writes is valid, and what is there stays."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from meshplan.cli import main
from support.git import Repository
from support.manifests import BASE, HEAD

Run = Callable[..., tuple[int, str, str]]

SETTINGS = ".meshplan.yaml"
WORKFLOW = ".github/workflows/meshplan.yml"
HOOKS = ".pre-commit-config.yaml"
HOME = f"acme/meshplan@{'0123456789' * 4}"
KUSTOMIZED = {f"overlays/{name}/kustomization.yaml": "resources: [../../shop]\n" for name in "ab"}
KUSTOMIZED["shop/kustomization.yaml"] = f"resources: {[Path(name).name for name in BASE]}\n"


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        capfd.readouterr()
        status = main(arguments)
        out, err = capfd.readouterr()
        return status, out, err

    return call


@pytest.fixture
def shop(repo: Any, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A repository with a change, and the current directory in it."""
    made: Repository = repo(BASE, HEAD)
    monkeypatch.chdir(made.path)
    return made


def read(shop: Repository, name: str) -> str:
    return (shop.path / name).read_text("utf-8")


def test_what_it_writes(run: Run, shop: Repository) -> None:
    status, out, err = run("init", "--action", HOME)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "found 1 target: . (plain)",
        f"wrote {SETTINGS}: settings, with their defaults",
        f"wrote {WORKFLOW}: the plan on every pull request",
        f"wrote {HOOKS}: the plan of what is staged, before each commit",
        f"to commit: git add {SETTINGS} {WORKFLOW} {HOOKS}",
        "next: meshplan diff HEAD~1..HEAD",
    ]
    assert shop.git("status", "--short", "--untracked-files=all").split() == [
        *("??", WORKFLOW, "??", SETTINGS, "??", HOOKS)
    ]


def test_the_next_command_works(run: Run, shop: Repository) -> None:
    _, out, _ = run("init")
    word, *command = out.splitlines()[-1].removeprefix("next: ").split()
    assert word == "meshplan"
    status, out, err = run(*command)
    assert (status, err) == (0, "")
    assert "wave 1" in out


def test_the_settings_change_nothing(run: Run, shop: Repository) -> None:
    before = json.loads(run("diff", "r0..r1", "-o", "json")[1])
    run("init")
    after = json.loads(run("diff", "r0..r1", "--config", SETTINGS, "-o", "json")[1])
    assert after.pop("assumptions") != before.pop("assumptions")
    assert after == before


@pytest.mark.parametrize("files", [BASE, BASE | KUSTOMIZED])
def test_the_targets_in_comments_are_those_that_are_found(
    run: Run, repo: Any, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    made = repo(files)
    monkeypatch.chdir(made.path)
    if files is not BASE and not (shutil.which("kustomize") or shutil.which("kubectl")):
        pytest.skip("neither kustomize nor kubectl is on PATH")
    found = run("targets")[1]
    run("init")
    text = read(made, SETTINGS)
    keys = ("#targets", "#  -", "#    ", "#deployers", "#ignore")
    spoken = [line[1:] if line.startswith(keys) else line for line in text.splitlines()]
    (made.path / SETTINGS).write_text("\n".join(spoken))
    said = yaml.safe_load((made.path / SETTINGS).read_text())
    assert {"targets", "deployers", "ignore", "failOn", "world"} == set(said)
    assert run("targets")[:2] == (0, found)


def test_what_cannot_be_read_is_told(run: Run, shop: Repository) -> None:
    shop.write({"shop/broken.yaml": "apiVersion: v1\nkind: [Service\n"})
    status, out, _ = run("init")
    assert status == 0
    assert "1 place could not be read: `meshplan targets` tells why" in out.splitlines()


@pytest.mark.tool("actionlint")
def test_the_workflow_is_linted(run: Run, shop: Repository) -> None:
    run("init", "--action", HOME)
    done = subprocess.run(
        ["actionlint", WORKFLOW], cwd=shop.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.tool("zizmor")
def test_the_workflow_is_audited(run: Run, shop: Repository) -> None:
    run("init", "--action", HOME)
    command = ("zizmor", "--offline", "--persona=auditor", WORKFLOW)
    done = subprocess.run(command, cwd=shop.path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_uses_what_the_action_has(run: Run, shop: Repository, root: Path) -> None:
    run("init", "--action", HOME)
    workflow = yaml.safe_load(read(shop, WORKFLOW))
    action = yaml.safe_load((root / "action.yml").read_text("utf-8"))
    [job] = workflow["jobs"].values()
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    checkout, step = job["steps"]
    assert step["uses"] == HOME
    assert set(step["with"]) <= set(action["inputs"])
    # The pin is the one that this repository uses for itself.
    assert f"uses: {checkout['uses']} #" in (root / ".github/workflows/plan.yml").read_text()


def test_a_dry_run_writes_nothing(run: Run, shop: Repository) -> None:
    status, out, _ = run("init", "--action", HOME, "--dry-run")
    assert status == 0
    assert shop.git("status", "--short") == ""
    run("init", "--action", HOME)
    for name in (SETTINGS, WORKFLOW, HOOKS):
        assert f"would write {name}: " in out
        for line in read(shop, name).splitlines():
            assert f"    {line}".rstrip() in out.splitlines()


def test_a_second_time_changes_nothing(run: Run, shop: Repository) -> None:
    run("init", "--action", HOME)
    before = {name: read(shop, name) for name in (SETTINGS, WORKFLOW, HOOKS)}
    status, out, _ = run("init", "--action", HOME, "--yes")
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines()[1:4]] == [
        ["kept", f"{name}:"] for name in before
    ]
    assert {name: read(shop, name) for name in before} == before


def test_without_a_home_the_workflow_is_left_out(run: Run, shop: Repository) -> None:
    _, out, _ = run("init")
    assert f"left out {WORKFLOW}: " in out
    assert "--action OWNER/NAME@COMMIT" in out
    assert not (shop.path / WORKFLOW).exists()
    [entry] = yaml.safe_load(read(shop, HOOKS))["repos"]
    assert entry["repo"] == "local"
    assert entry["hooks"][0]["entry"] == "meshplan diff --staged"


@pytest.mark.parametrize(
    ("url", "home"),
    [
        ("https://github.com/acme/meshplan.git", "acme/meshplan"),
        ("ssh://git@github.com/acme/meshplan", "acme/meshplan"),
        ("https://git.example.com/acme/meshplan.git", None),
        ("https://github.com.example.com/acme/meshplan", None),
    ],
)
def test_the_home_is_what_pip_has_recorded(
    run: Run, shop: Repository, monkeypatch: pytest.MonkeyPatch, url: str, home: str | None
) -> None:
    record = {"url": url, "vcs_info": {"vcs": "git", "commit_id": "ab" * 20}}
    monkeypatch.setattr("meshplan.cli.init._installation", lambda: record)
    run("init")
    assert (shop.path / WORKFLOW).exists() is (home is not None)
    if home:
        assert f"uses: {home}@{'ab' * 20}\n" in read(shop, WORKFLOW)


@pytest.mark.parametrize("action", ["acme/meshplan@v1", "acme/meshplan", "a b/c@" + "0" * 40, ""])
def test_an_action_that_is_not_pinned(run: Run, shop: Repository, action: str) -> None:
    status, out, err = run("init", "--action", action)
    assert (status, out) == (2, "")
    assert "names no commit" in err
    assert shop.git("status", "--short") == ""


OLD_HOOKS = """\
# ours
repos:
    - repo: https://github.com/pre-commit/pre-commit-hooks   # pinned
      rev: v5.0.0
      hooks:
          - {id: check-yaml, args: [--multi]}
"""


class TestHooksThatAreThere:
    @pytest.mark.parametrize("end", ["", "\n"])
    def test_an_entry_is_added(self, run: Run, shop: Repository, end: str) -> None:
        old = OLD_HOOKS.rstrip() + end
        shop.write({HOOKS: old})
        _, out, _ = run("init", "--action", HOME)
        assert f"added to {HOOKS}: " in out
        assert read(shop, HOOKS).startswith(old)
        first, second = yaml.safe_load(read(shop, HOOKS))["repos"]
        assert first["hooks"] == [{"id": "check-yaml", "args": ["--multi"]}]
        assert second["hooks"] == [{"id": "meshplan"}]

    def test_bytes_that_are_no_utf_8_stay(self, run: Run, shop: Repository) -> None:
        old = OLD_HOOKS.replace("ours", "\udcff").encode("utf-8", "surrogateescape")
        shop.write({HOOKS: old})
        run("init")
        assert (shop.path / HOOKS).read_bytes().startswith(old)

    @pytest.mark.parametrize(
        "old",
        [
            "repos: []\n",
            f"{OLD_HOOKS}exclude: docs\n",
            "repos: [{repo: local, hooks: []}]\n",
            "- not\n- this\n",
            "broken: [\n",
            "",
        ],
    )
    def test_where_there_is_no_telling_how(self, run: Run, shop: Repository, old: str) -> None:
        shop.write({HOOKS: old})
        status, out, _ = run("init")
        assert status == 0
        assert f"left out {HOOKS}: " in out
        assert "entry: meshplan diff --staged" in out
        assert read(shop, HOOKS) == old


class TestPlaces:
    @pytest.mark.parametrize("link", [".github", ".github/workflows"])
    def test_never_through_a_link_out_of_it(
        self, run: Run, shop: Repository, tmp_path: Path, link: str
    ) -> None:
        (tmp_path / "elsewhere").mkdir()
        (shop.path / link).parent.mkdir(exist_ok=True)
        (shop.path / link).symlink_to(tmp_path / "elsewhere")
        status, _, err = run("init", "--action", HOME)
        assert status == 3
        assert err == f"error: {WORKFLOW}: leads out of the repository, and is not written\n"
        assert not list((tmp_path / "elsewhere").iterdir())

    @pytest.mark.parametrize("name", [SETTINGS, WORKFLOW, HOOKS])
    def test_a_link_to_nowhere_is_a_file(self, run: Run, shop: Repository, name: str) -> None:
        (shop.path / name).parent.mkdir(parents=True, exist_ok=True)
        (shop.path / name).symlink_to("/nonexistent/meshplan")
        run("init", "--action", HOME)
        assert (shop.path / name).is_symlink()

    def test_the_other_name_of_the_settings(self, run: Run, shop: Repository) -> None:
        shop.write({".meshplan.yml": "world: closed\n"})
        _, out, _ = run("init")
        assert "kept .meshplan.yml: is there already" in out
        assert not (shop.path / SETTINGS).exists()

    def test_from_a_folder_below(self, run: Run, shop: Repository) -> None:
        run("init", "-C", str(shop.path / "shop"))
        assert (shop.path / SETTINGS).exists()

    def test_no_repository(self, run: Run, tmp_path: Path) -> None:
        status, out, err = run("init", "-C", str(tmp_path))
        assert (status, out) == (2, "")
        assert err.startswith("error: ")

    def test_no_manifests_and_one_commit(self, run: Run, repo: Any) -> None:
        made = repo({"README.md": "nothing"})
        status, out, _ = run("init", "-C", str(made.path))
        assert status == 0
        assert out.startswith("found no manifests; ")
        assert out.endswith("next: meshplan diff\n")

    def test_no_commit(self, run: Run, repo: Any) -> None:
        status, _, err = run("init", "-C", str(repo().path))
        assert (status, err.count("\n")) in {(0, 0), (2, 2)}

    def test_names_that_are_hostile(self, run: Run, repo: Any) -> None:
        folder = 'x"\n  y: !!python'
        made = repo({f"{folder}/a.yaml": BASE["shop/service.yaml"], **KUSTOMIZED, **BASE})
        assert run("init", "-C", str(made.path))[0] == 0
        assert set(yaml.safe_load(read(made, SETTINGS))) == {"failOn", "world"}


def test_at_a_terminal_it_asks(shop: Repository) -> None:
    """`script` gives it a terminal; the answer comes from there."""
    assert asked(shop, "n\n")[-1] == "nothing was written"
    assert shop.git("status", "--short") == ""
    assert asked(shop, "\n")[-1].startswith("next: ")
    assert SETTINGS in shop.git("status", "--short")


def asked(shop: Repository, answer: str) -> list[str]:
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.chdir(shop.path)
        os.execv(sys.executable, [sys.executable, "-m", "meshplan", "init"])
    said = b""
    answered = False
    try:
        while chunk := os.read(terminal, 4096):
            said += chunk
            if b"[Y/n]" in said and not answered:
                os.write(terminal, answer.encode())
                answered = True
    except OSError:  # Linux says EIO where the other end is closed
        pass
    os.waitpid(child, 0)
    os.close(terminal)
    assert answered, said
    return said.decode().replace("\r", "").strip().splitlines()
