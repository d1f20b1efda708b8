"""ServiceEntry: a host that is added to the service registry."""

from meshplan.kinds.kind import Kind

SERVICE_ENTRY = Kind(
    group="networking.istio.io",
    kind="ServiceEntry",
    plural="serviceentries",
    scope="Namespaced",
    versions=("v1", "v1beta1", "v1alpha3"),
    list_keys={
        "spec.hosts": (),
        "spec.addresses": (),
        "spec.exportTo": (),
        "spec.subjectAltNames": (),
        "spec.ports": ("name",),
        "spec.endpoints": ("address", "network"),
    },
    unordered=("spec.ports", "spec.endpoints"),
    defaults={
        "spec.location": "MESH_EXTERNAL",
        "spec.resolution": "NONE",
        "spec.ports.targetPort": lambda port: port.get("number"),
        "spec.workloadSelector.labels": {},
        "spec.endpoints.labels": {},
        "spec.endpoints.ports": {},
    },
)
