"""What was found about one twin, told of another: the same with other names."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from meshplan.proof.findings import Findings
from meshplan.proof.twins import WORDS

_PLAIN = frozenset((bool, float, int, type(None)))


class _UnsureError(Exception):
    """What looks like a name may be something else."""


def retold(found: Findings, names: Sequence[str], others: Sequence[str]) -> Findings | None:
    """Findings with each of some names in the place of which another stands; None if unsure.

    Among the names are the `10` of `team-10`. The same may be a port, a weight or a status, so that
    it counts as part of a name only where it follows a dash.
    """
    if names == others or found == Findings(found.classes, found.views):
        return found
    try:
        told: Findings = _Teller(dict(zip(names, others, strict=True))).told(found)
    except _UnsureError:
        return None
    return told


class _Teller:
    def __init__(self, instead: Mapping[str, str]):
        self._instead = instead
        self._texts: dict[str, str] = {}
        #: What was told before, by the identity of what it was made from, which is kept alive.
        self._done: dict[int, tuple[Any, Any]] = {}

    def told(self, value: Any) -> Any:
        """A value of any kind that findings are made of."""
        kind = type(value)
        if kind is str:
            text = self._texts.get(value)
            if text is None:
                text = self._texts[value] = WORDS.sub(self._word, value)
            return text
        if kind in (tuple, list):
            return kind(map(self.told, value))
        if kind in _PLAIN:
            return value
        if isinstance(value, Mapping):
            return {self.told(key): self.told(part) for key, part in value.items()}
        if is_dataclass(kind):
            known = self._done.get(id(value))
            if known is None:
                made = kind(**{name: self.told(getattr(value, name)) for name in _fields(kind)})
                known = self._done[id(value)] = (value, made)
            return known[1]
        return value

    def _word(self, found: re.Match[str]) -> str:
        word = found.group()
        other = self._instead.get(word)
        if other is None:
            return word
        if word.isdecimal() and found.string[: found.start()][-1:] != "-":
            raise _UnsureError
        return other


@lru_cache(None)
def _fields(kind: Callable[..., Any]) -> tuple[str, ...]:
    """The fields that a dataclass is made from."""
    return tuple(field.name for field in fields(kind) if field.init)  # type: ignore[arg-type]
