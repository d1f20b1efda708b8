"""Requests that are let in before and after, or denied before and after, are so in between."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import combinations

from meshplan.dataclass import dataclass
from meshplan.graph.keys import pod_labels
from meshplan.graph.obligation import Obligation
from meshplan.graph.rules import Atom, atoms_of, implies, may_meet
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.identity import ResourceId
from meshplan.kinds.need import Labels, labels_of
from meshplan.kinds.needs.read import at
from meshplan.mesh.security import SecurityPolicies
from meshplan.resource import Resource

#: How many sorts of requests of one workload are tried two by two.
_PAIRED = 24
#: So few are looked at in all combinations: a request may meet many of them at once.
_FEW = 8


@dataclass(frozen=True, slots=True)
class _Server:
    """A sort of workload that policies may select."""

    namespace: str
    labels: Labels

    def __str__(self) -> str:
        if not self.labels:
            return f"workloads of {self.namespace}"
        shown = ", ".join(f"{key}={value}" for key, value in sorted(self.labels))
        return f"pods with {shown} of {self.namespace}"


def obligations(index: Index) -> Iterator[Obligation]:
    """For each sort of workload that two changed policies or more speak of: who is let in."""
    for server in sorted(_servers(index), key=str):
        keys = _keys(server, index)
        ids = sorted_ids(
            (f for f in index.touched(*keys) if _applies(f, server, index)), index.writes
        )
        if len(ids) < 2:
            continue
        ends = (View(index, frozenset()), View(index, frozenset(ids)))
        for sort in _sorts(ids, server, index):
            before, after = (_let_in(sort, server, view) for view in ends)
            if before is not after:
                continue
            does = "let in to" if before else "denied at"
            why = f"{_shown(sort)} are {does} {server} before and after"
            yield Obligation(
                ids,
                partial(_stays, sort, server, before),
                why,
                "403" if before else "requests are let in",
            )


def _shown(sort: frozenset[Atom]) -> str:
    """The most particular of the sorts that a request is of."""
    told = max(sort, key=lambda atom: (len(atom), sorted(atom)), default=None)
    if told is None:
        return "requests that no rule speaks of"
    shown = ", ".join(f"{name} {value}" for name, value in sorted(told))
    return f"requests with {shown}" if shown else "all requests"


def _keys(server: _Server, index: Index) -> tuple[tuple[str, ...], ...]:
    roots = [config.root_namespace for config in index.configs]
    return tuple(("access", place) for place in dict.fromkeys((server.namespace, *roots)))


def _servers(index: Index) -> set[_Server]:
    """The workloads that changed policies select, as their selectors describe them."""
    found: set[_Server] = set()
    for (_, namespace), ids in index.touched_keys("access"):
        selectors = {_selector(version) for subject in ids for version in index.versions(subject)}
        found.update(_Server(namespace, labels) for labels in selectors)
        for one, other in combinations(sorted(filter(None, selectors), key=sorted), 2):
            if _meet(namespace, one, other, index):
                found.add(_Server(namespace, one | other))
    return found


def _selector(policy: Resource) -> Labels:
    return labels_of(at(policy.spec, "selector", "matchLabels"))


def _meet(namespace: str, one: Labels, other: Labels, index: Index) -> bool:
    """Whether some workload has the labels of both selectors."""
    both = one | other
    if len(dict(both)) < len(both):
        return False
    name, value = min(both)
    return any(
        both <= pod_labels(version)
        for subject in index.ids(("pod", namespace, name, value))
        for version in index.versions(subject)
    )


def _applies(subject: ResourceId, server: _Server, index: Index) -> bool:
    root = index.configs[1].root_namespace
    return any(
        SecurityPolicies([version], root).attached(server.namespace, dict(server.labels))
        for version in index.versions(subject)
    )


def _sorts(ids: Iterable[ResourceId], server: _Server, index: Index) -> Iterator[frozenset[Atom]]:
    """Sorts of requests that the changed rules tell apart: by one rule, by several, by none."""
    changed = {
        atom for subject in ids for version in index.versions(subject) for atom in atoms_of(version)
    }
    view = View(index, frozenset())
    known = changed | {
        atom for policy in view.find(*_keys(server, index)) for atom in atoms_of(policy)
    }
    found = [_closed([atom], known) for atom in sorted(changed, key=sorted)]
    most = len(changed) if len(changed) <= _FEW else 2 if len(changed) <= _PAIRED else 1
    for count in range(2, most + 1):
        found += [
            _closed(group, known)
            for group in combinations(sorted(changed, key=sorted), count)
            if all(may_meet(*pair) for pair in combinations(group, 2))
        ]
    yield from dict.fromkeys([_closed([], known), *found])


def _closed(atoms: Iterable[Atom], known: Iterable[Atom]) -> frozenset[Atom]:
    """All sorts that a request of several sorts at once is of."""
    both: Atom = frozenset().union(*atoms)
    return frozenset(other for other in known if implies(both, other))


def _stays(sort: frozenset[Atom], server: _Server, end: bool, view: View) -> int:
    return int(_let_in(sort, server, view) is end)


def _let_in(sort: frozenset[Atom], server: _Server, view: View) -> bool:
    """What the policies of a state decide on a sort of requests: DENY, then ALLOW."""
    root = view.config.root_namespace
    found = view.find(*_keys(server, view.index))
    attached = SecurityPolicies(found, root).attached(server.namespace, dict(server.labels))
    allows = [policy for policy in attached if policy.spec.get("action", "ALLOW") == "ALLOW"]
    denies = [policy for policy in attached if policy.spec.get("action") == "DENY"]
    if any(sort & atoms_of(policy) for policy in denies):
        return False
    return not allows or any(sort & atoms_of(policy) for policy in allows)
