"""Objects and subset names that exist only while a plan runs: pins, shadows, temporary names."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meshplan.bridge.choice import TEMPORARY_PREFIX, Choice, temporary, with_spec
from meshplan.bridge.union import NETWORKING, SECURITY
from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.resource import Resource

#: Ends the name of a subset that stands for the new meaning of a name.
SUBSET_SUFFIX = "-next"


def _temporary_id(group: str, kind: str, namespace: str, *about: str) -> ResourceId:
    digest = hashlib.sha256("\0".join((kind, namespace, *about)).encode()).hexdigest()[:8]
    return ResourceId(group, kind, namespace, f"{TEMPORARY_PREFIX}{digest}")


def redefined_subsets(old: Resource, new: Resource) -> tuple[str, ...]:
    """Names of subsets that both versions of a DestinationRule have, with another meaning."""
    before = {s.get("name"): s for s in old.spec.get("subsets") or ()}
    return tuple(
        subset["name"]
        for subset in new.spec.get("subsets") or ()
        if subset.get("name") in before and before[subset["name"]] != subset
    )


def with_next_subsets(old: Resource, new: Resource) -> tuple[Resource, ...]:
    """A DestinationRule with its new subsets under temporary names, beside the old and the new."""
    names = redefined_subsets(old, new)
    following = [
        {**subset, "name": subset["name"] + SUBSET_SUFFIX}
        for subset in new.spec.get("subsets") or ()
        if subset.get("name") in names
    ]
    if not following:
        return ()

    def beside(spec: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
        own = list(spec.get("subsets") or ())
        have = {subset.get("name") for subset in own}
        missing = [s for s in other.get("subsets") or () if s.get("name") not in have]
        return {**spec, "subsets": [*own, *missing, *following]}

    return (
        with_spec(new, beside(old.spec, new.spec)),
        with_spec(new, beside(new.spec, old.spec)),
    )


def to_next_subsets(
    route: Resource, hosts: Mapping[str, Sequence[str]], mesh: Mesh
) -> Resource | None:
    """A VirtualService that names the temporary subsets of `hosts` instead of the redefined ones."""

    def renamed(destination: Mapping[str, Any]) -> Mapping[str, Any]:
        host = mesh.resolve_host(str(destination.get("host", "")), route.id.namespace)
        subset = destination.get("subset")
        if subset in hosts.get(host, ()):
            return {**destination, "subset": f"{subset}{SUBSET_SUFFIX}"}
        return destination

    spec = _map_destinations(route.spec, renamed)
    return None if spec == route.spec else with_spec(route, spec)


def without_subsets(route: Resource, hosts: Iterable[str], mesh: Mesh) -> Resource | None:
    """A VirtualService that sends requests to the whole of `hosts`, whatever the subset."""
    wanted = set(hosts)

    def whole(destination: Mapping[str, Any]) -> Mapping[str, Any]:
        host = mesh.resolve_host(str(destination.get("host", "")), route.id.namespace)
        if host not in wanted:
            return destination
        return {key: value for key, value in destination.items() if key != "subset"}

    spec = _map_destinations(route.spec, whole)
    return None if spec == route.spec else with_spec(route, spec)


def _map_destinations(spec: Mapping[str, Any], change: Any) -> Mapping[str, Any]:
    """The spec of a VirtualService with every destination of a route changed."""
    found = dict(spec)
    for protocol in ("http", "tls", "tcp"):
        rules = spec.get(protocol)
        if not isinstance(rules, Sequence) or isinstance(rules, str):
            continue
        found[protocol] = [
            {
                **rule,
                "route": [
                    {**entry, "destination": change(entry["destination"])}
                    if isinstance(entry.get("destination"), Mapping)
                    else entry
                    for entry in rule["route"]
                ],
            }
            if isinstance(rule.get("route"), Sequence)
            else rule
            for rule in rules
        ]
    return found


def allow_everything(policies: Sequence[Choice]) -> tuple[Choice, ...]:
    """For each set of workloads that gets ALLOW policies: one more that allows everybody.

    While it stands, the others may come one after the other. It is only safe where the workloads
    let everybody in before; the prover sees to that.
    """
    found: dict[ResourceId, Choice] = {}
    for choice in policies:
        policy = choice.new or choice.old
        if policy is None or (policy.spec.get("action") or "ALLOW") != "ALLOW":
            continue
        selector = policy.spec.get("selector")
        id_ = _temporary_id(SECURITY, "AuthorizationPolicy", policy.id.namespace, str(selector))
        spec: dict[str, Any] = {"action": "ALLOW", "rules": [{}]}
        if selector:
            spec["selector"] = selector
        shadow = temporary(policy, id_, policy.api_version, spec)
        found[id_] = Choice(id_, None, None, (shadow,))
    return tuple(found.values())


def pins(policy: Resource, mesh: Mesh) -> tuple[Choice, ...]:
    """For each service behind a PeerAuthentication that no rule speaks for: one that fixes its TLS.

    With an explicit mode clients do not follow the server's setting on their own, so the two can
    be changed one after the other.
    """
    found = []
    for host in pinned_hosts(policy, mesh):
        namespace = policy.id.namespace
        id_ = _temporary_id(NETWORKING, "DestinationRule", namespace, host)
        versions = tuple(
            temporary(
                policy,
                id_,
                "networking.istio.io/v1",
                {"host": host, "trafficPolicy": {"tls": {"mode": mode}}},
            )
            for mode in ("DISABLE", "ISTIO_MUTUAL")
        )
        found.append(Choice(id_, None, None, versions))
    return tuple(found)


def pinned_hosts(policy: Resource, mesh: Mesh) -> tuple[str, ...]:
    """The hosts whose pods a PeerAuthentication speaks for and that have no DestinationRule."""
    namespace = policy.id.namespace
    selector = (policy.spec.get("selector") or {}).get("matchLabels") or {}
    root = namespace == mesh.config.root_namespace and not selector
    hosts = []
    for service in mesh.registry.services if root else mesh.services(namespace):
        if not root and service.namespace != namespace:
            continue
        workloads = mesh.workloads_of(service)
        chosen = [w for w in workloads if selector.items() <= w.labels.items()]
        if (chosen or not selector) and mesh.destination_rule(service.host, namespace) is None:
            hosts.append(service.host)
    return tuple(sorted(set(hosts)))


def with_pin(rule: Resource, mode: str) -> Resource:
    """A DestinationRule that fixes the TLS mode of its host for the time being."""
    policy = rule.spec.get("trafficPolicy") or {}
    return with_spec(rule, {**rule.spec, "trafficPolicy": {**policy, "tls": {"mode": mode}}})
