"""The keys by which the index finds objects, for kinds that tell them by themselves."""

from collections.abc import Iterator, Mapping

from meshplan.mesh.read import labels, mappings, texts
from meshplan.mesh.workload import pod_labels
from meshplan.proof.fields import authorities_of, selector_of, service_behind, shared_ports
from meshplan.resource import Resource

Key = tuple[str, ...]


def one_of(selector: Mapping[str, str]) -> tuple[str, ...]:
    """A label that all pods of a selector have; nothing if it is for all."""
    return next(iter(selector.items()), ())


def renaming_keys(resource: Resource) -> Iterator[Key]:
    """The hosts that a route may write into requests."""
    for host in authorities_of(resource):
        yield "renaming", "host", host


def policy_keys(resource: Resource) -> Iterator[Key]:
    """One label of the pods that it is for."""
    name = one_of(selector_of(resource)) or ("", "")
    yield "policy", resource.id.namespace, *name


def pod_keys(resource: Resource) -> Iterator[Key]:
    """Every label of the pods, in their namespace and anywhere."""
    found = pod_labels(resource)
    if found is None:
        return
    for where in (resource.id.namespace, ""):
        yield "pod", where
        for name, value in found.items():
            yield "pod", where, name, value


def selecting_keys(resource: Resource) -> Iterator[Key]:
    """One label of the pods that it selects."""
    is_entry = resource.id.kind == "ServiceEntry"
    found = selector_of(resource) if is_entry else labels(resource.spec.get("selector"))
    if found:
        yield "selecting", resource.id.namespace, *one_of(found)


def front_keys(resource: Resource) -> Iterator[Key]:
    """All labels of the pods that a Service or a policy selects, wherever it is."""
    is_service = resource.id.kind == "Service"
    found = labels(resource.spec.get("selector")) if is_service else selector_of(resource)
    for name, value in found.items():
        yield "front", name, value


def shared_keys(resource: Resource) -> Iterator[Key]:
    """The ports on which its hosts have no address of their own."""
    for port, named in shared_ports(resource):
        yield "shared", "named" if named else "any", port


def written_keys(resource: Resource) -> Iterator[Key]:
    """Endpoints that a ServiceEntry has itself, with labels that policies may select."""
    for entry in mappings(resource.spec.get("endpoints")):
        for where in (resource.id.namespace, ""):
            yield "written", where
            for name, value in labels(entry.get("labels")).items():
                yield "written", where, name, value


def import_keys(resource: Resource) -> Iterator[Key]:
    """What a Sidecar imports."""
    for listener in mappings(resource.spec.get("egress")):
        for entry in texts(listener.get("hosts")):
            where, _, host = entry.partition("/")
            yield "import", resource.id.namespace if where == "." else where, host.lower()


def sidecar_keys(resource: Resource) -> Iterator[Key]:
    """Where it is."""
    yield "sidecar", resource.id.namespace


def grant_keys(resource: Resource) -> Iterator[Key]:
    """Where it is."""
    yield "grant", resource.id.namespace


def endpoint_keys(resource: Resource) -> Iterator[Key]:
    """The Service that it is for."""
    yield "endpoints", resource.id.namespace, service_behind(resource)
