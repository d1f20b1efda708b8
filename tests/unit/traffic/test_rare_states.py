"""The model against a real gateway in states that random ones leave out."""

import json
from pathlib import Path

import pytest
from oracle import observations_of

from meshplan.traffic.outcome import Unknown

KEPT = Path(__file__).parents[2] / "data" / "oracle" / "gateway-rare.jsonl"
STATES = KEPT.read_text("utf-8").splitlines()


@pytest.mark.parametrize("number", range(len(STATES)))
def test_every_recorded_answer_is_possible(number: int) -> None:
    for seen in observations_of(json.loads(STATES[number]), KEPT.name, number + 1):
        assert not seen.impossible, seen
        assert not isinstance(seen.outcome, Unknown), seen
