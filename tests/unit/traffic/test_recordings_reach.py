"""Every line that decides about a request ran for a state of real proxies, or is listed.

The recordings, and the changes that a real Envoy is asked about, are evaluated under a tracer.
What does not run has to stand in `tests/data/oracle/unreached.yaml` with what vouches for it; what
stands there and runs has to be taken off.
"""

import sys
from itertools import product
from pathlib import Path

import pytest
import yaml
from oracle import observations

import meshplan.mesh
import meshplan.traffic
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import View, request_of, route_in
from meshplan.traffic.regex import compiled
from support.envoy_edges import EDGES
from support.meshes import mesh
from support.reach import unreached

KEPT = Path(__file__).parents[2] / "data" / "oracle"
PACKAGES = tuple(
    Path(package.__file__ or "").parent for package in (meshplan.traffic, meshplan.mesh)
)


def _evaluate() -> None:
    """The model's answers to everything that real proxies were asked."""
    # What another test of this process had compiled would not run again.
    compiled.cache_clear()
    for path in sorted(KEPT.glob("*.jsonl")):
        for _ in observations(path):
            pass
    for edge in EDGES.values():
        states = [
            mesh(text, world=World.CLOSED, enable_auto_mtls=edge.auto_mtls)
            for text in (edge.before, edge.after)
        ]
        client = (
            gateway("edge", {"istio": "ingressgateway"})
            if edge.gateway
            else sidecar("web", edge.labels)
        )
        for view in product(states, repeat=3):
            for request in edge.requests:
                route_in(View(*view), request_of(request, port=edge.port), client)


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="releases of Python differ in the lines that they count"
)
def test_what_real_proxies_never_reached_is_listed() -> None:
    reasons = yaml.safe_load((KEPT / "unreached.yaml").read_text("utf-8"))
    listed = [entry for entries in reasons.values() for entry in entries]
    assert len(listed) == len(set(listed))
    found = set(unreached(_evaluate, PACKAGES))
    assert found == set(listed), {
        "to be recorded or listed": sorted(found - set(listed)),
        "to be taken off the list": sorted(set(listed) - found),
    }
