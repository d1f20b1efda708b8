"""The stages together: what a change to real files becomes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from meshplan.cli import main
from support.manifests import BASE, HEAD, ROUTE, RULE, RULE_V2, SERVICE

Run = Callable[..., Any]

ODD = ROUTE.replace("  http:", "  hotsts: [reviews]\n  http:")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> Any:
        capfd.readouterr()
        main([*arguments, "-o", "json"])
        return json.loads(capfd.readouterr().out)

    return call


@pytest.fixture
def diff(run: Run, repo: Any) -> Run:
    """The result for the revisions that the mappings describe."""

    def call(*revisions: dict[str, str | None]) -> Any:
        made = repo(*revisions)
        return run("diff", "-C", str(made.path), f"r0..r{len(revisions) - 1}")

    return call


def unknown(result: Any) -> list[tuple[str, str, int, int]]:
    return [
        (found["status"], place["revision"], place["line"], place["column"])
        for found in result["findings"]
        for place in found["locations"][:1]
        if found["rule"] == "unknown-field"
    ]


class TestFindings:
    def test_a_new_one_points_at_the_field(self, diff: Run) -> None:
        result = diff(BASE, {"shop/route.yaml": ODD})
        [(status, side, line, _)] = unknown(result)
        assert (status, side) == ("new", "head")
        assert ODD.splitlines()[line - 1].strip().startswith("hotsts:")

    def test_one_that_moves_is_an_old_one(self, diff: Run) -> None:
        moved = "# a comment\n\n" + ODD.replace("v1}", "v9}")
        result = diff(BASE | {"shop/route.yaml": ODD}, {"shop/route.yaml": moved})
        [(status, side, line, _)] = unknown(result)
        assert (status, side) == ("existing", "head")
        assert moved.splitlines()[line - 1].strip().startswith("hotsts:")

    def test_one_that_goes_points_into_the_base(self, diff: Run) -> None:
        result = diff(BASE | {"shop/route.yaml": ODD}, {"shop/route.yaml": ROUTE})
        [(status, side, line, _)] = unknown(result)
        assert (status, side) == ("fixed", "base")
        assert ODD.splitlines()[line - 1].strip().startswith("hotsts:")

    def test_one_in_an_unchanged_object_is_no_news(self, diff: Run) -> None:
        result = diff(BASE | {"shop/route.yaml": ODD}, {"shop/rule.yaml": RULE_V2})
        assert all(status != "new" for status, *_ in unknown(result))

    def test_a_place_in_a_later_document_is_found(self, diff: Run) -> None:
        text = f"{SERVICE}---\n{RULE}---\n{ODD}"
        result = diff({"all.yaml": f"{SERVICE}---\n{RULE}---\n{ROUTE}"}, {"all.yaml": text})
        [(_, _, line, _)] = unknown(result)
        assert text.splitlines()[line - 1].strip().startswith("hotsts:")


class TestPlan:
    def test_an_added_subset_comes_first(self, diff: Run) -> None:
        [target] = diff(BASE, HEAD)["targets"]
        kinds = [[step["id"]["kind"] for step in wave["steps"]] for wave in target["plan"]["waves"]]
        assert kinds == [["DestinationRule"], ["VirtualService"]]
        assert target["verdict"] == "safe-in-order"
        assert target["proof"]["counterexamples"] == []

    def test_a_swapped_subset_is_a_cycle(self, diff: Run) -> None:
        head = HEAD | {"shop/rule.yaml": RULE.replace("v1", "v2").replace("io/v2", "io/v1")}
        [target] = diff(BASE, head)["targets"]
        [cycle] = target["cycles"]
        assert {found["kind"] for found in cycle["ids"]} == {"DestinationRule", "VirtualService"}

    def test_nothing_changes_nothing_is_planned(self, diff: Run) -> None:
        result = diff(BASE, {"README.md": "x"})
        [target] = result["targets"]
        assert (result["verdict"], target["verdict"]) == ("unchanged", "unchanged")
        assert target["plan"]["waves"] == []

    def test_formatting_is_no_change(self, diff: Run) -> None:
        result = diff(BASE, {"shop/rule.yaml": f"# x\n{RULE}"})
        assert result["verdict"] == "unchanged"


class TestRevisions:
    def test_they_are_named_as_the_user_does(self, diff: Run) -> None:
        result = diff(BASE, HEAD)
        assert (result["base"]["name"], result["head"]["name"]) == ("r0", "r1")
        assert len(result["base"]["commit"]) == 40

    def test_the_working_tree_has_no_commit(self, run: Run, repo: Any) -> None:
        made = repo(BASE)
        made.write({"shop/rule.yaml": RULE_V2})
        result = run("diff", "-C", str(made.path))
        assert result["head"] == {"name": "working tree", "commit": None}

    def test_one_revision_alone_has_no_base(self, run: Run, repo: Any) -> None:
        made = repo(BASE | {"shop/route.yaml": ODD})
        result = run("check", "-C", str(made.path))
        assert result["base"] is None
        assert result["targets"][0]["plan"] is None
        assert {found["status"] for found in result["findings"]} == {"existing"}
        assert result["exitStatus"] == 1

    def test_a_merge_base(self, run: Run, repo: Any) -> None:
        made = repo(BASE)
        made.git("checkout", "--quiet", "-b", "feature")
        made.commit({"shop/rule.yaml": RULE_V2})
        made.git("checkout", "--quiet", "main")
        made.commit({"shop/service.yaml": SERVICE.replace("9080", "9081")})
        changes = run("diff", "-C", str(made.path), "main...feature")["targets"][0]["changes"]
        assert [change["id"]["kind"] for change in changes] == ["DestinationRule"]


def test_the_cache_changes_nothing(run: Run, repo: Any) -> None:
    made = repo(BASE | {"shop/route.yaml": ODD}, HEAD)
    first, second = (run("diff", "-C", str(made.path), "r0..r1") for _ in range(2))
    assert first == second == run("diff", "-C", str(made.path), "r0..r1", "--no-cache")
