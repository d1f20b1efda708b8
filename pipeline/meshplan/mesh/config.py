"""The settings of the mesh itself: what the user says, else what the repository says, else Istio's."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.mesh.read import at, mapping, text, texts
from meshplan.resource import Resource, Snapshot
from meshplan.settings import Assumption, MeshSettings

#: Where istiod lives unless told otherwise; also the default root namespace.
SYSTEM_NAMESPACE = "istio-system"


@dataclass(frozen=True, slots=True)
class MeshConfig:
    """The part of Istio's MeshConfig (and of istiod's arguments) that steers requests.

    The defaults are Istio's own (`DefaultMeshConfig` in istio/pkg/config/mesh).
    """

    #: ALLOW_ANY or REGISTRY_ONLY.
    outbound_traffic_policy: str = "ALLOW_ANY"
    enable_auto_mtls: bool = True
    root_namespace: str = SYSTEM_NAMESPACE
    trust_domain: str = "cluster.local"
    trust_domain_aliases: tuple[str, ...] = ()
    cluster_domain: str = "cluster.local"
    default_service_export_to: tuple[str, ...] = ("*",)
    default_virtual_service_export_to: tuple[str, ...] = ("*",)
    default_destination_rule_export_to: tuple[str, ...] = ("*",)
    #: Names of `extensionProviders`; meaningless unless `extension_providers_known`.
    extension_providers: tuple[str, ...] = ()
    #: Those of them that can decide on requests (envoyExtAuthzHttp, envoyExtAuthzGrpc).
    authorization_providers: tuple[str, ...] = ()
    #: Whether the configuration that lists the providers was found at all.
    extension_providers_known: bool = False
    #: NONE, BASE, MERGE_SLASHES or DECODE_AND_MERGE_SLASHES.
    path_normalization: str = "BASE"
    #: Whether containers wait for the proxy of their pod, unless the pod says otherwise.
    hold_application_until_proxy_starts: bool = False
    #: What istiod's variable ENABLE_NATIVE_SIDECARS is set to; "" where nobody says.
    native_sidecars: str = ""
    #: How long proxies drain before they end, as the default of the mesh, such as `30s`.
    termination_drain: str = "5s"
    #: `true` where proxies end when their last connection has, as the default of the mesh.
    exit_on_zero_connections: str = ""
    #: `true` where proxies answer the DNS queries of their pods, as the default of the mesh.
    dns_capture: str = ""
    #: `true` where hosts without an address get one for that, before Istio does so by itself.
    dns_auto_allocate: str = ""
    #: `on` or `off` as `enableTracing` says; "" where nobody says.
    tracing: str = ""
    #: Names of the providers that all proxies report spans to.
    tracing_providers: tuple[str, ...] = ()
    istio_version: str = "1.29.1"
    #: "" where nobody says.
    kubernetes_version: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A piece of mesh configuration in the repository."""

    mesh: Mapping[str, Any]
    #: Helm-style `values`, where the cluster domain is.
    values: Mapping[str, Any]
    version: str
    place: str


#: The fields read from MeshConfig: our name, and the way down to the value.
_FIELDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("outbound_traffic_policy", ("outboundTrafficPolicy", "mode")),
    ("enable_auto_mtls", ("enableAutoMtls",)),
    ("root_namespace", ("rootNamespace",)),
    ("trust_domain", ("trustDomain",)),
    ("trust_domain_aliases", ("trustDomainAliases",)),
    ("default_service_export_to", ("defaultServiceExportTo",)),
    ("default_virtual_service_export_to", ("defaultVirtualServiceExportTo",)),
    ("default_destination_rule_export_to", ("defaultDestinationRuleExportTo",)),
    ("path_normalization", ("pathNormalization", "normalization")),
    (
        "hold_application_until_proxy_starts",
        ("defaultConfig", "holdApplicationUntilProxyStarts"),
    ),
    ("termination_drain", ("defaultConfig", "terminationDrainDuration")),
    (
        "exit_on_zero_connections",
        ("defaultConfig", "proxyMetadata", "EXIT_ON_ZERO_ACTIVE_CONNECTIONS"),
    ),
    ("dns_capture", ("defaultConfig", "proxyMetadata", "ISTIO_META_DNS_CAPTURE")),
    ("dns_auto_allocate", ("defaultConfig", "proxyMetadata", "ISTIO_META_DNS_AUTO_ALLOCATE")),
    ("tracing_providers", ("defaultProviders", "tracing")),
)

#: Assumptions that every answer rests on, so that they are listed even where they are Istio's own.
_ALWAYS = (
    "outbound_traffic_policy",
    "enable_auto_mtls",
    "root_namespace",
    "trust_domain",
    "cluster_domain",
    "istio_version",
)


def mesh_config(
    snapshot: Snapshot, settings: MeshSettings, parse_text: Callable[[str], Any]
) -> tuple[MeshConfig, tuple[Assumption, ...]]:
    """The settings of the mesh that holds `snapshot`, and where each of them comes from.

    `parse_text` reads the YAML text inside a ConfigMap; what it returns may be anything. In the
    repository are read: ConfigMaps `istio` and `istio-REVISION` with a key `mesh`, IstioOperator,
    and the Istio resource of the sail operator.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    # The first one that says something about a field wins.
    for found in _configurations(snapshot, settings, parse_text):
        for name, value in _stated(found):
            if name not in values:
                values[name] = value
                sources[name] = found.place
    for name in MeshSettings.__dataclass_fields__:
        value = getattr(settings, name)
        if value is not None:
            values[name] = value
            sources[name] = "settings"
    config = MeshConfig(**values)
    named = [name for name in MeshConfig.__dataclass_fields__ if name in sources or name in _ALWAYS]
    return config, tuple(
        Assumption(_camel(name), _shown(getattr(config, name)), sources.get(name, "default"))
        for name in named
        if name != "extension_providers_known"
    )


def _configurations(
    snapshot: Snapshot, settings: MeshSettings, parse_text: Callable[[str], Any]
) -> Iterator[_Found]:
    home = settings.root_namespace or SYSTEM_NAMESPACE
    yield from _config_maps(snapshot, home, parse_text)
    for resource in _ordered(snapshot.of_kind("install.istio.io", "IstioOperator"), home):
        spec = resource.spec
        values = mapping(spec.get("values"))
        mesh = {**mapping(values.get("meshConfig")), **mapping(spec.get("meshConfig"))}
        yield _Found(mesh, values, text(spec.get("tag")), _place(resource))
    for group in ("sailoperator.io", "operator.istio.io"):
        for resource in _ordered(snapshot.of_kind(group, "Istio"), home):
            values = mapping(resource.spec.get("values"))
            version = text(resource.spec.get("version"))
            yield _Found(mapping(values.get("meshConfig")), values, version, _place(resource))


def _config_maps(
    snapshot: Snapshot, home: str, parse_text: Callable[[str], Any]
) -> Iterator[_Found]:
    for resource in _ordered(snapshot.of_kind("", "ConfigMap"), home):
        name = resource.id.name
        data = mapping(resource.manifest.get("data"))
        if not (name == "istio" or name.startswith("istio-")) or not isinstance(
            data.get("mesh"), str
        ):
            continue
        yield _Found(mapping(parse_text(data["mesh"])), {}, "", _place(resource))


def _ordered(resources: Iterable[Resource], home: str) -> list[Resource]:
    """Those in the namespace of istiod first, the one without a revision in its name before others."""
    return sorted(resources, key=lambda r: (r.id.namespace != home, len(r.id.name), r.id))


def _stated(found: _Found) -> Iterator[tuple[str, Any]]:
    """The fields that a piece of configuration sets, with values of the right type."""
    if at(found.values, "global", "proxy", "holdApplicationUntilProxyStarts") is True:
        # The template of the injector takes either for enough.
        yield "hold_application_until_proxy_starts", True
    for name, path in _FIELDS:
        value = _typed(name, at(found.mesh, *path))
        if value is not None:
            yield name, value
    domain = text(at(found.values, "global", "proxy", "clusterDomain"))
    if domain:
        yield "cluster_domain", domain
    trust_domain = text(at(found.values, "global", "trustDomain"))
    if trust_domain:
        yield "trust_domain", trust_domain
    native = at(found.values, "pilot", "env", "ENABLE_NATIVE_SIDECARS")
    if native is not None:
        yield "native_sidecars", str(native).lower()
    if isinstance(found.mesh.get("enableTracing"), bool):
        yield "tracing", "on" if found.mesh["enableTracing"] else "off"
    version = found.version.removeprefix("v")
    if version[:1].isdigit():
        yield "istio_version", version
    if found.mesh:
        yield "extension_providers_known", True
    providers = [
        entry for entry in found.mesh.get("extensionProviders") or () if isinstance(entry, Mapping)
    ]
    if providers:
        yield "extension_providers", tuple(text(entry.get("name")) for entry in providers)
        yield (
            "authorization_providers",
            tuple(
                text(entry.get("name"))
                for entry in providers
                if "envoyExtAuthzHttp" in entry or "envoyExtAuthzGrpc" in entry
            ),
        )


def _typed(name: str, value: Any) -> Any:
    default = MeshConfig.__dataclass_fields__[name].default
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, tuple):
        return texts(value) or None
    return text(value) or None


def _place(resource: Resource) -> str:
    origin = resource.origin
    return f"{origin.path}:{origin.line}" if origin.line is not None else origin.path


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
