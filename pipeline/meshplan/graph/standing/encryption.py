"""What clients send and what servers take stay fit for each other, and stay as closed as they are."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from meshplan.graph.clients import namespaces_of
from meshplan.graph.keys import pod_labels
from meshplan.graph.obligation import Obligation
from meshplan.graph.state import Index, View, sorted_ids
from meshplan.graph.traffic import destination_rule, host_keys, surroundings
from meshplan.identity import ResourceId
from meshplan.kinds.need import Clients, Labels, labels_of
from meshplan.kinds.needs.read import at, items, mapping, number, text
from meshplan.mesh.destination_rule import DestinationRule
from meshplan.mesh.security import MutualTls, SecurityPolicies
from meshplan.mesh.service import MeshService

_EVERYBODY = Clients("", gateways=("mesh",))

#: What a client does that no rule tells, with and without auto-mTLS.
_AUTO = "auto"
_PLAIN = "DISABLE"


def obligations(index: Index) -> Iterator[Obligation]:
    """Where rules for clients meet PeerAuthentications, and where several of either change."""
    for key, bearing in sorted(index.touched_keys("host")):
        if any(found.kind == "DestinationRule" for found in bearing):
            yield from _of_host(key[1], index)
    for namespace in sorted({key[1] for key, _ in index.touched_keys("peer")}):
        yield from _of_servers(namespace, index)


def _of_host(host: str, index: Index) -> Iterator[Obligation]:
    rules = {f for f in index.touched(*host_keys(host)) if f.kind == "DestinationRule"}
    places = {s.id.namespace for k in host_keys(host) for s in _services(k[1], index)}
    roots = {config.root_namespace for config in index.configs}
    peers = set(index.touched(*(("peer", place) for place in places | roots)))
    for client in namespaces_of(_EVERYBODY, host, index):
        if peers:
            why = f"clients of {host} send what its workloads take"
            yield Obligation(
                sorted_ids(rules | peers, index.writes),
                partial(_fits, host, client),
                why,
                "503 UF",
            )
        if len(rules) > 1:
            yield from _tls_kept(host, client, sorted_ids(rules, index.writes), index)


def _services(host: str, index: Index) -> Iterator[Any]:
    for subject in index.ids(("host", host)):
        if subject.kind != "DestinationRule":
            yield from index.versions(subject)


def _tls_kept(
    host: str, client: str, ids: tuple[ResourceId, ...], index: Index
) -> Iterator[Obligation]:
    ends = [_tls(host, View(index, made), client) for made in (frozenset(), frozenset(ids))]
    if ends[0] == ends[1]:
        why = f"clients of {host} rely on the TLS settings that its DestinationRules give it"
        yield Obligation(ids, lambda view: int(_tls(host, view, client) == ends[0]), why, "503 UF")


def _tls(host: str, view: View, client: str) -> str:
    """The TLS settings that a client uses for a host, in one way of writing them."""
    rule = destination_rule(host, view, client)
    policy = rule.policy if rule else None
    told = [at(policy, "tls"), at(policy, "portLevelSettings")]
    return json.dumps(told, sort_keys=True, default=str)


def _fits(host: str, client: str, view: View) -> int:
    """Whether every workload of a host takes what the client sends, on every port."""
    rule = destination_rule(host, view, client)
    service = surroundings(host, view).service(host, client)
    if service is None or service.external:
        return 1
    servers = list(_servers(service, view))
    return int(
        all(
            _takes(taken, sent)
            for port in service.ports
            for sent in _sent(rule, port.number, view.config.enable_auto_mtls)
            for taken in servers
        )
    )


def _sent(rule: DestinationRule | None, port: int, auto: bool) -> set[str]:
    """The TLS modes that a client uses for a port, over all subsets."""
    default = _AUTO if auto else _PLAIN
    if rule is None:
        return {default}
    policies = [rule.policy, *(s.policy for s in rule.subsets if s.policy is not None)]
    return {_mode(policy, port) or default for policy in policies}


def _mode(policy: Mapping[str, Any] | None, port: int) -> str:
    for _, setting in items(at(policy, "portLevelSettings")):
        if number(at(setting, "port", "number")) == port:
            return text(at(setting, "tls", "mode"))
    return text(at(policy, "tls", "mode"))


def _servers(service: MeshService, view: View) -> Iterator[MutualTls]:
    root = view.config.root_namespace
    found = view.find(*(("peer", place) for place in dict.fromkeys((service.namespace, root))))
    policies = SecurityPolicies(found, root)
    selector = frozenset((service.selector or {}).items())
    sorts = {pod_labels(pod) for pod in view.pods(service.namespace, selector)} or {selector}
    for labels in sorts:
        yield policies.peer_mode(service.namespace, dict(labels), None).mode


def _takes(taken: MutualTls, sent: str) -> bool:
    if sent == _AUTO or taken is MutualTls.PERMISSIVE:
        return True
    return (sent == "ISTIO_MUTUAL") == (taken is MutualTls.STRICT)


def _of_servers(namespace: str, index: Index) -> Iterator[Obligation]:
    """What the workloads of a namespace take before and after, they take in between."""
    roots = {config.root_namespace for config in index.configs}
    ids = sorted_ids(index.touched(*(("peer", p) for p in {namespace, *roots})), index.writes)
    if len(ids) < 2:
        return
    sorts = {
        labels_of(at(r.spec, "selector", "matchLabels")) for i in ids for r in index.versions(i)
    }
    ports = {
        number(port)
        for found in ids
        for version in index.versions(found)
        for port in mapping(version.spec.get("portLevelMtls"))
    }
    for labels in sorted(sorts | {frozenset()}, key=sorted):
        for port in sorted({None, *ports}, key=str):
            ends = [
                _taken(namespace, labels, port, View(index, made))
                for made in (frozenset(), frozenset(ids))
            ]
            if ends[0] is not ends[1]:
                continue
            who = f"pods with {_shown(labels)}" if labels else "workloads"
            where = f" on port {port}" if port else ""
            why = f"{who} of {namespace} take {ends[0]} mTLS{where}"
            failure = "plaintext is let in" if ends[0] is MutualTls.STRICT else "503 UF"
            yield Obligation(
                ids,
                partial(_stays, (namespace, labels, port), ends[0]),
                why,
                failure,
            )


def _stays(server: tuple[str, Labels, int | None], end: MutualTls, view: View) -> int:
    return int(_taken(*server, view) is end)


def _shown(labels: Labels) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels))


def _taken(namespace: str, labels: Labels, port: int | None, view: View) -> MutualTls:
    root = view.config.root_namespace
    found = view.find(*(("peer", place) for place in dict.fromkeys((namespace, root))))
    return SecurityPolicies(found, root).peer_mode(namespace, dict(labels), port).mode
