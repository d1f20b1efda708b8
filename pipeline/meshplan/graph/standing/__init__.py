"""What clients rely on without an object that says so: hosts, routes, encryption, access.

Each module looks only at what two changed objects or more have in common; with one, there is
nothing to put in order.
"""

from collections.abc import Callable, Iterator

from meshplan.graph.obligation import Obligation
from meshplan.graph.standing import access, backends, claims, encryption, grants, hosts, routes
from meshplan.graph.state import Index

STANDING: tuple[Callable[[Index], Iterator[Obligation]], ...] = (
    hosts.obligations,
    routes.obligations,
    backends.obligations,
    encryption.obligations,
    access.obligations,
    grants.obligations,
    claims.obligations,
)
