"""Where the settings of the mesh come from: the user, the repository, Istio."""

import json

from meshplan.mesh import mesh_config
from meshplan.settings import MeshSettings
from support.snapshots import of_values, snapshot

CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "istio", "namespace": "istio-system"},
    "data": {
        "mesh": json.dumps(
            {
                "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
                "enableAutoMtls": False,
                "extensionProviders": [
                    {"name": "opa", "envoyExtAuthzGrpc": {"service": "opa", "port": 9191}},
                    {"name": "otel", "opentelemetry": {"service": "otel", "port": 4317}},
                ],
            }
        )
    },
}


def test_istios_defaults_are_assumptions() -> None:
    config, assumptions = mesh_config(snapshot(""), MeshSettings(), json.loads)
    assert (config.outbound_traffic_policy, config.enable_auto_mtls) == ("ALLOW_ANY", True)
    assert not config.extension_providers_known
    assert {assumption.source for assumption in assumptions} == {"default"}
    assert "outboundTrafficPolicy" in {assumption.name for assumption in assumptions}


def test_the_config_map_of_istiod_counts_with_its_place() -> None:
    config, assumptions = mesh_config(of_values(CONFIG_MAP), MeshSettings(), json.loads)
    assert config.outbound_traffic_policy == "REGISTRY_ONLY"
    assert not config.enable_auto_mtls
    assert config.extension_providers == ("opa", "otel")
    assert config.authorization_providers == ("opa",)
    sources = {assumption.name: assumption.source for assumption in assumptions}
    assert sources["outboundTrafficPolicy"].startswith("test.yaml")
    assert sources["rootNamespace"] == "default"


def test_what_the_user_says_wins() -> None:
    settings = MeshSettings(outbound_traffic_policy="ALLOW_ANY")
    config, assumptions = mesh_config(of_values(CONFIG_MAP), settings, json.loads)
    assert config.outbound_traffic_policy == "ALLOW_ANY"
    (stated,) = (a for a in assumptions if a.name == "outboundTrafficPolicy")
    assert (stated.value, stated.source) == ("ALLOW_ANY", "settings")


def test_operators_are_read_too() -> None:
    operator = snapshot("""
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: main, namespace: istio-system}
spec:
  tag: 1.28.3
  meshConfig: {rootNamespace: mesh-root, trustDomain: example.org}
  values: {global: {proxy: {clusterDomain: cluster.example}}}
""")
    config, _ = mesh_config(operator, MeshSettings(), json.loads)
    found = (config.root_namespace, config.trust_domain, config.cluster_domain)
    assert found == ("mesh-root", "example.org", "cluster.example")
    assert config.istio_version == "1.28.3"
    sail = snapshot("""
apiVersion: sailoperator.io/v1
kind: Istio
metadata: {name: default}
spec:
  version: v1.29.0
  values: {meshConfig: {enableAutoMtls: false}}
""")
    config, _ = mesh_config(sail, MeshSettings(), json.loads)
    assert (config.enable_auto_mtls, config.istio_version) == (False, "1.29.0")


def test_nonsense_is_passed_over() -> None:
    wrong = {**CONFIG_MAP, "data": {"mesh": '["no", "mapping"]'}}
    config, _ = mesh_config(of_values(wrong), MeshSettings(), json.loads)
    assert config.outbound_traffic_policy == "ALLOW_ANY"
