"""A waiver is for one rule and one place, and ends on a day."""

import pytest

from meshplan.finding import Finding, Severity, Status
from meshplan.identity import ResourceId
from meshplan.location import Location
from meshplan.policy.waivers import asked_for, problems, waived, waivers_of
from meshplan.settings import WaiverSettings

WEB = ResourceId("apps", "Deployment", "shop", "web")
PLACE = "spec.template.spec.containers[name=web].image"
ENTRY = {
    "rule": "IMG-001",
    "resource": "Deployment/shop/web",
    "reason": "the vendor has no digest yet",
    "owner": "team-shop",
    "expires": "2026-03-01",
}
HERE = Location("policies/waivers.yaml", 1)


def finding(place: str = PLACE, **changes: object) -> Finding:
    return Finding("IMG-001", Severity.ERROR, "m", id=WEB, place=place, target="prod").with_(
        **changes
    )


def outcome(
    entry: dict[str, str], today: str = "2026-01-15", *found: Finding
) -> tuple[bool, list[str]]:
    """Whether a finding is waived, and the remarks about the waiver."""
    waivers = waivers_of([entry], [HERE])
    done = waived(found or (finding(),), waivers, today, WaiverSettings())
    return any(f.waiver for f in done.findings), [
        f"{r.severity}: {r.message}" for r in done.remarks
    ]


def test_a_waived_finding_says_why_and_for_how_long() -> None:
    done = waived([finding()], waivers_of([ENTRY], [HERE]), "2026-01-15", WaiverSettings())
    assert done.remarks == ()
    assert done.findings[0].to_json()["waiver"] == {
        "reason": "the vendor has no digest yet",
        "owner": "team-shop",
        "expires": "2026-03-01",
        "source": "policies/waivers.yaml:1",
    }


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"rule": "IMG-*"}, True),
        ({"rule": "IMG-002"}, False),
        ({"resource": "Deployment/*/web"}, True),
        ({"resource": "Deployment/web"}, False),
        ({"resource": "StatefulSet/shop/web"}, False),
        ({"target": "prod"}, True),
        ({"target": "test*"}, False),
        ({"path": PLACE}, True),
        ({"path": "spec.template.spec.containers[name=web]"}, True),
        ({"path": "spec.template.spec.containers[name=we"}, False),
        ({"path": "spec.template.spec.containers[name=other]"}, False),
    ],
)
def test_a_waiver_is_for_what_it_names(change: dict[str, str], expected: bool) -> None:
    assert outcome({**ENTRY, **change})[0] is expected


@pytest.mark.parametrize(
    ("today", "expected", "remark"),
    [
        ("2026-01-15", True, None),
        ("2026-02-15", True, "info: {0} ends in 14 days, on 2026-03-01"),
        ("2026-02-28", True, "info: {0} ends in 1 day, on 2026-03-01"),
        ("2026-03-01", True, "info: {0} ends today, on 2026-03-01"),
        ("2026-03-02", False, "warning: {0} ended on 2026-03-01, and its findings count again"),
        ("2025-01-01", False, "warning: {0} ends more than 180 days ahead, so it does not hold"),
    ],
)
def test_a_waiver_holds_until_the_end_of_its_day(
    today: str, expected: bool, remark: str | None
) -> None:
    what = "the waiver of IMG-001 for Deployment/shop/web"
    assert outcome(ENTRY, today) == (expected, [remark.format(what)] if remark else [])


def test_a_waiver_that_meets_nothing_is_spoken_of() -> None:
    what = "the waiver of IMG-002 for Deployment/shop/web"
    entry = {**ENTRY, "rule": "IMG-002"}
    assert outcome(entry) == (False, [f"warning: {what} meets no finding"])
    late = outcome(entry, "2026-04-01")
    assert late == (
        False,
        [f"warning: {what} ended on 2026-03-01, and it meets no finding any more"],
    )


def test_what_is_fixed_needs_no_waiver() -> None:
    fixed = finding(status=Status.FIXED)
    assert outcome(ENTRY, "2026-01-15", fixed)[1][0].endswith("meets no finding")


def test_waivers_that_a_change_adds_are_asked_for() -> None:
    base = waivers_of([ENTRY], [HERE])
    longer = {**ENTRY, "expires": "2026-05-01"}
    head = waivers_of([ENTRY, longer], [HERE, Location("policies/waivers.yaml", 7)])
    (found,) = asked_for(base, head)
    assert found.message == (
        "asks to waive IMG-001 for Deployment/shop/web until 2026-05-01: the vendor has no digest yet"
    )
    assert found.severity is Severity.INFO


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([ENTRY], ()),
        ([], ()),
        ({}, ("",)),
        ([{**ENTRY, "expires": "2026-02-30"}], ("/0/expires",)),
        ([{**ENTRY, "expires": "soon"}], ("/0/expires",)),
        ([{**ENTRY, "until": "2026-02-03"}], ("/0/until",)),
        ([ENTRY, {k: v for k, v in ENTRY.items() if k != "owner"}], ("/1",)),
        ([{**ENTRY, "resource": "web"}], ("/0/resource",)),
    ],
)
def test_faults_in_waivers_have_places(value: object, said: tuple[str, ...]) -> None:
    assert tuple(problem.pointer for problem in problems(value)) == said
