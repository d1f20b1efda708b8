"""Whether a URL that Argo CD or Flux fetches from is the repository at hand."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from meshplan.settings import Assumption
from meshplan.source.tree import Tree, joined

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


@dataclass(slots=True)
class Known:
    """Objects of a revision that others refer to by name: ConfigMaps and Git sources."""

    config_maps: dict[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    git_urls: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, value: object) -> None:
        """Remember a document if others may refer to it; the latest counts."""
        if not isinstance(value, Mapping):
            return
        metadata = value.get("metadata")
        if not isinstance(metadata, Mapping):
            return
        key = (str(metadata.get("namespace") or ""), str(metadata.get("name")))
        group = str(value.get("apiVersion", "")).partition("/")[0]
        if (group, value.get("kind")) == ("v1", "ConfigMap"):
            data = value.get("data")
            texts = data.items() if isinstance(data, Mapping) else ()
            self.config_maps[key] = {str(name): str(text) for name, text in texts}
        elif (group, value.get("kind")) == ("source.toolkit.fluxcd.io", "GitRepository"):
            spec = value.get("spec")
            url = spec.get("url") if isinstance(spec, Mapping) else None
            if isinstance(url, str):
                self.git_urls[key] = url

    def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """The data of a ConfigMap; one without namespace may get it from a kustomization."""
        return self.config_maps.get((namespace, name)) or self.config_maps.get(("", name))

    def git_url(self, namespace: str, name: str) -> str | None:
        """The URL of a Flux GitRepository."""
        return self.git_urls.get((namespace, name)) or self.git_urls.get(("", name))


def _plain(url: str) -> str:
    """A URL without credentials."""
    return re.sub(r"//[^/@]*@", "//", url)
