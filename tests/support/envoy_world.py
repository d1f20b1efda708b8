"""What the objects of a mesh say about services and workloads: the half of Istio's documented
translation that proxies have in common. It shares no code with meshplan's model.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]

ROOT_NAMESPACE = "istio-system"
_DOMAIN = "svc.cluster.local"
_TLS_MODE = "security.istio.io/tlsMode"


@dataclass(frozen=True)
class Endpoint:
    """One address behind a service, and the workload that has it."""

    #: As the model names it: `address:port`, or the object and the port.
    name: str
    port: int
    namespace: str
    labels: Mapping[str, str]
    has_sidecar: bool


@dataclass(frozen=True)
class Service:
    """A host of the mesh."""

    host: str
    namespace: str
    #: By number: the name.
    ports: Mapping[int, str]
    export_to: tuple[str, ...]
    #: By number of the port.
    endpoints: Mapping[int, tuple[Endpoint, ...]]

    def is_exported_to(self, namespace: str) -> bool:
        """Whether a namespace may see it."""
        return is_exported(self.export_to, self.namespace, namespace)


@dataclass(frozen=True)
class State:
    """All objects of one state of a mesh."""

    objects: tuple[Object, ...]
    auto_mtls: bool = True
    _services: list[Service] = field(default_factory=list)

    def of(self, kind: str) -> list[Object]:
        """The objects of a kind by name: without times istiod lets the first name win."""
        found = [one for one in self.objects if one["kind"] == kind]
        return sorted(found, key=lambda one: (name_of(one), namespace_of(one)))

    @property
    def services(self) -> list[Service]:
        """All services, made once."""
        if not self._services:
            self._services.extend(_service(self, one) for one in self.of("Service"))
            self._services.extend(_entries(self))
        return self._services

    def visible(self, namespace: str) -> list[Service]:
        """The services that sidecars of a namespace know: exported, and in their Sidecar."""
        found = [one for one in self.services if one.is_exported_to(namespace)]
        sidecar = next((s for s in self.of("Sidecar") if namespace_of(s) == namespace), None)
        if sidecar is None:
            return found
        wanted = [host for entry in sidecar["spec"]["egress"] for host in entry["hosts"]]
        return [one for one in found if any(_imports(w, one, namespace) for w in wanted)]

    def destination_rule(self, service: Service, client: str) -> Object | None:
        """The rule of the client's namespace, else of the service's, else of the root's."""
        for where in (client, service.namespace, ROOT_NAMESPACE):
            found = [
                rule
                for rule in self.of("DestinationRule")
                if namespace_of(rule) == where
                and matches(full_name(rule["spec"]["host"], where), service.host)
                and is_exported(tuple(rule["spec"].get("exportTo", ())), where, client)
            ]
            if found:
                return max(found, key=lambda rule: len(rule["spec"]["host"].lstrip("*")))
        return None

    def mtls_mode(self, namespace: str, labels: Mapping[str, str], port: int) -> str:
        """The mode of the narrowest PeerAuthentication that says one."""
        for found in self._peer_authentications(namespace, labels):
            spec = found["spec"]
            stated = spec.get("portLevelMtls", {}).get(port, {}).get("mode", "UNSET")
            if stated == "UNSET":
                stated = spec.get("mtls", {}).get("mode", "UNSET")
            if stated != "UNSET":
                return str(stated)
        return "PERMISSIVE"

    def _peer_authentications(self, namespace: str, labels: Mapping[str, str]) -> Iterator[Object]:
        everything = self.of("PeerAuthentication")
        own = [one for one in everything if namespace_of(one) == namespace]
        yield from (one for one in own if _selects(one, labels) is True)
        yield from (one for one in own if _selects(one, labels) is None)
        yield from (one for one in everything if namespace_of(one) == ROOT_NAMESPACE)

    def policies(self, namespace: str, labels: Mapping[str, str]) -> list[Object]:
        """The AuthorizationPolicies for a workload."""
        return [
            one
            for one in self.of("AuthorizationPolicy")
            if namespace_of(one) in (namespace, ROOT_NAMESPACE)
            and _selects(one, labels) is not False
        ]


def name_of(found: Object) -> str:
    """`metadata.name`."""
    return str(found["metadata"]["name"])


def namespace_of(found: Object) -> str:
    """`metadata.namespace`."""
    return str(found["metadata"].get("namespace", "default"))


def full_name(host: str, namespace: str) -> str:
    """Short names are those of the namespace of the rule."""
    return host if "." in host or host == "*" else f"{host}.{namespace}.{_DOMAIN}"


def matches(pattern: str, host: str) -> bool:
    """Whether a host, or a pattern with a leading `*`, covers a host."""
    return pattern == host or (pattern.startswith("*") and host.endswith(pattern[1:]))


def is_exported(export_to: tuple[str, ...], own: str, namespace: str) -> bool:
    """What `exportTo` says to a namespace."""
    return not export_to or any(
        where in ("*", namespace) or (where == "." and own == namespace) for where in export_to
    )


def _selects(found: Object, labels: Mapping[str, str]) -> bool | None:
    selector = found.get("spec", {}).get("selector")
    return None if selector is None else _has(labels, selector["matchLabels"])


def _has(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return wanted.items() <= labels.items()


def _imports(wanted: str, service: Service, namespace: str) -> bool:
    where, _, host = wanted.partition("/")
    where = namespace if where == "." else where
    return where in ("*", service.namespace) and matches(host, service.host)


def _service(state: State, found: Object) -> Service:
    """A Service, and the pods of the Deployments that it selects."""
    namespace, spec = namespace_of(found), found["spec"]
    pods = [
        (one, one["spec"]["template"]["metadata"]["labels"])
        for one in state.of("Deployment")
        if namespace_of(one) == namespace
    ]
    chosen = [(one, labels) for one, labels in pods if _has(labels, spec.get("selector", {}))]
    ports = {entry["port"]: entry for entry in spec["ports"]}

    def endpoint(one: Object, labels: Mapping[str, str], target: int) -> Endpoint:
        shown = f"Deployment {namespace}/{name_of(one)}:{target}"
        return Endpoint(shown, target, namespace, labels, has_sidecar=True)

    return Service(
        f"{name_of(found)}.{namespace}.{_DOMAIN}",
        namespace,
        {number: entry["name"] for number, entry in ports.items()},
        (),
        {
            number: tuple(endpoint(*pod, entry.get("targetPort", number)) for pod in chosen)
            for number, entry in ports.items()
        },
    )


def _entries(state: State) -> Iterable[Service]:
    """ServiceEntries with addresses, one service for each host."""
    for found in state.of("ServiceEntry"):
        spec, namespace = found["spec"], namespace_of(found)
        ports = {entry["number"]: entry["name"] for entry in spec["ports"]}
        for host in spec["hosts"]:
            yield Service(
                host,
                namespace,
                ports,
                tuple(spec.get("exportTo", ())),
                {
                    number: tuple(
                        _written(one, number, name, namespace) for one in spec.get("endpoints", ())
                    )
                    for number, name in ports.items()
                },
            )


def _written(found: Object, number: int, name: str, namespace: str) -> Endpoint:
    port = found.get("ports", {}).get(name, number)
    labels = found.get("labels", {})
    has_sidecar = labels.get(_TLS_MODE) == "istio"
    return Endpoint(f"{found['address']}:{port}", port, namespace, labels, has_sidecar)
