"""What one revision would put into clusters: the plain files and whatever has to be rendered."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from meshplan.finding import Finding
from meshplan.resource import Document
from meshplan.result import CoverageStatus
from meshplan.source.compose import is_configuration
from meshplan.source.documents import ManifestFile, Manifests
from meshplan.source.tree import Tree


@dataclass(frozen=True, slots=True, order=True)
class Root:
    """Where a target begins: the plain files of a repository, a Kustomize root, a Helm release."""

    kind: str
    path: str


PLAIN = Root("plain", "")


@dataclass(frozen=True, slots=True)
class Piece:
    """Documents that go into one cluster: of a file, or of one thing that was rendered."""

    root: Root
    #: The folder of the file that holds them, or that says that they are to be rendered.
    folder: str
    documents: tuple[Document, ...]
    #: The renderer: plain, kustomize, helm, argocd or flux.
    kind: str = "plain"
    #: The cluster that an Argo CD Application names; "" for the one that its root goes to.
    destination: str = ""
    #: The namespace of namespaced objects that name none; "" for the target's default.
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one file or of one thing to be rendered."""

    root: Root
    path: str
    kind: str
    status: CoverageStatus
    why: str
    #: The files it is made of, with their object ids.
    inputs: Mapping[str, str]
    destination: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that was found in one revision."""

    pieces: tuple[Piece, ...] = ()
    entries: tuple[Entry, ...] = ()
    findings: tuple[Finding, ...] = ()


def survey(tree: Tree, manifests: Manifests) -> Survey:
    """Read one revision."""
    files = [manifests.file(tree, path) for path in tree.manifests]
    pieces = [
        Piece(PLAIN, posixpath.dirname(file.path), file.documents)
        for file in files
        if any(not is_configuration(document.value) for document in file.documents)
    ]
    findings = [finding for file in files for finding in file.findings]
    entries = [entry for file in files for entry in _unread(file)]
    return Survey(tuple(pieces), tuple(entries), tuple(findings))


def _unread(file: ManifestFile) -> tuple[Entry, ...]:
    if file.template:
        why = f"is a template ({file.template}), which only becomes YAML where it is deployed"
    elif file.findings and not file.documents:
        why = f"cannot be read: {file.findings[0].message}"
    else:
        return ()
    inputs = {file.path: file.blob}
    return (Entry(PLAIN, file.path, "plain", CoverageStatus.SKIPPED, why, inputs),)
