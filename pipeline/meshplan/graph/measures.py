"""How far a need is met in a state, and which changes that depends on.

The level of a need is 0 where it is not met, and more the more objects meet it. What is met by an
object that no revision holds counts as not met at both ends, and then nothing that changes can make
it worse: absence is no error in an open world.
"""

from collections.abc import Iterator
from typing import assert_never

from meshplan.graph import cluster, gateways, policies, traffic
from meshplan.graph.pods import reselected
from meshplan.graph.state import Index, View
from meshplan.identity import ResourceId
from meshplan.kinds.need import (
    Admitted,
    Attachment,
    Bindings,
    Credential,
    Delegate,
    Endpoints,
    ExposedPort,
    ExtensionProvider,
    Grant,
    Guards,
    Host,
    Injection,
    Object,
    Pods,
    Served,
    Subset,
    TokenRule,
    What,
)


def level_of(what: What, client: str, view: View) -> int:
    """The level of a need for the proxies of the namespace `client`."""
    match what:
        case Object() | Served() | Grant() | Bindings():
            return cluster.level(what, view)
        case Host() | Subset() | Endpoints():
            return traffic.level(what, view, client)
        case Attachment() | Credential() | ExposedPort():
            return gateways.level(what, view)
        case Delegate() | TokenRule() | Admitted() | ExtensionProvider() | Guards() | Injection():
            return policies.level(what, view)
        case Pods(namespace, labels):
            return sum(1 for _ in view.pods(namespace, labels))
        case _:
            assert_never(what)


def candidates(what: What, index: Index) -> Iterator[ResourceId]:
    """The objects that change and that the level of a need may depend on; some come twice."""
    match what:
        case Object() | Served() | Grant() | Bindings():
            yield from cluster.candidates(what, index)
        case Host() | Subset() | Endpoints():
            yield from traffic.candidates(what, index)
        case Attachment() | Credential() | ExposedPort():
            yield from gateways.candidates(what, index)
        case Delegate() | TokenRule() | Admitted() | ExtensionProvider() | Guards() | Injection():
            yield from policies.candidates(what, index)
        case Pods(namespace, labels):
            yield from reselected(namespace, labels, index)
        case _:
            assert_never(what)
