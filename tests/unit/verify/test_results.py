"""Results that are none, of other repositories, or made to mislead: one sentence says what is wrong."""

import copy
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshplan.cli import main
from meshplan.run import verify as run
from support.git import Repository
from support.scenarios import FOLDER

Result = dict[str, Any]
Verified = Callable[[bytes | Result], tuple[int, str]]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A subset renamed in one target, and a file that changes in another."""
    made = Repository.create(tmp_path_factory.mktemp("verify") / "repository")
    scenario = FOLDER / "subset-renamed"
    before, after = ((scenario / side / "mesh.yaml").read_text() for side in ("before", "after"))
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: "
    named = "targets:\n- {name: mesh, paths: [mesh]}\n- {name: other, paths: [other]}\n"
    files = {"mesh/a.yaml": before, "other/c.yaml": f"{config}old}}\n", ".meshplan.yaml": named}
    made.commit(files)
    made.commit({"mesh/a.yaml": after, "other/c.yaml": f"{config}new}}\n"})
    return made


@pytest.fixture
def here(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder for results, with the repository as the working directory."""
    monkeypatch.chdir(repository.path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="module")
def genuine(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What `meshplan diff` says."""
    path = tmp_path_factory.mktemp("result") / "result.json"
    before = Path.cwd()
    os.chdir(repository.path)
    try:
        assert main(["diff", "HEAD~..HEAD", "-o", f"json={path}"]) == 0
    finally:
        os.chdir(before)
    found: Result = json.loads(path.read_text())
    return found


@pytest.fixture
def verified(here: Path, capfd: pytest.CaptureFixture[str]) -> Verified:
    """Exit status and all output of `meshplan verify` for a file with some content."""

    def call(content: bytes | Result) -> tuple[int, str]:
        path = here / "result.json"
        path.write_bytes(json.dumps(content).encode() if isinstance(content, dict) else content)
        capfd.readouterr()
        status = main(["verify", str(path)])
        out, err = capfd.readouterr()
        return status, (out + err).replace(str(path), "RESULT")

    return call


def test_a_genuine_result_is_confirmed(genuine: Result, verified: Verified) -> None:
    status, said = verified(genuine)
    assert status == 0
    assert said.endswith("confirmed\n")


@pytest.mark.usefixtures("here")
def test_a_result_may_come_through_a_pipe(
    genuine: Result, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(genuine).encode())))
    assert main(["verify", "-"]) == 0
    assert capfd.readouterr().out.endswith("confirmed\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "RESULT is no JSON document"),
        (bytes(range(256)), "RESULT is no JSON document"),
        (b'{"a":' + b"9" * 10_000 + b"}", "RESULT is no JSON document"),
        (b"[" * 200_000, "RESULT is nested too deeply to be a result"),
        (b'{"a":' * 100_000, "RESULT is nested too deeply to be a result"),
        (b"[]", "RESULT is no result of meshplan: /: a list, expected a mapping"),
        (b"{}", "RESULT is no result of meshplan: /: missing:"),
    ],
)
def test_what_is_no_result_is_refused(text: bytes, sentence: str, verified: Verified) -> None:
    status, said = verified(text)
    assert status == 2
    assert said.startswith(f"error: {sentence}")
    assert "Traceback" not in said


@pytest.mark.usefixtures("here")
def test_a_file_without_an_end_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "LARGEST", 2**20)
    assert main(["verify", "/dev/zero"]) == 2
    assert capfd.readouterr().err.startswith("error: /dev/zero is larger than 1 MiB")


def edited(genuine: Result, edit: Callable[[Result], object]) -> Result:
    """A result with an edit."""
    found = copy.deepcopy(genuine)
    edit(found)
    return found


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda r: r.update(schema="meshplan.dev/result/v9"), "/schema: "),
        (lambda r: r.pop("targets"), '/: missing: "targets"'),
        (lambda r: r["base"].update(commit="--upload-pack=x"), "/base/commit: "),
        (lambda r: r["targets"][0].update(plan=[]), "/targets/0/plan: "),
        (lambda r: r.update(asOf=float("nan")), "/asOf: "),
    ],
)
def test_a_document_of_another_form_is_refused(
    edit: Callable[[Result], object], sentence: str, genuine: Result, verified: Verified
) -> None:
    status, said = verified(edited(genuine, edit))
    assert status == 2
    assert said.startswith(f"error: RESULT is no result of meshplan: {sentence}")


def test_a_result_of_another_repository_is_refused(genuine: Result, verified: Verified) -> None:
    elsewhere = edited(genuine, lambda r: r["base"].update(commit="0" * 40))
    status, said = verified(elsewhere)
    assert status == 2
    assert said.startswith(f"error: unknown revision {'0' * 40}: no such commit")


def test_a_result_about_one_revision_has_nothing_to_verify(
    genuine: Result, verified: Verified
) -> None:
    status, said = verified(edited(genuine, lambda r: r.update(base=None)))
    assert (status, "has no plan to verify" in said) == (2, True)


def signed(result: Result) -> Result:
    """With the digest that each plan has, so that it gives nothing away."""
    for target in result["targets"]:
        waves = target["plan"]["waves"]
        text = json.dumps(waves, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        target["plan"]["digest"] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return result


def misleading(genuine: Result) -> dict[str, tuple[Result, str]]:
    """Results of the right form that do not tell the truth, and what has to be said of them."""
    first = edited(genuine, lambda r: None)["targets"][0]
    steps = first["plan"]["waves"][0]["steps"]
    unhashed = edited(genuine, lambda r: None)
    unhashed["targets"][0]["plan"]["waves"][0]["steps"][0]["manifest"] = {"apiVersion": "v1"}
    assert steps
    return {
        "another digest": (
            edited(genuine, lambda r: r["targets"][0]["plan"].update(digest="sha256:" + "0" * 64)),
            "the digest is not that of the waves",
        ),
        "another manifest": (signed(unhashed), "is not that of its manifest"),
        "a target left out": (
            edited(genuine, lambda r: r["targets"].pop()),
            "it changes between the revisions, and the result leaves it out",
        ),
        "no target": (
            edited(genuine, lambda r: r["targets"].clear()),
            "it changes between the revisions, and the result leaves it out",
        ),
        "a target twice": (
            edited(genuine, lambda r: r["targets"].append(r["targets"][0])),
            "the result has this target more than once",
        ),
        "a target of nowhere": (
            edited(genuine, lambda r: r["targets"][0].update(name="\x1b]0;x\x07")),
            "\\x1b]0;x\\x07  (0 requests, 0 views)\n  ✗ the revisions have no such target",
        ),
        "no plan": (
            edited(genuine, lambda r: r["targets"][0].update(plan=None)),
            "it changes, and the result has no plan for it",
        ),
        "an empty plan": (
            signed(edited(genuine, lambda r: r["targets"][0]["plan"].update(waves=[]))),
            "changes, and no step writes it",
        ),
        "the revisions turned round": (
            edited(genuine, lambda r: r.update(base=genuine["head"], head=genuine["base"])),
            "is not that of the head",
        ),
    }


def test_a_result_that_does_not_tell_the_truth_is_refuted(
    genuine: Result, verified: Verified
) -> None:
    for what, (result, sentence) in misleading(genuine).items():
        status, said = verified(result)
        assert status == 1, what
        assert sentence in said, what
        assert said.endswith("refuted\n"), what
