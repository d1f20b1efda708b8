"""Documents to Kubernetes objects: lists are expanded, namespaces filled in, the rest left out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meshplan.finding import Finding
from meshplan.identity import ResourceId
from meshplan.resource import Document, Resource


@dataclass(frozen=True, slots=True)
class Objects:
    """The Kubernetes objects among documents."""

    resources: tuple[Resource, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: Whether the default namespace was filled in anywhere.
    assumed_namespace: bool = False
    #: Documents that are no Kubernetes objects and do not look like any.
    ignored: tuple[Document, ...] = ()


def resources_of(
    documents: Iterable[Document],
    *,
    default_namespace: str,
    scope_of: Callable[[str, str], str | None],
) -> Objects:
    """The Kubernetes objects among `documents`, in their order."""
    resources = []
    for document in documents:
        value = document.value
        if isinstance(value, dict) and "apiVersion" in value and "kind" in value:
            group = value["apiVersion"].rpartition("/")[0]
            meta = value.get("metadata") or {}
            namespace = meta.get("namespace") or default_namespace
            if scope_of(group, value["kind"]) == "Cluster":
                namespace = ""
            resources.append(
                Resource(
                    ResourceId(group, value["kind"], namespace, meta.get("name") or ""),
                    value["apiVersion"],
                    value,
                    document.origin,
                )
            )
    return Objects(tuple(resources))
