"""The way to a place in an object, with the items of lists called by their names.

`spec.template.spec.containers[name=web].image` stays the same where `/spec/…/containers/3/image`
does not: findings are told apart, and waived, by it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from meshplan.diff.rules import Rules, rules_for
from meshplan.identity import ResourceId

#: A step down: the name of a field, or the number of an item.
Steps = Sequence[str | int]


def place_of(id_: ResourceId, manifest: Mapping[str, Any], steps: Steps) -> str:
    """A place in an object, as people write it."""
    written = ""
    value: Any = manifest
    rules = rules_for(id_.group, id_.kind)
    for step in steps:
        if isinstance(step, int):
            item = value[step] if isinstance(value, list) and step < len(value) else None
            written += _selector(item, step, rules)
            value = item
        else:
            written += f".{step}" if _is_plain(step) else f'["{step}"]'
            value = value.get(step) if isinstance(value, Mapping) else None
            rules = rules.below(step)
    return written.removeprefix(".")


def pointer_of(steps: Steps) -> str:
    """A place as an RFC 6901 JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def is_within(place: str, outer: str) -> bool:
    """Whether a place is another one, or a part of it."""
    return place == outer or (place.startswith(outer) and place[len(outer)] in ".[")


def _selector(item: Any, index: int, rules: Rules) -> str:
    keys = rules.keys or ("name",)
    if isinstance(item, str) and rules.keys is not None:
        return f"[{item}]"
    if not isinstance(item, Mapping):
        return f"[{index}]"
    named = [(key, item[key]) for key in keys if isinstance(item.get(key), str | int)]
    return f"[{','.join(f'{key}={value}' for key, value in named)}]" if named else f"[{index}]"


def _is_plain(step: str) -> bool:
    return not set(step) & set(".[]\"'")
