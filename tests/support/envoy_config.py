"""Envoy's listeners, clusters and endpoints for states of a mesh, as Istio documents them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.envoy_routes import Config, gateway_hosts, listener_hosts, sidecar_hosts
from support.envoy_world import Endpoint, Object, Service, State

_TYPE = "type.googleapis.com/envoy"
_FILTERS = "extensions.filters.http"
_ALPN = ("istio", "h2", "http/1.1")
#: The port of every address: each listener has an address of its own.
PORT = 18080


@dataclass(frozen=True)
class Place:
    """Where one test's part of the one Envoy lives."""

    #: Before every name of a cluster or a table of routes.
    prefix: str
    #: The loopback address that stands for a name of an endpoint or a listener.
    address: Callable[[str], str]
    folder: Path
    #: Certificates by name: `ca`, and `client` and `server` with their keys.
    certificates: Path
    namespace: str = "web"
    gateway: bool = False


def routes(state: State, place: Place, port: int) -> Config | None:
    """The table of routes (RDS); None where a gateway has no such server."""
    if not place.gateway:
        hosts = sidecar_hosts(state, place.namespace, port)
    else:
        found = list(_servers(state, port))
        if not found:
            return None
        hosts = [host for one in found for host in one]
    for host in hosts:
        for route in host["routes"]:
            _rename(route.get("route", {}), place)
    return {"name": f"{place.prefix}-{port}", "virtual_hosts": hosts}


def client_listener(place: Place, port: int) -> Config:
    """The listener that takes a client's requests for a port (LDS)."""
    name = f"{place.prefix}/client/{port}"
    source = {"path_config_source": {"path": str(place.folder / f"rds-{place.prefix}-{port}.json")}}
    manager = _manager(name, [_filter("fault", "fault.v3.HTTPFault")]) | {
        "rds": {"route_config_name": f"{place.prefix}-{port}", "config_source": source},
        "access_log": [_access_log(place)],
    }
    return _listener(name, place.address(f"client:{port}"), [_chain(manager)])


def clusters(state: State, place: Place) -> tuple[list[Config], list[Config]]:
    """Clusters (CDS) and their endpoints (EDS), as a client of the place's namespace has them."""
    passed = {
        "name": f"{place.prefix}/PassthroughCluster",
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
    }
    found, endpoints = [passed], []
    for service in state.visible(place.namespace):
        rule = state.destination_rule(service, place.namespace)
        spec: Mapping[str, Any] = rule["spec"] if rule else {}
        for port in service.ports:
            for subset in ({}, *spec.get("subsets", ())):
                name = f"outbound|{port}|{subset.get('name', '')}|{service.host}"
                mode = _tls_mode(subset, port) or _tls_mode(spec, port)
                found.append(_cluster(place, name, mode, state))
                chosen = [
                    one
                    for one in service.endpoints[port]
                    if subset.get("labels", {}).items() <= one.labels.items()
                ]
                endpoints.append(_endpoints(place, name, chosen, state))
    return found, endpoints


def server_listeners(state: State, place: Place, services: list[Service]) -> Iterator[Config]:
    """A listener for every workload: its policies, and behind them an application that says
    what it got (LDS).
    """
    everything = {e.name: e for s in services for found in s.endpoints.values() for e in found}
    for endpoint in everything.values():
        yield _server(state, place, endpoint)


def _servers(state: State, port: int) -> Iterator[list[Config]]:
    for gateway in state.of("Gateway"):
        for server in gateway["spec"].get("servers", ()):
            if server["port"]["number"] == port:
                yield gateway_hosts(state, gateway, server)
        for listener in gateway["spec"].get("listeners", ()):
            if listener["port"] == port:
                yield listener_hosts(state, gateway, listener)


def _rename(action: Config, place: Place) -> None:
    """Puts the prefix before the clusters of a route."""
    for one in action.get("weighted_clusters", {}).get("clusters", ()):
        one["name"] = f"{place.prefix}/{one['name']}"
    if "cluster" in action:
        action["cluster"] = f"{place.prefix}/{action['cluster']}"


def _tls_mode(found: Object, port: int) -> str:
    policy = found.get("trafficPolicy", {})
    for entry in policy.get("portLevelSettings", ()):
        if entry["port"]["number"] == port:
            policy = entry
    return str(policy.get("tls", {}).get("mode", ""))


def _cluster(place: Place, name: str, mode: str, state: State) -> Config:
    full = f"{place.prefix}/{name}"
    source = {"path_config_source": {"path": str(place.folder / f"eds-{_file(full)}.json")}}
    found: Config = {
        "name": full,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": source},
        "connect_timeout": "1s",
        # Each request has a connection of its own: none survives a change of listeners.
        "max_requests_per_connection": 1,
        "common_lb_config": {"healthy_panic_threshold": {}},
    }
    if mode == "ISTIO_MUTUAL":
        found["transport_socket"] = _upstream_tls(place)
    elif not mode and state.auto_mtls:
        found["transport_socket_matches"] = [
            {
                "name": "tlsMode-istio",
                "match": {"tlsMode": "istio"},
                "transport_socket": _upstream_tls(place),
            },
        ]
    return found


def _endpoints(place: Place, name: str, found: list[Endpoint], state: State) -> Config:
    def one(endpoint: Endpoint) -> Config:
        accepts = state.mtls_mode(endpoint.namespace, endpoint.labels, endpoint.port) != "DISABLE"
        labels = {"tlsMode": "istio"} if endpoint.has_sidecar and accepts else {}
        return {
            "endpoint": {"address": _socket(place.address(endpoint.name))},
            "metadata": {"filter_metadata": {"envoy.transport_socket_match": labels}},
        }

    return {
        "cluster_name": f"{place.prefix}/{name}",
        "endpoints": [{"lb_endpoints": [one(e) for e in found]}] if found else [],
    }


def _server(state: State, place: Place, endpoint: Endpoint) -> Config:
    name = f"{place.prefix}/{endpoint.name}"
    headers = {"x-backend": endpoint.name, "x-path": "%REQ(:PATH)%", "x-host": "%REQ(:AUTHORITY)%"}
    app = {
        "virtual_hosts": [
            {
                "name": "app",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
            }
        ],
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}} for key, value in headers.items()
        ],
    }
    mode = "DISABLE"
    filters = []
    if endpoint.has_sidecar:
        mode = state.mtls_mode(endpoint.namespace, endpoint.labels, endpoint.port)
        filters = list(_authorization(state.policies(endpoint.namespace, endpoint.labels)))
    manager = _manager(name, filters) | {"route_config": app}
    encrypted = _chain(manager) | {
        "filter_chain_match": {"transport_protocol": "tls"},
        "transport_socket": _downstream_tls(place),
    }
    plain = _chain(manager) | {"filter_chain_match": {"transport_protocol": "raw_buffer"}}
    chains = {"STRICT": [encrypted], "PERMISSIVE": [encrypted, plain], "DISABLE": [_chain(manager)]}
    listener = _listener(name, place.address(endpoint.name), chains[mode])
    if mode != "DISABLE":
        inspector = f"{_TYPE}.extensions.filters.listener.tls_inspector.v3.TlsInspector"
        listener["listener_filters"] = [
            {"name": "tls_inspector", "typed_config": {"@type": inspector}}
        ]
    return listener


def _authorization(policies: list[Object]) -> Iterator[Config]:
    for action in ("DENY", "ALLOW"):
        chosen = [p for p in policies if p["spec"].get("action", "ALLOW") == action]
        if chosen:
            rules = [rule for policy in chosen for rule in policy["spec"].get("rules", ())]
            named = {str(number): _rule(rule) for number, rule in enumerate(rules)}
            yield _filter(
                f"rbac-{action}", "rbac.v3.RBAC", {"rules": {"action": action, "policies": named}}
            )


def _rule(rule: Object) -> Config:
    operations = [one["operation"] for one in rule.get("to", ())]
    sources = [one["source"] for one in rule.get("from", ())]
    return {
        "permissions": [_all(_permissions(one)) for one in operations] or [{"any": True}],
        "principals": [_every(_principals(one)) for one in sources] or [{"any": True}],
    }


def _permissions(operation: Object) -> Iterator[Config]:
    if paths := operation.get("paths"):
        yield {"or_rules": {"rules": [{"url_path": {"path": _text(path)}} for path in paths]}}
    if methods := operation.get("methods"):
        headers = [{"name": ":method", "string_match": _text(one)} for one in methods]
        yield {"or_rules": {"rules": [{"header": one} for one in headers]}}


def _principals(source: Object) -> Iterator[Config]:
    names = [{"exact": f"spiffe://{one}"} for one in source.get("principals", ())]
    names += [{"safe_regex": {"regex": f".*/ns/{one}/.*"}} for one in source.get("namespaces", ())]
    yield {"or_ids": {"ids": [{"authenticated": {"principal_name": one}} for one in names]}}


def _all(rules: Iterator[Config]) -> Config:
    return {"and_rules": {"rules": [*rules, {"any": True}]}}


def _every(ids: Iterator[Config]) -> Config:
    return {"and_ids": {"ids": list(ids)}}


def _text(value: str) -> Config:
    return {"prefix": value[:-1]} if value.endswith("*") else {"exact": value}


def _manager(name: str, filters: list[Config]) -> Config:
    kind = f"{_TYPE}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = _filter("router", "router.v3.Router")
    return {
        "@type": kind,
        "stat_prefix": _file(name),
        "normalize_path": True,
        "generate_request_id": False,
        "strip_any_host_port": False,
        "http_filters": [*filters, router],
    }


def _filter(name: str, kind: str, settings: Config | None = None) -> Config:
    full = f"{_TYPE}.{_FILTERS}.{kind}"
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": full, **(settings or {})},
    }


def _chain(manager: Config) -> Config:
    return {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }


def _listener(name: str, address: str, chains: list[Config]) -> Config:
    return {"name": name, "address": _socket(address), "filter_chains": chains}


def _socket(address: str) -> Config:
    return {"socket_address": {"address": address, "port_value": PORT}}


def _access_log(place: Place) -> Config:
    shown = {
        "probe": "%REQ(X-PROBE)%",
        "status": "%RESPONSE_CODE%",
        "flag": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "cluster": "%UPSTREAM_CLUSTER_RAW%",
    }
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": f"{_TYPE}.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(place.folder / "access.log"),
            "log_format": {"json_format": shown},
        },
    }


def _upstream_tls(place: Place) -> Config:
    common = _common_tls(place, "client") | {"alpn_protocols": ["istio"]}
    kind = f"{_TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    return {"name": "tls", "typed_config": {"@type": kind, "common_tls_context": common}}


def _downstream_tls(place: Place) -> Config:
    common = _common_tls(place, "server") | {"alpn_protocols": list(_ALPN)}
    kind = f"{_TYPE}.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
    typed = {"@type": kind, "common_tls_context": common, "require_client_certificate": True}
    return {"name": "tls", "typed_config": typed}


def _common_tls(place: Place, who: str) -> Config:
    def file(name: str) -> Config:
        return {"filename": str(place.certificates / name)}

    pair = {"certificate_chain": file(f"{who}.pem"), "private_key": file(f"{who}.key")}
    return {
        "tls_certificates": [pair],
        "validation_context": {"trusted_ca": file("ca.pem")},
    }


def _file(name: str) -> str:
    """A name of a cluster as the name of a file."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)


file_name = _file
