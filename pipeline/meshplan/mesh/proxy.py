"""Proxies: the gateways and sidecars through which requests pass."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from meshplan.dataclass import dataclass


class ProxyKind(StrEnum):
    """Where a proxy stands."""

    SIDECAR = "sidecar"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A class of proxies that are configured alike: same kind, namespace and labels."""

    kind: ProxyKind
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    service_account: str = "default"
    #: Proxies are the keys of much that is remembered.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = (self.kind, self.namespace, self.service_account, *sorted(self.labels.items()))
        object.__setattr__(self, "_hash", hash(parts))

    def __hash__(self) -> int:
        return self._hash

    def dns_domain(self, domain: str) -> str:
        """The search domain of its pod."""
        return f"{self.namespace}.svc.{domain}"


def sidecar(namespace: str, labels: Mapping[str, str] | None = None) -> Proxy:
    """The sidecars of pods with these labels."""
    return Proxy(ProxyKind.SIDECAR, namespace, labels or {})


def gateway(namespace: str, labels: Mapping[str, str] | None = None) -> Proxy:
    """The pods of a gateway with these labels."""
    return Proxy(ProxyKind.GATEWAY, namespace, labels or {})
