"""The needs of objects as obligations."""

from collections.abc import Callable, Iterator
from functools import partial

from meshplan.graph.clients import ELSEWHERE, namespaces_of
from meshplan.graph.measures import candidates, level_of
from meshplan.graph.obligation import Obligation
from meshplan.graph.precedence import MOOT, UNCONCERNED
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.identity import ResourceId
from meshplan.kinds.need import Attachment, Delegate, Endpoints, Host, Need, Subset, What
from meshplan.kinds.needs import needs_of
from meshplan.mesh.hosts import wildcards_above
from meshplan.resource import Resource

#: Needs of routes: with a write, other requests may come to what stays the same.
_ROUTED = (Attachment, Delegate, Endpoints, Host, Subset)

Level = Callable[[View], int]


def obligations(index: Index) -> Iterator[Obligation]:
    """What the objects that change rely on: before, after, or both."""
    for subject in index.writes.ids:
        yield from _of(subject, index)


def _of(subject: ResourceId, index: Index) -> Iterator[Obligation]:
    before, after = index.writes.before.get(subject), index.writes.after.get(subject)
    old = needs_by_what(before, index) if before else {}
    new = needs_by_what(after, index) if after else {}
    for what, need in (old | new).items():
        if (before is None and not need.on_create) or (after is None and not need.on_delete):
            continue
        providers = set(candidates(what, index))
        if not providers - {subject}:
            continue
        together = sorted_ids({*providers, subject}, index.writes)
        binding = need.binding and _served_throughout(what, index)
        for client in clients_of(what, index):
            level = level_for(what, client)
            if what in old and what in new:
                ids = sorted_ids(providers, index.writes)
                yield Obligation(ids, level, need.why, need.failure, binding=binding)
                turn = _turn(level, together, index) if isinstance(what, _ROUTED) else 0
            else:
                turn = 1 if what in new else -1
            if turn:
                concerned = partial(_while, level, subject, turn > 0)
                yield Obligation(
                    together, concerned, need.why, need.failure, subject, binding=binding
                )


def needs_by_what(resource: Resource, index: Index) -> dict[What, Need]:
    """What an object relies on, each thing once, with the first place that says so."""
    found: dict[What, Need] = {}
    for need in needs_of(resource, index.domain):
        found.setdefault(need.what, need)
    return found


def clients_of(what: What, index: Index) -> tuple[str, ...]:
    """The namespaces of clients that a need has to be met for."""
    if isinstance(what, Host | Subset | Endpoints):
        return namespaces_of(what.clients, what.host, index)
    return (ELSEWHERE,)


def _served_throughout(what: What, index: Index) -> bool:
    """Whether a host is routed at gateways before and after; nothing is lost of another one."""
    if not isinstance(what, Attachment):
        return True
    keys = tuple(("routed", "*", pattern) for pattern in (what.host, *wildcards_above(what.host)))
    return all(any(True for _ in view.find(*keys)) for view in index.ends)


def level_for(what: What, client: str) -> Level:
    """The level of a need for one sort of client."""
    return partial(level_of, what, client)


def _while(level: Level, subject: ResourceId, made: bool, view: View) -> int:
    """The level while the subject has been written, or has not been yet."""
    return level(view) if (subject in view.made) is made else UNCONCERNED


def _turn(level: Level, ids: tuple[ResourceId, ...], index: Index) -> int:
    """Whether a need that stays begins (1) or ceases (-1) to be met between base and head.

    Requests that go elsewhere before may then come to it, or those that come to it go elsewhere
    after, with the one write of the object that has the need.
    """
    before, after = (
        level(View(index, made)) not in (0, MOOT)
        for made in (frozenset[ResourceId](), frozenset(ids))
    )
    return after - before
