"""The change corpora as pairs of snapshots: each tree as if it were one target."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from meshplan.kinds import scope_of
from meshplan.resource import Document, Snapshot
from meshplan.source.objects import resources_of
from meshplan.source.yaml import parse

_ENDINGS = (".yaml", ".yml", ".json")


def snapshots(case: Path) -> tuple[Snapshot, Snapshot]:
    """Base and head of a case; of objects that are there twice, the last one."""
    documents: dict[str, list[Document]] = {"base": [], "head": []}
    read: dict[bytes, tuple[Document, ...]] = {}
    for side, name, data in sorted(_files(case)):
        if data not in read:
            read[data] = parse(data, name).documents
        documents[side] += read[data]
    base, head = (
        Snapshot(resources_of(found, default_namespace="default", scope_of=scope_of).resources)
        for found in documents.values()
    )
    return base, head


def _files(case: Path) -> Iterator[tuple[str, str, bytes]]:
    packed = case / "trees.tar.gz"
    if packed.exists():
        with tarfile.open(packed) as archive:
            for member in archive:
                side, _, name = member.name.removeprefix("./").partition("/")
                stream = archive.extractfile(member) if name.endswith(_ENDINGS) else None
                if stream and side in {"base", "head"}:
                    yield side, name, stream.read()
        return
    for side in ("base", "head"):
        for path in (case / side).rglob("*"):
            if path.is_file() and path.suffix in _ENDINGS:
                yield side, str(path.relative_to(case / side)), path.read_bytes()
