"""Every line that decides about a request ran for a state of real proxies, or is listed.

The recordings, and the changes that a real Envoy is asked about, are evaluated under a tracer.
What does not run has to stand in `tests/data/oracle/unreached.yaml` with what vouches for it; what
stands there and runs has to be taken off.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TESTS = Path(__file__).parents[2]


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="releases of Python differ in the lines that they count"
)
def test_what_real_proxies_never_reached_is_listed() -> None:
    reasons = yaml.safe_load((TESTS / "data" / "oracle" / "unreached.yaml").read_text("utf-8"))
    listed = [entry for entries in reasons.values() for entry in entries]
    assert len(listed) == len(set(listed))
    command = [sys.executable, str(TESTS / "support" / "reach.py")]
    path = os.pathsep.join((str(TESTS), str(TESTS.parent / "bench")))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = set(done.stdout.splitlines())
    assert found == set(listed), {
        "to be recorded or listed": sorted(found - set(listed)),
        "to be taken off the list": sorted(set(listed) - found),
    }
