"""Whether a URL that Argo CD or Flux fetches from is the repository at hand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from itertools import takewhile
from typing import Any, Generic, TypeVar

from meshplan.dataclass import dataclass
from meshplan.resource import Document
from meshplan.settings import Assumption
from meshplan.source.tree import Tree, is_below, joined

#: Folders from which something is looked up, the most telling first.
Near = Sequence[str]

_T = TypeVar("_T")
#: The kinds of objects that others refer to by name.
NOTED = frozenset({"ConfigMap", "GitRepository", "ArtifactGenerator"})
_FROM = re.compile(r"@([\w-]+)((?:/[^*]*)?)(?:/\*\*)?")
_TO = re.compile(r"@artifact((?:/[^*]*)?)")
_SCP = re.compile(r"^(?:[\w.-]+@)?([\w.-]+):(?!//)(.+)$")
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://(?:[^/@]*@)?([^/:]+)(?::\d+)?/(.+)$", re.IGNORECASE)


def normalized(url: str) -> str:
    """Host and path of a Git URL, equal for its ssh, https and `.git` forms."""
    text = url.strip()
    found = _URL.match(text) or _SCP.match(text)
    host, path = (found[1], found[2]) if found else ("", text)
    path = path.strip("/").removesuffix(".git")
    # Hosts with ports and paths of their own for ssh are left alone; the common forges are not.
    return f"{host}/{path}".lower()


@dataclass(slots=True)
class OwnRepository:
    """The repository at hand, as far as its URLs are known, and what had to be assumed."""

    urls: Sequence[str] = ()
    #: URL by the sentence that says why it was taken for this repository.
    assumed: dict[str, Assumption] = field(default_factory=dict)

    def holds(self, url: str, path: str, tree: Tree, place: str) -> bool:
        """Whether what is fetched from `url` at `path` is in this tree.

        Where no URL of this repository is known, a folder (not the root, which every repository
        has) that is in the tree is taken for it, and that is listed as an assumption.
        """
        if self.urls:
            return normalized(url) in {normalized(own) for own in self.urls}
        folder = joined("", path)
        if not folder or (folder not in tree.folders and folder not in tree.files):
            return False
        self.assumed.setdefault(url, Assumption("repository", _plain(url), place))
        return True


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a Flux ArtifactGenerator cuts out of one Git source."""

    source: Mapping[str, Any]
    #: Folders of the source, and where they are in the artifact.
    copies: tuple[tuple[str, str], ...]

    def origin(self, path: str) -> str | None:
        """The folder of the source that is at `path` in the artifact; None if that is not one."""
        for source, target in self.copies:
            if is_below(path, target):
                inner = path[len(target) :].strip("/")
                return "/".join(part for part in (source, inner) if part)
        return None


@dataclass(frozen=True, slots=True)
class _Shelf(Generic[_T]):
    """Values by namespace and name, each with the files that define it."""

    _values: dict[tuple[str, str], dict[str, _T]] = field(default_factory=dict)

    def put(self, namespace: str, name: str, path: str, value: _T) -> None:
        self._values.setdefault((namespace, name), {})[path] = value

    def get(self, namespace: str, name: str, near: Near) -> _T | None:
        """The nearest value; one without a namespace may get it from a kustomization."""
        found = {**self._values.get(("", name), {}), **self._values.get((namespace, name), {})}
        if not found:
            return None
        return found[max(sorted(found), key=lambda path: [_shared(path, place) for place in near])]


@dataclass(frozen=True, slots=True)
class Known:
    """Objects of a revision that others refer to by name: ConfigMaps, Git sources, artifacts.

    Repositories of many clusters have many objects of one name, so whoever looks one up says from
    where, and gets the one that is nearest in the tree.
    """

    _config_maps: _Shelf[Mapping[str, str]] = field(default_factory=_Shelf)
    _git_urls: _Shelf[str] = field(default_factory=_Shelf)
    _artifacts: _Shelf[Artifact] = field(default_factory=_Shelf)

    def note(self, document: Document) -> None:
        """Remember a document if others may refer to it."""
        value = document.value
        if document.kind not in NOTED:
            return
        metadata, spec = _mapping(value.get("metadata")), _mapping(value.get("spec"))
        namespace, name = str(metadata.get("namespace") or ""), str(metadata.get("name"))
        path = document.origin.path
        group = str(value.get("apiVersion", "")).partition("/")[0]
        if (group, value["kind"]) == ("v1", "ConfigMap"):
            data = {str(key): str(text) for key, text in _mapping(value.get("data")).items()}
            self._config_maps.put(namespace, name, path, data)
        elif value["kind"] == "GitRepository" and isinstance(spec.get("url"), str):
            self._git_urls.put(namespace, name, path, spec["url"])
        elif value["kind"] == "ArtifactGenerator":
            for made, artifact in _artifacts(spec).items():
                self._artifacts.put(namespace, made, path, artifact)

    def config_map(self, namespace: str, name: str, near: Near) -> Mapping[str, str] | None:
        """The data of a ConfigMap."""
        return self._config_maps.get(namespace, name, near)

    def artifact(self, namespace: str, name: str, near: Near) -> Artifact | None:
        """What an ExternalArtifact is made of, if a generator in the repository makes it."""
        return self._artifacts.get(namespace, name, near)

    def git_url(self, namespace: str, name: str, near: Near) -> str | None:
        """The URL of a Flux GitRepository."""
        return self._git_urls.get(namespace, name, near)


def _artifacts(spec: Mapping[str, Any]) -> Mapping[str, Artifact]:
    """The artifacts of a generator that copy whole folders of one Git source."""
    sources = {str(s.get("alias")): s for s in _mappings(spec.get("sources"))}
    found: dict[str, Artifact] = {}
    for entry in _mappings(spec.get("artifacts")):
        copies = [
            (_FROM.fullmatch(str(copy.get("from"))), _TO.fullmatch(str(copy.get("to"))))
            for copy in _mappings(entry.get("copy"))
        ]
        aliases = {source[1] for source, _ in copies if source}
        if len(aliases) == 1 and all(source and target for source, target in copies):
            pairs = tuple((s[2].strip("/"), t[1].strip("/")) for s, t in copies if s and t)
            found[str(entry.get("name"))] = Artifact(sources.get(aliases.pop(), {}), pairs)
    return found


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _shared(path: str, folder: str) -> int:
    """How many folders from the root on a path and a folder have in common."""
    pairs = zip(path.split("/"), folder.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _plain(url: str) -> str:
    """A URL without credentials."""
    return re.sub(r"//[^/@]*@", "//", url)
