"""Small edits of manifests: each value changed or left out."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

Path = tuple[str | int, ...]

#: What takes the place of texts whose other values mean something.
_OTHERS = {
    "STRICT": "DISABLE",
    "ISTIO_MUTUAL": "DISABLE",
    "PERMISSIVE": "STRICT",
    "DISABLE": "ISTIO_MUTUAL",
    "ALLOW": "DENY",
    "DENY": "ALLOW",
    "STATIC": "DNS",
    "DNS": "NONE",
    "HTTP": "TCP",
}


def edited(manifest: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where something is changed, and what the manifest is then; names stay."""
    old: dict[str, Any] = deepcopy(dict(manifest))
    for start in [key for key in old if key not in ("apiVersion", "kind")]:
        for path in _places(old[start], (start,)):
            if path[:2] in (("metadata", "name"), ("metadata", "namespace")):
                continue
            for made in _without(old, path), _with_other(old, path):
                if made is not None:
                    yield ".".join(map(str, path)), made


def _places(value: object, path: Path) -> Iterator[Path]:
    """The paths to all values within."""
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value if isinstance(value, list) else ())
    )
    for key, one in entries:
        yield (*path, key)
        yield from _places(one, (*path, key))


def _without(manifest: dict[str, Any], path: Path) -> dict[str, Any]:
    made = deepcopy(manifest)
    parent: Any = made
    for key in path[:-1]:
        parent = parent[key]
    del parent[path[-1]]
    return made


def _with_other(manifest: dict[str, Any], path: Path) -> dict[str, Any] | None:
    """With another text or number in a place; None where there is something else."""
    made = deepcopy(manifest)
    parent: Any = made
    for key in path[:-1]:
        parent = parent[key]
    value = parent[path[-1]]
    if isinstance(value, str):
        parent[path[-1]] = _OTHERS.get(value, f"{value}x")
    elif isinstance(value, int) and not isinstance(value, bool):
        parent[path[-1]] = 0 if value == 1 else value + 1
    else:
        return None
    return made
