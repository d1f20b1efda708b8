"""Flux: what its Kustomizations and HelmReleases would fetch, build and install."""

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.resource import Document, Origin
from meshplan.source.repository import Known, OwnRepository
from meshplan.source.tree import Tree, joined
from meshplan.source.units import Chart, Kustomization, Recipe, Refused, Unit
from meshplan.source.yaml import read

_KUSTOMIZATION = "kustomize.toolkit.fluxcd.io"
_HELM_RELEASE = "helm.toolkit.fluxcd.io"
#: The GitRepository that `flux bootstrap` makes for the repository that it writes to.
_BOOTSTRAP = "flux-system"
#: Fields of a Flux Kustomization that are fields of Kustomize too.
_OVERLAY = ("namePrefix", "nameSuffix", "images")


@dataclass(frozen=True, slots=True)
class Flux:
    """Reads the Flux objects of one revision."""

    tree: Tree
    own: OwnRepository
    known: Known
    #: Where names are looked up from: the folder of the cluster, if that is known.
    cluster: str = ""

    def units(self, document: Document) -> Iterator[Unit]:
        """What a document asks Flux to render; nothing for other documents."""
        value = document.value
        if not isinstance(value, Mapping) or not isinstance(value.get("spec"), Mapping):
            return
        group = str(value.get("apiVersion", "")).partition("/")[0]
        place = document.origin
        if (group, value.get("kind")) == (_KUSTOMIZATION, "Kustomization"):
            yield self._kustomization(value, place)
        elif (group, value.get("kind")) == (_HELM_RELEASE, "HelmRelease"):
            yield self._release(value, place)

    def _kustomization(self, value: Mapping[str, Any], place: Origin) -> Unit:
        spec = value["spec"]
        namespace, name = _identity(value)
        return Unit(
            "flux",
            f"Kustomization {namespace}/{name}",
            self._build(spec, namespace, place),
            str(spec.get("targetNamespace") or ""),
            self._variables(spec, namespace, place),
            _cluster(spec),
            _common(spec),
        )

    def _build(self, spec: Mapping[str, Any], namespace: str, place: Origin) -> Recipe:
        reference = _mapping(spec.get("sourceRef"))
        path = joined("", str(spec.get("path") or "."))
        artifact = None
        if reference.get("kind") == "ExternalArtifact":
            where = str(reference.get("namespace") or namespace)
            artifact = self.known.artifact(where, str(reference.get("name")), self._near(place))
        if path is not None and artifact is not None:
            reference, path = artifact.source, artifact.origin(path)
        if path is None:
            return Refused(f"spec.path {spec.get('path')} leaves the repository")
        refusal = self._outside(reference, namespace, path, place)
        if refusal:
            return Refused(refusal, path)
        if path not in self.tree.folders:
            return Refused(f"spec.path {spec.get('path')} is not in the repository", path)
        return Kustomization(path, _overlay(spec, path), generated=True, unrestricted=True)

    def _release(self, value: Mapping[str, Any], place: Origin) -> Unit:
        spec = value["spec"]
        namespace, name = _identity(value)
        target = str(spec.get("targetNamespace") or namespace)
        default = f"{spec['targetNamespace']}-{name}" if spec.get("targetNamespace") else name
        release = str(spec.get("releaseName") or default)
        recipe = self._chart(spec, namespace, place, (release, target))
        return Unit("flux", f"HelmRelease {namespace}/{name}", recipe, target, None, _cluster(spec))

    def _chart(
        self, spec: Mapping[str, Any], namespace: str, place: Origin, release: tuple[str, str]
    ) -> Recipe:
        if spec.get("chartRef"):
            kind = _mapping(spec.get("chartRef")).get("kind")
            return Refused(f"its chart comes from a {kind}, which is outside the repository")
        chart = _mapping(_mapping(spec.get("chart")).get("spec"))
        reference = _mapping(chart.get("sourceRef"))
        if reference.get("kind") != "GitRepository":
            return Refused(
                f"chart {chart.get('chart')} comes from the {reference.get('kind')} "
                f"{reference.get('name')}, which is outside the repository"
            )
        path = joined("", str(chart.get("chart") or ""))
        if path is None:
            return Refused(f"chart {chart.get('chart')} leaves the repository")
        refusal = self._outside(reference, namespace, path, place)
        if refusal:
            return Refused(refusal, path)
        if spec.get("postRenderers"):
            return Refused("it has postRenderers, which are not applied", path)
        values, why = self._values(spec, namespace, place)
        files = tuple(joined("", str(file)) or "" for file in chart.get("valuesFiles") or ())
        if why:
            return Refused(why, path)
        return Chart(path, *release, files, json.dumps(values) if values else "")

    def _values(
        self, spec: Mapping[str, Any], namespace: str, place: Origin
    ) -> tuple[Mapping[str, Any], str]:
        """The values of a HelmRelease, or why they cannot be told."""
        merged: Mapping[str, Any] = {}
        for item in spec.get("valuesFrom") or ():
            entry = _mapping(item)
            name, kind = str(entry.get("name")), entry.get("kind")
            if kind != "ConfigMap":
                return {}, f"it takes values from the {kind} {name}, which is not read"
            data = self.known.config_map(namespace, name, self._near(place))
            text = (data or {}).get(str(entry.get("valuesKey") or "values.yaml"))
            if text is None and entry.get("optional"):
                continue
            if text is None:
                return (
                    {},
                    f"it takes values from the ConfigMap {name}, which is not in the repository",
                )
            merged = _merged(merged, _placed(text, str(entry.get("targetPath") or "")))
        return _merged(merged, _mapping(spec.get("values"))), ""

    def _outside(
        self, reference: Mapping[str, Any], namespace: str, path: str, place: Origin
    ) -> str:
        """Why a source is not this repository; "" if it is."""
        kind, name = reference.get("kind", "GitRepository"), str(reference.get("name", _BOOTSTRAP))
        if kind != "GitRepository":
            return f"its source is the {kind} {name}, which is outside the repository"
        where = str(reference.get("namespace") or namespace)
        url = self.known.git_url(where, name, self._near(place))
        if url is None and name == _BOOTSTRAP:
            return ""
        if url is None:
            # The source is made elsewhere, so its name is all there is to go by.
            url = f"GitRepository {name}"
            held = not self.own.urls and self.own.holds(url, path, self.tree, str(place.location()))
        else:
            held = self.own.holds(url, path, self.tree, str(place.location()))
        return "" if held else f"its source {url} is another repository"

    def _near(self, place: Origin) -> Sequence[str]:
        return (self.cluster, posixpath.dirname(place.path))

    def _variables(
        self, spec: Mapping[str, Any], namespace: str, place: Origin
    ) -> tuple[tuple[str, str], ...] | None:
        """Variables to substitute, the name "" standing for values that are not known here."""
        after = _mapping(spec.get("postBuild"))
        if not after:
            return None
        values: dict[str, str] = {}
        for item in after.get("substituteFrom") or ():
            entry = _mapping(item)
            known = entry.get("kind") == "ConfigMap"
            name = str(entry.get("name"))
            data = self.known.config_map(namespace, name, self._near(place)) if known else None
            values.update(data if data is not None else {} if entry.get("optional") else {"": ""})
        written = _mapping(after.get("substitute"))
        values.update({str(name): _text(text) for name, text in written.items()})
        return tuple(sorted(values.items()))


def _overlay(spec: Mapping[str, Any], path: str) -> str:
    """What a Flux Kustomization lays over the folder, as the JSON of a kustomization."""
    fields: dict[str, Any] = {name: spec[name] for name in _OVERLAY if spec.get(name)}
    if spec.get("targetNamespace"):
        fields["namespace"] = spec["targetNamespace"]
    patches = [*(spec.get("patches") or ())]
    patches += [{"patch": json.dumps(p)} for p in spec.get("patchesStrategicMerge") or ()]
    patches += [
        {**_mapping(p), "patch": json.dumps(_mapping(p).get("patch"))}
        for p in spec.get("patchesJson6902") or ()
    ]
    if patches:
        fields["patches"] = patches
    if spec.get("components"):
        fields["components"] = [joined(path, str(c)) or str(c) for c in spec["components"]]
    return json.dumps(fields, sort_keys=True) if fields else ""


def _common(spec: Mapping[str, Any]) -> str:
    common = _mapping(spec.get("commonMetadata"))
    return json.dumps(common, sort_keys=True) if common else ""


def _cluster(spec: Mapping[str, Any]) -> str:
    """The other cluster that a Flux object works on; "" for the one it is in."""
    reference = _mapping(_mapping(spec.get("kubeConfig")).get("secretRef"))
    return str(reference.get("name") or "")


def _identity(value: Mapping[str, Any]) -> tuple[str, str]:
    metadata = _mapping(value.get("metadata"))
    return str(metadata.get("namespace") or "flux-system"), str(metadata.get("name"))


def _placed(text: str, path: str) -> Mapping[str, Any]:
    """Values text at a dotted target path."""
    documents = read(text.encode()).documents
    if not path:
        value = documents[0].value if documents else {}
        return value if isinstance(value, Mapping) else {}
    nested: Any = documents[0].value if documents else text
    for step in reversed(path.split(".")):
        nested = {step: nested}
    return _mapping(nested)


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    """Values as Helm merges them: mappings by key, everything else replaced."""
    return {
        **under,
        **{
            key: _merged(_mapping(under[key]), value)
            if isinstance(value, Mapping) and isinstance(under.get(key), Mapping)
            else value
            for key, value in over.items()
        },
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """A scalar as YAML would write it: variables are text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
