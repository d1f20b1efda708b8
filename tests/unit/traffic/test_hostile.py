"""Manifests under review hold anything anywhere: the model answers, it does not raise."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.mesh.proxy import gateway, sidecar
from meshplan.settings import World
from meshplan.traffic import Request, Server, admit, outcome_to_json, route_at_any_age
from meshplan.traffic.outcome import Transport
from support.snapshots import of_values

KEPT = Path(__file__).parents[2] / "data" / "oracle"
JUNK: tuple[Any, ...] = (
    *(None, 0, -1, 3.5, True, "", "x", "*", "a/b", "~", "1e9", "(", "[::1]:80", 10**30),
    *([], {}, [None], [{}], {"a": 1}, ["*"], [["x"]], {"exact": 5}),
)
API = "gateway.networking.k8s.io/v1"
GATEWAY_API: list[dict[str, Any]] = [
    {
        "apiVersion": API,
        "kind": "Gateway",
        "metadata": {"name": "gw", "namespace": "edge"},
        "spec": {
            "gatewayClassName": "istio",
            "listeners": [
                {
                    "name": "http",
                    "port": 18080,
                    "protocol": "HTTP",
                    "hostname": "*.example.com",
                    "tls": {"mode": "Terminate", "certificateRefs": [{"name": "c"}]},
                    "allowedRoutes": {
                        "namespaces": {"from": "Selector", "selector": {"matchLabels": {"a": "b"}}}
                    },
                }
            ],
        },
    },
    {
        "apiVersion": API,
        "kind": "HTTPRoute",
        "metadata": {"name": "r", "namespace": "edge"},
        "spec": {
            "parentRefs": [{"name": "gw"}],
            "hostnames": ["a.example.com"],
            "rules": [
                {
                    "matches": [
                        {"path": {"value": "/x"}, "headers": [{"name": "a", "value": "b"}]}
                    ],
                    "filters": [
                        {"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplaceFullPath"}}}
                    ],
                    "backendRefs": [{"name": "reviews", "namespace": "shop", "port": 80}],
                }
            ],
        },
    },
    {
        "apiVersion": "security.istio.io/v1",
        "kind": "RequestAuthentication",
        "metadata": {"name": "jwt", "namespace": "shop"},
        "spec": {"jwtRules": [{"issuer": "a", "fromHeaders": [{"name": "x"}]}]},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "shop"},
        "spec": {
            "replicas": 1,
            "template": {
                "metadata": {"labels": {"app": "reviews"}},
                "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 1}]}]},
            },
        },
    },
]


def _spoiled(value: Any, chance: float, dice: random.Random) -> Any:
    if dice.random() < chance:
        return dice.choice(JUNK)
    if isinstance(value, dict):
        return {key: _spoiled(item, chance, dice) for key, item in value.items()}
    if isinstance(value, list):
        return [_spoiled(item, chance, dice) for item in value]
    return value


def _states() -> list[list[dict[str, Any]]]:
    return [
        [*json.loads(line)["state"], *GATEWAY_API]
        for name in ("gateway", "sidecar", "inbound", "mtls")
        for line in (KEPT / f"{name}.jsonl").read_text("utf-8").splitlines()[:12]
    ]


HOSTS = ("a.example.com", "reviews.shop.svc.cluster.local:18090", "reviews", "x", "")


@pytest.mark.parametrize("seed", range(6))
def test_spoiled_manifests_have_outcomes_too(seed: int) -> None:
    dice = random.Random(seed)
    for state in _states():
        spoiled = [{**o, "spec": _spoiled(o["spec"], 0.03 * (seed + 1), dice)} for o in state]
        mesh = Mesh.of(of_values(*spoiled), MeshConfig(), dice.choice(list(World)))
        clients = (
            sidecar("web", {"app": "client"}),
            gateway("edge", {"istio": "ingressgateway"}),
            gateway("edge", {"gateway.networking.k8s.io/gateway-name": "gw"}),
        )
        for host in HOSTS:
            for client in clients:
                port = dice.choice((80, 18080, 18090))
                scheme = dice.choice(("http", "https", "tls", "tcp"))
                headers = {"x-v": "1", "authorization": "Bearer x"}
                request = Request(host, path="/x/1?q=1", headers=headers, port=port, scheme=scheme)
                assert outcome_to_json(route_at_any_age(mesh, request, client))["kind"]
        server = Server("shop", {"app": "reviews", "version": "v1"}, 18100)
        for transport in Transport:
            assert outcome_to_json(admit(mesh, Request("a"), server, transport))["kind"]
