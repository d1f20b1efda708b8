"""WasmPlugin and TrafficExtension: code that proxies run."""

from meshplan.kinds.kind import Kind, under

_LISTS = {"spec.targetRefs": ("group", "kind", "name"), "spec.match.ports": ("number",)}
_UNORDERED = ("spec.targetRefs", "spec.match.ports")

#: What both kinds say about a module.
_MODULE = {
    "imagePullPolicy": "UNSPECIFIED_POLICY",
    "failStrategy": "FAIL_CLOSE",
    "type": "UNSPECIFIED_PLUGIN_TYPE",
}

WASM_PLUGIN = Kind(
    group="extensions.istio.io",
    kind="WasmPlugin",
    plural="wasmplugins",
    scope="Namespaced",
    versions=("v1alpha1",),
    list_keys={**_LISTS, "spec.vmConfig.env": ("name",)},
    unordered=(*_UNORDERED, "spec.vmConfig.env"),
    defaults={
        "spec.selector": {},
        "spec.selector.matchLabels": {},
        "spec.phase": "UNSPECIFIED_PHASE",
    }
    | under("spec", _MODULE),
    opaque=("spec.pluginConfig",),
)

TRAFFIC_EXTENSION = Kind(
    group="extensions.istio.io",
    kind="TrafficExtension",
    plural="trafficextensions",
    scope="Namespaced",
    versions=("v1alpha1",),
    list_keys={**_LISTS, "spec.wasm.vmConfig.env": ("name",)},
    unordered=(*_UNORDERED, "spec.wasm.vmConfig.env"),
    defaults={"spec.selector": {}, "spec.selector.matchLabels": {}} | under("spec.wasm", _MODULE),
    opaque=("spec.wasm.pluginConfig",),
)
