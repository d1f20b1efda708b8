"""What the user has decided in `.meshplan.yaml` and on the command line, as one frozen value."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from typing import Any, Self

from meshplan.dataclass import dataclass
from meshplan.finding import Severity

#: The names under which settings are looked for at the root of the repository.
SETTINGS_FILES = (".meshplan.yaml", ".meshplan.yml")


class World(StrEnum):
    """Whether what a target does not define may exist elsewhere."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """Facts of the mesh that the user states; None means: read it from the repository, or assume."""

    outbound_traffic_policy: str | None = None
    enable_auto_mtls: bool | None = None
    root_namespace: str | None = None
    trust_domain: str | None = None
    cluster_domain: str | None = None
    istio_version: str | None = None
    kubernetes_version: str | None = None


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """A target that the user names, instead of those that meshplan would find."""

    name: str
    #: Folders or files, or glob patterns of them, relative to the repository.
    paths: tuple[str, ...]
    #: plain, kustomize, helm, argocd, flux; None means: whatever is found there.
    kind: str | None = None
    #: Default namespace of namespaced objects that name none.
    namespace: str | None = None
    #: Helm values files, in order.
    values: tuple[str, ...] = ()
    release: str | None = None


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """Limits of one renderer process."""

    timeout_seconds: float = 60.0
    max_output_bytes: int = 64 * 1024 * 1024
    #: Whether `meshplan` may run `kustomize`, `kubectl` and `helm` at all.
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ProofSettings:
    """Whether and how long plans are proven."""

    enabled: bool = True
    #: What may be looked at for one target, in steps of work; the same on every machine.
    work: int = 400_000
    #: Of one target; a net under that, which does depend on the machine.
    timeout_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class DeployerSettings:
    """A deployer that is in use, and how it is configured as far as that changes its order."""

    name: str
    #: Argo CD: `PruneLast=true` among the Application's sync options.
    prune_last: bool = False


@dataclass(frozen=True, slots=True)
class LevelSettings:
    """How bad findings of some rules are at some places, whatever the rules themselves say."""

    #: Ids of rules; in these as in all the others `*` stands for any text.
    rules: tuple[str, ...]
    #: None where the rules are off.
    severity: Severity | None
    #: Where it holds; () for everywhere.
    targets: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaiverSettings:
    """Where waivers are kept, and how long they may last."""

    path: str = "policies/waivers.yaml"
    longest_days: int = 180
    #: So many days before its end a waiver is spoken of.
    soon_days: int = 14


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Which rules are run, with which parameters, and what becomes of their findings."""

    #: Whether the rules that come with meshplan are run.
    builtin: bool = True
    #: Files and folders of the repository with more rules.
    paths: tuple[str, ...] = ()
    #: The last one that fits a finding decides.
    levels: tuple[LevelSettings, ...] = ()
    #: Values of parameters, by the id of the rule.
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    waivers: WaiverSettings = field(default_factory=WaiverSettings)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that steers a run besides the two revisions."""

    world: World = World.OPEN
    fail_on: Severity = Severity.ERROR
    #: Verdicts that make the exit status 1.
    fail_on_verdicts: tuple[str, ...] = ("unsafe", "unknown")
    default_namespace: str = "default"
    #: Glob patterns of paths that are not read at all.
    ignore: tuple[str, ...] = ()
    targets: tuple[TargetSettings, ...] = ()
    deployers: tuple[DeployerSettings, ...] = ()
    mesh: MeshSettings = field(default_factory=MeshSettings)
    render: RenderSettings = field(default_factory=RenderSettings)
    proof: ProofSettings = field(default_factory=ProofSettings)
    rules: RuleSettings = field(default_factory=RuleSettings)
    #: Where the settings were read, e.g. ".meshplan.yaml"; "" for the defaults.
    source: str = ""

    def with_(self, **changes: Any) -> Self:
        """The same settings with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A fact that the answer rests on, and where it comes from."""

    name: str
    value: str
    #: "default", "settings", or a place such as "a/b.yaml:3".
    source: str

    def to_json(self) -> dict[str, Any]:
        """As the result document writes it."""
        return {"name": self.name, "value": self.value, "source": self.source}


def settings_of(value: Mapping[str, Any], source: str) -> Settings:
    """Settings from a mapping that already satisfies `schemas/settings.schema.json`."""
    mesh = value.get("mesh") or {}
    render = value.get("render") or {}
    proof = value.get("proof") or {}
    default = Settings()
    return Settings(
        world=World(value.get("world", default.world)),
        fail_on=Severity(value.get("failOn", default.fail_on)),
        fail_on_verdicts=tuple(value.get("failOnVerdicts", default.fail_on_verdicts)),
        default_namespace=value.get("defaultNamespace", default.default_namespace),
        ignore=tuple(value.get("ignore") or ()),
        targets=tuple(_target(entry) for entry in value.get("targets") or ()),
        deployers=tuple(_deployer(entry) for entry in value.get("deployers") or ()),
        mesh=MeshSettings(
            outbound_traffic_policy=mesh.get("outboundTrafficPolicy"),
            enable_auto_mtls=mesh.get("enableAutoMtls"),
            root_namespace=mesh.get("rootNamespace"),
            trust_domain=mesh.get("trustDomain"),
            cluster_domain=mesh.get("clusterDomain"),
            istio_version=mesh.get("istioVersion"),
            kubernetes_version=mesh.get("kubernetesVersion"),
        ),
        render=RenderSettings(
            timeout_seconds=float(render.get("timeoutSeconds", default.render.timeout_seconds)),
            max_output_bytes=int(render.get("maxOutputBytes", default.render.max_output_bytes)),
            enabled=bool(render.get("enabled", default.render.enabled)),
        ),
        proof=ProofSettings(
            enabled=bool(proof.get("enabled", default.proof.enabled)),
            work=int(proof.get("work", default.proof.work)),
            timeout_seconds=float(proof.get("timeoutSeconds", default.proof.timeout_seconds)),
        ),
        rules=_rules(value.get("rules") or {}),
        source=source,
    )


def _rules(value: Mapping[str, Any]) -> RuleSettings:
    waivers = value.get("waivers") or {}
    default = WaiverSettings()
    return RuleSettings(
        builtin=bool(value.get("builtin", True)),
        paths=tuple(value.get("paths") or ()),
        levels=tuple(_level(entry) for entry in value.get("levels") or ()),
        parameters=value.get("parameters") or {},
        waivers=WaiverSettings(
            path=waivers.get("path", default.path),
            longest_days=int(waivers.get("longestDays", default.longest_days)),
            soon_days=int(waivers.get("soonDays", default.soon_days)),
        ),
    )


def _level(entry: Mapping[str, Any]) -> LevelSettings:
    level = entry["level"]
    return LevelSettings(
        rules=tuple(entry["rules"]),
        severity=None if level == "off" else Severity(level),
        targets=tuple(entry.get("targets") or ()),
        namespaces=tuple(entry.get("namespaces") or ()),
        kinds=tuple(entry.get("kinds") or ()),
        paths=tuple(entry.get("paths") or ()),
    )


def _deployer(entry: str | Mapping[str, Any]) -> DeployerSettings:
    if isinstance(entry, str):
        return DeployerSettings(entry)
    return DeployerSettings(entry["name"], bool(entry.get("pruneLast", False)))


def _target(entry: Mapping[str, Any]) -> TargetSettings:
    return TargetSettings(
        name=entry["name"],
        paths=tuple(entry["paths"]),
        kind=entry.get("kind"),
        namespace=entry.get("namespace"),
        values=tuple(entry.get("values") or ()),
        release=entry.get("release"),
    )
