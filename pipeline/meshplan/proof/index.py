"""Where to find the objects that have a say in a request: by host, by label, by namespace.

Every version of an object is found, whichever revision or bridge it is from. A family of keys is
indexed when it is first asked for.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cached_property

from meshplan.identity import ResourceId
from meshplan.mesh.hosts import (
    is_wildcard,
    matches,
    resolve_gateway_name,
    resolve_short_name,
    short_forms,
)
from meshplan.mesh.read import at, mapping, mappings, text, texts
from meshplan.mesh.virtual_service import MESH_GATEWAY, VirtualService, virtual_service_of
from meshplan.mesh.workload import matches_labels, workload_kinds
from meshplan.proof.fields import (
    destinations_of,
    leaves_some,
    selector_of,
    spoken_ports,
)
from meshplan.proof.keys import (
    Key,
    endpoint_keys,
    front_keys,
    grant_keys,
    import_keys,
    one_of,
    pod_keys,
    policy_keys,
    renaming_keys,
    selecting_keys,
    shared_keys,
    sidecar_keys,
    written_keys,
)
from meshplan.proof.versions import Versions
from meshplan.resource import Resource

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
GATEWAY_API = "gateway.networking.k8s.io"
EXTENSIONS = "extensions.istio.io"
DISCOVERY = "discovery.k8s.io"

#: Kinds of the Gateway API that route.
ROUTES = ("GRPCRoute", "HTTPRoute", "TCPRoute", "TLSRoute")
#: Kinds that apply to workloads by selector, or to all of a namespace.
POLICIES = (
    (SECURITY, "AuthorizationPolicy"),
    (SECURITY, "PeerAuthentication"),
    (SECURITY, "RequestAuthentication"),
    (NETWORKING, "EnvoyFilter"),
    (NETWORKING, "Sidecar"),
    (EXTENSIONS, "WasmPlugin"),
)

_Keys = Callable[[Resource], Iterable[Key]]

#: Keys to the ids that have them.
Table = dict[Key, list[ResourceId]]
#: One for each family; with a star those of its keys that are wildcards.
Tables = dict[str, Table]
#: The keys of hosts by which clients ask.
_ASKED_FOR = frozenset(("route.host", "service.host"))
#: The key of Sidecars whose clients may import, or be let out to, what they do not say.
MOVING: Key = ("import", "", "")


class Index:
    """Keys to the ids of the objects that have them in some version.

    What two revisions have in common is indexed in tables of its own, which are most of it.
    `tables` may be shared by all indexes of the same two revisions, in either direction.
    """

    def __init__(self, versions: Versions, domain: str, tables: Tables | None = None):
        self._versions = versions
        self.domain = domain
        #: Of the objects that are the same in both revisions.
        self._fixed: Tables = {} if tables is None else tables
        #: Of those that have several versions; an object may be in both.
        self._families: Tables = {}
        self._patterns: dict[tuple[str, str], tuple[str, ...]] = {}
        self._applying: dict[Hashable, tuple[ResourceId, ...]] = {}
        self._makers: Mapping[str, tuple[tuple[tuple[str, str], ...], _Keys]] = {
            "service": ((("", "Service"), (NETWORKING, "ServiceEntry")), self._service_keys),
            "rule": (((NETWORKING, "DestinationRule"),), self._rule_keys),
            "route": (((NETWORKING, "VirtualService"),), self._route_keys),
            "attached": (tuple((GATEWAY_API, kind) for kind in ROUTES), self._attached_keys),
            "renaming": (
                ((NETWORKING, "VirtualService"), *((GATEWAY_API, kind) for kind in ROUTES)),
                renaming_keys,
            ),
            "pod": (tuple(workload_kinds()), pod_keys),
            "selecting": ((("", "Service"), (NETWORKING, "ServiceEntry")), selecting_keys),
            "shared": (((NETWORKING, "ServiceEntry"),), shared_keys),
            "spoken": ((("", "Service"), (NETWORKING, "ServiceEntry")), self._spoken_keys),
            "front": ((("", "Service"), *POLICIES), front_keys),
            "written": (((NETWORKING, "ServiceEntry"),), written_keys),
            "policy": (POLICIES, policy_keys),
            "import": (((NETWORKING, "Sidecar"),), import_keys),
            "sidecar": (((NETWORKING, "Sidecar"),), sidecar_keys),
            "gateway": (((NETWORKING, "Gateway"),), self._gateway_keys),
            "listener": (((GATEWAY_API, "Gateway"),), self._listener_keys),
            "grant": (((GATEWAY_API, "ReferenceGrant"),), grant_keys),
            "endpoints": ((("", "Endpoints"), (DISCOVERY, "EndpointSlice")), endpoint_keys),
        }

    def ids(self, *keys: Key) -> Iterator[ResourceId]:
        """The objects that have one of the keys; the family is the first part of a key."""
        for key in keys:
            fixed, own = self._family(key[0])
            there = fixed.get(key, ())
            yield from there
            for id_ in own.get(key, ()):
                if id_ not in self._in_both or id_ not in there:
                    yield id_

    @cached_property
    def _in_both(self) -> frozenset[ResourceId]:
        """The objects that are the same in both revisions and have other versions besides."""
        differing = self._versions.differing
        return frozenset(id_ for id_ in self._versions.changed if id_ not in differing)

    def keys(self, family: str) -> Iterator[Key]:
        """All keys of a family."""
        fixed, own = self._family(family)
        yield from dict.fromkeys((*fixed, *own))

    def near(self, what: str, host: str) -> Iterator[ResourceId]:
        """The objects with a host that has a name in common with `host`.

        `what` names the keys, as in `("route", "host", …)`: the family and what the host is in it.
        """
        family, role = what.split(".")
        forms = (host, *short_forms(host, self.domain)) if what in _ASKED_FOR else (host,)
        names = [*forms, *(one for one in self._wildcards(family, role) if matches(host, one))]
        if is_wildcard(host):
            names += self.hosts_under(what, host)
        yield from dict.fromkeys(self.ids(*((family, role, name) for name in names)))

    def meant(self, host: str) -> str:
        """The host of the Service that a name such as `reviews.shop` is short for, if it is declared."""
        labels_ = host.removesuffix(".svc").split(".")
        if len(labels_) != 2 or labels_[1] == "svc":
            return host
        found = f"{'.'.join(labels_)}.svc.{self.domain}"
        return found if any(True for _ in self.ids(("service", "host", found))) else host

    def hosts_under(self, what: str, pattern: str) -> Iterator[str]:
        """The hosts of a family that are meant by a pattern, which may be a wildcard."""
        family, role = what.split(".")
        for key in self.keys(family):
            if key[1] == role and matches(key[2], pattern):
                yield key[2]

    def hosts_of_one(self, what: str, host: str) -> Iterator[str]:
        """The hosts of a family that a wildcard covers, or the wildcards that cover a name."""
        family, role = what.split(".")
        if is_wildcard(host):
            yield from self.hosts_under(what, host)
        else:
            yield from (one for one in self._wildcards(family, role) if matches(host, one))

    @cached_property
    def choosy(self) -> Mapping[str, list[Resource]]:
        """Every version of the PeerAuthentications that choose their pods, by namespace."""
        found: dict[str, list[Resource]] = {}
        for policy in self._versions.of_kind(SECURITY, "PeerAuthentication"):
            if selector_of(policy):
                found.setdefault(policy.id.namespace, []).append(policy)
        return found

    def aliases(self, host: str) -> Iterator[str]:
        """The Services that stand for a host (`ExternalName`), in turn for one of them too."""
        pending, seen = [host], {host}
        while pending:
            for id_ in self.near("service.alias", pending.pop()):
                name = f"{id_.name}.{id_.namespace}.svc.{self.domain}"
                if name not in seen:
                    seen.add(name)
                    pending.append(name)
                    yield name

    def stood_for(self, host: str) -> Iterator[str]:
        """The hosts that a Service stands for (`ExternalName`), by way of others too."""
        pending, seen = [host], {host}
        while pending:
            for id_ in self.ids(("service", "host", pending.pop())):
                for version in self._versions.all_of(id_):
                    name = text(version.spec.get("externalName"))
                    if version.spec.get("type") == "ExternalName" and name not in seen:
                        seen.add(name)
                        pending.append(name)
                        yield name

    def route_of(self, version: Resource) -> VirtualService:
        """A VirtualService as it is read; of a version that is kept."""
        return self._versions.views.of(
            version, "route", lambda r: virtual_service_of(r, self.domain)
        )

    def applying(
        self, namespace: str, root: str, found: frozenset[tuple[str, str]]
    ) -> tuple[ResourceId, ...]:
        """The policies and Services that may choose the pods of a namespace with some labels."""
        known = self._applying.get((namespace, root, found))
        if known is None:
            labels_ = dict(sorted(found))
            ids = [
                id_
                for where in dict.fromkeys((namespace, root))
                for id_ in self._policies(where, labels_)
            ]
            ids += self.selecting(namespace, labels_)
            known = self._applying[namespace, root, found] = tuple(ids)
        return known

    def pods(self, namespace: str, selector: Mapping[str, str]) -> Iterator[ResourceId]:
        """The workloads of a namespace ("" for any) that have all labels of a selector."""
        for found in self.ids(("pod", namespace, *one_of(selector))):
            workloads = map(self._versions.workload, self._versions.all_of(found))
            if any(one is not None and matches_labels(selector, one.labels) for one in workloads):
                yield found

    def written(self, namespace: str, selector: Mapping[str, str]) -> Iterator[ResourceId]:
        """The ServiceEntries of a namespace ("" for any) whose own endpoints may be selected."""
        return self.ids(("written", namespace, *one_of(selector)))

    def selecting(self, namespace: str, found: Mapping[str, str]) -> Iterator[ResourceId]:
        """The Services that may select pods with these labels."""
        return self.ids(*(("selecting", namespace, k, v) for k, v in found.items()))

    def policies(self, kind: str, namespace: str, found: Mapping[str, str]) -> Iterator[ResourceId]:
        """The policies of a kind that may apply to pods with these labels."""
        return (id_ for id_ in self._policies(namespace, found) if id_.kind == kind)

    def _policies(self, namespace: str, found: Mapping[str, str]) -> Iterator[ResourceId]:
        own = (("policy", namespace, k, v) for k, v in found.items())
        return self.ids(("policy", namespace, "", ""), *own)

    def _wildcards(self, family: str, role: str) -> tuple[str, ...]:
        """The wildcards among the hosts of a family; there are few."""
        known = self._patterns.get((family, role))
        if known is None:
            fixed, own = self._family(family)
            starred = self._fixed.get(f"{family}*")
            if starred is None:
                starred = self._fixed[f"{family}*"] = {
                    key: ids for key, ids in fixed.items() if is_wildcard(key[2])
                }
            found = (key[2] for key in (*starred, *own) if key[1] == role and is_wildcard(key[2]))
            known = self._patterns[family, role] = tuple(dict.fromkeys(found))
        return known

    def _family(self, family: str) -> tuple[Table, Table]:
        """The tables of what is the same in both revisions, and of what is not."""
        own = self._families.get(family)
        if own is None:
            versions = self._versions
            kinds, keys_of = self._makers[family]
            if family not in self._fixed:
                same = (r for kind in kinds for r in versions.in_common(*kind))
                self._fixed[family] = _table(same, keys_of)
            several = (r for kind in kinds for r in versions.with_several(*kind))
            own = self._families[family] = _table(several, keys_of)
            if family == "import":
                _add_moving(own, versions)
        return self._fixed[family], own

    # Keys of the kinds

    def _service_keys(self, resource: Resource) -> Iterator[Key]:
        spec = resource.spec
        if resource.id.kind == "Service":
            host = f"{resource.id.name}.{resource.id.namespace}.svc.{self.domain}"
            yield "service", "host", host
            address = text(spec.get("clusterIP"))
            if address not in ("", "None"):
                yield "service", "address", address
            if spec.get("type") == "ExternalName":
                yield "service", "alias", text(spec.get("externalName"))
        else:
            for host in texts(spec.get("hosts")):
                yield "service", "host", host.lower()
            for address in texts(spec.get("addresses")):
                yield "service", "address", address

    def _spoken_keys(self, resource: Resource) -> Iterator[Key]:
        for port in spoken_ports(resource, self.domain):
            yield "spoken", port

    def _rule_keys(self, resource: Resource) -> Iterator[Key]:
        host = text(resource.spec.get("host"))
        yield "rule", "host", self.in_full(host, resource.id.namespace)

    def _route_keys(self, resource: Resource) -> Iterator[Key]:
        here = resource.id.namespace
        for host in texts(resource.spec.get("hosts")):
            yield "route", "host", self.in_full(host, here)
        for gateway in texts(resource.spec.get("gateways")) or (MESH_GATEWAY,):
            yield "route", "gateway", resolve_gateway_name(gateway, here)
        for destination in destinations_of(resource):
            yield "route", "destination", self.in_full(text(destination.get("host")), here)
        for rule in mappings(resource.spec.get("http")):
            delegate = rule.get("delegate")
            if isinstance(delegate, Mapping):
                where = text(delegate.get("namespace")) or here
                yield "route", "delegate", f"{where}/{text(delegate.get('name'))}"

    def _attached_keys(self, resource: Resource) -> Iterator[Key]:
        here = resource.id.namespace
        for parent in mappings(resource.spec.get("parentRefs")):
            kind = text(parent.get("kind", "Gateway"))
            where, name = text(parent.get("namespace")) or here, text(parent.get("name"))
            yield "attached", kind, f"{where}/{name}"
            for host in self._attached_hosts(resource, kind, f"{name}.{where}"):
                yield "attached", "host", host
        for host in self.backends_of(resource):
            yield "attached", "destination", host

    def _attached_hosts(self, resource: Resource, kind: str, name: str) -> Iterable[str]:
        """The hosts that a route counts for at a parent; at a Service that is the Service's."""
        match kind:
            case "Gateway":
                return [host.lower() for host in texts(resource.spec.get("hostnames"))] or ["*"]
            case "Service":
                return [f"{name}.svc.{self.domain}"]
            case _:
                return ["*"]

    def _gateway_keys(self, resource: Resource) -> Iterator[Key]:
        yield "gateway", "name", f"{resource.id.namespace}/{resource.id.name}"
        for server in mappings(resource.spec.get("servers")):
            for host in texts(server.get("hosts")):
                yield "gateway", "host", host.rpartition("/")[2].lower()
            yield "gateway", "port", str(at(server, "port", "number"))

    def _listener_keys(self, resource: Resource) -> Iterator[Key]:
        yield "listener", "name", f"{resource.id.namespace}/{resource.id.name}"
        for listener in mappings(resource.spec.get("listeners")):
            yield "listener", "host", text(listener.get("hostname")).lower() or "*"
        for address in mappings(resource.spec.get("addresses")):
            host = self.in_full(text(address.get("value")), resource.id.namespace)
            yield "listener", "address", host

    def backends_of(self, resource: Resource) -> Iterator[str]:
        """The hosts that a route of the Gateway API sends to."""
        for rule in mappings(resource.spec.get("rules")):
            mirrors = (mapping(f.get("requestMirror")) for f in mappings(rule.get("filters")))
            refs = (
                *mappings(rule.get("backendRefs")),
                *(mapping(m.get("backendRef")) for m in mirrors),
            )
            for ref in refs:
                where = text(ref.get("namespace")) or resource.id.namespace
                name = text(ref.get("name"))
                if ref.get("kind") == "Hostname":
                    yield name
                elif name:
                    yield f"{name}.{where}.svc.{self.domain}"

    def in_full(self, host: str, namespace: str) -> str:
        """A host as an object of a namespace means it."""
        return resolve_short_name(host, namespace, self.domain).lower()


def _table(resources: Iterable[Resource], keys_of: _Keys) -> Table:
    found: Table = {}
    id_: ResourceId | None = None
    for resource in resources:
        # The versions of an object come one after the other.
        id_ = id_ if id_ == resource.id else resource.id
        for key in keys_of(resource):
            ids = found.get(key)
            if ids is None:
                found[key] = [id_]
            # An object may have a key more than once; then it is the last that came.
            elif ids[-1] is not id_:
                ids.append(id_)
    return found


def _add_moving(table: Table, versions: Versions) -> None:
    """Sidecars in whose absence their clients import everything, or that let out otherwise."""
    for id_, found in versions.changed.items():
        if (id_.group, id_.kind) == (NETWORKING, "Sidecar"):
            policies = [one and one.spec.get("outboundTrafficPolicy") for one in found]
            if leaves_some(found) or any(policy != policies[0] for policy in policies):
                table.setdefault(MOVING, []).append(id_)
