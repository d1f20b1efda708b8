"""VirtualServices beside each other: shared hosts, and delegates."""

from collections.abc import Mapping

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.delegates import delegated
from meshplan.mesh.virtual_service import (
    MESH_GATEWAY,
    HttpRule,
    Semantics,
    VirtualService,
    http_rules_of,
)
from meshplan.mesh.virtual_services import NETWORKING
from meshplan.policy.facts.hosts import named
from meshplan.policy.facts.json import Json
from meshplan.policy.facts.memory import remembered
from meshplan.settings import World

#: VirtualServices by gateway and host.
_Claims = Mapping[tuple[str, str], list[VirtualService]]


def host_conflicts(mesh: Mesh, namespace: str, name: str) -> Json:
    """`mesh.host_conflicts(namespace, name)`."""
    own = mesh.virtual_service(ResourceId(NETWORKING, "VirtualService", namespace, name))
    if own is None:
        return []
    claims = remembered(mesh, "policy.claims", lambda: _claims(mesh))
    return [
        {
            "first": _first(own, other),
            "gateway": gateway,
            "host": host,
            # A gateway puts the routes of several together, a sidecar takes the first alone.
            "merged": gateway != MESH_GATEWAY,
            "other": _name(other),
        }
        for gateway in dict.fromkeys(own.gateways)
        for host in dict.fromkeys(own.hosts)
        for other in sorted(claims.get((gateway, host), ()), key=lambda vs: named(vs.id))
        if other.id != own.id and _compete(own, other) and _meet(mesh, own, other)
    ]


def _compete(one: VirtualService, other: VirtualService) -> bool:
    """Whether both have HTTP rules; those for TLS and TCP of all objects are looked at."""
    return _has_http(one) and _has_http(other)


def _has_http(vs: VirtualService) -> bool:
    return (
        bool(vs.made)
        if vs.semantics is Semantics.GATEWAY_API
        else bool(vs.resource.spec.get("http"))
    )


def _name(vs: VirtualService) -> str:
    kind = "" if vs.id.kind == "VirtualService" else f"{vs.id.kind} "
    return kind + named(vs.id)


def _claims(mesh: Mesh) -> _Claims:
    found: dict[tuple[str, str], list[VirtualService]] = {}
    for vs in mesh.virtual_services:
        for key in {(gateway, host) for gateway in vs.gateways for host in vs.hosts}:
            found.setdefault(key, []).append(vs)
    return found


def _meet(mesh: Mesh, one: VirtualService, other: VirtualService) -> bool:
    """Whether the proxies of some namespace see both."""
    seen = [_visible_in(mesh, vs) for vs in (one, other)]
    return None in seen or bool(set(seen[0] or ()) & set(seen[1] or ()))


def _visible_in(mesh: Mesh, vs: VirtualService) -> frozenset[str] | None:
    """The namespaces that see a VirtualService; None for all."""
    stated = vs.export_to or frozenset(mesh.config.default_virtual_service_export_to)
    if "*" in stated:
        return None
    return frozenset(vs.id.namespace if where == "." else where for where in stated) - {"~"}


def _first(own: VirtualService, other: VirtualService) -> str:
    """Which of two is older, as far as anybody knows: this, other, unknown."""
    if not own.created or not other.created or own.created == other.created:
        return "unknown"
    return "this" if own.created < other.created else "other"


def delegate(mesh: Mesh, where: str, which: str, namespace: str, name: str) -> Json:
    """`mesh.delegate(delegate_namespace, delegate_name, namespace, name)`."""
    key = (where or namespace, which)
    found = mesh.virtual_service(ResourceId(NETWORKING, "VirtualService", *key))
    if found is None:
        return {"missing": mesh.world is World.CLOSED}
    rules = _rules(mesh, found)
    root = mesh.virtual_service(ResourceId(NETWORKING, "VirtualService", namespace, name))
    roots = [r for r in _rules(mesh, root) if r.delegate == key] if root else []
    return {
        "chained": any(rule.delegate for rule in rules),
        "exported": bool(found.hosts) or mesh.delegate(key, namespace) is not None,
        "hosts": bool(found.hosts),
        "known": True,
        "missing": False,
        # Where several rules of the root lead here, what one of them drops is for another.
        "shadowed": sum(bool(roots) and not any(_fits(r, rule) for r in roots) for rule in rules),
    }


def _fits(root: HttpRule, rule: HttpRule) -> bool:
    """Whether anything is left of a rule of a delegate below a rule of its root."""
    return any(delegated(root, (rule,)))


def _rules(mesh: Mesh, vs: VirtualService) -> tuple[HttpRule, ...]:
    return http_rules_of(vs.resource, mesh.config.cluster_domain)
