"""Hosts, their ports and subsets, as clients of a namespace see them."""

from meshplan.identity import ResourceId
from meshplan.mesh import Mesh
from meshplan.mesh.destination_rule import DestinationRule
from meshplan.mesh.hosts import is_wildcard, namespace_of, wildcards_above
from meshplan.mesh.proxy import sidecar
from meshplan.mesh.service import MeshService, Resolution
from meshplan.mesh.workload import matches_labels
from meshplan.policy.facts.json import Json
from meshplan.policy.facts.urls import Url, urls
from meshplan.settings import World

#: Schemes of URLs and the ports that they stand for.
_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443, "grpc": 0, "tcp": 0}


def host(mesh: Mesh, name: str, namespace: str) -> Json:
    """`mesh.host(host, namespace)`."""
    full = mesh.resolve_host(name, namespace)
    found = visible(mesh, full, namespace)
    hidden = found is None and full in mesh.registry.by_host
    answer: dict[str, Json] = {
        "full": full,
        "hidden": hidden,
        "known": found is not None,
        "missing": found is None and (hidden or _absent(mesh, full)),
    }
    if found is not None:
        answer |= _described(mesh, found)
    return answer


def visible(mesh: Mesh, full: str, namespace: str) -> MeshService | None:
    """The service that a namespace sees for a host, also one declared with a wildcard."""
    found = mesh.service(full, namespace)
    if found is None and full not in mesh.registry.by_host:
        for pattern in wildcards_above(full):
            if pattern in mesh.registry.by_host:
                return mesh.service(pattern, namespace)
    return found


def _absent(mesh: Mesh, full: str) -> bool:
    """Whether a host that is not declared cannot be declared elsewhere."""
    return bool(full) and not is_wildcard(full) and not is_placeholder(full) and mesh.declares(full)


def is_placeholder(name: str) -> bool:
    """Whether something else is put into a name before it is applied, as in `${DOMAIN}`."""
    return any(sign in name for sign in ("${", "$(", "{{", "<"))


def _described(mesh: Mesh, service: MeshService) -> dict[str, Json]:
    ports: list[Json] = [
        {
            "name": port.name,
            "number": port.number,
            "protocol": str(port.protocol),
            "target": str(port.target or port.number),
        }
        for port in service.ports
    ]
    running = [w for w in mesh.workloads_of(service) if w.running]
    return {
        "endpoints": len(running) + len(service.endpoints),
        "external": service.external,
        "namespace": service.namespace,
        "ports": ports,
        "resolution": "" if service.resolution is Resolution.STATIC else service.resolution.value,
    }


def subset(mesh: Mesh, name: str, wanted: str, namespace: str) -> Json:
    """`mesh.subset(host, subset, namespace)`."""
    full = mesh.resolve_host(name, namespace)
    rule = rule_of(mesh, full, namespace)
    found = rule.subset(wanted) if rule else None
    answer: dict[str, Json] = {
        "known": found is not None,
        "missing": found is None and _is_missing(mesh, full, rule, namespace),
        "others": [*sorted({s.name for s in rule.subsets})] if rule else [],
        "rule": named(rule.sources[0]) if rule else "",
    }
    service = visible(mesh, full, namespace)
    if found is not None and service is not None and service.selector is not None:
        workloads = [w for w in mesh.workloads_of(service) if w.running]
        if any(matches_labels(found.labels, w.labels) for w in workloads):
            answer["endpoints"] = "yes"
        elif workloads or mesh.world is World.CLOSED:
            # The pods are here, so that those of the subset would be.
            answer["endpoints"] = "no"
    return answer


def rule_of(mesh: Mesh, full: str, namespace: str) -> DestinationRule | None:
    """The DestinationRule that sidecars of a namespace use for a host."""
    service = visible(mesh, full, namespace)
    home = service.namespace if service else namespace_of(full, mesh.config.cluster_domain)
    return mesh.destination_rule(full, namespace, {}, home)


def _is_missing(mesh: Mesh, full: str, rule: DestinationRule | None, namespace: str) -> bool:
    """Whether no DestinationRule elsewhere can define a subset: as the model of clusters decides.

    Of a host that is declared here its rules are here too; of another one at least those rules
    are known that it has here.
    """
    if rule is not None:
        return True
    if mesh.world is World.CLOSED:
        return True
    return mesh.scope(sidecar(namespace)).service(full) is not None


def calls(mesh: Mesh, text: str, namespace: str) -> Json:
    """`mesh.calls(text, namespace)`."""
    return [_call(mesh, url, namespace) for url in urls(text)]


def _call(mesh: Mesh, url: Url, namespace: str) -> Json:
    candidates = list(dict.fromkeys(_full_names(mesh, url.host, namespace)))
    known = any(visible(mesh, full, namespace) is not None for full in candidates)
    closed = mesh.world is World.CLOSED
    declared = any(full in mesh.known.hosts for full in candidates)
    return {
        "host": url.host,
        "known": known,
        "missing": not known and (closed or declared),
        "port": url.port or _DEFAULT_PORTS.get(url.scheme, 0),
        "scheme": url.scheme,
    }


def _full_names(mesh: Mesh, name: str, namespace: str) -> list[str]:
    """What the resolver of a pod makes of a name: `reviews`, `reviews.shop`, `reviews.shop.svc`."""
    domain = mesh.config.cluster_domain
    dots = name.count(".")
    found = [name]
    if dots == 0:
        found.append(f"{name}.{namespace}.svc.{domain}")
    elif dots == 1:
        found.append(f"{name}.svc.{domain}")
    elif name.endswith(".svc"):
        found.append(f"{name}.{domain}")
    return found


def named(id_: ResourceId) -> str:
    """An object as `namespace/name`."""
    return f"{id_.namespace}/{id_.name}"
