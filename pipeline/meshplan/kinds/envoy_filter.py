"""EnvoyFilter: patches of the proxies' configuration."""

from meshplan.kinds.kind import Kind

ENVOY_FILTER = Kind(
    group="networking.istio.io",
    kind="EnvoyFilter",
    plural="envoyfilters",
    scope="Namespaced",
    versions=("v1alpha3",),
)
