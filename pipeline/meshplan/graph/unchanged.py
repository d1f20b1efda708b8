"""What objects that do not change rely on, where two changed objects or more bear on it.

One changed object cannot be put in order by an object that stays as it is; so only the hosts, the
pods and the gateways are looked at that several changed objects have in common.
"""

from collections.abc import Iterator

from meshplan.graph.measures import candidates
from meshplan.graph.needed import clients_of, level_for, needs_by_what
from meshplan.graph.obligation import Obligation
from meshplan.graph.pods import selects_otherwise
from meshplan.graph.state import Index, sorted_ids
from meshplan.graph.traffic import behind_host, host_keys
from meshplan.identity import ResourceId
from meshplan.kinds.need import Credential, Endpoints, ExposedPort, Host, Pods, Subset
from meshplan.mesh.hosts import is_wildcard, subset_of


def obligations(index: Index) -> Iterator[Obligation]:
    """The needs of unchanged routes, Services and gateways that changed objects share."""
    hosts = _shared_hosts(index)
    referrers = set(_services(index)) | set(_gateways(index)) | set(_routes(hosts, index))
    for subject in sorted(referrers):
        yield from _of(subject, index)


def _of(subject: ResourceId, index: Index) -> Iterator[Obligation]:
    for resource in index.versions(subject):
        for what, need in needs_by_what(resource, index).items():
            if not isinstance(what, Host | Subset | Endpoints | Pods | ExposedPort | Credential):
                continue
            ids = sorted_ids(candidates(what, index), index.writes)
            if len(ids) < 2:
                continue
            for client in clients_of(what, index):
                yield Obligation(ids, level_for(what, client), need.why, need.failure)


def _shared_hosts(index: Index) -> set[str]:
    """Hosts, or wildcards, on which two changed objects or more bear."""
    found = {key[1] for key, _ in index.touched_keys("host")}
    found |= {key[1] for key in _selecting(index, "host", shared=1)}
    return {
        host
        for host in found
        if len({*index.touched(*host_keys(host)), *behind_host(host, index)}) > 1
    }


def _selecting(index: Index, family: str, *, shared: int) -> Iterator[tuple[str, ...]]:
    """The keys of the Services that select pods which begin or cease to be selected."""
    for _, namespace, name, value in _pod_keys(index, shared):
        for subject in index.ids(("exposed", name, value)):
            if subject.namespace == namespace:
                for resource in index.versions(subject):
                    yield from (k for k in index.keys_of(resource) if k[0] == family)


def _pod_keys(index: Index, shared: int) -> Iterator[tuple[str, ...]]:
    for key, ids in index.touched_keys("pod"):
        label = frozenset({(key[2], key[3])})
        if sum(selects_otherwise(found, label, index) for found in ids) >= shared:
            yield key


def _services(index: Index) -> Iterator[ResourceId]:
    """Unchanged Services that select two pods or more which begin or cease to be selected."""
    for _, namespace, name, value in _pod_keys(index, 2):
        for subject in index.ids(("exposed", name, value)):
            if subject.namespace == namespace and subject not in index.writes:
                yield subject


def _gateways(index: Index) -> Iterator[ResourceId]:
    """Unchanged Gateways, where pods, Services or Secrets change that they may rely on."""
    touched = {
        found
        for family in ("anypod", "exposed", "secret")
        for _, ids in index.touched_keys(family)
        for found in ids
    }
    if len(touched) > 1:
        yield from index.unchanged("networking.istio.io", "Gateway")


def _routes(hosts: set[str], index: Index) -> Iterator[ResourceId]:
    """Unchanged routes to one of the hosts."""
    if not hosts:
        return
    exact = {host for host in hosts if not is_wildcard(host)}
    patterns = hosts - exact
    found = set(index.ids(*(("destination", host) for host in exact)))
    if patterns:
        for key in index.keys("destination"):
            if any(subset_of(key[1], pattern) for pattern in patterns):
                found.update(index.ids(key))
    yield from (subject for subject in found if subject not in index.writes)
