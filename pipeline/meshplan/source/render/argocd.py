"""Argo CD: what its Applications deploy from this repository, and where to."""

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.resource import Document
from meshplan.source.render.applicationset import applications, refusal
from meshplan.source.repository import OwnRepository
from meshplan.source.tree import Tree, joined
from meshplan.source.units import Chart, Folder, Kustomization, Recipe, Refused, Unit

_GROUP = "argoproj.io"
#: The cluster that Argo CD runs in, by name.
IN_CLUSTER = "in-cluster"
_IN_CLUSTER_SERVERS = frozenset({"https://kubernetes.default.svc", "https://kubernetes.default"})
#: Options of a Kustomize source that are fields of a kustomization under the same name.
_SAME = ("namePrefix", "nameSuffix", "namespace", "patches", "commonAnnotations")
_UNDERSTOOD = frozenset(
    {*_SAME, "images", "replicas", "commonLabels", "labelWithoutSelector", "components", "version"}
)
_IGNORED = frozenset({"forceCommonLabels", "forceCommonAnnotations", "labelIncludeTemplates"})


@dataclass(frozen=True, slots=True)
class ArgoCD:
    """Reads the Argo CD objects of one revision."""

    tree: Tree
    own: OwnRepository
    #: Reads a file of the tree as YAML or JSON, for the files of a git generator.
    read: Any = field(default=None)

    def units(self, document: Document) -> Iterator[Unit]:
        """What a document asks Argo CD to deploy; nothing for other documents."""
        value = document.value
        if not isinstance(value, Mapping) or not isinstance(value.get("spec"), Mapping):
            return
        if str(value.get("apiVersion", "")).partition("/")[0] != _GROUP:
            return
        place = str(document.origin.location())
        if value.get("kind") == "Application":
            yield from self._application(value, place)
        elif value.get("kind") == "ApplicationSet":
            yield from self._applications(value, place)

    def _applications(self, value: Mapping[str, Any], place: str) -> Iterator[Unit]:
        name = f"ApplicationSet {_name(value)}"
        why = refusal(value["spec"])
        if not why:
            made = applications(value["spec"], self.tree, self._holds(place), self.read)
            if isinstance(made, str):
                why = made
            else:
                for application in made:
                    yield from self._application(application, place)
                return
        yield Unit("argocd", name, Refused(why))

    def _holds(self, place: str) -> Any:
        return lambda url, path: self.own.holds(url, path, self.tree, place)

    def _application(self, value: Mapping[str, Any], place: str) -> Iterator[Unit]:
        spec = _mapping(value.get("spec"))
        destination = _mapping(spec.get("destination"))
        sources = spec.get("sources") or [spec.get("source")]
        named = [_mapping(source) for source in sources] if isinstance(sources, list) else []
        for number, source in enumerate(named):
            if source.get("ref") and not source.get("path") and not source.get("chart"):
                continue  # only there for its values files
            more = f" source {number + 1}" if len(named) > 1 else ""
            yield Unit(
                "argocd",
                f"Application {_name(value)}{more}",
                self._recipe(source, named, value, place),
                str(destination.get("namespace") or ""),
                None,
                _destination(destination),
            )

    def _recipe(
        self,
        source: Mapping[str, Any],
        sources: Sequence[Mapping[str, Any]],
        application: Mapping[str, Any],
        place: str,
    ) -> Recipe:
        url = str(source.get("repoURL") or "")
        if source.get("chart"):
            return Refused(f"chart {source['chart']} comes from {url}, outside the repository")
        path = joined("", str(source.get("path") or "."))
        if path is None:
            return Refused(f"path {source.get('path')} leaves the repository")
        if not self.own.holds(url, path, self.tree, place):
            return Refused(f"its source {url} is another repository, as far as meshplan knows")
        if path not in self.tree.folders:
            return Refused(f"path {source.get('path')} is not in the repository", path)
        return self._of_kind(path, source, sources, application)

    def _of_kind(
        self,
        path: str,
        source: Mapping[str, Any],
        sources: Sequence[Mapping[str, Any]],
        application: Mapping[str, Any],
    ) -> Recipe:
        """The recipe by the kind of source that is stated, else by what is in the folder."""
        if source.get("plugin") is not None:
            return Refused("it needs a plugin, and plugins are not run", path)
        chart = posixpath.join(path, "Chart.yaml") in self.tree.files
        if source.get("helm") is not None or (chart and source.get("kustomize") is None):
            return self._chart(path, _mapping(source.get("helm")), sources, application)
        if source.get("kustomize") is not None or path in self.tree.kustomizations:
            return _kustomization(path, _mapping(source.get("kustomize")))
        options = _mapping(source.get("directory"))
        return Folder(
            path,
            bool(options.get("recurse", False)),
            str(options.get("include") or ""),
            str(options.get("exclude") or ""),
        )

    def _chart(
        self,
        path: str,
        options: Mapping[str, Any],
        sources: Sequence[Mapping[str, Any]],
        application: Mapping[str, Any],
    ) -> Recipe:
        if options.get("fileParameters"):
            return Refused("it sets Helm values from files (fileParameters)", path)
        destination = _mapping(_mapping(application.get("spec")).get("destination"))
        files: list[str] = []
        for item in options.get("valueFiles") or ():
            found = self._value_file(str(item), path, sources)
            if isinstance(found, Refused):
                return found
            files.append(found)
        inline = options.get("valuesObject")
        return Chart(
            path,
            str(options.get("releaseName") or _mapping(application.get("metadata")).get("name")),
            str(options.get("namespace") or destination.get("namespace") or ""),
            tuple(files),
            json.dumps(inline) if inline else str(options.get("values") or ""),
            tuple(_parameter(_mapping(p)) for p in options.get("parameters") or ()),
            ignore_missing=bool(options.get("ignoreMissingValueFiles")),
            skip_crds=bool(options.get("skipCrds")),
        )

    def _value_file(
        self, item: str, path: str, sources: Sequence[Mapping[str, Any]]
    ) -> str | Refused:
        """The path of a values file: of the chart's folder, of the repository, or of a `$ref`."""
        if "://" in item:
            return Refused(f"its values file {item} is outside the repository", path)
        if item.startswith("$"):
            reference, _, rest = item[1:].partition("/")
            source = next((s for s in sources if s.get("ref") == reference), {})
            if not self.own.holds(str(source.get("repoURL")), rest, self.tree, ""):
                return Refused(f"its values file {item} is in another repository", path)
            found = joined("", rest)
        else:
            found = joined("", item[1:]) if item.startswith("/") else joined(path, item)
        if found is None:
            return Refused(f"its values file {item} leaves the repository", path)
        return found


def _kustomization(path: str, options: Mapping[str, Any]) -> Recipe:
    """A Kustomize source with its options as a kustomization over the folder."""
    unknown = sorted(set(options) - _UNDERSTOOD - _IGNORED)
    if unknown:
        return Refused(f"its Kustomize options {', '.join(unknown)} are not supported", path)
    fields: dict[str, Any] = {name: options[name] for name in _SAME if options.get(name)}
    if options.get("images"):
        fields["images"] = [image(str(text)) for text in options["images"]]
    if options.get("replicas"):
        fields["replicas"] = options["replicas"]
    if options.get("commonLabels"):
        selectors = not options.get("labelWithoutSelector")
        pairs = options["commonLabels"]
        fields["labels"] = [{"pairs": pairs, "includeSelectors": selectors}]
    if options.get("components"):
        fields["components"] = [joined(path, str(c)) or str(c) for c in options["components"]]
    return Kustomization(path, json.dumps(fields, sort_keys=True) if fields else "")


def image(text: str) -> Mapping[str, str]:
    """`[name=]new[:tag|@digest]` as Kustomize writes it."""
    old, equals, new = text.rpartition("=")
    name, at, digest = new.partition("@")
    tag = ""
    if ":" in name.rpartition("/")[2]:
        name, _, tag = name.rpartition(":")
    found = {"name": old if equals else name}
    if equals:
        found["newName"] = name
    if tag:
        found["newTag"] = tag
    if at:
        found["digest"] = digest
    return found


def _parameter(entry: Mapping[str, Any]) -> tuple[str, str, bool]:
    value = entry.get("value")
    text = json.dumps(value) if isinstance(value, bool) else str("" if value is None else value)
    return str(entry.get("name")), text, bool(entry.get("forceString"))


def _destination(destination: Mapping[str, Any]) -> str:
    """A cluster by its name, else by its server."""
    server = str(destination.get("server") or "")
    if server in _IN_CLUSTER_SERVERS:
        return IN_CLUSTER
    return str(destination.get("name") or server or IN_CLUSTER)


def _name(value: Mapping[str, Any]) -> str:
    metadata = _mapping(value.get("metadata"))
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata.get('name')}" if namespace else str(metadata.get("name"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
