"""ProxyConfig: settings of proxies, read when a pod starts."""

from meshplan.kinds.kind import Kind

PROXY_CONFIG = Kind(
    group="networking.istio.io",
    kind="ProxyConfig",
    plural="proxyconfigs",
    scope="Namespaced",
    versions=("v1beta1",),
    defaults={
        "spec.selector": {},
        "spec.selector.matchLabels": {},
        "spec.environmentVariables": {},
    },
)
