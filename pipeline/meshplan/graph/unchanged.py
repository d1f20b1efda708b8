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
from meshplan.graph.traffic import behind_host, host_keys, subsets_of
from meshplan.identity import ResourceId
from meshplan.kinds.need import Credential, Endpoints, ExposedPort, Host, Pods, Subset
from meshplan.kinds.needs.routing import destinations
from meshplan.mesh.hosts import is_wildcard, subset_of

_ISTIO = "networking.istio.io"
#: Few, and with Services behind them that may change hands.
_WEBHOOKS = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiregistration.k8s.io", "APIService"),
)
_OTHER_ROUTES = (
    ("gateway.networking.k8s.io", "GRPCRoute"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("gateway.networking.k8s.io", "TCPRoute"),
    ("gateway.networking.k8s.io", "TLSRoute"),
    ("networking.k8s.io", "Ingress"),
)


def obligations(index: Index) -> Iterator[Obligation]:
    """The needs of unchanged routes, Services and gateways that changed objects share."""
    hosts = _shared_hosts(index)
    services = {found for found in _selecting(index, 2) if found not in index.writes}
    referrers = services | set(_gateways(index)) | set(_routes(hosts, index))
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
    found |= {
        key[1]
        for subject in _selecting(index, 1)
        for resource in index.versions(subject)
        for key in index.keys_of(resource)
        if key[0] == "host"
    }
    return {host for host in found if len(_bearing(host, index)) > 1}


def _bearing(host: str, index: Index) -> set[ResourceId]:
    """What changes and bears on a host: its rules, its services, the pods behind any subset."""
    pods = behind_host(host, index, subsets_of(host, index))
    return {*index.touched(*host_keys(host)), *pods}


def _selecting(index: Index, least: int) -> Iterator[ResourceId]:
    """What selects by a label in their selector that so many workloads begin or cease to have."""
    for key, ids in index.touched_keys("pod"):
        label = frozenset({(key[2], key[3])})
        if sum(selects_otherwise(found, label, index) for found in ids) >= least:
            yield from index.ids(("selecting", *key[1:]))


def _gateways(index: Index) -> Iterator[ResourceId]:
    """Unchanged Gateways, where pods, Services or Secrets change that they may rely on."""
    touched = {
        found
        for family in ("pod", "selecting", "secret")
        for _, ids in index.touched_keys(family)
        for found in ids
    }
    if len(touched) > 1:
        yield from index.unchanged(_ISTIO, "Gateway")


def _routes(hosts: set[str], index: Index) -> Iterator[ResourceId]:
    """Unchanged routes to one of the hosts."""
    patterns = [host for host in hosts if is_wildcard(host)]
    # A host may be written in full or, in its own namespace, by its first label.
    written = hosts | {host.partition(".")[0] for host in hosts}
    if not hosts:
        return
    for subject in index.unchanged(_ISTIO, "VirtualService"):
        for resource in index.versions(subject):
            if any(
                name in written or any(subset_of(name, pattern) for pattern in patterns)
                for name in destinations(resource)
            ):
                yield subject
    for kind in (*_OTHER_ROUTES, *_WEBHOOKS):
        yield from index.unchanged(*kind)
