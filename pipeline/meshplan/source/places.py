"""From the way down into a document to its line and column, for the findings that are shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from meshplan.finding import Finding
from meshplan.location import Location, Side
from meshplan.source.revision import Revision
from meshplan.source.yaml import locate

#: Each place costs a parse of its document; beyond this many they keep the line of their object.
MAX_LOCATED = 300

#: The document that begins at a line of a file.
Documents = Mapping[tuple[Side, str, int], int]


def located(
    findings: Iterable[Finding],
    base: Revision | None,
    head: Revision,
    documents: Callable[[], Documents],
) -> tuple[Finding, ...]:
    """The findings, with line and column in the place of pointers where they can be had.

    `documents` is asked only if there is anything to place.
    """
    everything = tuple(findings)
    wanted = [place for found in everything for place in found.locations if _is_open(place)]
    wanted = list(dict.fromkeys(wanted))[:MAX_LOCATED]
    if not wanted:
        return everything
    begins = documents()
    places: dict[Location, Location] = {}
    for side, revision in ((Side.BASE, base), (Side.HEAD, head)):
        mine = [place for place in wanted if place.side is side]
        if revision is not None and mine:
            places |= _resolved(mine, revision, begins)
    return tuple(
        found.with_(locations=tuple(places.get(place, place) for place in found.locations))
        for found in everything
    )


def _is_open(place: Location) -> bool:
    return bool(place.pointer) and place.column is None and place.line is not None


def _resolved(
    places: Iterable[Location], revision: Revision, documents: Documents
) -> dict[Location, Location]:
    by_path: dict[str, list[Location]] = {}
    for place in places:
        by_path.setdefault(place.path, []).append(place)
    entries = [revision.entries[path] for path in by_path if path in revision.entries]
    found: dict[Location, Location] = {}
    for entry, content in revision.read(entries):
        for place in by_path[entry.path]:
            document = documents.get((place.side, place.path, place.line or 0))
            span = None if document is None else locate(content, document, place.pointer)
            if span is not None:
                line, column, end_line, end_column = span
                found[place] = replace(
                    place, line=line, column=column, end_line=end_line, end_column=end_column
                )
    return found
