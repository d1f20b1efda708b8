"""The account of what was read and rendered, so that nothing is passed over in silence."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from meshplan.location import Side
from meshplan.result import Coverage, CoverageStatus
from meshplan.source.survey import PLAIN, Entry, Survey
from meshplan.source.targets import Target


def coverage_of(targets: Sequence[Target], surveys: Mapping[Side, Survey]) -> tuple[Coverage, ...]:
    """One entry for each target of plain files and for each thing that was or was not rendered."""
    read = [
        Coverage(target.name, target.name, "plain", CoverageStatus.RENDERED)
        for target in targets
        if any(piece.kind == "plain" for found in target.pieces.values() for piece in found)
    ]
    entries = {
        side: {(e.kind, e.path): e for e in found.entries} for side, found in surveys.items()
    }
    keys = sorted({key for found in entries.values() for key in found})
    rest = [_entry([found.get(key) for found in entries.values()]) for key in keys]
    return (*read, *_grouped(rest))


def _entry(sides: Sequence[Entry | None]) -> Coverage:
    """One entry for both revisions: the worse status, and whether the inputs differ."""
    found = [entry for entry in sides if entry is not None]
    worst = max(found, key=lambda entry: list(CoverageStatus).index(entry.status))
    inputs = [dict(entry.inputs) if entry is not None else {} for entry in sides]
    changed = any(other != inputs[0] for other in inputs[1:])
    target = "" if worst.root == PLAIN else worst.root.path
    return Coverage(target, worst.path, worst.kind, worst.status, worst.why, changed)


def _grouped(entries: Iterable[Coverage]) -> Iterable[Coverage]:
    """Unchanged files of one folder that are skipped for one reason as one entry."""
    groups: dict[tuple[str, str, str, str], list[Coverage]] = {}
    for entry in entries:
        if entry.kind == "plain" and entry.status is CoverageStatus.SKIPPED and not entry.changed:
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
