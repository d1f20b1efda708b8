"""What objects rely on in the API server: namespaces, kinds, roles, webhooks."""

from collections.abc import Iterator, Mapping
from typing import Any

from meshplan.identity import ResourceId
from meshplan.kinds.names import service_host
from meshplan.kinds.need import Clients, Endpoints, Host, Need, Object, Served
from meshplan.kinds.needs.read import at, items, mapping, number, text
from meshplan.resource import Resource

#: Groups that every API server serves, besides those without a dot.
_BUILT_IN = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)


def of_any(resource: Resource) -> Iterator[Need]:
    """What every object relies on: its namespace, and that its kind is served."""
    found = resource.id
    if found.namespace:
        namespace = ResourceId("", "Namespace", "", found.namespace)
        why = f"metadata.namespace of {found} places it there"
        yield Need(Object(namespace), "/metadata/namespace", why, "apply rejected")
    if "." in found.group and found.group not in _BUILT_IN:
        version = resource.api_version.rpartition("/")[2]
        why = f"apiVersion and kind of {found} have to be served"
        yield Need(Served(found.group, version, found.kind), "/apiVersion", why, "apply rejected")


def of_binding(resource: Resource, _domain: str) -> Iterator[Need]:
    """The role of a RoleBinding or a ClusterRoleBinding. Its subjects may come later."""
    ref = mapping(resource.manifest.get("roleRef"))
    name, kind = text(ref.get("name")), text(ref.get("kind"))
    if name and kind:
        where = resource.id.namespace if kind == "Role" else ""
        role = ResourceId("rbac.authorization.k8s.io", kind, where, name)
        why = f"roleRef of {resource.id} names {role}"
        yield Need(Object(role), "/roleRef", why, "403 from the API server")


def of_webhooks(resource: Resource, domain: str) -> Iterator[Need]:
    """The Services behind webhooks that refuse what they cannot check."""
    for index, hook in items(resource.manifest.get("webhooks")):
        if hook.get("failurePolicy", "Fail") == "Fail":
            place = f"webhooks[{index}] of {resource.id}"
            client = mapping(hook.get("clientConfig"))
            yield from _behind(client, place, f"/webhooks/{index}", domain, "apply rejected")


def of_custom_resource_definition(resource: Resource, domain: str) -> Iterator[Need]:
    """The Service that converts between versions."""
    for path in (("conversion", "webhook", "clientConfig"), ("conversion", "webhookClientConfig")):
        client = mapping(at(resource.spec, *path))
        pointer = "/spec/" + "/".join(path)
        place = f"conversion of {resource.id}"
        yield from _behind(client, place, pointer, domain, "the kind cannot be read")


def of_api_service(resource: Resource, domain: str) -> Iterator[Need]:
    """The Service that answers for an aggregated API."""
    place = f"service of {resource.id}"
    yield from _behind(resource.spec, place, "/spec", domain, "503 from the API server")


def _behind(
    client: Mapping[str, Any], place: str, pointer: str, domain: str, failure: str
) -> Iterator[Need]:
    service = mapping(client.get("service"))
    name, where = text(service.get("name")), text(service.get("namespace"))
    if name and where:
        host = service_host(name, where, domain)
        clients = Clients("", gateways=())
        why = f"{place} calls {host}"
        yield Need(Host(host, number(service.get("port")), clients), pointer, why, failure)
        yield Need(Endpoints(host, None, clients), pointer, f"{why}, which needs a pod", failure)


def of_certificate(resource: Resource, _domain: str) -> Iterator[Need]:
    """The issuer of a cert-manager Certificate."""
    ref = mapping(resource.spec.get("issuerRef"))
    name = text(ref.get("name"))
    if name:
        kind = text(ref.get("kind")) or "Issuer"
        where = "" if kind == "ClusterIssuer" else resource.id.namespace
        issuer = ResourceId(text(ref.get("group")) or "cert-manager.io", kind, where, name)
        why = f"issuerRef of {resource.id} names {issuer}"
        yield Need(Object(issuer), "/spec/issuerRef", why, "no certificate is issued")


def of_ingress_class(resource: Resource, _domain: str) -> Iterator[Need]:
    """The parameters of an IngressClass."""
    ref = mapping(resource.spec.get("parameters"))
    if text(ref.get("name")):
        found = ResourceId(
            text(ref.get("apiGroup")),
            text(ref.get("kind")),
            text(ref.get("namespace")),
            text(ref.get("name")),
        )
        yield Need(
            Object(found), "/spec/parameters", f"parameters of {resource.id} are {found}", "404"
        )


def of_flux(resource: Resource, _domain: str) -> Iterator[Need]:
    """The source of a Flux object and the objects that it says it depends on."""
    spec, here = resource.spec, resource.id.namespace
    for path in (("sourceRef",), ("chart", "spec", "sourceRef"), ("chartRef",)):
        ref = mapping(at(spec, *path))
        name, kind = text(ref.get("name")), text(ref.get("kind"))
        if name and kind:
            group = "source.toolkit.fluxcd.io"
            found = ResourceId(group, kind, text(ref.get("namespace")) or here, name)
            why = f"{path[-1]} of {resource.id} names {found}"
            yield Need(Object(found), "/spec/" + "/".join(path), why, "nothing is reconciled")
    for index, ref in items(spec.get("dependsOn")):
        name = text(ref.get("name"))
        if name:
            where = text(ref.get("namespace")) or here
            found = ResourceId(resource.id.group, resource.id.kind, where, name)
            why = f"dependsOn of {resource.id} names {found}"
            yield Need(Object(found), f"/spec/dependsOn/{index}", why, "nothing is reconciled")


def of_argo_application(resource: Resource, _domain: str) -> Iterator[Need]:
    """The project of an Argo CD Application."""
    name = text(resource.spec.get("project"))
    if name and name != "default":
        found = ResourceId("argoproj.io", "AppProject", resource.id.namespace, name)
        why = f"project of {resource.id} names {found}"
        yield Need(Object(found), "/spec/project", why, "the application is refused")
