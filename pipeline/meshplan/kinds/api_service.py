"""APIService: a group of kinds that another server answers for."""

from meshplan.kinds.kind import Kind

API_SERVICE = Kind(
    group="apiregistration.k8s.io",
    kind="APIService",
    plural="apiservices",
    scope="Cluster",
    versions=("v1", "v1beta1"),
    defaults={"spec.insecureSkipTLSVerify": False, "spec.service.port": 443},
)
