"""EnvoyFilter: patches of the proxies' configuration."""

from meshplan.kinds.kind import Kind

ENVOY_FILTER = Kind(
    group="networking.istio.io",
    kind="EnvoyFilter",
    plural="envoyfilters",
    scope="Namespaced",
    versions=("v1alpha3",),
    defaults={
        "spec.workloadSelector.labels": {},
        "spec.priority": 0,
        "spec.configPatches.match": {},
        "spec.configPatches.match.context": "ANY",
        "spec.configPatches.patch.filterClass": "UNSPECIFIED",
    },
    opaque=("spec.configPatches.patch.value",),
)
