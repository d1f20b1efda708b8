"""The contents of many blobs through one `git cat-file --batch`."""

import hashlib
from collections.abc import Generator, Sequence
from contextlib import closing
from threading import Thread
from typing import IO

from meshplan.dataclass import dataclass
from meshplan.errors import MeshplanError, SourceError
from meshplan.source.git_command import Process, corrupt, failure
from meshplan.source.git_partial import object_reader
from meshplan.source.git_repository import Repository
from meshplan.source.revision import MAX_FILE_BYTES

_LFS_VERSION = b"version https://git-lfs.github.com/spec/v1"
#: The specification of Git LFS: a pointer is smaller than this.
_LFS_POINTER_BYTES = 1024
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a content is not at hand."""

    reason: str


def read_blobs(
    repository: Repository, blobs: Sequence[str]
) -> Generator[tuple[str, bytes | Withheld], None, None]:
    """The contents of blobs by object id, in that order.

    All requests go out while the answers are read, so that git never waits for us nor we for it.
    Every content is checked against its id: what is kept under an id must be true for every
    repository. Raises SourceError for a damaged repository.
    """
    if blobs:
        with object_reader(repository) as git:
            yield from _read(git.start("cat-file", "--batch", "--buffer"), blobs, repository)


def _read(
    process: Process, blobs: Sequence[str], repository: Repository
) -> Generator[tuple[str, bytes | Withheld], None, None]:
    popen = process.popen
    if popen.stdin is None or popen.stdout is None or popen.stderr is None:
        raise SourceError("git cat-file has no pipes")
    said: list[bytes] = []
    threads = (
        Thread(target=_request, args=(popen.stdin, blobs), daemon=True),
        Thread(target=_collect, args=(popen.stderr, said), daemon=True),
    )
    for thread in threads:
        thread.start()
    try:
        for blob in blobs:
            content = _answer(popen.stdout, blob, repository)
            if content is None:
                popen.kill()  # if it is alive, it says something that is no answer
                threads[1].join()
                raise _died(b"".join(said))
            yield blob, content
    finally:
        if popen.poll() is None:
            popen.kill()
        for thread in threads:
            thread.join()
        process.close()


def blob_id(content: bytes, object_format: str = "sha1") -> str:
    """The object id that git gives a file with this content."""
    start = hashlib.sha256 if object_format == "sha256" else hashlib.sha1
    digest = start(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def lfs_pointer(content: bytes) -> Withheld | None:
    """The reason to withhold a content that only points to where Git LFS keeps the real one."""
    if len(content) < _LFS_POINTER_BYTES and content.startswith(_LFS_VERSION):
        return Withheld("a Git LFS pointer: the content is not in the repository")
    return None


def too_large(size: int) -> Withheld | None:
    """The reason to withhold a content of so many bytes, if there is one."""
    if size <= MAX_FILE_BYTES:
        return None
    return Withheld(f"{size:,} bytes, more than the {MAX_FILE_BYTES:,} that meshplan reads")


def _request(pipe: IO[bytes], blobs: Sequence[str]) -> None:
    try:
        with closing(pipe):
            pipe.write("".join(f"{blob}\n" for blob in blobs).encode("ascii"))
    except BrokenPipeError:  # the reader of the answers sees why git ended
        return


def _collect(pipe: IO[bytes], into: list[bytes]) -> None:
    into.extend(iter(lambda: pipe.read(_CHUNK), b""))


def _answer(pipe: IO[bytes], blob: str, repository: Repository) -> bytes | Withheld | None:
    """The next content; None where git ended in front of it or inside it."""
    header = pipe.readline().split()
    if len(header) == 2 and header[1] == b"missing":
        return _missing(blob, repository)
    if len(header) != 3 or not header[2].isdigit():
        return None
    size = int(header[2])
    withheld = too_large(size)
    if withheld:
        return withheld if _skip(pipe, size + 1) else None
    content = pipe.read(size + 1)
    if len(content) != size + 1:
        return None
    content = content[:-1]
    if header[1] != b"blob" or blob_id(content, repository.info.object_format) != blob:
        raise corrupt(f"object {blob} has another content than its id says")
    return content


def _skip(pipe: IO[bytes], count: int) -> bool:
    while count > 0:
        chunk = pipe.read(min(count, _CHUNK))
        if not chunk:
            return False
        count -= len(chunk)
    return True


def _missing(blob: str, repository: Repository) -> Withheld:
    if not repository.info.is_partial:
        raise corrupt(f"object {blob} is missing")
    return Withheld("not in this partial clone, and meshplan fetches nothing")


def _died(stderr: bytes) -> MeshplanError:
    return failure("cat-file", stderr.decode("utf-8", "replace"))
