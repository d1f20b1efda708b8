"""A revision with some files written anew: to read what is not on disk yet."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from meshplan.source.disk import settle
from meshplan.source.revision import Entry, EntryKind, Revision


class Overlay:
    """A revision in which files have other contents, or are there at all."""

    commit = None

    def __init__(self, under: Revision, contents: Mapping[str, bytes]):
        self.name = under.name
        self._under = under
        self._contents = contents

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """All entries by path, sorted by path."""
        own = {
            path: settle(Entry(path, EntryKind.FILE, ""), content)
            for path, content in self._contents.items()
        }
        return MappingProxyType(dict(sorted({**self._under.entries, **own}.items())))

    @property
    def unread(self) -> Mapping[str, str]:
        """As of the revision below."""
        return self._under.unread

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """The content of files, those that are written anew last."""
        asked = list(entries)
        below = [entry for entry in asked if (entry.real or entry.path) not in self._contents]
        yield from self._under.read(below)
        for entry in asked:
            content = self._contents.get(entry.real or entry.path)
            if content is not None:
                yield entry, content


def content_of(revision: Revision, path: str) -> bytes | None:
    """The content of one file; None where it is none, or not at hand."""
    entry = revision.entries.get(path)
    if entry is None or entry.kind is not EntryKind.FILE:
        return None
    return next((content for _, content in revision.read([entry])), None)
