"""What one revision lacks because it could not be read there counts as unchanged.

Absent is not deleted: where a file or a rendered unit is unreadable at one revision, what the
other revision has of it is taken for both. The coverage says so, and the exit status with it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from meshplan.location import Side
from meshplan.resource import Document
from meshplan.source.pieces import Piece, Survey

_Key = tuple[object, ...]


def carried(
    surveys: Mapping[Side, Survey], withheld: Callable[[Side, str], bool]
) -> Mapping[Side, tuple[Piece, ...]]:
    """The pieces of each revision, completed from the other one.

    `withheld` tells of paths that a revision has, though their content is not at hand.
    """
    own = {side: survey.pieces for side, survey in surveys.items()}
    if len(own) < 2:
        return own
    base, head = own[Side.BASE], own[Side.HEAD]
    return {
        Side.BASE: _completed(base, head, lambda path: withheld(Side.BASE, path)),
        Side.HEAD: _completed(head, base, lambda path: withheld(Side.HEAD, path)),
    }


def _completed(
    pieces: tuple[Piece, ...], others: tuple[Piece, ...], withheld: Callable[[str], bool]
) -> tuple[Piece, ...]:
    present = {_key(piece) for piece in pieces}
    theirs = {_key(piece): piece for piece in others}
    found: list[Piece] = []
    lost: set[_Key] = set()
    for piece in pieces:
        other = theirs.get(_key(piece)) if piece.partial else None
        if other is None:
            found.append(piece)
            continue
        rest = _missing(other.documents, piece.documents)
        documents = other.documents if not piece.documents else (*piece.documents, *rest)
        found.append(replace(piece, documents=documents))
        lost.add(_key(piece))
    # What the documents that were carried over ask for is carried over as well.
    for other in others:
        parent = (other.root, other.folder, other.destination, other.parent)
        if _key(other) in present:
            continue
        # A plain piece is named after its file, other pieces after what they are rendered from.
        hidden = not other.parent and withheld(other.name)
        if hidden or (other.parent and parent in lost):
            found.append(other)
            lost.add(_key(other))
    return tuple(found)


def _missing(documents: Iterable[Document], present: Iterable[Document]) -> list[Document]:
    """Documents of objects that are not among those present."""
    known = {_identity(document.value) for document in present}
    return [document for document in documents if _identity(document.value) not in known]


def _identity(value: object) -> tuple[str, ...]:
    if not isinstance(value, Mapping):
        return ()
    metadata = value.get("metadata")
    names = metadata if isinstance(metadata, Mapping) else {}
    group = str(value.get("apiVersion")).rpartition("/")[0]
    return (group, str(value.get("kind")), str(names.get("namespace")), str(names.get("name")))


def _key(piece: Piece) -> _Key:
    return (piece.root, piece.folder, piece.destination, piece.name)
