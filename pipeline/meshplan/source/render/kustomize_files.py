"""Which files a Kustomize build reads, found without running it, and what it must not read.

Kustomize would fetch remote bases and could run plugins. Both are recognised here, in every
kustomization that a build reaches, before anything runs.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.source.compose import is_configuration
from meshplan.source.documents import Manifests
from meshplan.source.tree import Tree, is_below, joined
from meshplan.source.yaml import read

#: Bases within bases, far more than anyone has.
_MAX_DEPTH = 64
_REMOTE = re.compile(
    r"^[a-z][a-z0-9+.-]*://|^git::|^gh:|^[\w.-]+@[\w.-]+:|[?&](?:ref|version|timeout)="
    r"|^(?:www\.)?(?:github|gitlab|bitbucket)\.[a-z]+[/:]|^[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}/.+/",
    re.IGNORECASE,
)
_KIND = "Kustomization"
#: A kustomization with no other fields leaves every object as it is.
_LISTS_ONLY = frozenset({"apiVersion", "kind", "metadata", "resources", "bases"})
#: Fields with paths in the configuration of the plugins that are built in.
_PATH_FIELDS = frozenset({"path", "paths", "files", "envs", "env"})
#: All fields with which a kustomization reads something; Kustomize takes them in any case.
_READING_FIELDS = _PATH_FIELDS | frozenset(
    {
        *("resources", "bases", "components", "crds", "configurations", "patches", "openapi"),
        *("patchesStrategicMerge", "patchesJson6902", "replacements", "generators"),
        *("transformers", "validators", "configMapGenerator", "secretGenerator"),
        *("helmCharts", "helmGlobals", "helmChartInflationGenerator"),
    }
)
_SPELLINGS = {field.lower(): field for field in _READING_FIELDS}
_FUNCTION = "config.kubernetes.io/function"


@dataclass(slots=True)
class Closure:
    """What one build reaches."""

    files: set[str] = field(default_factory=set)
    #: Those of them that hold whole objects, in the order in which they are listed.
    resources: dict[str, None] = field(default_factory=dict)
    #: Whether a kustomization refers to files that are not in or below its own folder.
    beside: bool = False
    #: Whether objects are changed or made on the way, rather than only listed.
    transforms: bool = False
    #: Folders with a kustomization file, the built one included.
    folders: set[str] = field(default_factory=set)
    #: Those of them that another kustomization refers to.
    referenced: set[str] = field(default_factory=set)
    #: The first reason for which the build is not run; "" if there is none.
    why: str = ""
    #: Whether the repository is wrong, rather than that something is outside of it.
    own_fault: bool = False

    def outside(self, why: str) -> None:
        """The build would reach out of the repository, or run something."""
        if not self.why:
            self.why = why

    def fault(self, why: str) -> None:
        """No Kustomize could build this."""
        if not self.why:
            self.why, self.own_fault = why, True


@dataclass(frozen=True, slots=True)
class Walker:
    """Follows the references of the kustomizations of one tree."""

    tree: Tree
    manifests: Manifests

    def closure(self, folder: str, *, generated: bool = False) -> Closure:
        """All that a build of the folder reads; `generated` as in `units.Kustomization`."""
        found = Closure()
        if generated and folder not in self.tree.kustomizations:
            resources = self.listed(folder)
            if not resources:
                found.fault(f"there are no manifests in {folder or 'the repository'}")
            for path in resources:
                self._resource(found, path, folder, ())
        else:
            self._folder(found, folder, ())
        return found

    def add(self, found: Closure, folder: str, fields: Mapping[str, Any]) -> None:
        """Add what further fields of a kustomization in the folder refer to."""
        self._fields(found, folder, fields, (folder,))

    def everything(self, folders: Iterable[str]) -> Closure:
        """All that kustomizations own."""
        found = Closure()
        for folder in folders:
            self._folder(found, folder, ())
        return found

    def listed(self, folder: str) -> tuple[str, ...]:
        """The resources of the kustomization that Flux generates for a folder without one."""
        taken: list[str] = []
        nested: list[str] = []
        for path in sorted(self.tree.below(folder)):
            where = posixpath.dirname(path)
            if any(is_below(where, other) for other in nested):
                continue
            if where in self.tree.kustomizations:
                nested.append(where)
            elif path.endswith((".yaml", ".yml")) and self._holds_objects(path):
                taken.append(path)
        return (*taken, *nested)

    def kustomization(self, folder: str) -> Mapping[str, Any] | None:
        """The content of a folder's kustomization file; None if it cannot be read."""
        path = self.tree.kustomizations[folder]
        file = self.manifests.file(self.tree, path)
        value = file.documents[0].value if len(file.documents) == 1 else None
        return value if isinstance(value, Mapping) and not file.template else None

    def _holds_objects(self, path: str) -> bool:
        documents = self.manifests.file(self.tree, path).documents
        return any(
            isinstance(d.value, Mapping) and "kind" in d.value and not is_configuration(d.value)
            for d in documents
        )

    def _folder(self, found: Closure, folder: str, above: tuple[str, ...]) -> None:
        if folder in above:
            chain = " -> ".join(step or "." for step in (*above[above.index(folder) :], folder))
            found.fault(f"the kustomizations refer to each other in a circle: {chain}")
            return
        if folder in found.folders:
            return
        if len(above) > _MAX_DEPTH:
            found.fault(f"the kustomizations are nested more than {_MAX_DEPTH} deep")
            return
        found.folders.add(folder)
        path = self.tree.kustomizations[folder]
        found.files.add(path)
        content = self.kustomization(folder)
        if content is None:
            found.fault(f"{path} is not one YAML document that can be read")
            return
        if not _LISTS_ONLY.issuperset(content) or content.get("kind", _KIND) != _KIND:
            found.transforms = True
        self._fields(found, folder, content, (*above, folder))

    def _fields(
        self, found: Closure, folder: str, content: Mapping[str, Any], above: tuple[str, ...]
    ) -> None:
        odd = next(_odd_spellings(content), None)
        if odd is not None:
            found.fault(
                f"{self._name(folder)} has {odd}, which is spelled {_SPELLINGS[odd.lower()]}"
            )
        for reference in _texts(content, "resources", "bases", "components"):
            self._reference(found, reference, folder, above)
        for reference in _files(content):
            self._file(found, reference, folder)
        for plugin in _texts(content, "generators", "transformers", "validators"):
            self._plugin(found, plugin, folder, above)
        if content.get("helmCharts") or content.get("helmChartInflationGenerator"):
            found.outside(f"{self._name(folder)} has helmCharts, which Kustomize would fetch")

    def _path(self, found: Closure, reference: str, folder: str) -> str | None:
        """The file or folder of the tree that a reference means; None, with a reason, for none."""
        path = joined(folder, reference)
        if path is not None and (path in self.tree.files or path in self.tree.folders):
            return path
        name = self._name(folder)
        if _REMOTE.search(reference):
            found.outside(f"{name} refers to {_safe(reference)}, which is outside the repository")
        elif path is None:
            found.fault(f"{name} refers to {reference}, a path that leaves the repository")
        else:
            found.fault(f"{name} refers to {reference}, which is not there")
        return None

    def _reference(
        self, found: Closure, reference: str, folder: str, above: tuple[str, ...]
    ) -> None:
        path = self._path(found, reference, folder)
        if path is not None:
            self._resource(found, path, folder, above)

    def _resource(self, found: Closure, path: str, folder: str, above: tuple[str, ...]) -> None:
        if path in self.tree.files:
            found.files.add(path)
            found.resources[path] = None
            found.beside |= not is_below(path, folder)
        elif path in self.tree.kustomizations:
            found.referenced.add(path)
            self._folder(found, path, above)
        else:
            found.fault(
                f"{self._name(folder)} refers to the folder {path}, "
                "in which there is no kustomization.yaml",
            )

    def _file(self, found: Closure, reference: str, folder: str) -> None:
        path = self._path(found, reference, folder)
        if path is not None:
            found.files.update([path] if path in self.tree.files else self.tree.below(path))
            found.beside |= not is_below(path, folder)

    def _plugin(self, found: Closure, reference: str, folder: str, above: tuple[str, ...]) -> None:
        """A generator or transformer: only those that are built in and run in the process."""
        if "\n" in reference:  # written inline
            values = [document.value for document in read(reference.encode()).documents]
        else:
            before = set(found.files)
            self._reference(found, reference, folder, above)
            values = [
                document.value
                for path in sorted(found.files - before)
                for document in self.manifests.file(self.tree, path).documents
            ]
        for value in values:
            if _is_plugin(value):
                found.outside(f"{self._name(folder)} needs a plugin, and plugins are not run")
            for text in _paths(value):
                if joined(folder, text) is None:
                    name = self._name(folder)
                    found.fault(f"{name} refers to {text}, a path that leaves the repository")
        # The configuration of a plugin names further files in fields of its own.
        found.files.update(self.tree.below(folder))

    def _name(self, folder: str) -> str:
        return self.tree.kustomizations.get(folder, folder or ".")


def _is_plugin(value: Any) -> bool:
    """Whether a document configures something else than a transformer that is built in."""
    if not isinstance(value, Mapping) or is_kustomization(value):
        return False
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    runs = isinstance(annotations, Mapping) and _FUNCTION in annotations
    return runs or value.get("apiVersion") != "builtin" or "Helm" in str(value.get("kind"))


def _paths(value: Any) -> Iterator[str]:
    """The paths that the configuration of a built-in plugin names."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower() in _PATH_FIELDS:
                texts = inner if isinstance(inner, list) else [inner]
                yield from (str(text).rpartition("=")[2] for text in texts)
            else:
                yield from _paths(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _paths(inner)


def is_kustomization(value: Any) -> bool:
    """Whether a document is a kustomization (or component) rather than an object."""
    if not isinstance(value, Mapping):
        return False
    return str(value.get("apiVersion", "")).startswith("kustomize.config.k8s.io/")


def _odd_spellings(content: Mapping[str, Any]) -> Iterator[str]:
    """Fields that Kustomize would take for others, which are looked for under their own name."""
    for key, value in content.items():
        if str(key).lower() in _SPELLINGS and key not in _READING_FIELDS:
            yield str(key)
        items = value if isinstance(value, list) else [value]
        for item in items if str(key).lower() in _SPELLINGS else ():
            if isinstance(item, Mapping):
                odd = (k for k in item if str(k).lower() in _SPELLINGS and k not in _READING_FIELDS)
                yield from (str(k) for k in odd)


def _texts(content: Mapping[str, Any], *fields: str) -> Iterator[str]:
    for name in fields:
        value = content.get(name)
        for item in value if isinstance(value, list) else ():
            if isinstance(item, str):
                yield item


def _mappings(content: Mapping[str, Any], *fields: str) -> Iterator[Mapping[str, Any]]:
    for name in fields:
        value = content.get(name)
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, Mapping):
                yield item


def _files(content: Mapping[str, Any]) -> Iterator[str]:
    """The files that fields of a kustomization name."""
    yield from _texts(content, "crds", "configurations")
    yield from (text for text in _texts(content, "patchesStrategicMerge") if "\n" not in text)
    for item in _mappings(content, "patches", "patchesJson6902", "replacements", "openapi"):
        yield from _words([item.get("path")])
    for item in _mappings(content, "configMapGenerator", "secretGenerator"):
        named = _words(item.get("files"))
        yield from (text.partition("=")[2] or text for text in named)
        yield from _words(item.get("envs"))
        yield from _words([item.get("env")])


def _words(value: Any) -> Iterable[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else ()


def _safe(reference: str) -> str:
    """A URL without the credentials that it may carry."""
    return re.sub(r"//[^/@]*@", "//", reference)
