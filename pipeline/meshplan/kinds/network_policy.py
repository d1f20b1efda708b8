"""NetworkPolicy."""

from collections.abc import Mapping
from typing import Any

from meshplan.kinds.kind import Kind


def _policy_types(spec: Mapping[str, Any]) -> list[str]:
    return ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


NETWORK_POLICY = Kind(
    group="networking.k8s.io",
    kind="NetworkPolicy",
    plural="networkpolicies",
    scope="Namespaced",
    versions=("v1",),
    list_keys={
        "spec.policyTypes": (),
        "spec.ingress": (),
        "spec.ingress.from": (),
        "spec.ingress.ports": (),
        "spec.egress": (),
        "spec.egress.to": (),
        "spec.egress.ports": (),
    },
    defaults={
        "spec.podSelector": {},
        "spec.podSelector.matchLabels": {},
        "spec.policyTypes": _policy_types,
        "spec.ingress.ports.protocol": "TCP",
        "spec.egress.ports.protocol": "TCP",
    },
)
