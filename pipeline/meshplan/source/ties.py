"""Which hosts and gateways an object names, as far as is needed to see what belongs together."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from meshplan.resource import Resource

_LOCAL = ".svc.cluster.local"
_HOST_FIELDS = frozenset({"host", "hosts"})
_REFERENCE_FIELDS = frozenset({"parentRefs", "backendRefs", "backendRef"})
_MESH_GROUPS = frozenset({"networking.istio.io", "gateway.networking.k8s.io"})


def ties_of(resources: Iterable[Resource]) -> frozenset[str]:
    """The hosts and gateways that Services, Istio and Gateway API objects define or refer to.

    Wildcards are left out: nearly everything has them in common.
    """
    return frozenset(tie for resource in resources for tie in _ties(resource) if "*" not in tie)


def _ties(resource: Resource) -> Iterator[str]:
    identity = resource.id
    if (identity.group, identity.kind) == ("", "Service"):
        yield f"{identity.name}.{identity.namespace}"
    elif identity.group in _MESH_GROUPS:
        if identity.kind == "Gateway":
            yield f"gateway {identity.namespace}/{identity.name}"
        yield from _named(resource.spec, identity.namespace)


def _named(value: Any, namespace: str) -> Iterator[str]:
    """Hosts and gateways anywhere inside a spec; manifests are bounded in depth by the reader."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in _HOST_FIELDS:
                yield from (_host(host, namespace) for host in _strings(inner))
            elif key == "gateways":
                yield from (_gateway(name, namespace) for name in _strings(inner) if name != "mesh")
            elif key in _REFERENCE_FIELDS:
                yield from _references(inner, key, namespace)
            else:
                yield from _named(inner, namespace)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, namespace)


def _strings(value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, str):
            yield item


def _references(value: Any, key: str, namespace: str) -> Iterator[str]:
    for item in value if isinstance(value, list) else (value,):
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            where = item.get("namespace") or namespace
            name = item["name"]
            yield f"gateway {where}/{name}" if key == "parentRefs" else f"{name}.{where}"


def _host(host: str, namespace: str) -> str:
    """One spelling for the ways to write a host: `ns/host`, short, and fully qualified."""
    scope, _, bare = host.rpartition("/")
    local = bare.lower().removesuffix(_LOCAL)
    where = scope if scope not in ("", ".", "*") else namespace
    return local if "." in local else f"{local}.{where}"


def _gateway(name: str, namespace: str) -> str:
    scope, _, bare = name.rpartition("/")
    return f"gateway {scope if scope not in ('', '.') else namespace}/{bare}"
