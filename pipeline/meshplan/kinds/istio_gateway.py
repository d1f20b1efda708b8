"""Istio's Gateway: ports and hosts that gateway pods listen on."""

from meshplan.kinds.kind import Kind

GATEWAY = Kind(
    group="networking.istio.io",
    kind="Gateway",
    plural="gateways",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    list_keys={
        "spec.servers": ("port.name",),
        "spec.servers.hosts": (),
        "spec.servers.tls.subjectAltNames": (),
        "spec.servers.tls.verifyCertificateSpki": (),
        "spec.servers.tls.verifyCertificateHash": (),
    },
    unordered=("spec.servers",),
    defaults={
        "spec.selector": {},
        "spec.servers.tls.mode": "PASSTHROUGH",
        "spec.servers.tls.httpsRedirect": False,
        "spec.servers.tls.minProtocolVersion": "TLS_AUTO",
        "spec.servers.tls.maxProtocolVersion": "TLS_AUTO",
    },
)
