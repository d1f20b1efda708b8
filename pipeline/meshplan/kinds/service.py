"""Service."""

from collections.abc import Iterable, Mapping
from typing import Any

from meshplan.kinds.kind import Kind
from meshplan.resource import Manifest


def _outside(spec: Mapping[str, Any]) -> str | None:
    """The default of what only Services that are reached from outside the cluster have."""
    return "Cluster" if spec.get("type") in ("NodePort", "LoadBalancer") else None


def _inside(value: str) -> Any:
    """The default of what only Services with an address have."""
    return lambda spec: None if spec.get("type") == "ExternalName" else value


def _locked(before: Manifest, after: Manifest) -> Iterable[str]:
    """A Service keeps its address, and whether it has one, until it stops or starts to be an alias."""
    old, new = (_spec(manifest) for manifest in (before, after))
    if "ExternalName" in (old.get("type"), new.get("type")):
        return ()
    here, there = (spec.get("clusterIP") or "" for spec in (old, new))
    kept = here == there or (not there and here != "None")
    return () if kept else ("spec.clusterIP", "spec.clusterIPs")


def _spec(manifest: Manifest) -> Mapping[str, Any]:
    spec = manifest.get("spec")
    return spec if isinstance(spec, Mapping) else {}


SERVICE = Kind(
    group="",
    kind="Service",
    plural="services",
    scope="Namespaced",
    versions=("v1",),
    list_keys={
        "spec.ports": ("port", "protocol"),
        "spec.externalIPs": (),
        "spec.loadBalancerSourceRanges": (),
    },
    unordered=("spec.ports",),
    defaults={
        "spec.type": "ClusterIP",
        "spec.clusterIP": "",
        "spec.selector": {},
        "spec.sessionAffinity": "None",
        "spec.publishNotReadyAddresses": False,
        "spec.internalTrafficPolicy": _inside("Cluster"),
        "spec.ipFamilyPolicy": _inside("SingleStack"),
        "spec.externalTrafficPolicy": _outside,
        "spec.allocateLoadBalancerNodePorts": lambda spec: (
            True if spec.get("type") == "LoadBalancer" else None
        ),
        "spec.sessionAffinityConfig": lambda spec: (
            {} if spec.get("sessionAffinity") == "ClientIP" else None
        ),
        "spec.sessionAffinityConfig.clientIP": {},
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds": 10800,
        "spec.ports.name": "",
        "spec.ports.protocol": "TCP",
        "spec.ports.targetPort": lambda port: port.get("port"),
    },
    locked=_locked,
)
