"""What was rendered before, kept in the same cache as what was parsed before.

The key is everything that the result depends on: the recipe, the paths and contents of its
inputs, and the tool. Only what was rendered is kept, never a failure, and nothing with a Secret.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from meshplan.resource import Document, Origin
from meshplan.source.cache import Cache
from meshplan.source.reading import Read, Reading
from meshplan.source.render.process import Tool
from meshplan.source.stored import as_texts
from meshplan.source.units import Recipe

Documents = tuple[Document, ...]

#: Counts up whenever the same inputs may be rendered, or be written here, in another way.
_VERSION = 1


def key_of(recipe: Recipe, inputs: Mapping[str, str], tool: Tool, more: str = "") -> str:
    """The name under which the result is kept; "" where an input has no object id to go by."""
    if not all(inputs.values()):
        return ""
    seen = Path(tool.path).stat()
    told = [_VERSION, repr(recipe), sorted(inputs.items()), tool.path, tool.arguments, more]
    text = json.dumps([*told, seen.st_mtime_ns, seen.st_size])
    return "render:" + hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def recall(cache: Cache | None, keys: list[str]) -> Mapping[str, Documents]:
    """The results that are remembered, by key."""
    if cache is None or not keys:
        return {}
    found = {key: _documents(reading) for key, reading in cache.get_many(keys).items()}
    return {key: documents for key, documents in found.items() if documents is not None}


def remember(cache: Cache | None, results: Mapping[str, Documents]) -> None:
    """Keep results by key."""
    if cache is not None and results:
        readings = {key: _reading(documents) for key, documents in results.items()}
        cache.put_many(as_texts(readings))


def _reading(documents: Documents) -> Reading:
    return Reading(
        tuple(
            Read(number, 0, [d.value, o.path, o.line, o.document, o.pointer, o.via])
            for number, d in enumerate(documents)
            for o in (d.origin,)
        )
    )


def _documents(reading: Reading) -> Documents | None:
    try:
        return tuple(
            Document(found.value[0], Origin(*found.value[1:])) for found in reading.documents
        )
    except (TypeError, IndexError):
        return None
