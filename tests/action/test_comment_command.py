"""`meshplan comment`, by hand and in a job."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meshplan.cli import main
from meshplan.report import REPORTS, View
from support.github_api import HEAD, FakeGitHub, Reply, github_server
from support.results import example

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    report = next(report for report in REPORTS if report.name == "json")
    path = tmp_path / "plan.json"
    path.write_text(report.render(example(), View()), "utf-8")
    return path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    for name in ("GITHUB_EVENT_PATH", "GITHUB_EVENT_NAME", "GITHUB_RUN_ID", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    with github_server() as made:
        made.pull()
        monkeypatch.setenv("GITHUB_API_URL", made.url)
        monkeypatch.setenv("GITHUB_GRAPHQL_URL", f"{made.url}/graphql")
        monkeypatch.setenv("GITHUB_TOKEN", made.token)
        yield made


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        status = main(["comment", *map(str, words)])
        out, err = capsys.readouterr()
        return status, out, err

    return call


def test_by_hand(plan: Path, fake: FakeGitHub, run: Run) -> None:
    words = (plan, "--repository", fake.repository, "--pull-request", 7)
    status, out, _ = run(*words)
    assert status == 0
    assert out.startswith("comment created (https://")
    assert run(*words)[1].startswith("comment left alone: it says the same already")
    assert run(*words, "--id", "other")[1].startswith("comment created")
    assert len(fake.comments) == 2


def test_in_a_job(
    plan: Path, fake: FakeGitHub, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    monkeypatch.setenv("GITHUB_REPOSITORY", fake.repository)
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    assert run(plan)[0] == 0
    assert " run=42 " in fake.comments[0]["body"].splitlines()[0]


def test_a_dry_run_asks_nothing(plan: Path, fake: FakeGitHub, run: Run) -> None:
    status, out, _ = run(plan, "--dry-run")
    assert status == 0
    assert "meshplan" in out.splitlines()[0]
    assert not fake.asked


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--pull-request", 7), 3, "'' is no repository"),
        (("--repository", "a/b/c", "--pull-request", 7), 3, "is no repository"),
        (("--repository", "acme/shop"), 3, "is not about a pull request"),
        (("--repository", "acme/shop", "--pull-request", 9), 3, "pull request 9 is not there"),
        (("--repository", "acme/shop", "--pull-request", 7, "--id", "a b"), 3, "is no name"),
        (("--pull-request", "x"), 2, "'x' is not a valid"),
        (("--when", "never"), 2, "never"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    plan: Path, fake: FakeGitHub, run: Run, words: tuple[object, ...], status: int, said: str
) -> None:
    found, _, err = run(plan, *words)
    assert found == status
    assert err.startswith("error: ")
    assert said in err


def test_no_token(plan: Path, fake: FakeGitHub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    status, _, err = run(plan, "--repository", "acme/shop", "--pull-request", 7)
    assert status == 3
    assert "there is no token" in err


def test_the_token_is_in_no_message(plan: Path, fake: FakeGitHub, run: Run) -> None:
    for reply in (Reply(401, {"message": "Bad credentials"}), Reply(200, "<html>")):
        fake.fail("GET", "/pulls/7", reply)
        _, out, err = run(plan, "--repository", "acme/shop", "--pull-request", 7)
        assert fake.token not in out + err


def test_what_is_no_result(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    status, _, err = run(path, "--dry-run")
    assert status == 2
    assert "is no result of meshplan" in err
    assert run(tmp_path / "missing.json")[0] == 2
