"""The account of what was read and rendered, so that nothing is passed over in silence."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence

from meshplan.location import Side
from meshplan.result import Coverage, CoverageStatus
from meshplan.source.pieces import PLAIN, Entry, Piece, Root, Survey
from meshplan.source.targets import Target

#: Root, destination and folder: what decides to which target something belongs.
_Home = tuple[Root, str, str]


def coverage_of(targets: Sequence[Target], surveys: Mapping[Side, Survey]) -> tuple[Coverage, ...]:
    """One entry for each target of plain files and for each thing that was or was not rendered."""
    homes: dict[_Home, str] = {}
    read: list[Coverage] = []
    for target in targets:
        pieces = [piece for found in target.pieces.values() for piece in found]
        for piece in pieces:
            homes.setdefault(_home(piece), target.name)
        if any(piece.kind == "plain" for piece in pieces):
            read.append(Coverage(target.name, target.name, "plain", CoverageStatus.RENDERED))
    rest = [_entry(pair, homes) for pair in _paired([s.entries for s in surveys.values()])]
    return (*read, *_grouped(rest), *_unlisted(surveys))


def _unlisted(surveys: Mapping[Side, Survey], most: int = 5) -> Iterator[Coverage]:
    """One entry for all manifests that are beside a kustomization and not part of it."""
    paths = sorted({path for found in surveys.values() for path in found.unlisted})
    if paths:
        more = f" and {len(paths) - most} more" if len(paths) > most else ""
        why = f"{', '.join(paths[:most])}{more}: beside a kustomization that does not refer to " + (
            "them" if len(paths) > 1 else "it"
        )
        path = paths[0] if len(paths) == 1 else posixpath.commonpath(paths)
        yield Coverage("", path or ".", "kustomize", CoverageStatus.SKIPPED, why)


def _paired(sides: Sequence[Sequence[Entry]]) -> Iterator[tuple[Entry | None, ...]]:
    """Entries of all revisions side by side, also of what moved to another folder."""
    named: dict[tuple[str, str, str], list[list[Entry]]] = {}
    for number, entries in enumerate(sides):
        for entry in entries:
            key = (entry.kind, entry.name, entry.destination)
            named.setdefault(key, [[] for _ in sides])[number].append(entry)
    for _, found in sorted(named.items()):
        first, *others = found
        for entry in first:
            partners = [_taken(entry, other) for other in others]
            yield (entry, *partners)
        for other in others:
            yield from ((None, entry) for entry in other)


def _taken(entry: Entry, others: list[Entry]) -> Entry | None:
    """The entry of the other revision for the same thing, in the same folder if there is one."""
    if not others:
        return None
    same = next((other for other in others if other.folder == entry.folder), others[0])
    others.remove(same)
    return same


def _entry(sides: Sequence[Entry | None], homes: Mapping[_Home, str]) -> Coverage:
    """One entry for both revisions: the worse status, and whether the inputs differ."""
    found = [entry for entry in sides if entry is not None]
    worst = max(found, key=lambda entry: list(CoverageStatus).index(entry.status))
    inputs = [dict(entry.inputs) if entry is not None else None for entry in sides]
    changed = any(other != inputs[0] for other in inputs[1:])
    status, why = worst.status, worst.why
    if status is CoverageStatus.FAILED and worst.own_fault and _excused(sides):
        status = CoverageStatus.SKIPPED
    if sides[-1] is not None and sides[-1].status is CoverageStatus.RENDERED and why:
        why = f"not at the base: {why}"
    return Coverage(homes.get(_home(worst), ""), worst.name, worst.kind, status, why, changed)


def _excused(sides: Sequence[Entry | None]) -> bool:
    """Whether something that is wrong is not for this change to put right.

    That is so if it was wrong at the base already, and for a chart that nothing installs: it may
    need values that the repository does not have. It counts as skipped then; where its inputs
    changed, that has the same effect on the exit status.
    """
    if len(sides) < 2:
        return sides[0] is not None and sides[0].kind == "helm"
    base, head = sides
    if base is not None and base.status is not CoverageStatus.RENDERED:
        return True
    return base is None and head is not None and head.kind == "helm"


def _grouped(entries: Iterable[Coverage]) -> Iterator[Coverage]:
    """Unchanged files of one folder that are skipped for one reason as one entry."""
    groups: dict[tuple[str, str, str, str], list[Coverage]] = {}
    for entry in entries:
        plain = entry.kind == "plain"
        if plain and entry.status is CoverageStatus.SKIPPED and not entry.changed:
            key = (entry.target, posixpath.dirname(entry.path), entry.kind, entry.why)
            groups.setdefault(key, []).append(entry)
        else:
            yield entry
    for (target, folder, kind, why), found in groups.items():
        if len(found) == 1:
            yield found[0]
        else:
            told = f"{len(found)} files of this folder: each {why}"
            yield Coverage(target, folder or ".", kind, CoverageStatus.SKIPPED, told)


def _home(entry: Entry | Piece) -> _Home:
    return (entry.root, entry.destination, entry.folder if entry.root == PLAIN else "")
