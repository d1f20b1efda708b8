"""Which targets there are: what both revisions put into one cluster, side by side."""

import os.path
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.location import Side
from meshplan.resource import Resource
from meshplan.source.compose import Composer
from meshplan.source.grouping import ROOT, Contents, group_folders
from meshplan.source.pieces import PLAIN, Piece, Root
from meshplan.source.ties import ties_of

Pieces = Mapping[Side, tuple[Piece, ...]]
#: Whether a root is still a folder or chart of a revision, though no root any more.
Exists = Callable[[Side, Root], bool]

#: How much two roots must have in common to be taken for one that moved.
_ALIKE = 0.5


@dataclass(frozen=True, slots=True)
class Target:
    """What goes into one cluster, at each revision."""

    name: str
    kind: str
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Assembly:
    """Puts pieces together to targets."""

    composer: Composer
    #: Where namespaced objects go for which nothing says anything else.
    namespace: str
    exists: Exists

    def targets(self, pieces: Pieces) -> tuple[Target, ...]:
        """The targets of both revisions, sorted by name."""
        plain = _where(pieces, lambda p: p.root == PLAIN and not p.destination)
        rooted = _where(pieces, lambda p: p.root != PLAIN and not p.destination)
        elsewhere = {p.destination for found in pieces.values() for p in found} - {""}
        targets = [
            *self._grouped(plain, ""),
            *self._rooted(rooted),
            *(
                target
                for name in sorted(elsewhere)
                for target in self._grouped(_at(pieces, name), name)
            ),
        ]
        full = [
            t for t in targets if any(p.documents for found in t.pieces.values() for p in found)
        ]
        return tuple(sorted(full, key=lambda target: target.name))

    def _resources(self, piece: Piece) -> tuple[Resource, ...]:
        return self.composer.objects(piece.documents, piece.namespace or self.namespace).resources

    def _ids(self, pieces: Iterable[Piece]) -> frozenset[ResourceId]:
        return frozenset(r.id for piece in pieces for r in self._resources(piece))

    def _grouped(self, pieces: Pieces, destination: str) -> Iterator[Target]:
        """The targets that folders make, by where their files are at either revision."""
        folders = sorted({piece.folder for found in pieces.values() for piece in found})
        disputed = self._disputed(pieces)
        groups = group_folders(
            {folder: frozenset(disputed[folder]) for folder in folders},
            lambda folder: self._contents(pieces, folder),
        )
        for group in groups:
            chosen = frozenset(group.folders)
            own = _where(pieces, lambda p, chosen=chosen: p.folder in chosen)  # type: ignore[misc]
            kinds = {piece.kind for found in own.values() for piece in found}
            name = group.name
            if destination:
                name = destination if len(groups) == 1 else f"{destination}: {group.name}"
            elif "flux" in kinds and name == ROOT:
                name = os.path.commonpath(group.folders) or ROOT
            yield Target(name, _kind(kinds), own)

    def _disputed(self, pieces: Pieces) -> Mapping[str, set[tuple[Side, ResourceId]]]:
        """By folder: the objects that another folder defines otherwise, at the same revision."""
        found: dict[str, set[tuple[Side, ResourceId]]] = defaultdict(set)
        for side, own in pieces.items():
            first: dict[ResourceId, tuple[str, Resource]] = {}
            contested: dict[ResourceId, list[tuple[str, Resource]]] = {}
            for piece in own:
                for resource in self._resources(piece):
                    known = first.setdefault(resource.id, (piece.folder, resource))
                    if known[0] != piece.folder:
                        contested.setdefault(resource.id, [known]).append((piece.folder, resource))
            for identity, defined in contested.items():
                if any(one.manifest != defined[0][1].manifest for _, one in defined):
                    for folder, _ in defined:
                        found[folder].add((side, identity))
        return found

    def _contents(self, pieces: Pieces, folder: str) -> Contents:
        own = {side: [p for p in found if p.folder == folder] for side, found in pieces.items()}
        ids = {(side, identity) for side, found in own.items() for identity in self._ids(found)}
        resources = {
            id(resource): resource
            for found in own.values()
            for piece in found
            for resource in self._resources(piece)
        }
        return Contents(frozenset(ids), ties_of(resources.values()))

    def _rooted(self, pieces: Pieces) -> Iterator[Target]:
        """One target for each Kustomize root and Helm release; one that moved stays one target."""
        sides = {side: _by_root(found) for side, found in pieces.items()}
        moved = self._moved(sides)
        roots = sorted({root for found in sides.values() for root in found} - set(moved))
        for root in roots:
            earlier = next((old for old, new in moved.items() if new == root), root)
            own = {
                side: found.get(root, ()) or found.get(earlier, ()) for side, found in sides.items()
            }
            lacking = [side for side, found in own.items() if not found]
            if any(self.exists(side, root) for side in lacking):
                continue  # it is built upon by another root there, and that one tells
            yield Target(root.path, root.kind, own)

    def _moved(self, sides: Mapping[Side, Mapping[Root, tuple[Piece, ...]]]) -> dict[Root, Root]:
        """Roots of the base that are another root of the head, by the objects they have."""
        if len(sides) < 2:
            return {}
        base, head = sides[Side.BASE], sides[Side.HEAD]
        gone = {root: self._ids(base[root]) for root in sorted(base.keys() - head.keys())}
        new = {root: self._ids(head[root]) for root in sorted(head.keys() - base.keys())}
        pairs = sorted(
            (-_likeness(was, now), old, root)
            for old, was in gone.items()
            for root, now in new.items()
            if old.kind == root.kind
        )
        moved: dict[Root, Root] = {}
        for likeness, old, root in pairs:
            if -likeness >= _ALIKE and old not in moved and root not in moved.values():
                moved[old] = root
        return moved


def _kind(kinds: set[str]) -> str:
    return next((kind for kind in ("argocd", "flux") if kind in kinds), "plain")


def _likeness(one: frozenset[ResourceId], other: frozenset[ResourceId]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def _by_root(pieces: Iterable[Piece]) -> Mapping[Root, tuple[Piece, ...]]:
    found: dict[Root, list[Piece]] = defaultdict(list)
    for piece in pieces:
        found[piece.root].append(piece)
    return {root: tuple(own) for root, own in found.items()}


def _where(pieces: Pieces, chosen: Callable[[Piece], bool]) -> Pieces:
    return {side: tuple(p for p in found if chosen(p)) for side, found in pieces.items()}


def _at(pieces: Pieces, destination: str) -> Pieces:
    return _where(pieces, lambda piece: piece.destination == destination)
