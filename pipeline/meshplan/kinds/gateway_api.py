"""GatewayClass, Gateway and ListenerSet of the Gateway API."""

from collections.abc import Mapping

from meshplan.kinds.kind import Default, Kind, under

GROUP = "gateway.networking.k8s.io"

#: A reference in which only the name has to be written, by the kind it refers to.
TO_GATEWAY: Mapping[str, Default] = {"group": GROUP, "kind": "Gateway"}
TO_SERVICE: Mapping[str, Default] = {"group": "", "kind": "Service"}
_TO_SECRET: Mapping[str, Default] = {"group": "", "kind": "Secret"}

_LISTENER: Mapping[str, Default] = {
    "hostname": "",
    "allowedRoutes": {},
    "allowedRoutes.namespaces": {},
    "allowedRoutes.namespaces.from": "Same",
    "allowedRoutes.kinds.group": GROUP,
    "tls.mode": "Terminate",
    **under("tls.certificateRefs", _TO_SECRET),
}

_LISTENERS = {"spec.listeners": ("name",), "spec.listeners.allowedRoutes.kinds": ()}

GATEWAY_CLASS = Kind(
    group=GROUP,
    kind="GatewayClass",
    plural="gatewayclasses",
    scope="Cluster",
    versions=("v1", "v1beta1", "v1alpha2"),
    immutable=("spec.controllerName",),
)

GATEWAY = Kind(
    group=GROUP,
    kind="Gateway",
    plural="gateways",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha2"),
    list_keys={**_LISTENERS, "spec.tls.frontend.perPort": ("port",)},
    unordered=("spec.listeners", "spec.tls.frontend.perPort"),
    defaults={
        "spec.addresses.type": "IPAddress",
        "spec.allowedListeners.namespaces": {},
        "spec.allowedListeners.namespaces.from": "None",
        "spec.tls.frontend.default.validation.mode": "AllowValidOnly",
        "spec.tls.frontend.perPort.tls.validation.mode": "AllowValidOnly",
        **under("spec.listeners", _LISTENER),
        **under("spec.tls.backend.clientCertificateRef", _TO_SECRET),
    },
)

LISTENER_SET = Kind(
    group=GROUP,
    kind="ListenerSet",
    plural="listenersets",
    scope="Namespaced",
    versions=("v1",),
    list_keys=_LISTENERS,
    unordered=("spec.listeners",),
    defaults={**under("spec.listeners", _LISTENER), **under("spec.parentRef", TO_GATEWAY)},
)
