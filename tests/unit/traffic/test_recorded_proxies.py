"""The model against what a real istiod and a real Envoy did: no answer may be impossible."""

import json
from pathlib import Path

import pytest
from oracle import observations_of

from meshplan.traffic.outcome import Unknown

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "tests" / "data" / "oracle"
ALL = ROOT.parent / "shared" / "oracle"
FILES = tuple(sorted(path.stem for path in KEPT.glob("*.jsonl")))
#: Where some answers depend on what the model does not decide.
UNDECIDED = ("tokens", "unknown")


def _states() -> list[tuple[str, int, str]]:
    return [
        (name, number, line)
        for name in FILES
        for number, line in enumerate((KEPT / f"{name}.jsonl").read_text("utf-8").splitlines(), 1)
    ]


STATES = _states()


@pytest.mark.parametrize("state", STATES, ids=[f"{name}-{number}" for name, number, _ in STATES])
def test_every_recorded_answer_is_possible(state: tuple[str, int, str]) -> None:
    name, number, line = state
    for seen in observations_of(json.loads(line), name, number):
        assert not seen.impossible, seen
        assert name in UNDECIDED or not isinstance(seen.outcome, Unknown), seen


@pytest.mark.corpus
@pytest.mark.parametrize("name", ["gateway", "sidecar", "inbound", "mtls", "mtls-auto"])
def test_no_recording_disagrees(name: str) -> None:
    path = ALL / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip("the recordings are not beside the checkout (../shared/oracle)")
    with path.open(encoding="utf-8") as lines:
        seen = [
            o for n, line in enumerate(lines, 1) for o in observations_of(json.loads(line), name, n)
        ]
    assert seen
    assert [o for o in seen if o.impossible] == []
    assert [o for o in seen if isinstance(o.outcome, Unknown)] == []
