"""What is reported of two versions of one object: the cases are in `tests/cases/diff/`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from meshplan.diff import ABSENT, ChangeSet, FieldChange, Replace, Update, diff
from meshplan.source.yaml import parse
from support.snapshots import of_values

CASES = Path(__file__).parents[2] / "cases" / "diff"


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.yaml")):
        (document,) = parse(path.read_bytes(), path.name).documents
        for case in document.value:
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def expected(entry: Mapping[str, Any]) -> FieldChange:
    return FieldChange(entry["path"], entry.get("before", ABSENT), entry.get("after", ABSENT))


@pytest.mark.parametrize("case", list(cases()))
def test_reported_fields_are_those_that_mean_something_else(case: Mapping[str, Any]) -> None:
    changes = diff(of_values(case["before"]), of_values(case["after"]))

    if "fields" not in case:
        assert changes == ChangeSet()
        return
    (change,) = changes
    assert isinstance(change, Update | Replace)
    assert list(change.fields) == [expected(entry) for entry in case["fields"]]
    refused = list(change.immutable) if isinstance(change, Replace) else []
    assert refused == case.get("immutable", [])


@pytest.mark.parametrize("case", list(cases()))
def test_the_way_back_reports_the_same_objects(case: Mapping[str, Any]) -> None:
    there = diff(of_values(case["before"]), of_values(case["after"]))
    back = diff(of_values(case["after"]), of_values(case["before"]))
    assert len(there) == len(back)
