"""Envoy's routes for states of a mesh, as Istio documents them: VirtualServices and HTTPRoutes.

A second translation, without a line of meshplan's model: it knows what the tests over a real Envoy
need, and refuses the rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from support.envoy_world import (
    Object,
    State,
    full_name,
    is_exported,
    matches,
    name_of,
    namespace_of,
)

Config = dict[str, Any]

#: Istio's default; unsafe or repeatable by what failed, never by the status alone.
_RETRIES = {
    "retry_on": "connect-failure,refused-stream,unavailable,cancelled",
    "num_retries": 2,
    "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
}
_REDIRECTS = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_HTTP = frozenset(("host", "http", "port"))


def sidecar_hosts(state: State, namespace: str, port: int) -> list[Config]:
    """The virtual hosts of a sidecar for a port (`buildSidecarOutboundHTTPRouteConfig`)."""
    found, taken = [], set()
    services = [one for one in state.visible(namespace) if port in one.ports]
    for service in services:
        routes = _mesh_routes(state, service.host, namespace, port)
        default = [{"match": {"prefix": "/"}, "route": _to(f"outbound|{port}||{service.host}")}]
        found.append(_virtual_host(service.host, routes or default))
        taken.add(service.host)
    for one in state.of("VirtualService"):
        if not _is_for_mesh(one) or not _is_shown(one, namespace):
            continue
        for host in one["spec"].get("hosts", ()):
            name = full_name(host, namespace_of(one))
            if name not in taken and not name.startswith("*"):
                found.append(_virtual_host(name, list(_virtual_service(state, one, port))))
                taken.add(name)
    passed = {"match": {"prefix": "/"}, "route": {"cluster": "PassthroughCluster"}}
    return [*found, _virtual_host("*", [passed])]


def gateway_hosts(state: State, gateway: Object, server: Object) -> list[Config]:
    """The virtual hosts of a gateway's server (`buildGatewayHTTPRouteConfig`)."""
    by_host: dict[str, list[Config]] = {}
    port = server["port"]["number"]
    name = f"{namespace_of(gateway)}/{name_of(gateway)}"
    for one in state.of("VirtualService"):
        stated = [
            found if "/" in found else f"{namespace_of(one)}/{found}"
            for found in one["spec"].get("gateways", ())
        ]
        if name not in stated:
            continue
        for host in one["spec"].get("hosts", ()):
            if any(matches(allowed, host) for allowed in server["hosts"]):
                by_host.setdefault(host, []).extend(_virtual_service(state, one, port))
    hosts = by_host.items()
    return [_virtual_host(host, sorted(routes, key=_is_catch_all)) for host, routes in hosts]


def listener_hosts(state: State, gateway: Object, listener: Object) -> list[Config]:
    """The virtual hosts of a listener of the Gateway API."""
    by_host: dict[str, list[Config]] = {}
    for one in state.of("HTTPRoute"):
        parents = [p for p in one["spec"]["parentRefs"] if p.get("kind", "Gateway") == "Gateway"]
        if not any(p["name"] == name_of(gateway) for p in parents):
            continue
        for host in one["spec"].get("hostnames", [listener["hostname"]]):
            if matches(listener["hostname"], host):
                by_host.setdefault(host, []).extend(_http_route(one))
    return [_virtual_host(host, routes) for host, routes in by_host.items()]


def _mesh_routes(state: State, host: str, namespace: str, port: int) -> list[Config]:
    for one in state.of("HTTPRoute"):
        for parent in one["spec"]["parentRefs"]:
            if parent.get("kind") != "Service":
                continue
            if host.startswith(f"{parent['name']}.{namespace_of(one)}.svc."):
                return list(_http_route(one))
    for one in state.of("VirtualService"):
        names = [full_name(h, namespace_of(one)) for h in one["spec"].get("hosts", ())]
        if host in names and _is_for_mesh(one) and _is_shown(one, namespace):
            return list(_virtual_service(state, one, port))
    return []


def _is_for_mesh(found: Object) -> bool:
    return "mesh" in found["spec"].get("gateways", ("mesh",)) and bool(found["spec"].get("hosts"))


def _is_shown(found: Object, namespace: str) -> bool:
    return is_exported(tuple(found["spec"].get("exportTo", ())), namespace_of(found), namespace)


def _virtual_host(domain: str, routes: list[Config]) -> Config:
    domains = [domain] if domain == "*" else [domain, f"{domain}:*"]
    return {"name": domain, "domains": domains, "routes": routes}


def _is_catch_all(route: Config) -> bool:
    return bool(route["match"] == {"prefix": "/"})


def _virtual_service(state: State, found: Object, port: int) -> Iterator[Config]:
    for rule in found["spec"].get("http", ()):
        if "delegate" not in rule:
            yield from _rule(state, found, rule, port)
            continue
        wanted = rule["delegate"]["name"], rule["delegate"].get("namespace", namespace_of(found))
        for other in state.of("VirtualService"):
            if (name_of(other), namespace_of(other)) != wanted or other["spec"].get("hosts"):
                continue
            for inner in other["spec"]["http"]:
                # The tests keep to matches that lie inside those of the root.
                match = inner.get("match") or rule.get("match")
                merged = {**inner, **({"match": match} if match else {})}
                yield from _rule(state, other, merged, port)


def _rule(state: State, owner: Object, rule: Object, port: int) -> Iterator[Config]:
    for match in rule.get("match") or ({},):
        yield {"match": _match(match), **_action(state, owner, rule, port)}


def _match(match: Object) -> Config:
    uri = match.get("uri", {"prefix": "/"})
    ((how, value),) = uri.items()
    path = {
        "exact": {"path": value},
        "prefix": {"prefix": value},
        "regex": {"safe_regex": {"regex": value}},
    }[how]
    headers = [_header(name, wanted) for name, wanted in match.get("headers", {}).items()]
    headers += [_header(":method", wanted) for wanted in (match.get("method"),) if wanted]
    headers += [
        {**_header(name, wanted), "invert_match": True}
        for name, wanted in match.get("withoutHeaders", {}).items()
    ]
    queries = [
        {"name": name, "string_match": wanted}
        for name, wanted in match.get("queryParams", {}).items()
    ]
    return (
        path
        | ({"headers": headers} if headers else {})
        | ({"query_parameters": queries} if queries else {})
    )


def _header(name: str, wanted: Mapping[str, str]) -> Config:
    return {"name": name, **({"string_match": dict(wanted)} if wanted else {"present_match": True})}


def _action(state: State, owner: Object, rule: Object, port: int) -> Config:
    if "directResponse" in rule:
        return {"direct_response": {"status": rule["directResponse"]["status"]}}
    if "redirect" in rule:
        return {"redirect": _redirect(rule["redirect"])}
    targets = [
        (_cluster(state, owner, one["destination"], port), one.get("weight", 0))
        for one in rule["route"]
    ]
    action = _weighted(targets)
    rewrite = rule.get("rewrite", {})
    if "uri" in rewrite:
        action["prefix_rewrite"] = rewrite["uri"]
    if "authority" in rewrite:
        action["host_rewrite_literal"] = rewrite["authority"]
    return {"route": action, **_fault(rule.get("fault", {}))}


def _redirect(found: Object) -> Config:
    status = _REDIRECTS[found.get("redirectCode", 301)]
    path = {"path_redirect": found["uri"]} if "uri" in found else {}
    host = {"host_redirect": found["authority"]} if "authority" in found else {}
    return {"response_code": status, **path, **host}


def _fault(found: Object) -> Config:
    if "abort" not in found:
        return {}
    abort = found["abort"]
    percent = {"numerator": int(abort["percentage"]["value"]), "denominator": "HUNDRED"}
    fault = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
        "abort": {"http_status": abort["httpStatus"], "percentage": percent},
    }
    return {"typed_per_filter_config": {"envoy.filters.http.fault": fault}}


def _cluster(state: State, owner: Object, destination: Object, port: int) -> str:
    host = full_name(destination["host"], namespace_of(owner))
    known = [one for one in state.services if one.host == host]
    number = destination.get("port", {}).get("number")
    if number is None:
        # The port of the listener, unless the service has but one.
        number = next(iter(known[0].ports)) if known and len(known[0].ports) == 1 else port
    return f"outbound|{number}|{destination.get('subset', '')}|{host}"


def _weighted(targets: list[tuple[str, int]]) -> Config:
    if len(targets) == 1:
        return _to(targets[0][0])
    clusters = [{"name": name, "weight": weight} for name, weight in targets if weight]
    action = _to("")
    del action["cluster"]
    return {**action, "weighted_clusters": {"clusters": clusters}}


def _to(cluster: str) -> Config:
    return {
        "cluster": cluster,
        "cluster_not_found_response_code": "SERVICE_UNAVAILABLE",
        "retry_policy": _RETRIES,
    }


def _http_route(found: Object) -> Iterator[Config]:
    """The rules of an HTTPRoute; a backend that does not exist is answered with 500."""
    for rule in found["spec"]["rules"]:
        targets = []
        for backend in rule["backendRefs"]:
            where = backend.get("namespace", namespace_of(found))
            host = f"{backend['name']}.{where}.svc.cluster.local"
            name = f"outbound|{backend['port']}||{host}"
            targets.append((name, backend.get("weight", 1)))
        action = _weighted(targets)
        action["cluster_not_found_response_code"] = "INTERNAL_SERVER_ERROR"
        for match in rule.get("matches") or ({},):
            yield {"match": _path_match(match), "route": action}


def _path_match(match: Object) -> Config:
    path = match.get("path", {"type": "PathPrefix", "value": "/"})
    headers = [_header(one["name"], {"exact": one["value"]}) for one in match.get("headers", ())]
    more = {"headers": headers} if headers else {}
    if path["type"] == "Exact":
        return {"path": path["value"], **more}
    if path["value"] == "/":
        return {"prefix": "/", **more}
    return {"path_separated_prefix": path["value"], **more}
