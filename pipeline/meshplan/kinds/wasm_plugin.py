"""WasmPlugin and TrafficExtension: code that proxies run."""

from meshplan.kinds.kind import Kind

WASM_PLUGIN = Kind(
    group="extensions.istio.io",
    kind="WasmPlugin",
    plural="wasmplugins",
    scope="Namespaced",
    versions=("v1alpha1",),
)

TRAFFIC_EXTENSION = Kind(
    group="extensions.istio.io",
    kind="TrafficExtension",
    plural="trafficextensions",
    scope="Namespaced",
    versions=("v1alpha1",),
)
