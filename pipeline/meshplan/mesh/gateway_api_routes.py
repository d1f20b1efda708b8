"""Routes of the Gateway API, in the form that istiod gives them: VirtualServices."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.age import creation_time, gateway_api_key
from meshplan.mesh.gateway_api import (
    GATEWAY_API,
    Grants,
    Listener,
    is_served_here,
    may_attach,
)
from meshplan.mesh.gateway_api_rules import Unsupported, grpc_rules, http_rules, l4_rule
from meshplan.mesh.hosts import matches
from meshplan.mesh.read import mappings, number, text, texts
from meshplan.mesh.virtual_service import (
    MESH_GATEWAY,
    Destination,
    HttpMatch,
    HttpRule,
    L4Match,
    L4Rule,
    MatchKind,
    Semantics,
    VirtualService,
)
from meshplan.resource import Resource, Snapshot

_SERVICE_PARENTS = (("", "Service"), ("networking.istio.io", "ServiceEntry"))


@dataclass(frozen=True, slots=True)
class _Parent:
    """What a route is attached to."""

    #: `mesh`, or the gateway's name.
    gateway: str
    #: The hosts for which the route counts there.
    hosts: tuple[str, ...]
    #: The port of a Service as parent; 0 for all.
    port: int = 0

    @property
    def is_mesh(self) -> bool:
        """Whether the route is for the sidecars of clients."""
        return self.gateway == MESH_GATEWAY


class Converter:
    """Turns the routes of a snapshot into VirtualServices."""

    def __init__(self, snapshot: Snapshot, listeners: Iterable[Listener], domain: str):
        self._snapshot = snapshot
        self._domain = domain
        self._grants = Grants(snapshot.of_kind(GATEWAY_API, "ReferenceGrant"))
        self._listeners: dict[tuple[str, str], list[Listener]] = {}
        for listener in listeners:
            id_ = listener.gateway.id
            self._listeners.setdefault((id_.namespace, id_.name), []).append(listener)

    def virtual_services(self) -> Iterator[VirtualService]:
        """All of them."""
        merged = (*self._merged("HTTPRoute", http_rules), *self._merged("GRPCRoute", grpc_rules))
        # For one parent, host and namespace both kinds make an object of the same name, of which
        # istiod keeps the first (`krt.JoinCollection`): there a GRPCRoute counts for nothing.
        yield from {(vs.id.namespace, vs.name): vs for vs in reversed(merged)}.values()
        for kind in ("TLSRoute", "TCPRoute"):
            for resource in self._snapshot.of_kind(GATEWAY_API, kind):
                yield from self._connection_routes(resource)

    def _merged(
        self, kind: str, rules_of: Callable[..., Iterator[HttpRule]]
    ) -> Iterator[VirtualService]:
        """Routes of one kind for one parent and host, put together (`mergeHTTPRoutes`)."""
        found: dict[tuple[str, str, int, str], list[tuple[Resource, _Parent, list[HttpRule]]]] = {}
        for resource in self._snapshot.of_kind(GATEWAY_API, kind):
            for parent in self._parents(resource):
                try:
                    rules = list(rules_of(resource, partial(self._backend, resource, parent)))
                except Unsupported:
                    # One rule that istiod does not understand leaves nothing of the route.
                    continue
                if parent.port:
                    rules = [_on_port(rule, parent.port) for rule in rules]
                # Routes for the mesh count in the namespace that they are written in.
                where = resource.id.namespace if parent.is_mesh else ""
                for host in parent.hosts if rules else ():
                    key = (parent.gateway, where, parent.port, host)
                    found.setdefault(key, []).append((resource, parent, rules))
        for (_, _, _, host), parts in found.items():
            yield _joined(host, parts)

    def _connection_routes(self, resource: Resource) -> Iterator[VirtualService]:
        """A TLSRoute or TCPRoute, once for each host of each parent."""
        is_tls = resource.id.kind == "TLSRoute"
        for parent in self._parents(resource):
            backend = partial(self._backend, resource, parent)
            try:
                rules = tuple(
                    l4_rule(resource, index, entry, backend)
                    for index, entry in enumerate(mappings(resource.spec.get("rules")))
                )
            except Unsupported:
                continue
            for host in parent.hosts if is_tls or parent.is_mesh else ("*",):
                match = _connection_match(resource, parent, host)
                bound = tuple(replace(rule, matches=match) for rule in rules)
                yield _virtual_service(
                    resource,
                    host,
                    parent,
                    tls=bound if is_tls else (),
                    tcp=() if is_tls else bound,
                )

    def _parents(self, resource: Resource) -> Iterator[_Parent]:
        """What a route may attach to (`extractParentReferenceInfo`, `referenceAllowed`)."""
        hostnames = texts(resource.spec.get("hostnames"))
        for ref in mappings(resource.spec.get("parentRefs")):
            group = text(ref.get("group", GATEWAY_API))
            kind = text(ref.get("kind", "Gateway"))
            namespace = text(ref.get("namespace")) or resource.id.namespace
            name, port = text(ref.get("name")), number(ref.get("port"))
            if (group, kind) == (GATEWAY_API, "Gateway"):
                others = self._listeners.get((namespace, name), [])
                for listener in others:
                    if _is_meant(listener, ref, resource, hostnames):
                        hosts = tuple(
                            host
                            for host in hostnames or ("*",)
                            if is_served_here(listener, others, host)
                        )
                        yield _Parent(listener.gateway.name, hosts)
            elif (group, kind) in _SERVICE_PARENTS:
                yield _Parent(MESH_GATEWAY, self._service_hosts(kind, namespace, name), port)

    def _service_hosts(self, kind: str, namespace: str, name: str) -> tuple[str, ...]:
        if kind == "Service":
            return (f"{name}.{namespace}.svc.{self._domain}",)
        entry = self._snapshot.get(ResourceId("networking.istio.io", kind, namespace, name))
        return texts(entry.spec.get("hosts")) if entry else ()

    def _backend(self, route: Resource, parent: _Parent, ref: Mapping[str, Any]) -> Destination:
        """A backend of a route (`buildDestination`); grants only count for gateways."""
        group, kind = text(ref.get("group")), text(ref.get("kind", "Service"))
        namespace = text(ref.get("namespace")) or route.id.namespace
        name = text(ref.get("name"))
        target = ResourceId(group, kind, namespace, name)
        source = (GATEWAY_API, route.id.kind, route.id.namespace)
        if (
            not parent.is_mesh
            and namespace != route.id.namespace
            and not self._grants.allow(source, target)
        ):
            return Destination("", invalid=f"no ReferenceGrant lets {route.id} refer to {target}")
        match group, kind:
            case "", "Service":
                host = f"{name}.{namespace}.svc.{self._domain}"
            case "networking.istio.io", "Hostname":
                if ref.get("namespace") is not None:
                    raise Unsupported
                host = name
            case "multicluster.x-k8s.io", "ServiceImport":
                host = f"{name}.{namespace}.svc.{self._domain}"
            case _:
                return Destination("", invalid=f"{kind} is no backend that istiod knows")
        port = number(ref.get("port"))
        if not port or (kind == "Service" and "." in name):
            raise Unsupported
        return Destination(host, port=port)


def _connection_match(resource: Resource, parent: _Parent, host: str) -> tuple[L4Match, ...]:
    """Which connections the rules of a TLSRoute or TCPRoute are for."""
    if resource.id.kind == "TCPRoute":
        return (L4Match("/spec/rules", port=parent.port),) if parent.port else ()
    names = texts(resource.spec.get("hostnames"))
    names = names or (parent.hosts if parent.is_mesh else ("*",))
    if parent.is_mesh and len(names) > 1:
        names = tuple(name for name in names if matches(host, name))
    return (L4Match("/spec/hostnames", names, port=parent.port),)


def _is_meant(
    listener: Listener, ref: Mapping[str, Any], route: Resource, hostnames: tuple[str, ...]
) -> bool:
    section, port = text(ref.get("sectionName")), number(ref.get("port"))
    return (
        port in (0, listener.port)
        and section in ("", listener.name)
        and route.id.kind in listener.kinds
        and may_attach(listener, hostnames, route.id.namespace)
    )


def _on_port(rule: HttpRule, port: int) -> HttpRule:
    found = rule.matches or (HttpMatch(rule.pointer),)
    return replace(rule, matches=tuple(replace(match, port=port) for match in found))


def _joined(host: str, parts: list[tuple[Resource, _Parent, list[HttpRule]]]) -> VirtualService:
    ordered = sorted(parts, key=lambda part: gateway_api_key(part[0]))
    rules = [rule for _, _, found in ordered for rule in sorted(found, key=_rank)]
    first, parent, _ = ordered[0]
    return _virtual_service(first, host, parent, http=tuple(sorted(rules, key=_rank)))


def _virtual_service(
    resource: Resource,
    host: str,
    parent: _Parent,
    *,
    http: tuple[HttpRule, ...] = (),
    tls: tuple[L4Rule, ...] = (),
    tcp: tuple[L4Rule, ...] = (),
) -> VirtualService:
    return VirtualService(
        id=resource.id,
        hosts=(host,),
        gateways=(parent.gateway,),
        export_to=frozenset(),
        created=creation_time(resource),
        resource=resource,
        semantics=Semantics.GATEWAY_API,
        made=http,
        made_tls=tls,
        made_tcp=tcp,
        name=_name(resource, parent, host),
    )


def _name(resource: Resource, parent: _Parent, host: str) -> str:
    """The name by which istiod orders what it makes, as far as the order is determined."""
    if resource.id.kind in ("TLSRoute", "TCPRoute"):
        return f"{resource.id.name}~{resource.id.kind[:3].lower()}"
    if parent.is_mesh:
        port = f"~{parent.port}" if parent.port else ""
        return f"{resource.id.namespace}{port}~{host}"
    return f"{parent.gateway}~{host}".replace("/", "~")


_URI_RANKS = {MatchKind.EXACT: 3, MatchKind.PREFIX: 2, MatchKind.REGEX: 1}


def _rank(rule: HttpRule) -> tuple[int, ...]:
    """The more specific first (`sortHTTPRoutes`); a rule without a match last."""
    if not rule.matches:
        return (True,)
    match = rule.matches[0]
    uri = match.uri
    return (
        False,
        -_URI_RANKS[uri.kind] if uri else 1,
        -len(uri.value if uri else ""),
        match.method is None,
        -len(match.headers),
        -len(match.query),
    )
