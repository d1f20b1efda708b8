"""A result that was written down says the same when it is read again, and forgeries are refused."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshplan.cli.diff import request_of
from meshplan.errors import UsageError
from meshplan.report import REPORTS, View
from meshplan.result import Result
from meshplan.result.saved import plan_digest, saved_document, saved_result
from meshplan.run import diff_revisions
from support.results import example, hostile, result, target

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"


def written(found: Result) -> bytes:
    report = next(report for report in REPORTS if report.name == "json")
    return report.render(found, View()).encode("utf-8")


def read(content: bytes) -> Result:
    return saved_result(saved_document(content, "plan.json"), "plan.json")


def assert_same(found: Result) -> None:
    again = read(written(found))
    assert again.exit_status == found.exit_status
    assert again.verdict is found.verdict
    markdown = next(report for report in REPORTS if report.name == "markdown")
    assert markdown.render(again, View()) == markdown.render(found, View())
    first, second = json.loads(written(found)), json.loads(written(again))
    for one in (first, second):
        # What no report shows: endpoints, and what is computed from what stays secret.
        _forget(one, {"backends", "mtls", "fingerprint", "hash"})
    assert second == first


def _forget(value: Any, names: set[str]) -> None:
    if isinstance(value, dict):
        for name in names & value.keys():
            del value[name]
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _forget(item, names)


@pytest.mark.parametrize("found", [example(), result(), result(target(), base=None)])
def test_results_are_read_as_they_were(found: Result) -> None:
    assert_same(found)


@pytest.mark.parametrize("text", ["x", "@team `x` <!-- -->", "é😀\n", "</details>"])
def test_hostile_results_are_read_as_they_were(text: str) -> None:
    assert_same(hostile(text))


@pytest.mark.parametrize(
    "name", ["subset-added", "subset-renamed", "route-to-nowhere", "envoyfilter-meets-change"]
)
def test_scenarios_are_read_as_they_were(name: str, repo: Any) -> None:
    folder = SCENARIOS / name
    before, after = (
        {"mesh.yaml": (folder / side / "mesh.yaml").read_text("utf-8")}
        for side in ("before", "after")
    )
    made = repo(before, after)
    request = request_of("r0..r1", made.path, deployers=("argocd",), no_cache=True)
    assert_same(diff_revisions(request, lambda _: None))


class TestForgeries:
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(written(example()))
        return found

    def test_another_plan_than_the_digest_says(self) -> None:
        document = self.document()
        document["targets"][0]["plan"]["waves"][0]["steps"][0]["why"] = "trust me"
        with pytest.raises(UsageError, match="digest does not belong"):
            read(json.dumps(document).encode())

    def test_another_verdict_than_follows(self) -> None:
        document = self.document()
        document["verdict"] = "safe"
        with pytest.raises(UsageError, match="contradicts itself"):
            read(json.dumps(document).encode())
        document = self.document()
        document["exitStatus"] = 0
        with pytest.raises(UsageError, match="contradicts itself"):
            read(json.dumps(document).encode())

    @pytest.mark.parametrize(
        "content",
        [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"schema": "x"}', b"[" * 200_000, b"<html>"],
    )
    def test_what_is_no_result(self, content: bytes) -> None:
        with pytest.raises(UsageError, match=r"is no (JSON document|result of meshplan)"):
            read(content)

    @given(st.data())
    def test_any_value_anywhere_is_one_sentence(self, data: st.DataObject) -> None:
        """Replace one value of a valid document by anything: read, or refused in words."""
        document = copy.deepcopy(_HOSTILE)
        place: Any = document
        for _ in range(12):
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                return
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
                junk = st.one_of(
                    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]),
                    st.just({}), st.just([[]]), st.just({"kind": {}}), st.just("I9"),
                )  # fmt: skip
                place[key] = data.draw(junk)
                break
            place = place[key]
        try:
            found = read(json.dumps(document).encode())
        except UsageError:
            return
        for report in REPORTS:
            report.render(found, View())


_HOSTILE: dict[str, Any] = json.loads(written(hostile("x")))


def test_one_target_has_the_digest_of_its_plan() -> None:
    document = json.loads(written(example()))
    [shop, quiet] = document["targets"]
    assert quiet["plan"] is None
    assert plan_digest(document) == shop["plan"]["digest"]
    quiet["plan"] = copy.deepcopy(shop["plan"])
    both = plan_digest(document)
    assert both.startswith("sha256:")
    assert both != shop["plan"]["digest"]
