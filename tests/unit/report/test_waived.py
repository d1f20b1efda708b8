"""A waived finding holds nothing back, and is not forgotten."""

import json

from meshplan.finding import Fix, Status, Waiver
from meshplan.location import Location
from meshplan.report import View, text
from meshplan.report import json as as_json
from meshplan.result import Result
from meshplan.result.saved import saved_document, saved_result
from support.results import finding, result

WAIVER = Waiver(
    rule="R",
    resource="Deployment/shop/web",
    reason="no digest yet",
    owner="team-shop",
    expires="2026-12-01",
    source=Location("policies/waivers.yaml", 1, 3),
)


def with_findings(*statuses: Status, waiver: Waiver | None = WAIVER) -> Result:
    found = [finding("a tag that moves", status=s, waiver=waiver) for s in statuses]
    return result(findings=tuple(found))


def test_a_waived_finding_does_not_hold_the_change_back() -> None:
    assert with_findings(Status.NEW, waiver=None).exit_status == 1
    assert with_findings(Status.NEW).exit_status == 0


def test_waived_findings_are_counted_and_shown_when_asked() -> None:
    one = with_findings(Status.NEW, Status.EXISTING)
    short = text.render(one, View())
    assert "2 errors waived (-v)" in short
    assert "a tag that moves" not in short
    long = text.render(one, View(verbose=True))
    assert "a tag that moves" in long
    assert "waived until 2026-12-01 by team-shop: no digest yet" in long


def test_a_saved_result_remembers_fix_waiver_and_fingerprint() -> None:
    one = finding("m", waiver=WAIVER, fix=Fix("/spec/x", "v"), place="spec.x")
    document = as_json.render(result(findings=(one,)), View())
    again = saved_result(saved_document(document.encode(), "x.json"))
    assert json.loads(as_json.render(again, View()))["findings"] == json.loads(document)["findings"]
