"""Findings of two revisions are the same wherever lines, items and numbers have moved."""

import pytest

from meshplan.finding import Finding, Severity
from meshplan.identity import ResourceId
from meshplan.location import Location, Side
from meshplan.policy.compare import compared, words
from meshplan.policy.places import Steps, is_within, place_of, pointer_of

WEB = ResourceId("apps", "Deployment", "shop", "web")


def finding(name: str, index: int, message: str = "m") -> Finding:
    where = Location("web.yaml", 10 + index, pointer=f"/spec/containers/{index}")
    place = f"spec.containers[name={name}]"
    return Finding("R", Severity.ERROR, message, (where,), id=WEB, place=place, key=words(message))


def statuses(before: list[Finding], after: list[Finding]) -> list[tuple[str, str]]:
    return [(str(f.status), f.place[21:-1]) for f in compared(before, after)]


def test_findings_are_new_existing_or_fixed() -> None:
    before = [finding("a", 0), finding("b", 1)]
    after = [finding("b", 0), finding("c", 1)]
    assert statuses(before, after) == [("existing", "b"), ("new", "c"), ("fixed", "a")]
    assert compared(before, after)[2].locations[0].side is Side.BASE


def test_numbers_in_a_message_do_not_make_another_finding() -> None:
    before = [finding("a", 0, "waits 30s, 2 times")]
    assert statuses(before, [finding("a", 0, "waits 45s, 12 times")]) == [("existing", "a")]
    assert statuses(before, [finding("a", 0, "waits long")])[0] == ("new", "a")


def test_of_findings_alike_as_many_are_old_as_there_were() -> None:
    one = finding("a", 0)
    assert statuses([one], [one, one]) == [("existing", "a"), ("new", "a")]
    assert statuses([one, one], [one]) == [("existing", "a"), ("fixed", "a")]


VIRTUAL_SERVICE = {
    "spec": {
        "hosts": ["a.b", "c"],
        "http": [
            {"route": [{"destination": {"host": "a", "subset": "v1"}}]},
            {"name": "second", "route": [{"destination": {"host": "a"}}]},
        ],
    },
    "metadata": {"annotations": {"a.b/c": "d"}},
}


@pytest.mark.parametrize(
    ("steps", "place", "pointer"),
    [
        ((), "", ""),
        (("spec", "hosts", 1), "spec.hosts[c]", "/spec/hosts/1"),
        (("spec", "http", 0), "spec.http[0]", "/spec/http/0"),
        (("spec", "http", 1, "route"), "spec.http[name=second].route", "/spec/http/1/route"),
        (
            ("metadata", "annotations", "a.b/c"),
            'metadata.annotations["a.b/c"]',
            "/metadata/annotations/a.b~1c",
        ),
        (("spec", "http", 7, "name"), "spec.http[7].name", "/spec/http/7/name"),
    ],
)
def test_places_call_items_by_their_names(steps: Steps, place: str, pointer: str) -> None:
    id_ = ResourceId("networking.istio.io", "VirtualService", "shop", "reviews")
    assert place_of(id_, VIRTUAL_SERVICE, steps) == place
    assert pointer_of(steps) == pointer


def test_a_place_is_within_what_it_is_a_part_of() -> None:
    assert is_within("spec.http[0].route", "spec.http")
    assert is_within("spec.http", "spec.http")
    assert not is_within("spec.https", "spec.http")
    assert not is_within("spec", "spec.http")
