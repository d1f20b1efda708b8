"""Ingress and IngressClass."""

from meshplan.kinds.kind import Kind

INGRESS = Kind(
    group="networking.k8s.io",
    kind="Ingress",
    plural="ingresses",
    scope="Namespaced",
    versions=("v1",),
    list_keys={
        "spec.rules": ("host",),
        "spec.rules.http.paths": ("path", "pathType"),
        "spec.tls.hosts": (),
    },
    defaults={"spec.rules.host": ""},
)

INGRESS_CLASS = Kind(
    group="networking.k8s.io",
    kind="IngressClass",
    plural="ingressclasses",
    scope="Cluster",
    versions=("v1", "v1beta1"),
    defaults={"spec.parameters.scope": "Cluster"},
    immutable=("spec.controller",),
)
