"""What has to be rendered, as values: one value over the same files gives the same documents."""

from collections.abc import Mapping
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.resource import Document
from meshplan.result import CoverageStatus


@dataclass(frozen=True, slots=True)
class Kustomization:
    """What Kustomize builds from a folder."""

    path: str
    #: Fields of a kustomization that is laid over the folder, as JSON; "" for none.
    overlay: str = ""
    #: Whether a folder without a kustomization file gets one with all its manifests, as in Flux.
    generated: bool = False
    #: Whether a kustomization may refer to files beside its own folder, as it may in Flux.
    unrestricted: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A release of a Helm chart that is in the repository."""

    path: str
    release: str
    namespace: str
    #: Values files of the repository, in order; the chart's own values.yaml goes without saying.
    files: tuple[str, ...] = ()
    #: Further values, as YAML or JSON, which win over the files.
    values: str = ""
    #: Single values, which win over all others: name, value, whether it is a string whatever it
    #: looks like.
    parameters: tuple[tuple[str, str, bool], ...] = ()
    #: Whether values files that are not there are passed over.
    ignore_missing: bool = False
    skip_crds: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """Manifests of a folder as they are."""

    path: str
    recurse: bool = True
    include: str = ""
    exclude: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that is not rendered, with the reason."""

    why: str
    path: str = ""


Recipe = Kustomization | Chart | Folder | Refused


@dataclass(frozen=True, slots=True)
class Unit:
    """One Kustomize root, Helm release, Argo CD Application or Flux object."""

    #: kustomize, helm, argocd or flux.
    kind: str
    #: The folder, or the object that asks for it: `Application argocd/shop`.
    name: str
    recipe: Recipe
    #: Where namespaced objects go that name no namespace; "" for the target's default.
    namespace: str = ""
    #: Flux variables to substitute; None where nothing is substituted.
    variables: tuple[tuple[str, str], ...] | None = None
    #: The cluster that an Argo CD Application names; "" for the cluster it is in itself.
    destination: str = ""
    #: Labels and annotations that every object gets, as JSON; "" for none.
    common: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a unit at one revision."""

    status: CoverageStatus
    documents: tuple[Document, ...] = ()
    why: str = ""
    #: The files it was made of, with their object ids.
    inputs: Mapping[str, str] = field(default_factory=dict)
    #: Whether the repository itself is wrong, rather than that time, disk or a tool is missing.
    own_fault: bool = False

    @property
    def complete(self) -> bool:
        """Whether the documents are all there are."""
        return self.status is CoverageStatus.RENDERED
