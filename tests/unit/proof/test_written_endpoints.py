"""Policies hold at the endpoints that a ServiceEntry writes down, not only at pods."""

import pytest

from meshplan.settings import World
from support.envoy_edges import EDGES
from support.meshes import with_versions
from support.proofs import change


@pytest.mark.parametrize("world", World)
def test_mutual_tls_that_is_demanded_at_once_is_refuted(world: World) -> None:
    edge = EDGES["mtls-automatic-from-none"]
    found = change(with_versions(edge.before), with_versions(edge.after), world=world).together()
    assert [one.sentence for one in found.counterexamples] == [
        "GET reviews.shop/ from namespace shop → 503 UC: the two sides do not agree about mutual TLS"
    ]
