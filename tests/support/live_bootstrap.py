"""The bootstrap of a proxy: who it is, where istiod is, and who hands out its certificate."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.live_secrets import SECRETS

Config = Mapping[str, Any]

#: Where istiod listens, and the proxy's admin interface.
SECURE, ADMIN = 15012, 15000
_TYPES = "type.googleapis.com/"
_TLS = f"{_TYPES}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def bootstrap(node: str, metadata: Config, identity: Path) -> Config:
    """What an Envoy is started with.

    `identity` is the path of its certificate and key without `.pem` and `.key`.
    """
    where = metadata["NAMESPACE"]
    files = {name: {"filename": f"{identity}.{name}"} for name in ("pem", "key")}
    context = {
        "tls_certificates": [{"certificate_chain": files["pem"], "private_key": files["key"]}],
        "alpn_protocols": ["h2"],
    }
    tls = {
        "name": "tls",
        "typed_config": {"@type": _TLS, "common_tls_context": context},
    }
    source = {"ads": {}, "resource_api_version": "V3"}
    return {
        "node": {
            "id": f"{node}~{where}.svc.cluster.local",
            "cluster": f"proxy.{where}",
            "metadata": metadata,
        },
        "admin": {"address": _address(ADMIN)},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "istiod"}}],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {
            "clusters": [
                {**_cluster("istiod", SECURE), "transport_socket": tls},
                _cluster("sds-grpc", SECRETS),
            ],
        },
    }


def _cluster(name: str, port: int) -> Config:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {
            _HTTP: {
                "@type": f"{_TYPES}{_HTTP}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _address(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
