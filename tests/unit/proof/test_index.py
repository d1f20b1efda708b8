"""The index against a walk through all objects, however few or many of them change."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import pytest

from meshplan.proof.index import Index
from meshplan.proof.versions import Versions
from meshplan.resource import Resource, Snapshot
from support.whole_mesh import world

DOMAIN = "cluster.local"
SERVICE_NAME = "kubernetes.io/service-name"
WORLDS = ("mesh", "edge", "api", "servers")


@cache
def everything() -> tuple[Resource, ...]:
    """All objects of all worlds; of those in several the first."""
    found: dict[object, Resource] = {}
    for name in WORLDS:
        for id_, one in world(name).items():
            found.setdefault(id_, one)
    return tuple(found.values())


@cache
def index(changing: int) -> Index:
    """Of each so many objects one is new; 0 for none, 1 for all."""
    news = everything()[::changing] if changing else ()
    ids = {one.id for one in news}
    base = Snapshot(one for one in everything() if one.id not in ids)
    return Index(Versions(base, Snapshot(everything())), DOMAIN)


def overlap(one: str, other: str) -> bool:
    """Whether some name is meant by both."""
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if other.startswith("*"):
        one, other = other, one
    return other.endswith(one[1:]) if one.startswith("*") else one == other


def full(host: str, namespace: str) -> str:
    """A host without a dot is a Service of the namespace."""
    return (
        host.lower() if "." in host or host.startswith("*") else f"{host}.{namespace}.svc.{DOMAIN}"
    )


def of(kind: str, group: str = "") -> Iterable[Resource]:
    return (
        one for one in everything() if one.id.kind == kind and (not group or one.id.group == group)
    )


def entries(found: Mapping[str, Any], *path: str) -> Iterable[Any]:
    """What stands in lists below some keys."""
    here: list[Any] = [found]
    for key in path:
        here = [one.get(key) for one in here if isinstance(one, Mapping)]
        here = [part for one in here for part in (one if isinstance(one, list) else [one])]
    return [one for one in here if one is not None]


def service_hosts(one: Resource) -> set[str]:
    if one.id.kind == "Service":
        return {f"{one.id.name}.{one.id.namespace}.svc.{DOMAIN}"}
    return {host.lower() for host in entries(one.spec, "hosts")}


def route_hosts(one: Resource) -> set[str]:
    return {full(host, one.id.namespace) for host in entries(one.spec, "hosts")}


def rule_hosts(one: Resource) -> set[str]:
    return {full(one.spec["host"], one.id.namespace)}


def gateway_hosts(one: Resource) -> set[str]:
    return {host.rpartition("/")[2].lower() for host in entries(one.spec, "servers", "hosts")}


def listener_hosts(one: Resource) -> set[str]:
    return {listener.get("hostname", "*").lower() for listener in entries(one.spec, "listeners")}


NETWORKING, GATEWAY_API = "networking.istio.io", "gateway.networking.k8s.io"
ROLES: Mapping[str, tuple[tuple[Resource, ...], Callable[[Resource], set[str]]]] = {
    "service.host": ((*of("Service"), *of("ServiceEntry")), service_hosts),
    "route.host": (tuple(of("VirtualService")), route_hosts),
    "rule.host": (tuple(of("DestinationRule")), rule_hosts),
    "gateway.host": (tuple(of("Gateway", NETWORKING)), gateway_hosts),
    "listener.host": (tuple(of("Gateway", GATEWAY_API)), listener_hosts),
}
HOSTS = sorted(
    {host for found, hosts in ROLES.values() for one in found for host in hosts(one)}
    | {"*", "*.com", "*.example.org", "x.wild.example.com", "*.a.wild.example.com", "none.example"}
)


@pytest.mark.parametrize("changing", [0, 1, 2, 3])
@pytest.mark.parametrize("what", ROLES)
def test_who_has_a_host_that_is_near(what: str, changing: int) -> None:
    objects, hosts_of = ROLES[what]
    found = index(changing)
    for host in HOSTS:
        expected = {one.id for one in objects if any(overlap(h, host) for h in hosts_of(one))}
        near = list(found.near(what, host))
        assert sorted(near) == sorted(expected), host
        names = {h for one in objects for h in hosts_of(one) if overlap(h, host)}
        under = list(found.hosts_under(what, host))
        assert sorted(under) == sorted(names), host


def labels_of(one: Resource) -> Mapping[str, str]:
    match one.id.kind:
        case "Deployment":
            found: Mapping[str, str] = one.spec["template"]["metadata"]["labels"]
        case "Pod":
            found = one.labels
        case _:
            found = one.spec["labels"]
    return found


PODS = (*of("Deployment"), *of("Pod"), *of("WorkloadEntry"))
LABELS = [
    {},
    {"app": "reviews"},
    {"version": "v1", "app": "reviews"},
    {"tier": "back", "app": "ratings"},
    {"app": "ratings", "tier": "front"},
    {"zone": "a"},
    {"app": "none"},
    {"app": "vm-api"},
]


def subset(small: Mapping[str, str], large: Mapping[str, str]) -> bool:
    return small.items() <= large.items()


@pytest.mark.parametrize("changing", [0, 1, 2, 3])
def test_pods_by_their_labels(changing: int) -> None:
    found = index(changing)
    for where in ("", "shop", "web", "edge", "nowhere"):
        for labels in LABELS:
            expected = {
                one.id
                for one in PODS
                if where in ("", one.id.namespace) and subset(labels, labels_of(one))
            }
            ids = list(found.pods(where, labels))
            assert sorted(ids) == sorted(expected), (where, labels)


def selector_of(one: Resource) -> Mapping[str, str]:
    spec = one.spec
    for path in (
        ("selector", "matchLabels"),
        ("workloadSelector", "labels"),
        ("workloadSelector", "matchLabels"),
    ):
        value = spec.get(path[0], {}).get(path[1])
        if value:
            selector: Mapping[str, str] = value
            return selector
    return {}


@pytest.mark.parametrize("changing", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "kind", ["AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication", "Sidecar"]
)
def test_policies_for_pods(kind: str, changing: int) -> None:
    """All that apply are found; some more may be."""
    for where in ("shop", "web", "edge", "istio-system"):
        for labels in LABELS:
            ids = set(index(changing).policies(kind, where, labels))
            there = {one for one in of(kind) if one.id.namespace == where}
            applying = {one.id for one in there if subset(selector_of(one), labels)}
            assert applying <= ids, (where, labels)
            # Those of which no label fits are not among them.
            for one in there:
                if one.id in ids and one.id not in applying:
                    assert set(selector_of(one).items()) & set(labels.items())


@pytest.mark.parametrize("changing", [0, 1, 2, 3])
def test_services_that_select_pods(changing: int) -> None:
    for where in ("shop", "web", "edge"):
        for labels in LABELS:
            ids = set(index(changing).selecting(where, labels))
            for one in (*of("Service"), *of("ServiceEntry")):
                spec = one.spec
                is_entry = one.id.kind == "ServiceEntry"
                selector = (
                    spec.get("workloadSelector", {}).get("labels")
                    if is_entry
                    else spec.get("selector")
                )
                if one.id.namespace == where and selector and subset(selector, labels):
                    assert one.id in ids, (where, labels)
                elif one.id in ids:
                    assert selector
                    assert one.id.namespace == where


def keyed(one: Resource) -> set[tuple[str, ...]]:
    """Other keys that an object is found by, as it says them itself."""
    here, name, spec = one.id.namespace, one.id.name, one.spec
    match one.id.kind:
        case "Service":
            found = {
                ("service", "address", a)
                for a in [spec.get("clusterIP")]
                if a not in (None, "None")
            }
            return found | {("service", "alias", a) for a in entries(spec, "externalName")}
        case "ServiceEntry":
            return {("service", "address", a) for a in entries(spec, "addresses")}
        case "VirtualService":
            names = entries(spec, "gateways") or ["mesh"]
            gateways = {g if "/" in g or g == "mesh" else f"{here}/{g}" for g in names}
            ends = [
                *(
                    d
                    for part in ("http", "tls", "tcp")
                    for d in entries(spec, part, "route", "destination")
                ),
                *entries(spec, "http", "mirror"),
            ]
            delegates = entries(spec, "http", "delegate")
            return (
                {("route", "gateway", one) for one in gateways}
                | {("route", "destination", full(d["host"], here)) for d in ends}
                | {
                    ("route", "delegate", f"{d.get('namespace', here)}/{d['name']}")
                    for d in delegates
                }
            )
        case "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute":
            return attached_keys(one)
        case "Gateway" if one.id.group == NETWORKING:
            ports = entries(spec, "servers", "port", "number")
            return {
                ("gateway", "name", f"{here}/{name}"),
                *(("gateway", "port", str(p)) for p in ports),
            }
        case "Gateway":
            addresses = {("listener", "address", a) for a in entries(spec, "addresses", "value")}
            return {("listener", "name", f"{here}/{name}"), *addresses}
        case "Sidecar":
            imports = (host.partition("/") for host in entries(spec, "egress", "hosts"))
            return {("sidecar", here)} | {
                ("import", here if where == "." else where, host) for where, _, host in imports
            }
        case "ReferenceGrant" | "Endpoints" | "EndpointSlice":
            family = "grant" if one.id.kind == "ReferenceGrant" else "endpoints"
            behind = () if family == "grant" else (one.labels.get(SERVICE_NAME, name),)
            return {(family, here, *behind)}
        case _:
            return set()


def attached_keys(one: Resource) -> set[tuple[str, ...]]:
    here, spec = one.id.namespace, one.spec
    found: set[tuple[str, ...]] = set()
    for parent in spec["parentRefs"]:
        kind, where = parent.get("kind", "Gateway"), parent.get("namespace", here)
        found.add(("attached", kind, f"{where}/{parent['name']}"))
        hosts = {
            "Gateway": [host.lower() for host in spec.get("hostnames", ["*"])],
            "Service": [f"{parent['name']}.{where}.svc.{DOMAIN}"],
        }.get(kind, ["*"])
        found |= {("attached", "host", host) for host in hosts}
    refs = [
        *entries(spec, "rules", "backendRefs"),
        *entries(spec, "rules", "filters", "requestMirror", "backendRef"),
    ]
    for ref in refs:
        name = ref["name"]
        is_host = ref.get("kind") == "Hostname"
        end = name if is_host else f"{name}.{ref.get('namespace', here)}.svc.{DOMAIN}"
        found.add(("attached", "destination", end))
    return found


ROLES_OF_HOSTS = {
    ("service", "host"),
    ("route", "host"),
    ("rule", "host"),
    ("gateway", "host"),
    ("listener", "host"),
}


@pytest.mark.parametrize("changing", [0, 1, 2])
def test_by_which_keys_objects_are_found(changing: int) -> None:
    found = index(changing)
    expected: dict[tuple[str, ...], set[object]] = {}
    for one in everything():
        for key in keyed(one):
            expected.setdefault(key, set()).add(one.id)
    for key, ids in expected.items():
        there = list(found.ids(key))
        assert sorted(there) == sorted(ids), key
    for family in (
        "service",
        "route",
        "attached",
        "gateway",
        "listener",
        "sidecar",
        "grant",
        "endpoints",
    ):
        keys = list(found.keys(family))
        assert len(keys) == len(set(keys))
        known = {key for key in expected if key[0] == family}
        assert {key for key in keys if key[:2] not in ROLES_OF_HOSTS} == known


@pytest.mark.parametrize("changing", [0, 1])
def test_written_endpoints(changing: int) -> None:
    found = index(changing)
    entry = next(one.id for one in of("ServiceEntry") if one.id.name == "static")
    for where in ("web", ""):
        assert list(found.written(where, {"app": "static"})) == [entry]
        assert list(found.written(where, {})) == [entry]
        assert list(found.written(where, {"app": "other"})) == []
    assert list(found.written("shop", {})) == []
