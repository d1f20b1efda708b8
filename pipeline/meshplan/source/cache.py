"""Documents that were read before, by the Git blob they were read from."""

from collections.abc import Iterable, Mapping

from meshplan.source.reading import Reading


class Cache:
    """Readings by blob id, in the user's cache directory; off, broken or full it just forgets."""

    @classmethod
    def open(cls, *, enabled: bool = True) -> "Cache":
        """The user's cache, or one that forgets everything."""
        return cls()

    def get_many(self, blobs: Iterable[str]) -> dict[str, Reading]:
        """The readings that are remembered, by blob id."""
        return {}

    def put_many(self, readings: Mapping[str, Reading]) -> None:
        """Remembers readings by blob id; those that hold a Secret are not kept."""
