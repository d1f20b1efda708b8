"""The model against a real gateway in states that random ones leave out."""

import json
from pathlib import Path

import pytest
from oracle import observations_of

from meshplan.traffic.outcome import Unknown

KEPT = Path(__file__).parents[2] / "data" / "oracle"
STATES = [
    (name, number, line)
    for name in ("gateway-rare", "gateway-l4")
    for number, line in enumerate((KEPT / f"{name}.jsonl").read_text("utf-8").splitlines(), 1)
]


@pytest.mark.parametrize("state", STATES, ids=[f"{name}-{number}" for name, number, _ in STATES])
def test_every_recorded_answer_is_possible(state: tuple[str, int, str]) -> None:
    name, number, line = state
    for seen in observations_of(json.loads(line), name, number):
        assert not seen.impossible, seen
        assert not isinstance(seen.outcome, Unknown), seen
