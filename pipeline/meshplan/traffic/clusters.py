"""The clusters and endpoints of a class of proxies (CDS, EDS), looked up by name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.mesh.destination_rule import DestinationRule, Subset
from meshplan.mesh.hosts import namespace_of
from meshplan.mesh.model import Mesh
from meshplan.mesh.proxy import Proxy, ProxyKind
from meshplan.mesh.read import at, mappings, number, text
from meshplan.mesh.security import MutualTls
from meshplan.mesh.service import (
    MeshService,
    Port,
    Protocol,
    Registry,
    Resolution,
)
from meshplan.traffic.outcome import Transport
from meshplan.traffic.table import ClusterName
from meshplan.traffic.upstreams import DNS, Upstream, unseen, upstreams, with_labels


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that exists."""

    name: ClusterName
    upstreams: tuple[Upstream, ...]
    #: The original destination of the connection, whatever endpoints are known.
    passthrough: bool
    #: The service, and the DestinationRules that shape it, as they decided.
    service: ResourceId | None
    rule: tuple[ResourceId, ...]
    subset_source: ResourceId | None
    policy: Mapping[str, Any]


class Clusters:
    """The clusters of one class of proxies in one mesh."""

    def __init__(self, mesh: Mesh, proxy: Proxy):
        self.mesh = mesh
        self._proxy = proxy
        self._scope = mesh.scope(proxy)
        self._found: dict[ClusterName, Cluster | None] = {}

    def get(self, name: ClusterName) -> Cluster | None:
        """The cluster of this name; None where there is none (503 NC)."""
        if name not in self._found:
            self._found[name] = self._build(name)
        return self._found[name]

    def service(self, host: str) -> MeshService | None:
        """The service of a host, if there is one."""
        return self._scope.service(host)

    def _build(self, name: ClusterName) -> Cluster | None:
        service = self._scope.service(name.host)
        if service is None:
            return None if self.mesh.declares(name.host) else self._foreign(name)
        port = service.port(name.port)
        if port is None or port.protocol is Protocol.UDP or service.resolution in _WITHOUT:
            return None
        rule = self._scope.destination_rule(service)
        subset = rule.subset(name.subset) if rule and name.subset else None
        if name.subset and subset is None:
            return None
        policy = effective_policy(rule, subset, port.number)
        passthrough = self._is_passthrough(service, subset, policy)
        everything = tuple(upstreams(self.mesh, service, port))
        headless = service.resolution is Resolution.PASSTHROUGH
        if passthrough and headless and service.registry is Registry.KUBERNETES:
            everything = tuple(_dialled(found, port.number) for found in everything)
        endpoints = with_labels(everything, subset)
        if not everything:
            # Nobody here runs behind the service; in an open world somebody elsewhere does.
            endpoints = everything = unseen(self.mesh, service, port, subset)
        if service.resolution in DNS and not endpoints and not passthrough:
            return None
        if self._proxy.kind is ProxyKind.SIDECAR and _is_ignored(policy, rule):
            policy = {**policy, "tls": {"mode": "DISABLE"}}
        transports = _Transports(self.mesh, service, port, rule, subset, policy)
        return Cluster(
            name=name,
            upstreams=tuple(
                replace(found, transport=transports.to(found, everything)) for found in endpoints
            ),
            passthrough=passthrough,
            service=service.id,
            rule=rule.sources if rule else (),
            subset_source=subset.source if subset else None,
            policy=policy,
        )

    def _foreign(self, name: ClusterName) -> Cluster | None:
        """A cluster of a host that is not declared here: what is behind it is not known.

        Its DestinationRules may be here all the same; a subset that they lack does not exist.
        """
        namespace = namespace_of(name.host, self.mesh.config.cluster_domain)
        rule = self.mesh.destination_rules.for_proxy(
            name.host, namespace, self._proxy.namespace, self._proxy.labels
        )
        subset = rule.subset(name.subset) if rule and name.subset else None
        if rule is not None and name.subset and subset is None:
            return None
        labels = dict(subset.labels) if subset else {}
        shown = "".join(f",{key}={value}" for key, value in sorted(labels.items()))
        if name.subset and subset is None:
            shown = f",subset={name.subset}"
        policy = effective_policy(rule, subset, name.port)
        mode = text(at(policy, "tls", "mode"))
        return Cluster(
            name=name,
            upstreams=(
                Upstream(
                    name=f"{name.host}:{name.port}{shown}",
                    port=name.port,
                    labels=labels,
                    namespace=namespace,
                    has_sidecar=False,
                    transport=_stated_transport(mode),
                    source=None,
                    opaque=True,
                ),
            ),
            passthrough=False,
            service=None,
            rule=rule.sources if rule else (),
            subset_source=subset.source if subset else None,
            policy=policy,
        )

    def _is_passthrough(
        self, service: MeshService, subset: Subset | None, policy: Mapping[str, Any]
    ) -> bool:
        """Whether connections go to their original destination (`convertResolution`)."""
        if "PASSTHROUGH" in (
            at(policy, "loadBalancer", "simple"),
            at(subset.policy if subset else None, "loadBalancer", "simple"),
        ):
            return True
        return (
            service.resolution is Resolution.PASSTHROUGH and self._proxy.kind is ProxyKind.SIDECAR
        )


#: Services without clusters: DYNAMIC_DNS is for waypoints alone (`buildOutboundClusters`).
_WITHOUT = frozenset((Resolution.ALIAS, Resolution.DYNAMIC_DNS))


class _Transports:
    """What a cluster speaks to its endpoints: the DestinationRule's word, else auto-mTLS."""

    def __init__(
        self,
        mesh: Mesh,
        service: MeshService,
        port: Port,
        rule: DestinationRule | None,
        subset: Subset | None,
        policy: Mapping[str, Any],
    ):
        self._mesh = mesh
        self._service = service
        self._stated = at(policy, "tls")
        self._endpoint_mode = _endpoint_mode(rule, subset, port.number)
        top = subset.policy if subset else (rule.policy if rule else None)
        self._load_balancing = at(top, "loadBalancer", "simple")

    def to(self, upstream: Upstream, endpoints: tuple[Upstream, ...]) -> Transport:
        """What is spoken to one endpoint (`buildUpstreamTLSSettings`)."""
        if isinstance(self._stated, Mapping):
            return _stated_transport(text(self._stated.get("mode")))
        if not self._is_automatic(endpoints) or not upstream.has_sidecar:
            return Transport.PLAINTEXT
        return Transport.MTLS if self._accepts_mtls(upstream) else Transport.PLAINTEXT

    def _is_automatic(self, endpoints: tuple[Upstream, ...]) -> bool:
        """`BestEffortInferServiceMTLSMode`."""
        if self._service.external or not self._mesh.config.enable_auto_mtls:
            return False
        passes = "PASSTHROUGH" in (self._load_balancing, self._service.resolution.name)
        if passes and not (endpoints and all(found.has_sidecar for found in endpoints)):
            return False
        mode = self._mesh.namespace_peer_authentication(self._service.namespace).mode
        return mode is not MutualTls.DISABLE

    def _accepts_mtls(self, upstream: Upstream) -> bool:
        """`checkMtlsEnabled`: the DestinationRule's mode again, else what the server accepts."""
        if self._endpoint_mode:
            return self._endpoint_mode == "ISTIO_MUTUAL"
        accepted = self._mesh.peer_authentication(
            upstream.namespace, upstream.labels, upstream.port
        )
        return accepted.mode is not MutualTls.DISABLE


def _dialled(found: Upstream, port: int) -> Upstream:
    """A pod that clients dial themselves: nobody translates the port of the Service."""
    return replace(found, name=f"{found.name.rpartition(':')[0]}:{port}", port=port)


def _is_ignored(policy: Mapping[str, Any], rule: DestinationRule | None) -> bool:
    """Whether a credential is named that sidecars do not get: then they speak plaintext.

    Only gateways, and clients that the rule selects, may read Secrets
    (`buildUpstreamClusterTLSContext`).
    """
    name = text(at(policy, "tls", "credentialName"))
    if not name or name.startswith("configmap://") or (rule is not None and rule.selector):
        return False
    return at(policy, "tls", "mode") in ("SIMPLE", "MUTUAL")


def effective_policy(
    rule: DestinationRule | None, subset: Subset | None, port: int
) -> Mapping[str, Any]:
    """The traffic policy of a cluster (`MergeSubsetTrafficPolicy`).

    Settings of a port take the place of all others on their level; those of a subset that of the
    rule's, field by field.
    """
    base, _ = _port_policy(rule.policy if rule else None, port)
    if subset is None or subset.policy is None:
        return base
    own, is_port = _port_policy(subset.policy, port)
    if is_port:
        base = {k: v for k, v in base.items() if k not in _REPLACED}
    return {**base, **own}


_REPLACED = ("connectionPool", "outlierDetection", "loadBalancer", "tls")


def _port_policy(policy: Mapping[str, Any] | None, port: int) -> tuple[Mapping[str, Any], bool]:
    if policy is None:
        return {}, False
    for entry in mappings(policy.get("portLevelSettings")):
        if number(at(entry, "port", "number")) == port:
            return {k: v for k, v in entry.items() if k != "port" and v is not None}, True
    return {k: v for k, v in policy.items() if k != "portLevelSettings" and v is not None}, False


def _endpoint_mode(rule: DestinationRule | None, subset: Subset | None, port: int) -> str:
    """The TLS mode that istiod looks up for endpoints (`tlsModeForDestinationRule`).

    Unlike for the cluster itself a subset does not inherit here, and settings of a port do.
    """
    policy = subset.policy if subset else (rule.policy if rule else None)
    if policy is None:
        return ""
    mode = _mode(policy)
    for entry in mappings(policy.get("portLevelSettings")):
        if number(at(entry, "port", "number")) == port and isinstance(entry.get("tls"), Mapping):
            return _mode(entry)
    return mode


def _mode(policy: Mapping[str, Any]) -> str:
    tls = policy.get("tls")
    return (text(tls.get("mode")) or "DISABLE") if isinstance(tls, Mapping) else ""


def _stated_transport(mode: str) -> Transport:
    """What a mode of TLS means; plaintext for DISABLE, the first of the enum, and no mode."""
    match mode:
        case "ISTIO_MUTUAL":
            return Transport.MTLS
        case "SIMPLE" | "MUTUAL":
            return Transport.TLS
        case _:
            return Transport.PLAINTEXT
