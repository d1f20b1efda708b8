"""What a revision holds, as plain dictionaries to compare."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from meshplan.errors import MeshplanError
from meshplan.source.revision import Entry, Revision

_NOBODY = 65534
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


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A folder of a user who is not root, on whom permissions have an effect."""
    with tempfile.TemporaryDirectory(prefix="meshplan-test-") as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        folder.chmod(0o755)
        os.chown(folder, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(0)
