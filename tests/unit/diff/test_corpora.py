"""The diff of real changes says what their authors did."""

from collections.abc import Callable
from pathlib import Path

import pytest

from meshplan.diff import ChangeSet, Rename, Replace, Update, diff, id_of
from meshplan.schema import shape_findings
from support.corpus import snapshots

pytestmark = pytest.mark.corpus

Changes = Callable[[str], ChangeSet]


@pytest.fixture(scope="module")
def changes(corpora: Path) -> Changes:
    return lambda case: diff(*snapshots(corpora / "cases" / case))


def paths(found: ChangeSet) -> dict[str, list[str]]:
    """The paths that change, by object."""
    return {
        str(id_of(change)): [entry.path for entry in change.fields]
        for change in found
        if isinstance(change, Update | Replace)
    }


def test_every_case_can_be_compared(corpora: Path) -> None:
    cases = sorted(path for path in (corpora / "cases").iterdir() if path.is_dir())
    assert len(cases) == 88
    for case in cases:
        base, head = snapshots(case)
        assert len(diff(head, head)) == 0
        found = diff(base, head)
        ids = [id_of(change) for change in found]
        assert ids == sorted(ids)
        for change in found:
            if isinstance(change, Update | Replace):
                assert change.fields
        for resource in head.values():
            list(shape_findings(resource))


def test_a_subset_swap_names_the_four_subsets(changes: Changes) -> None:
    found = paths(changes("step-istio-503-subset-swap"))
    assert found == {
        "DestinationRule default/destination-rule-c": [
            f"spec.subsets[name=v{n}]" for n in (1, 2, 3, 4)
        ],
        "VirtualService default/gateway-bound-route": [
            f"spec.http[0].route[host=c,subset=v{n}]" for n in (1, 2, 3, 4)
        ],
    }


def test_files_that_move_change_nothing(changes: Changes) -> None:
    # What is left are the paths in Flux's own objects, which say where the files are now.
    for change in changes("perf-xg-massive-refactor"):
        assert id_of(change).group.endswith(("toolkit.fluxcd.io", "controlplane.io"))
        if isinstance(change, Update):
            assert [entry.path for entry in change.fields] == ["spec.path"]


def test_renamed_service_entries_are_renames(changes: Changes) -> None:
    found = list(changes("md-serviceentry-rename"))
    assert len(found) == 2
    assert all(isinstance(change, Rename) for change in found)


def test_fields_beside_spec_are_reported(changes: Changes) -> None:
    found = paths(changes("sc-vs-formatting"))
    assert found["VirtualService daaas-system/trino"][:2] == ["hosts", "http"]


def test_a_typo_in_the_version_is_a_change(changes: Changes) -> None:
    found = paths(changes("robot-vs-destination"))["VirtualService default/robotshop"]
    assert found[0] == "apiVersion"
    assert "spec.http[0].route[0].destination" in found


def test_mtls_is_one_field_of_each_rule(changes: Changes) -> None:
    found = paths(changes("step-bookinfo-mtls-destinationrules"))
    assert set(map(tuple, found.values())) == {("spec.trafficPolicy",)}
    assert len(found) == 4


def test_an_egress_host_is_swapped_in_both_objects(changes: Changes) -> None:
    found = paths(changes("cns-egress-host-swap"))
    for kind in ("ServiceEntry", "VirtualService"):
        assert found[f"{kind} default/authentication-egress"][:2] == [
            "spec.hosts[=*.appid.cloud.ibm.com]",
            "spec.hosts[=us-south.appid.cloud.ibm.com]",
        ]
