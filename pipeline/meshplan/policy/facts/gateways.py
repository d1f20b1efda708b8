"""Gateways: which are there, what they serve, and whether anybody reaches their ports."""

from collections.abc import Iterator, Mapping
from typing import Any

from meshplan.mesh import Mesh
from meshplan.mesh.gateway import Gateway
from meshplan.mesh.hosts import matches
from meshplan.mesh.proxy import Proxy
from meshplan.mesh.proxy import gateway as gateway_proxy
from meshplan.mesh.read import at, mapping, mappings, number, text, texts
from meshplan.mesh.service import MeshService
from meshplan.mesh.workload import Workload, matches_labels
from meshplan.policy.facts.hosts import is_placeholder, named
from meshplan.policy.facts.json import Json
from meshplan.policy.facts.settings import minor
from meshplan.settings import World

#: Ports below this one are only for privileged processes, unless the pod says otherwise.
_PRIVILEGED = 1024
#: From here on the template for gateways lets their pods listen on any port.
_UNPRIVILEGED = 21


def gateway(mesh: Mesh, name: str, namespace: str) -> Json:
    """`mesh.gateway(gateway, namespace)`."""
    full = mesh.resolve_gateway(name, namespace)
    known = full == "mesh" or mesh.gateway(full) is not None
    return {"full": full, "known": known, "missing": not known and mesh.world is World.CLOSED}


def gateway_serves(mesh: Mesh, name: str, namespace: str, host: str) -> Json:
    """`mesh.gateway_serves(gateway, namespace, host)`."""
    found = mesh.gateway(mesh.resolve_gateway(name, namespace))
    if found is None or is_placeholder(host):
        return "unknown"
    wanted = mesh.resolve_host(host, namespace)
    served = [h for server in found.servers for h in server.hosts_for(namespace)]
    if any(matches(h, wanted) for h in served):
        return "yes"
    return "unknown" if any(map(is_placeholder, served)) else "no"


def gateway_port(mesh: Mesh, namespace: str, name: str, port: int) -> Json:
    """`mesh.gateway_port(namespace, name, port)`."""
    found = mesh.gateway(f"{namespace}/{name}")
    if found is None or not found.selector:
        return {}
    workloads = [
        w for w in mesh.workloads if w.endpoint is None and found.selects(w.namespace, w.labels)
    ]
    services = list(_services(mesh, found, workloads))
    exposing = [service for service in services if _leads_to(mesh, service, port)]
    answer: dict[str, Json] = {
        "services": [named(service.id) for service in services],
        "workloads": [f"{w.id.kind}/{named(w.id)}" for w in workloads],
    }
    if services:
        answer["exposed"] = "yes" if exposing else "no"
    if workloads:
        answer |= _listening(mesh, found, workloads, port)
    elif reason := _skipped(mesh, found, gateway_proxy(found.namespace, found.selector), port):
        # Whatever pods there are elsewhere, they have the labels that the Gateway asks for.
        answer["skipped"] = reason
    return answer


def _services(mesh: Mesh, found: Gateway, workloads: list[Workload]) -> Iterator[MeshService]:
    """The Services that lead to the pods of a Gateway: to its workloads, or to its labels.

    Pods that are not in the tree have the labels that the Gateway selects, and more.
    """
    for service in mesh.registry.services:
        if not service.selector:
            continue
        if workloads:
            if any(
                w.namespace == service.namespace and matches_labels(service.selector, w.labels)
                for w in workloads
            ):
                yield service
        elif found.selector and matches_labels(service.selector, found.selector):
            yield service


def _leads_to(mesh: Mesh, service: MeshService, port: int) -> bool:
    """Whether a Service leads to what a Gateway means by a port.

    That is a port of the Service, or, if no Service has such a port, one of the pods.
    """
    if service.port(port) is not None:
        return True
    labels = service.selector or {}
    targets = (mesh.running.port_number(p, service.namespace, labels) for p in service.ports)
    return port in targets


def _listening(mesh: Mesh, found: Gateway, workloads: list[Workload], port: int) -> dict[str, Json]:
    """Where the pods would listen for a port, and whether they can."""
    answer: dict[str, Json] = {}
    for one in workloads:
        proxy = gateway_proxy(one.namespace, one.labels)
        target = mesh.target_port(port, proxy)
        answer.setdefault("target", target)
        if answer.get("bindable") != "no":
            answer["bindable"] = _bindable(mesh, one, target)
        if reason := _skipped(mesh, found, proxy, port):
            answer["skipped"] = reason
    return answer


def _skipped(mesh: Mesh, found: Gateway, proxy: Proxy, port: int) -> str:
    """Why a server of a Gateway is left out; "" where it is not."""
    for server, reason in mesh.servers(proxy).skipped:
        if server.gateway == found.id and server.port == port:
            return reason
    return ""


def _bindable(mesh: Mesh, workload: Workload, port: int) -> str:
    """Whether the processes of a gateway may listen on a port: yes, no, unknown."""
    if port >= _PRIVILEGED:
        return "yes"
    resource = mesh.snapshot.get(workload.id)
    template = mapping(at(resource.manifest, "spec", "template")) if resource else {}
    pod = mapping(template.get("spec"))
    if not pod:
        return "unknown"
    # What the template says replaces what the pod says.
    templates = text(at(template, "metadata", "annotations", "inject.istio.io/templates"))
    if "gateway" in templates.split(",") and minor(mesh.config.istio_version) >= _UNPRIVILEGED:
        return "yes"
    for control in mappings(at(pod, "securityContext", "sysctls")):
        if control.get("name") == "net.ipv4.ip_unprivileged_port_start":
            return "yes" if number(control.get("value")) <= port else "no"
    container = _proxy_container(pod)
    added = texts(at(container, "securityContext", "capabilities", "add"))
    if "NET_BIND_SERVICE" in added or "ALL" in added:
        # Without root it depends on the file whether the capability takes effect.
        return "yes" if _user(pod, container) == 0 else "unknown"
    user = _user(pod, container)
    if user is None:
        # The template of the injector sets the user where `image: auto` asks for it.
        return "unknown"
    return "yes" if user == 0 else "no"


def _proxy_container(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = mappings(pod.get("containers"))
    own = (c for c in containers if c.get("name") == "istio-proxy")
    return next(own, containers[0] if containers else {})


def _user(pod: Mapping[str, Any], container: Mapping[str, Any]) -> int | None:
    """The user that a container runs as; None where the image decides."""
    for context in (container.get("securityContext"), pod.get("securityContext")):
        user = mapping(context).get("runAsUser")
        if isinstance(user, int):
            return user
    return None
