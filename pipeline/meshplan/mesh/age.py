"""Which of two objects is older: Istio lets the older one win.

Git does not know it. An object without `creationTimestamp` counts as created at the beginning of
time, as istiod reads it from a file; ties are broken by name, then by namespace.
"""

from collections.abc import Iterable

from meshplan.mesh.read import text
from meshplan.resource import Resource


def creation_time(resource: Resource) -> str:
    """`creationTimestamp` as written (RFC 3339, UTC, so that texts sort like times), else ""."""
    return text(resource.metadata.get("creationTimestamp"))


def age_key(resource: Resource) -> tuple[str, str, str]:
    """Sorts the oldest first (`sortConfigByCreationTime`)."""
    return creation_time(resource), resource.id.name, resource.id.namespace


def oldest_first(resources: Iterable[Resource]) -> list[Resource]:
    """Resources in the order in which istiod considers them."""
    return sorted(resources, key=age_key)


def gateway_api_key(resource: Resource) -> tuple[str, str, str]:
    """Sorts objects of the Gateway API: time, namespace, name."""
    return creation_time(resource), resource.id.namespace, resource.id.name
