"""Rules that a second process runs beside the search for a plan: the same findings in any case."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.finding import Finding, Fix, Severity, Status
from meshplan.identity import ResourceId
from meshplan.location import Location, Role, Side
from meshplan.run.sent import findings_from, findings_to_json
from support.git import Repository
from support.processes import DIES, ONE_CORE, TWO_CORES, run

#: One of three has a port whose name says nothing of its protocol.
MANY: dict[str, str | bytes | None] = {
    f"{number:03}.yaml": (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop}}\n"
        f"spec: {{selector: {{app: s}}, ports: [{{name: {name}, port: {80 + number}}}]}}\n"
    )
    for number in range(780)
    for name in ["web" if number % 3 else "http-web"]
}
FAILS = """
from meshplan.run.rules import Rulebook
ends = Rulebook._ends
def fails(self, *more):
    return ends(self, *more) if os.getpid() == parent else 1 / 0
Rulebook._ends = fails
"""

texts = st.text(max_size=5)
numbers = st.none() | st.integers(0, 99)
locations = st.builds(
    Location, texts, numbers, numbers, numbers, numbers, texts, *map(st.sampled_from, (Side, Role))
)
findings = st.builds(
    Finding,
    texts,
    st.sampled_from(Severity),
    texts,
    st.lists(locations, max_size=2).map(tuple),
    st.none() | st.builds(ResourceId, texts, texts, texts, texts),
    st.sampled_from(Status),
    st.none() | texts,
    texts,
    st.lists(texts, max_size=2).map(tuple),
    numbers,
    texts,
    texts,
    st.none() | st.builds(Fix, texts, texts | st.integers() | st.booleans()),
    texts,
)


@settings(max_examples=50)
@given(st.lists(findings, max_size=3).map(tuple))
def test_nothing_of_a_finding_is_lost_on_the_way(found: tuple[Finding, ...]) -> None:
    sent = json.dumps(findings_to_json(found)).encode()
    assert findings_from(json.loads(sent)) == found


@pytest.fixture
def large(repo: Callable[..., Repository]) -> Repository:
    return repo(MANY, {"000.yaml": str(MANY["000.yaml"]).replace("http-", "")})


@TWO_CORES
@pytest.mark.parametrize("replaced", ["", DIES, FAILS])
def test_two_processes_find_what_one_finds(large: Repository, replaced: str) -> None:
    alone = run(large, ONE_CORE)
    both = run(large, replaced)
    # One of the two processes reads files.
    assert (alone[2], both[2]) == ("0", "2")
    assert both[:2] == alone[:2]
    statuses = [f["status"] for f in json.loads(both[1])["findings"] if f["rule"] == "PORT-001"]
    assert (statuses.count("new"), statuses.count("existing")) == (1, 520)
