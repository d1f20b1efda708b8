"""CustomResourceDefinition: a kind that the API server learns."""

from collections.abc import Mapping
from typing import Any

from meshplan.kinds.kind import Kind


def _singular(names: Mapping[str, Any]) -> str | None:
    kind = names.get("kind")
    return kind.lower() if isinstance(kind, str) else None


def _list_kind(names: Mapping[str, Any]) -> str | None:
    kind = names.get("kind")
    return f"{kind}List" if isinstance(kind, str) else None


CUSTOM_RESOURCE_DEFINITION = Kind(
    group="apiextensions.k8s.io",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    scope="Cluster",
    versions=("v1",),
    list_keys={
        "spec.versions": ("name",),
        "spec.versions.additionalPrinterColumns": ("name",),
        "spec.names.shortNames": (),
        "spec.names.categories": (),
    },
    unordered=("spec.versions",),
    defaults={
        "spec.conversion": {},
        "spec.conversion.strategy": "None",
        "spec.conversion.webhook.clientConfig.service.port": 443,
        "spec.names.singular": _singular,
        "spec.names.listKind": _list_kind,
        "spec.preserveUnknownFields": False,
        "spec.versions.additionalPrinterColumns.priority": 0,
    },
    opaque=("spec.versions.schema.openAPIV3Schema",),
    immutable=("spec.group", "spec.scope", "spec.names.kind", "spec.names.plural"),
)
