"""Objects that are known by another name than their manifest says are still those objects."""

from pathlib import Path

import pytest

from meshplan.cli import main
from support.git import Repository

MOVED_GROUP = """apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:%s"}]}}}
"""
NAMED_BY_THE_SERVER = """apiVersion: batch/v1
kind: Job
metadata: {generateName: load-, namespace: shop}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: load, image: "load:%s"}]}}}
"""


@pytest.mark.parametrize("text", [MOVED_GROUP, NAMED_BY_THE_SERVER])
@pytest.mark.parametrize("created", [True, False])
def test_a_plan_for_it_is_confirmed(
    text: str,
    created: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    repository = Repository.create(tmp_path / "repository")
    other = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    repository.commit({"a.yaml": other if created else text % 1})
    repository.commit({"a.yaml": f"{other}---\n{text % 2}" if created else text % 2})
    monkeypatch.chdir(repository.path)
    result = tmp_path / "result.json"
    main(["diff", "HEAD~..HEAD", "-o", f"json={result}"])
    assert '"action":"apply"' in result.read_text().replace(" ", "")
    assert main(["verify", str(result)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "confirmed"
