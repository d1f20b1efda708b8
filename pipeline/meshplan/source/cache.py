"""What was read from a Git blob before: it never has to be parsed again.

One SQLite file in the user's cache directory, keyed by blob id and by the version of the parser.
The values are JSON, never anything that runs. A file that holds a Secret is not kept. Measured for
the 4,000 blobs (3 MB) of 1,000 services: 0.06 s to get them all, where parsing takes 0.35 s; a
packed file of our own would save 0.02 s of that, and would have to get concurrent runs right.

Nobody depends on the cache: one that is off, broken, locked, read-only or on a full disk remembers
nothing, and says nothing. Whoever can write to it can lie to meshplan, so it belongs to one user,
and is not to be shared between jobs that trust each other less.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import astuple
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, TypeVar

from meshplan.source.reading import Limits, Reading
from meshplan.source.stored import from_texts

if TYPE_CHECKING:
    from sqlite3 import Connection

Result = TypeVar("Result")

#: Counts up whenever the same bytes may be read in another way, or written here in another form.
VERSION = 3
#: A run that would make the file larger than this forgets the older half of it first.
MAX_BYTES = 256 * 1024 * 1024
_BATCH = 500
_LOCKED_SECONDS = 2.0
_TABLE = """
create table if not exists readings (
    key text primary key, used integer not null, value text not null
) without rowid
"""


class Cache:
    """Readings by blob id. Safe to use from several processes at once."""

    def __init__(self, directory: Path | None, limits: Limits = Limits()):  # noqa: B008 - frozen
        self._file = None if directory is None else directory / "readings.sqlite"
        digest = hashlib.sha256(repr(astuple(limits)).encode()).hexdigest()[:8]
        self._prefix = f"{VERSION}:{digest}:"

    @classmethod
    def open(cls, *, enabled: bool = True, limits: Limits = Limits()) -> "Cache":  # noqa: B008
        """The user's cache, or one that forgets everything."""
        return cls(cache_directory(os.environ) if enabled else None, limits)

    def get_many(self, blobs: Iterable[str]) -> dict[str, Reading]:
        """The readings that are remembered, by blob id."""
        wanted = tuple(dict.fromkeys(blobs))
        if self._file is None or not wanted or not _is_file(self._file):
            return {}
        return self._attempt(lambda connection: self._get(connection, wanted)) or {}

    def put_many(self, texts: Mapping[str, str]) -> None:
        """Remembers readings by blob id, in the form that `stored` gives them."""
        if self._file is None or not texts:
            return
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives the files beside this one the rights that this one has.
            os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY, 0o600))
        self._attempt(lambda connection: self._put(connection, texts))

    def _attempt(self, work: Callable[["Connection"], Result]) -> Result | None:
        """The result of `work`; None where the file cannot be used. A broken one is deleted."""
        import sqlite3  # noqa: PLC0415 - 5 ms that runs without a cache do not need

        assert self._file is not None  # noqa: S101 - the callers asked
        try:
            with closing(
                sqlite3.connect(self._file, timeout=_LOCKED_SECONDS, isolation_level=None)
            ) as connection:
                # What a crash of the machine would lose or break is only a cache.
                connection.execute("pragma synchronous = off")
                return work(connection)
        except (sqlite3.OperationalError, OSError):  # locked, read-only, full, gone
            return None
        except sqlite3.DatabaseError:  # no database, or a broken one
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    self._file.with_name(self._file.name + suffix).unlink()
            return None

    def _get(self, connection: "Connection", blobs: Sequence[str]) -> dict[str, Reading]:
        found: dict[str, Reading] = {}
        stale: list[tuple[int, str]] = []
        today = _today()
        for start in range(0, len(blobs), _BATCH):
            keys = [self._prefix + blob for blob in blobs[start : start + _BATCH]]
            marks = ",".join("?" * len(keys))
            query = f"select key, value, used from readings where key in ({marks})"  # noqa: S608
            rows = connection.execute(query, keys).fetchall()
            stale.extend((today, key) for key, _, used in rows if used != today)
            for (key, _, _), reading in zip(rows, from_texts([r[1] for r in rows]), strict=True):
                if reading is not None:
                    found[key.removeprefix(self._prefix)] = reading
        if stale:
            self._attempt(lambda other: _touch(other, stale))
        return found

    def _put(self, connection: "Connection", texts: Mapping[str, str]) -> None:
        import sqlite3  # noqa: PLC0415 - as in `_attempt`

        today = _today()
        rows = ((self._prefix + blob, today, text) for blob, text in texts.items())
        # Writers in this mode do not keep readers waiting. The switch does not wait for another run
        # that is just switching: then that one has done it.
        with suppress(sqlite3.OperationalError):
            connection.execute("pragma journal_mode = wal")
        connection.execute(_TABLE)
        connection.execute("begin immediate")
        _make_room(connection)
        connection.executemany("insert or replace into readings values (?, ?, ?)", rows)
        connection.execute("commit")


def cache_directory(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """Where meshplan keeps what it can do without; None if the user wants nothing kept."""
    if environ.get("MESHPLAN_NO_CACHE"):
        return None
    if chosen := environ.get("MESHPLAN_CACHE_DIR"):
        return Path(chosen)
    if (xdg := environ.get("XDG_CACHE_HOME")) and Path(xdg).is_absolute():
        return Path(xdg) / "meshplan"
    if platform == "win32" and (local := environ.get("LOCALAPPDATA")):
        return Path(local) / "meshplan" / "cache"
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ("Library/Caches" if platform == "darwin" else ".cache") / "meshplan"


def _touch(connection: "Connection", used: Sequence[tuple[int, str]]) -> None:
    connection.execute("begin immediate")
    connection.executemany("update readings set used = ? where key = ?", used)
    connection.execute("commit")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a directory on the way that may not be looked into, a name that is too long
        return False


def _today() -> int:
    return int(time() // 86_400)


def _make_room(connection: "Connection") -> None:
    """Forgets the older half where the file has grown too large."""
    pages, free, size = (
        connection.execute(f"pragma {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    if (pages - free) * size > MAX_BYTES:
        connection.execute(
            "delete from readings where key in (select key from readings order by used, key"
            " limit (select count(*) / 2 + 1 from readings))"
        )
