"""The needs of objects as obligations."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from meshplan.graph.clients import ELSEWHERE, namespaces_of
from meshplan.graph.measures import candidates, level_of
from meshplan.graph.obligation import Obligation
from meshplan.graph.precedence import MOOT, UNCONCERNED
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.identity import ResourceId
from meshplan.kinds.need import (
    Attachment,
    Delegate,
    Endpoints,
    Host,
    Need,
    Pods,
    Subset,
    What,
)
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
        providers = sorted_ids(candidates(what, index), index.writes)
        if not set(providers) - {subject}:
            continue
        binding = need.binding and _served_throughout(what, index)
        for client in clients_of(what, index):
            kept = Obligation(
                providers, level_for(what, client), need.why, need.failure, binding=binding
            )
            if what in old and what in new:
                yield kept
                yield from _turned(kept, what, subject, index)
            else:
                yield _while(kept, subject, what in new, index)


def _while(kept: Obligation, subject: ResourceId, made: bool, index: Index) -> Obligation:
    """An obligation that holds once its subject has been written, or until it is."""
    ids = sorted_ids({*kept.ids, subject}, index.writes)
    return replace(
        kept, ids=ids, level=partial(_level_while, kept.level, subject, made), subject=subject
    )


def _level_while(level: Level, subject: ResourceId, made: bool, view: View) -> int:
    return level(view) if (subject in view.made) is made else UNCONCERNED


def _turned(
    kept: Obligation, what: What, subject: ResourceId, index: Index
) -> Iterator[Obligation]:
    """A need that stays and begins, or ceases, to be met between base and head.

    Of a route other requests may then come to it, or leave it, with the one write of the route.
    """
    ids = {*kept.ids, subject}
    before, after = (
        kept.level(View(index, made)) not in (0, MOOT)
        for made in (frozenset[ResourceId](), frozenset(ids))
    )
    if before is not after and not isinstance(what, Pods):
        binding = kept.binding and isinstance(what, _ROUTED)
        yield replace(_while(kept, subject, after, index), binding=binding)


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
