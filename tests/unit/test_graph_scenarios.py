"""The graph says of every scenario of order-bench what the scenario says of itself."""

import re
from pathlib import Path

import pytest

from support.plans import planned, tree

SCENARIOS = Path(__file__).parents[2] / "bench" / "order" / "scenarios"

#: What the graph cannot tell: it takes each write as a whole, and one write has no order.
ONE_WRITE = {
    "deployment-selector-changed": "deletion and creation of one object",
    "mtls-auto-strict": "client and server learn of one write at different times",
    "service-made-headless": "deletion and creation of one object",
}

#: Where the graph asks for less or more than the scenario, and why.
OTHERWISE = {
    "egress-gateway-retired": ("order", "two proxies learn of one write at different times"),
    "egress-renamed-on-the-way": ("any", "the graph does not look at hosts that routes write"),
    "egress-through-gateway": ("order", "two proxies learn of one write at different times"),
    "envoyfilter-meets-change": ("order", "what the filter does is unknown, the edges are not"),
    "gateway-host-added": ("order", "nothing is lost, yet a Gateway comes before its routes"),
    "passthrough-to-simple": ("bridge", "impossible is more than the graph can know"),
    "sidecar-flip": ("any", "a destination of an imported route is imported by itself"),
    "sidecar-narrowed-after-route": ("any", "as above"),
    "sidecar-widened-for-route": ("any", "as above"),
    "tcp-port-shared": ("any", "the graph looks at names, not at ports that hosts share"),
}


def _expected(folder: Path) -> str:
    if folder.name in ONE_WRITE:
        return "any"
    if folder.name in OTHERWISE:
        return OTHERWISE[folder.name][0]
    found = re.search(r"^expect: (\w+)", (folder / "scenario.yaml").read_text(), re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("folder", sorted(SCENARIOS.iterdir()), ids=lambda folder: folder.name)
def test_a_scenario_is_ordered_as_it_says(folder: Path) -> None:
    if not (folder / "before").is_dir():
        pytest.skip("this scenario is not two trees")
    found = planned(tree(folder / "before"), tree(folder / "after"))
    told = "bridge" if found.graph.cycles else "order" if found.graph.edges else "any"
    assert told == _expected(folder)
