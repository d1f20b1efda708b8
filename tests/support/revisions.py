"""What a revision holds, as plain dictionaries to compare."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from meshplan.errors import MeshplanError
from meshplan.source.revision import Entry, Revision

Problem = TypeVar("Problem", bound=MeshplanError)


def contents(revision: Revision, entries: Iterable[Entry] | None = None) -> dict[str, bytes]:
    """The contents of all entries, or of some, by path."""
    wanted = revision.entries.values() if entries is None else entries
    return {entry.path: content for entry, content in revision.read(wanted)}


def error_of(kind: type[Problem], action: Callable[[], object]) -> Problem:
    """The error that an action stops with."""
    with pytest.raises(kind) as caught:
        action()
    return caught.value
