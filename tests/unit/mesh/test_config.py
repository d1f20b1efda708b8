"""Where the settings of the mesh come from: the user, the repository, Istio."""

import json
from typing import Any

import pytest

from meshplan.mesh import MeshConfig, mesh_config
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


#: Every field that is read, with a value that is not Istio's own.
FULL: dict[str, Any] = {
    "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    "enableAutoMtls": False,
    "rootNamespace": "root",
    "trustDomain": "td.example",
    "trustDomainAliases": ["old.td", "older.td"],
    "defaultServiceExportTo": ["."],
    "defaultVirtualServiceExportTo": ["~"],
    "defaultDestinationRuleExportTo": ["*", "."],
    "pathNormalization": {"normalization": "MERGE_SLASHES"},
    "defaultConfig": {
        "holdApplicationUntilProxyStarts": True,
        "terminationDrainDuration": "30s",
        "proxyMetadata": {
            "EXIT_ON_ZERO_ACTIVE_CONNECTIONS": "true",
            "ISTIO_META_DNS_CAPTURE": "yes",
            "ISTIO_META_DNS_AUTO_ALLOCATE": "no",
        },
    },
    "defaultProviders": {"tracing": ["zipkin"]},
    "enableTracing": True,
    "extensionProviders": [
        {"name": "http", "envoyExtAuthzHttp": {}},
        {"name": "grpc", "envoyExtAuthzGrpc": {}},
        {"name": "zipkin", "zipkin": {}},
    ],
}
READ = MeshConfig(
    outbound_traffic_policy="REGISTRY_ONLY",
    enable_auto_mtls=False,
    root_namespace="root",
    trust_domain="td.example",
    trust_domain_aliases=("old.td", "older.td"),
    default_service_export_to=(".",),
    default_virtual_service_export_to=("~",),
    default_destination_rule_export_to=("*", "."),
    extension_providers=("http", "grpc", "zipkin"),
    authorization_providers=("http", "grpc"),
    extension_providers_known=True,
    path_normalization="MERGE_SLASHES",
    hold_application_until_proxy_starts=True,
    termination_drain="30s",
    exit_on_zero_connections="true",
    dns_capture="yes",
    dns_auto_allocate="no",
    tracing="on",
    tracing_providers=("zipkin",),
)
VALUES = {
    "global": {"proxy": {"clusterDomain": "example"}, "trustDomain": "other.td"},
    "pilot": {"env": {"ENABLE_NATIVE_SIDECARS": True}},
}


def config_map(
    mesh: object, name: str = "istio", namespace: str = "istio-system"
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    data = {"mesh": mesh if isinstance(mesh, str) else json.dumps(mesh)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def installed(api_version: str, spec: object, name: str = "main") -> dict[str, Any]:
    kind = "IstioOperator" if api_version.startswith("install") else "Istio"
    metadata = {"name": name, "namespace": "istio-system"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def read(*values: Any, **stated: Any) -> MeshConfig:
    return mesh_config(of_values(*values), MeshSettings(**stated), json.loads)[0]


def test_the_defaults_are_those_of_istio() -> None:
    """`DefaultMeshConfig` and `DefaultProxyConfig` in pkg/config/mesh/mesh.go."""
    found = MeshConfig()
    assert (found.outbound_traffic_policy, found.enable_auto_mtls) == ("ALLOW_ANY", True)
    assert (found.root_namespace, found.trust_domain) == ("istio-system", "cluster.local")
    assert (found.cluster_domain, found.path_normalization) == ("cluster.local", "BASE")
    assert found.termination_drain == "5s"
    assert (found.trust_domain_aliases, found.tracing_providers) == ((), ())
    assert not found.hold_application_until_proxy_starts
    assert {
        found.default_service_export_to,
        found.default_virtual_service_export_to,
        found.default_destination_rule_export_to,
    } == {("*",)}
    unsaid = (found.native_sidecars, found.exit_on_zero_connections, found.dns_capture)
    assert {*unsaid, found.dns_auto_allocate, found.tracing, found.kubernetes_version} == {""}


@pytest.mark.parametrize(
    "source",
    [
        config_map(FULL),
        config_map(FULL, "istio-canary"),
        config_map(FULL, namespace="elsewhere"),
        installed("install.istio.io/v1alpha1", {"meshConfig": FULL}),
        installed("install.istio.io/v1alpha1", {"values": {"meshConfig": FULL}}),
        installed("sailoperator.io/v1", {"values": {"meshConfig": FULL}}),
        installed("operator.istio.io/v1alpha1", {"values": {"meshConfig": FULL}}),
    ],
)
def test_every_field_is_read_from_wherever_it_stands(source: dict[str, Any]) -> None:
    assert read(source) == READ


def test_all_that_is_read_is_told_as_an_assumption() -> None:
    _, assumptions = mesh_config(of_values(config_map(FULL)), MeshSettings(), json.loads)
    assert {found.name: found.value for found in assumptions} == {
        "outboundTrafficPolicy": "REGISTRY_ONLY",
        "enableAutoMtls": "false",
        "rootNamespace": "root",
        "trustDomain": "td.example",
        "trustDomainAliases": "old.td, older.td",
        "clusterDomain": "cluster.local",
        "defaultServiceExportTo": ".",
        "defaultVirtualServiceExportTo": "~",
        "defaultDestinationRuleExportTo": "*, .",
        "extensionProviders": "http, grpc, zipkin",
        "authorizationProviders": "http, grpc",
        "pathNormalization": "MERGE_SLASHES",
        "holdApplicationUntilProxyStarts": "true",
        "terminationDrain": "30s",
        "exitOnZeroConnections": "true",
        "dnsCapture": "yes",
        "dnsAutoAllocate": "no",
        "tracing": "on",
        "tracingProviders": "zipkin",
        "istioVersion": "1.29.1",
    }
    assert {found.source for found in assumptions} == {"test.yaml", "default"}


def test_without_any_source_only_what_all_answers_rest_on_is_told() -> None:
    _, assumptions = mesh_config(snapshot(""), MeshSettings(), json.loads)
    assert {found.name: found.value for found in assumptions} == {
        "outboundTrafficPolicy": "ALLOW_ANY",
        "enableAutoMtls": "true",
        "rootNamespace": "istio-system",
        "trustDomain": "cluster.local",
        "clusterDomain": "cluster.local",
        "istioVersion": "1.29.1",
    }


def test_the_place_of_a_source_has_its_line() -> None:
    text = '\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: istio}\ndata: {mesh: \'{"trustDomain": "a"}\'}'
    _, assumptions = mesh_config(snapshot(text), MeshSettings(), json.loads)
    (found,) = (a for a in assumptions if a.name == "trustDomain")
    assert found.source == "test.yaml:2"


@pytest.mark.parametrize(
    ("values", "field", "expected"),
    [
        (VALUES, "cluster_domain", "example"),
        (VALUES, "trust_domain", "other.td"),
        (VALUES, "native_sidecars", "true"),
        ({"pilot": {"env": {"ENABLE_NATIVE_SIDECARS": "False"}}}, "native_sidecars", "false"),
        ({}, "native_sidecars", ""),
        (
            {"global": {"proxy": {"holdApplicationUntilProxyStarts": True}}},
            "hold_application_until_proxy_starts",
            True,
        ),
        (
            {
                "global": {"proxy": {"holdApplicationUntilProxyStarts": True}},
                "meshConfig": {"defaultConfig": {"holdApplicationUntilProxyStarts": False}},
            },
            "hold_application_until_proxy_starts",
            True,
        ),
        (
            {"global": {"proxy": {"holdApplicationUntilProxyStarts": False}}},
            "hold_application_until_proxy_starts",
            False,
        ),
        ({}, "extension_providers_known", False),
        ({"meshConfig": {"enableTracing": False}}, "tracing", "off"),
        ({"meshConfig": {"enableTracing": "yes"}}, "tracing", ""),
        ({"meshConfig": {"enableTracing": True}}, "extension_providers_known", True),
        # A value of another type is passed over.
        ({"meshConfig": {"enableAutoMtls": "false"}}, "enable_auto_mtls", True),
        ({"meshConfig": {"trustDomain": True}}, "trust_domain", "cluster.local"),
        ({"meshConfig": {"trustDomain": ""}}, "trust_domain", "cluster.local"),
        ({"meshConfig": {"trustDomainAliases": "a"}}, "trust_domain_aliases", ()),
        ({"meshConfig": {"defaultServiceExportTo": []}}, "default_service_export_to", ("*",)),
        ({"meshConfig": {"extensionProviders": ["x", {}]}}, "extension_providers", ("",)),
    ],
)
@pytest.mark.parametrize(
    "api_version", ["install.istio.io/v1alpha1", "sailoperator.io/v1", "operator.istio.io/v1"]
)
def test_values_of_an_installation_say_more(
    values: dict[str, Any], field: str, expected: object, api_version: str
) -> None:
    assert getattr(read(installed(api_version, {"values": values})), field) == expected


@pytest.mark.parametrize(
    ("sources", "domain"),
    [
        # The first place that says something counts, field by field.
        ([config_map({"trustDomain": "a"}), config_map({"trustDomain": "b"}, "istio-x")], "a"),
        ([config_map({"trustDomain": "b"}, "istio-x"), config_map({"trustDomain": "a"})], "a"),
        ([config_map({"rootNamespace": "r"}), config_map({"trustDomain": "b"}, "istio-x")], "b"),
        (
            [
                config_map({"trustDomain": "b"}, "istio", "a"),
                config_map({"trustDomain": "a"}, "istio-x"),
            ],
            "a",
        ),
        (
            [
                installed("install.istio.io/v1alpha1", {"meshConfig": {"trustDomain": "b"}}),
                config_map({"trustDomain": "a"}, "istio-x"),
            ],
            "a",
        ),
        (
            [
                installed("sailoperator.io/v1", {"values": {"meshConfig": {"trustDomain": "b"}}}),
                installed("install.istio.io/v1alpha1", {"meshConfig": {"trustDomain": "a"}}),
            ],
            "a",
        ),
        (
            [
                installed("operator.istio.io/v1", {"values": {"meshConfig": {"trustDomain": "b"}}}),
                installed("sailoperator.io/v1", {"values": {"meshConfig": {"trustDomain": "a"}}}),
            ],
            "a",
        ),
        # `meshConfig` of an IstioOperator comes before that of its values.
        (
            [
                installed(
                    "install.istio.io/v1alpha1",
                    {
                        "meshConfig": {"trustDomain": "a"},
                        "values": {"meshConfig": {"trustDomain": "b"}},
                    },
                )
            ],
            "a",
        ),
        # What the chart writes into the ConfigMap.
        (
            [
                installed(
                    "install.istio.io/v1alpha1",
                    {
                        "meshConfig": {"trustDomain": "a"},
                        "values": {"global": {"trustDomain": "b"}},
                    },
                )
            ],
            "a",
        ),
        # Other ConfigMaps, and what is no text, say nothing.
        ([config_map({"trustDomain": "a"}, "istiod")], "cluster.local"),
        ([config_map({"trustDomain": "a"}, "mesh")], "cluster.local"),
        ([{**config_map({}), "data": {"mesh": {"trustDomain": "a"}}}], "cluster.local"),
        ([{**config_map({}), "data": {"meshNetworks": '{"trustDomain": "a"}'}}], "cluster.local"),
    ],
)
def test_the_nearest_source_counts(sources: list[dict[str, Any]], domain: str) -> None:
    assert read(*sources).trust_domain == domain


def test_the_namespace_of_istiod_is_what_the_user_says() -> None:
    here = config_map({"trustDomain": "a"}, "istio-rev", "mesh")
    there = config_map({"trustDomain": "b"}, "istio", "istio-system")
    assert read(here, there).trust_domain == "b"
    assert read(here, there, root_namespace="mesh").trust_domain == "a"


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.28.3", "1.28.3"),
        ("v1.28.3", "1.28.3"),
        ("latest", "1.29.1"),
        ("", "1.29.1"),
        ("very", "1.29.1"),
    ],
)
def test_a_version_is_a_number(version: str, expected: str) -> None:
    assert read(installed("sailoperator.io/v1", {"version": version})).istio_version == expected
    tagged = installed("install.istio.io/v1alpha1", {"tag": version})
    assert read(tagged).istio_version == expected


def test_every_setting_of_the_user_counts() -> None:
    stated = {
        "outbound_traffic_policy": "REGISTRY_ONLY",
        "enable_auto_mtls": False,
        "root_namespace": "r",
        "trust_domain": "t",
        "cluster_domain": "c",
        "istio_version": "1.27.0",
        "kubernetes_version": "1.33",
    }
    other = {**FULL, "enableAutoMtls": True}
    config, assumptions = mesh_config(
        of_values(config_map(other)), MeshSettings(**stated), json.loads
    )
    assert {name: getattr(config, name) for name in stated} == stated
    assert {a.name for a in assumptions if a.source == "settings"} == {
        "outboundTrafficPolicy",
        "enableAutoMtls",
        "rootNamespace",
        "trustDomain",
        "clusterDomain",
        "istioVersion",
        "kubernetesVersion",
    }
