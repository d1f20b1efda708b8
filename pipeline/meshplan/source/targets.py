"""Which targets there are: what both revisions put into one cluster, side by side."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshplan.identity import ResourceId
from meshplan.location import Side
from meshplan.resource import Resource
from meshplan.source.compose import Composer
from meshplan.source.grouping import group_folders
from meshplan.source.survey import PLAIN, Piece, Survey
from meshplan.source.ties import ties_of

Pieces = Mapping[Side, tuple[Piece, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """What goes into one cluster, at each revision."""

    name: str
    kind: str
    pieces: Pieces


def targets_of(
    surveys: Mapping[Side, Survey], composer: Composer, namespace: str
) -> tuple[Target, ...]:
    """The targets of both revisions, sorted by name."""
    plain = {
        side: tuple(p for p in survey.pieces if p.root == PLAIN and not p.destination)
        for side, survey in surveys.items()
    }
    return tuple(_folder_targets(plain, composer, namespace))


def _folder_targets(plain: Pieces, composer: Composer, namespace: str) -> Iterable[Target]:
    """The targets that plain files make, by the folders in which they are at either revision."""
    by_folder: dict[str, list[Piece]] = defaultdict(list)
    for piece in {id(p.documents): p for pieces in plain.values() for p in pieces}.values():
        by_folder[piece.folder].append(piece)

    def ids(folder: str) -> frozenset[ResourceId]:
        return frozenset(r.id for piece in by_folder[folder] for r in resources(piece))

    def resources(piece: Piece) -> tuple[Resource, ...]:
        return composer.objects(piece.documents, piece.namespace or namespace).resources

    groups = group_folders(
        {folder: ids(folder) for folder in by_folder},
        lambda folder: ties_of(r for piece in by_folder[folder] for r in resources(piece)),
    )
    for group in groups:
        chosen = frozenset(group.folders)
        pieces = {
            side: tuple(p for p in found if p.folder in chosen) for side, found in plain.items()
        }
        kinds = {p.kind for found in pieces.values() for p in found}
        yield Target(group.name, "flux" if "flux" in kinds else "plain", pieces)
