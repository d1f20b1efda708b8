"""Versions of an object that offer what its old and its new version offer.

Each union comes twice, once with everything that cannot be joined taken from the new version and
once from the old one: which of them is safe, the prover says.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from meshplan.plan import canonical_json
from meshplan.resource import Resource

Spec = Mapping[str, Any]
Union = Callable[[Spec, Spec], Spec | None]

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
GATEWAY_API = "gateway.networking.k8s.io"


def unions(old: Resource, new: Resource) -> tuple[Spec, ...]:
    """The specs between `old` and `new` that join both; none where the kind has none."""
    join = _UNIONS.get((new.id.group, new.id.kind))
    if join is None:
        return ()
    found = (join(old.spec, new.spec), join(new.spec, old.spec))
    ends = {canonical_json(old.spec), canonical_json(new.spec)}
    distinct: dict[bytes, Spec] = {}
    for spec in found:
        if spec is not None and canonical_json(spec) not in ends:
            distinct.setdefault(canonical_json(spec), spec)
    return tuple(distinct.values())


def _joined(
    extra: object, own: object, key: Callable[[Any], Hashable] | None = None
) -> list[Any] | None:
    """The items of `own`, then those of `extra` whose key it does not have."""
    mine = list(own) if isinstance(own, Sequence) and not isinstance(own, str) else []
    others = list(extra) if isinstance(extra, Sequence) and not isinstance(extra, str) else []
    if not mine and not others:
        return None
    key = key or canonical_json
    have = {key(item) for item in mine}
    return mine + [item for item in others if key(item) not in have]


def _with(own: Spec, **lists: list[Any] | None) -> Spec:
    return {**own, **{name: found for name, found in lists.items() if found is not None}}


def _name(item: Any) -> Hashable:
    return item.get("name") if isinstance(item, Mapping) else None


def _export_to(extra: Spec, own: Spec) -> list[Any] | None:
    """Everybody who may see one of the two; left out means everybody."""
    if not extra.get("exportTo") or not own.get("exportTo"):
        return ["*"] if extra.get("exportTo") or own.get("exportTo") else None
    return _joined(extra.get("exportTo"), own.get("exportTo"))


def _destination_rule(extra: Spec, own: Spec) -> Spec | None:
    if extra.get("host") != own.get("host"):
        return None
    return _with(
        own,
        subsets=_joined(extra.get("subsets"), own.get("subsets"), _name),
        exportTo=_export_to(extra, own),
    )


def _virtual_service(extra: Spec, own: Spec) -> Spec:
    """One route table for the hosts and gateways of both."""
    gateways = None
    if extra.get("gateways") or own.get("gateways"):
        gateways = _joined(extra.get("gateways") or ["mesh"], own.get("gateways") or ["mesh"])
    return _with(
        own,
        hosts=_joined(extra.get("hosts"), own.get("hosts")),
        gateways=gateways,
        exportTo=_export_to(extra, own),
    )


def _port_number(item: Any) -> Hashable:
    return item.get("number") if isinstance(item, Mapping) else None


def _service_entry(extra: Spec, own: Spec) -> Spec | None:
    if extra.get("resolution") != own.get("resolution"):
        return None
    ports = _joined(extra.get("ports"), own.get("ports"), _port_number)
    named = _named_apart(ports)
    endpoints = _joined(extra.get("endpoints"), own.get("endpoints"))
    return _with(
        own,
        hosts=_joined(extra.get("hosts"), own.get("hosts")),
        addresses=_joined(extra.get("addresses"), own.get("addresses")),
        ports=named,
        endpoints=_following(endpoints, ports, named),
        exportTo=_export_to(extra, own),
    )


def _following(
    endpoints: list[Any] | None, ports: list[Any] | None, named: list[Any] | None
) -> list[Any] | None:
    """Endpoints that serve a port that got another name on the port that the old name meant."""
    pairs = zip(ports or (), named or (), strict=True)
    renamed = {
        new["name"]: old.get("name") for old, new in pairs if new.get("name") != old.get("name")
    }
    if endpoints is None or not renamed:
        return endpoints
    return [
        {**endpoint, "ports": {**known, **{n: known[o] for n, o in renamed.items() if o in known}}}
        if isinstance(known := endpoint.get("ports"), Mapping)
        else endpoint
        for endpoint in endpoints
    ]


def _service(extra: Spec, own: Spec) -> Spec:
    ports = _joined(extra.get("ports"), own.get("ports"), lambda p: p.get("port"))
    return _with(own, ports=_named_apart(ports))


def _named_apart(ports: list[Any] | None) -> list[Any] | None:
    """Ports with unique names; a name keeps its protocol, which is its first word."""
    if ports is None:
        return None
    found: list[Any] = []
    names: set[str] = set()
    for index, port in enumerate(ports):
        given = port.get("name") or f"tcp-{port.get('port') or port.get('number')}"
        name = given if given not in names else f"{given}-{index}"
        names.add(name)
        named = len(ports) > 1 or port.get("name")
        found.append({**port, "name": name} if named else port)
    return found


def _gateway(extra: Spec, own: Spec) -> Spec | None:
    """The servers of both; those that differ only in their hosts become one."""
    if extra.get("selector") != own.get("selector"):
        return None
    servers = [dict(server) for server in own.get("servers") or ()]
    for server in extra.get("servers") or ():
        rest = {key: value for key, value in server.items() if key != "hosts"}
        twin = next((s for s in servers if {k: s[k] for k in s if k != "hosts"} == rest), None)
        if twin is None:
            servers.append(dict(server))
        else:
            twin["hosts"] = _joined(server.get("hosts"), twin.get("hosts"))
    return _with(own, servers=servers or None)


def _sidecar(extra: Spec, own: Spec) -> Spec | None:
    """The hosts that both import, listener by listener."""

    def listener(item: Any) -> Hashable:
        return canonical_json({k: v for k, v in item.items() if k != "hosts"})

    egress = {listener(item): dict(item) for item in own.get("egress") or ()}
    for item in extra.get("egress") or ():
        known = egress.setdefault(listener(item), dict(item))
        known["hosts"] = _joined(item.get("hosts"), known.get("hosts"))
    if not own.get("egress") or not extra.get("egress"):
        return None
    return _with(own, egress=list(egress.values()))


def _peer_authentication(extra: Spec, own: Spec) -> Spec:
    """Both plaintext and mutual TLS, wherever one of the two says anything."""
    ports = {**(extra.get("portLevelMtls") or {}), **(own.get("portLevelMtls") or {})}
    spec = {**own, "mtls": {"mode": "PERMISSIVE"}}
    if ports:
        spec["portLevelMtls"] = {port: {"mode": "PERMISSIVE"} for port in ports}
    return spec


def _authorization_policy(extra: Spec, own: Spec) -> Spec | None:
    """What one of the two allows (or denies); only for the same workloads and action."""
    same = all(
        extra.get(field) == own.get(field)
        for field in ("selector", "targetRef", "targetRefs", "provider")
    )
    if not same or (extra.get("action") or "ALLOW") != (own.get("action") or "ALLOW"):
        return None
    return _with(own, rules=_joined(extra.get("rules"), own.get("rules")))


def _request_authentication(extra: Spec, own: Spec) -> Spec:
    return _with(own, jwtRules=_joined(extra.get("jwtRules"), own.get("jwtRules")))


def _route(extra: Spec, own: Spec) -> Spec:
    """A route of the Gateway API on the parents and for the host names of both."""
    hostnames = None
    if extra.get("hostnames") and own.get("hostnames"):
        hostnames = _joined(extra.get("hostnames"), own.get("hostnames"))
    return _with(
        own,
        parentRefs=_joined(extra.get("parentRefs"), own.get("parentRefs")),
        hostnames=hostnames,
    )


def _listeners(extra: Spec, own: Spec) -> Spec:
    return _with(own, listeners=_joined(extra.get("listeners"), own.get("listeners"), _name))


def _grant(extra: Spec, own: Spec) -> Spec:
    return {
        **own,
        "from": _joined(extra.get("from"), own.get("from")) or [],
        "to": _joined(extra.get("to"), own.get("to")) or [],
    }


def _keys(group: str, kinds: Iterable[str], join: Union) -> dict[tuple[str, str], Union]:
    return {(group, kind): join for kind in kinds}


_UNIONS: Mapping[tuple[str, str], Union] = {
    ("", "Service"): _service,
    (NETWORKING, "DestinationRule"): _destination_rule,
    (NETWORKING, "VirtualService"): _virtual_service,
    (NETWORKING, "ServiceEntry"): _service_entry,
    (NETWORKING, "Gateway"): _gateway,
    (NETWORKING, "Sidecar"): _sidecar,
    (SECURITY, "PeerAuthentication"): _peer_authentication,
    (SECURITY, "AuthorizationPolicy"): _authorization_policy,
    (SECURITY, "RequestAuthentication"): _request_authentication,
    (GATEWAY_API, "Gateway"): _listeners,
    (GATEWAY_API, "ReferenceGrant"): _grant,
    **_keys(GATEWAY_API, ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"), _route),
}
