"""Namespace."""

from collections.abc import Mapping

from meshplan.kinds.kind import Kind
from meshplan.resource import Manifest


def _with_own_name(manifest: Manifest) -> Manifest:
    """The API server labels each Namespace with its name."""
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        return manifest
    labels = metadata.get("labels") or {}
    if not isinstance(labels, Mapping):
        return manifest
    labels = {**labels, "kubernetes.io/metadata.name": metadata["name"]}
    return {**manifest, "metadata": {**metadata, "labels": labels}}


NAMESPACE = Kind(
    group="",
    kind="Namespace",
    plural="namespaces",
    scope="Cluster",
    versions=("v1",),
    defaults={"spec": {}, "spec.finalizers": ["kubernetes"]},
    rewrite=_with_own_name,
)
