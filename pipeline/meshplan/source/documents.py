"""Each manifest file of both revisions, read and parsed once for each distinct content."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import field
from typing import Any, Self

from meshplan.dataclass import dataclass
from meshplan.finding import Finding
from meshplan.resource import Document
from meshplan.source.cache import Cache
from meshplan.source.compose import is_configuration
from meshplan.source.elsewhere import Reader, elsewhere, shares
from meshplan.source.reading import Limits, Reading
from meshplan.source.revision import Entry
from meshplan.source.stored import as_texts
from meshplan.source.tree import KUSTOMIZATION_FILES, Tree
from meshplan.source.yaml import parsed, read

_NOTHING = Reading()

#: Contents that start so are UTF-16, in which the words are not found by looking at the bytes.
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """What a file of a revision holds."""

    path: str
    blob: str
    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: Which template language the file is written in; "" for YAML or JSON.
    template: str = ""
    #: The kinds of the documents.
    kinds: frozenset[str] = frozenset()
    #: Whether any of the documents is an object, and no configuration of a tool.
    has_objects: bool = False


@dataclass(slots=True)
class Manifests:
    """The parsed files of trees; `load` reads what is missing, the rest only looks it up.

    A file that two revisions have in common is one `ManifestFile`, so that whatever is made of
    its documents is made once.
    """

    cache: Cache | None = None
    limits: Limits = field(default_factory=Limits)
    _readings: dict[str, Reading] = field(default_factory=dict)
    _files: dict[tuple[str, str], ManifestFile] = field(default_factory=dict)
    #: Object ids of working tree files, which are known only after reading them.
    _blobs: dict[tuple[int, str], str] = field(default_factory=dict)
    #: Files that were asked for once and whose content is not at hand.
    _tried: set[tuple[int, str]] = field(default_factory=set)
    #: What was read and is still to be kept.
    _unkept: dict[str, str] = field(default_factory=dict)
    _readers: list[Reader] = field(default_factory=list)
    _processes: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Waits until what was read is kept."""
        self._processes.close()
        self._keep(self._unkept)

    def load(self, trees: Sequence[Tree]) -> None:
        """Read and parse the manifests of trees, each content once whatever its paths."""
        for tree in trees:
            self._load(tree, [tree.files[path] for path in tree.manifests])
        for reader in self._readers:
            if reader.keep(self._unkept):
                self._unkept.clear()

    def file(self, tree: Tree, path: str) -> ManifestFile:
        """A file of a tree, read now if need be; one that cannot be read is empty."""
        blob = self.blob(tree, path)
        key = (path, blob)
        found = self._files.get(key)
        if found is not None:  # there are many files, and they are asked for many times
            return found
        if blob not in self._readings and (id(tree), path) not in self._tried:
            self._tried.add((id(tree), path))
            self._load(tree, [tree.files[path]])
            blob = self.blob(tree, path)
            key = (path, blob)
            found = self._files.get(key)
        if found is None:
            content = parsed(self._readings.get(blob, _NOTHING), path)
            found = self._files[key] = ManifestFile(
                path,
                blob,
                content.documents,
                content.findings,
                content.template,
                frozenset([document.kind for document in content.documents]),
                any(not is_configuration(document.value) for document in content.documents),
            )
        return found

    def content(self, tree: Tree, path: str) -> tuple[Any, ...]:
        """All documents of a file that need be no manifest; none if it cannot be read."""
        for _, data in tree.revision.read([tree.files[path]]):
            return tuple(document.value for document in read(data, self.limits).documents)
        return ()

    def blob(self, tree: Tree, path: str) -> str:
        """The object id of a file of a tree; "" for one that was not or could not be read."""
        return tree.files[path].blob or self._blobs.get((id(tree), path), "")

    def _load(self, tree: Tree, entries: Sequence[Entry]) -> None:
        unknown = {e.blob: e for e in entries if e.blob and e.blob not in self._readings}
        if self.cache is not None and unknown:
            known = self.cache.get_many(unknown)
            self._readings.update(known)
            unknown = {blob: entry for blob, entry in unknown.items() if blob not in known}
        near, far = shares(list(unknown.values()))
        here = [*near, *(entry for entry in entries if not entry.blob)]
        if not far:
            self._fresh(tree, here)
            return
        beside = elsewhere(lambda: as_texts(dict(self._read(tree, far))), self._keep)
        reader = self._processes.enter_context(beside)
        self._readers.append(reader)
        self._fresh(tree, here)
        self._readings.update(reader.readings())
        self._fresh(tree, [entry for entry in far if entry.blob not in self._readings])

    def _fresh(self, tree: Tree, entries: Iterable[Entry]) -> None:
        """Reads and parses files."""
        readings = dict(self._read(tree, entries))
        if self.cache is not None:
            self._unkept.update(as_texts(readings))

    def _keep(self, texts: Mapping[str, str]) -> None:
        if self.cache is not None:
            self.cache.put_many(texts)

    def _read(self, tree: Tree, entries: Iterable[Entry]) -> Iterator[tuple[str, Reading]]:
        for entry, data in tree.revision.read(entries):
            self._blobs[id(tree), entry.path] = entry.blob
            if entry.blob not in self._readings:
                reading = read(data, self.limits) if _relevant(entry.path, data) else _NOTHING
                self._readings[entry.blob] = reading
                yield entry.blob, reading


def _relevant(path: str, data: bytes) -> bool:
    """Whether a file can hold a Kubernetes object: most YAML and JSON of a repository does not."""
    if b"apiVersion" in data and b"kind" in data:
        return True
    return path.endswith(KUSTOMIZATION_FILES) or data.startswith(_WIDE)
