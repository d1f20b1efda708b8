"""What was found about one twin, told of another: as if it had been looked at."""

import pytest

from meshplan.identity import ResourceId
from meshplan.proof import Prover
from meshplan.proof.findings import Findings
from meshplan.proof.retold import retold
from meshplan.proof.types import Undecided
from support.proofs import Change, change

OBJECTS = """
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {team}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: {port}}}]}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: {name}, namespace: {team}}}
spec:
  host: {name}
  subsets: [{{name: {subset}, labels: {{version: {subset}}}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: {name}, namespace: {team}}}
spec:
  hosts: [{name}]
  http:
  - match: [{{uri: {{prefix: /api}}}}]
    retries: {{attempts: {attempts}}}
    route: [{{destination: {{host: {name}, subset: {subset}}}}}]
"""


def fleet(*, port: int = 80, attempts: int = 1) -> Change:
    """The same change that loses requests, of services with other numbers in their names."""
    named = [(f"svc-{n:03}", f"team-{t}") for n, t in ((1, 10), (2, 10), (3, 11), (4, 80), (5, 81))]
    base, head = (
        "---".join(
            OBJECTS.format(name=name, team=team, port=port, attempts=attempts, subset=subset)
            for name, team in named
        )
        for subset in ("old", "new")
    )
    return change(base, head)


def looked_at(monkeypatch: pytest.MonkeyPatch, found: Change) -> tuple[str, int]:
    """All that is found about one wave, and how many topics were looked at for it."""
    count = 0
    look = Prover._looked_at

    def counted(*args: object, **options: object) -> Findings:
        nonlocal count
        count += 1
        return look(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Prover, "_looked_at", counted)
        return repr(found.together()), count


def without_twins(monkeypatch: pytest.MonkeyPatch, found: Change) -> tuple[str, int]:
    """The same where no topic is like another."""
    with monkeypatch.context() as patch:
        patch.setattr(Prover, "_likeness_of", lambda *_: (None, ()))
        return looked_at(monkeypatch, found)


@pytest.mark.parametrize("port", [80, 8080])
def test_what_is_told_of_a_twin_is_what_would_be_found(
    monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    short, few = looked_at(monkeypatch, fleet(port=port))
    full, many = without_twins(monkeypatch, fleet(port=port))
    assert "503 NC" in short
    assert short == full
    assert few < many


ID = ResourceId("", "Service", "team-10", "svc-001")


def told(why: str) -> str | None:
    """A reason, with 10 and 001 exchanged."""
    found = retold(
        Findings(unknowns=(Undecided(why, None, 1, (ID,)),)), ("001", "10"), ("002", "11")
    )
    if found is None:
        return None
    assert found.unknowns[0].ids == (ResourceId("", "Service", "team-11", "svc-002"),)
    assert found.unknowns[0].wave == 1
    return found.unknowns[0].why


def test_names_are_exchanged_everywhere() -> None:
    assert told("svc-001.team-10.svc and svc-0010") == "svc-002.team-11.svc and svc-0010"


@pytest.mark.parametrize("why", ["port 10", "svc-001:10", "weight 10 %", "10.1.1.1", "001"])
def test_a_number_that_may_be_something_else_is_not_exchanged(why: str) -> None:
    assert told(why) is None


def test_words_are_exchanged_wherever_they_are() -> None:
    found = Findings(unknowns=(Undecided("shop/a, shop:80 and shopping in shop-1", None, 1, ()),))
    made = retold(found, ("shop", "1"), ("web", "2"))
    assert made is not None
    assert made.unknowns[0].why == "web/a, web:80 and shopping in web-2"
