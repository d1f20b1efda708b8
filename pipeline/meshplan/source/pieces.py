"""What a survey of a revision yields: documents that go together, and what became of each part."""

from collections.abc import Mapping
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.finding import Finding
from meshplan.resource import Document
from meshplan.result import CoverageStatus


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
    #: The folder of the file that holds them, or that asks for them to be rendered.
    folder: str
    #: The file, or the name of the unit; tells pieces of one root and folder apart.
    name: str
    documents: tuple[Document, ...]
    #: plain, kustomize, helm, argocd or flux.
    kind: str = "plain"
    #: The cluster that an Argo CD Application names; "" for the one that its root goes to.
    destination: str = ""
    #: The namespace of namespaced objects that name none; "" for the target's default.
    namespace: str = ""
    #: The name of the piece whose documents ask for this one; "" if a file does.
    parent: str = ""
    #: Whether there is more to it that could not be read or rendered.
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one file or of one thing to be rendered, at one revision."""

    root: Root
    folder: str
    #: The file, or the name of the unit.
    name: str
    kind: str
    status: CoverageStatus
    why: str = ""
    #: The files it is made of, with their object ids.
    inputs: Mapping[str, str] = field(default_factory=dict)
    destination: str = ""
    #: Whether the repository itself is wrong, as opposed to the tools or the disk.
    own_fault: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that was found in one revision."""

    pieces: tuple[Piece, ...] = ()
    entries: tuple[Entry, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: Manifests beside a kustomization that does not refer to them.
    unlisted: tuple[str, ...] = ()
