"""By what an object can be found by those who rely on it.

A key is a family and some names. Two objects that do not share a key have no bearing on each other,
so that a need is only tried against the few changed objects that it could depend on.
"""

from collections.abc import Callable, Iterator, Mapping

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.kinds.names import gateway_name, host_name, service_host
from meshplan.kinds.need import Labels, labels_of
from meshplan.kinds.needs.read import at, items, mapping, text, texts
from meshplan.kinds.needs.workloads import pod_template
from meshplan.resource import Resource

Key = tuple[str, ...]

_ISTIO = "networking.istio.io"
_GATEWAY_API = "gateway.networking.k8s.io"

#: Kinds whose objects are, or keep up, pods. A Job's pods end.
WORKLOADS = (
    ("", "Pod"),
    ("", "ReplicationController"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("argoproj.io", "Rollout"),
)


def _hosts(resource: Resource, domain: str) -> Iterator[Key]:
    here = resource.id.namespace
    match resource.id.kind:
        case "Service":
            yield "host", service_host(resource.id.name, here, domain)
        case "ServiceEntry":
            yield from (("host", host) for host in texts(resource.spec.get("hosts")))
        case _:
            name = text(resource.spec.get("host"))
            if name:
                yield "host", host_name(name, here, domain)


def _pods(resource: Resource, _domain: str) -> Iterator[Key]:
    for name, value in pod_labels(resource):
        yield "pod", resource.id.namespace, name, value


def _made(resource: Resource, _domain: str) -> Iterator[Key]:
    made = made_by(resource)
    if made:
        yield "made", made.namespace, made.name


def _secret(resource: Resource, domain: str) -> Iterator[Key]:
    if resource.id.kind == "Secret":
        yield "secret", resource.id.name
    yield from (("secret", key[2]) for key in _made(resource, domain))


def _served(resource: Resource, _domain: str) -> Iterator[Key]:
    group = text(resource.spec.get("group"))
    if resource.id.kind == "APIService":
        yield "served", group, "*"
    else:
        yield "served", group, text(at(resource.spec, "names", "kind"))


def _namespaced(family: str) -> Callable[[Resource, str], Iterator[Key]]:
    def keys(resource: Resource, _domain: str) -> Iterator[Key]:
        yield family, resource.id.namespace

    return keys


def _tokens(_resource: Resource, _domain: str) -> Iterator[Key]:
    yield ("tokens",)


def _binding(resource: Resource, _domain: str) -> Iterator[Key]:
    for _, subject in items(resource.manifest.get("subjects")):
        if subject.get("kind") == "ServiceAccount":
            where = text(subject.get("namespace")) or resource.id.namespace
            yield "binding", where, text(subject.get("name"))


def _selecting(resource: Resource, _domain: str) -> Iterator[Key]:
    for name, value in selector_of(resource):
        yield "selecting", resource.id.namespace, name, value


def _claims(resource: Resource, _domain: str) -> Iterator[Key]:
    """What the API server gives to one Service at a time."""
    addresses = (resource.spec.get("clusterIP"), resource.spec.get("loadBalancerIP"))
    yield from (("claim", a) for a in addresses if isinstance(a, str) and a not in ("", "None"))
    for _, port in items(resource.spec.get("ports")):
        if isinstance(port.get("nodePort"), int):
            yield "claim", f"nodePort {port['nodePort']}"


def _principal(resource: Resource, _domain: str) -> Iterator[Key]:
    yield from (("principal", *account) for account in sorted(admitted_by(resource)))


def _listening(resource: Resource, _domain: str) -> Iterator[Key]:
    """Ports and hosts of an Istio Gateway, whatever pods it selects."""
    for _, server in items(resource.spec.get("servers")):
        port = str(at(server, "port", "number"))
        for host in texts(server.get("hosts")):
            yield "listening", port, host.rpartition("/")[2]


def _routed(resource: Resource, domain: str) -> Iterator[Key]:
    """Hosts that a VirtualService or a route serves, by gateway."""
    here = resource.id.namespace
    if resource.id.group == _ISTIO:
        names = texts(resource.spec.get("gateways")) or ("mesh",)
        for name in names:
            gateway = name if name == "mesh" else "/".join(gateway_name(name, here))
            for host in texts(resource.spec.get("hosts")):
                yield "routed", gateway, host_name(host, here, domain)
                if gateway != "mesh":
                    yield "routed", "*", host_name(host, here, domain)
        return
    for _, parent in items(resource.spec.get("parentRefs")):
        where = text(parent.get("namespace")) or here
        gateway = f"{_GATEWAY_API}/{where}/{text(parent.get('name'))}"
        for host in texts(resource.spec.get("hostnames")) or ("*",):
            yield "routed", gateway, host
            yield "routed", "*", host


_MAKERS = (
    ("bitnami.com", "SealedSecret"),
    ("cert-manager.io", "Certificate"),
    ("external-secrets.io", "ExternalSecret"),
)
_ROUTES = tuple((_GATEWAY_API, kind) for kind in ("GRPCRoute", "HTTPRoute", "TLSRoute"))

_AUTHORIZATION = ("security.istio.io", "AuthorizationPolicy")
_TOKENS = ("security.istio.io", "RequestAuthentication")


@dataclass(frozen=True, slots=True)
class Family:
    """Which kinds a family of keys is about, and how to get the keys of an object."""

    kinds: tuple[tuple[str, str], ...]
    keys: Callable[[Resource, str], Iterator[Key]]
    #: Whether the second name of every key is the namespace of the object.
    by_namespace: bool = False


FAMILIES: Mapping[str, Family] = {
    "host": Family(
        (("", "Service"), (_ISTIO, "ServiceEntry"), (_ISTIO, "DestinationRule")), _hosts
    ),
    "pod": Family((*WORKLOADS, (_ISTIO, "WorkloadEntry")), _pods, by_namespace=True),
    "selecting": Family((("", "Service"), (_ISTIO, "ServiceEntry")), _selecting, by_namespace=True),
    "made": Family(_MAKERS, _made),
    "secret": Family((("", "Secret"), *_MAKERS), _secret),
    "served": Family(
        (
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("apiregistration.k8s.io", "APIService"),
        ),
        _served,
    ),
    "binding": Family(
        (
            ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
            ("rbac.authorization.k8s.io", "RoleBinding"),
        ),
        _binding,
    ),
    "principal": Family((_AUTHORIZATION,), _principal),
    "listening": Family(((_ISTIO, "Gateway"),), _listening),
    "routed": Family(((_ISTIO, "VirtualService"), *_ROUTES), _routed),
    "sidecar": Family(((_ISTIO, "Sidecar"),), _namespaced("sidecar")),
    "grant": Family(((_GATEWAY_API, "ReferenceGrant"),), _namespaced("grant")),
    "token": Family((_TOKENS,), _namespaced("token")),
    "tokens": Family((_TOKENS,), _tokens),
    "peer": Family((("security.istio.io", "PeerAuthentication"),), _namespaced("peer")),
    "access": Family((_AUTHORIZATION,), _namespaced("access")),
    "network": Family((("networking.k8s.io", "NetworkPolicy"),), _namespaced("network")),
    "starting": Family(((_ISTIO, "ProxyConfig"),), _namespaced("starting")),
    "claim": Family((("", "Service"),), _claims),
}

_BY_KIND: Mapping[tuple[str, str], tuple[Callable[[Resource, str], Iterator[Key]], ...]] = {
    kind: tuple(family.keys for family in FAMILIES.values() if kind in family.kinds)
    for kind in {kind for family in FAMILIES.values() for kind in family.kinds}
}


def keys_of(resource: Resource, domain: str) -> Iterator[Key]:
    """Every key of an object."""
    for keys in _BY_KIND.get((resource.id.group, resource.id.kind), ()):
        yield from keys(resource, domain)


def selector_of(resource: Resource) -> Labels:
    """The labels by which a Service or a ServiceEntry selects pods or WorkloadEntries."""
    if resource.id.kind == "ServiceEntry":
        return labels_of(at(resource.spec, "workloadSelector", "labels"))
    return labels_of(resource.spec.get("selector"))


def pod_labels(resource: Resource) -> Labels:
    """The labels of the pods of a workload; nothing where it runs none."""
    if resource.id.kind == "WorkloadEntry":
        return labels_of(resource.spec.get("labels"))
    if (resource.id.group, resource.id.kind) not in WORKLOADS or resource.spec.get("replicas") == 0:
        return frozenset()
    _, pod = pod_template(resource)
    return labels_of(at(pod, "metadata", "labels"))


def made_by(resource: Resource) -> ResourceId | None:
    """The Secret that a controller makes from an object."""
    here, spec = resource.id.namespace, resource.spec
    match resource.id.kind:
        case "Certificate":
            name = text(spec.get("secretName"))
        case "ExternalSecret":
            name = text(at(spec, "target", "name")) or resource.id.name
        case "SealedSecret":
            name = text(at(spec, "template", "metadata", "name")) or resource.id.name
        case _:
            name = ""
    return ResourceId("", "Secret", here, name) if name else None


def admitted_by(resource: Resource) -> frozenset[tuple[str, str]]:
    """Namespace and name of the ServiceAccounts that rules of an ALLOW policy name."""
    if resource.spec.get("action", "ALLOW") != "ALLOW":
        return frozenset()
    found: set[tuple[str, str]] = set()
    for _, rule in items(resource.spec.get("rules")):
        for _, entry in items(rule.get("from")):
            source = mapping(entry.get("source"))
            for principal in texts(source.get("principals")):
                parts = principal.split("/")
                if len(parts) == 5 and parts[1] == "ns" and parts[3] == "sa":
                    found.add((parts[2], parts[4]))
            for account in texts(source.get("serviceAccounts")):
                where, _, name = account.rpartition("/")
                found.add((where or resource.id.namespace, name))
    return frozenset(found)
