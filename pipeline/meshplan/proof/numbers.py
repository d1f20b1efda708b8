"""Numbers in the place of results, so that equal ones are compared once."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass

from meshplan.proof.meter import Meter

#: From so many distinct results on, only those are compared that have a fingerprint in common.
_MANY = 8


class Numbers:
    """Gives equal results of one stage the same number, and remembers which subject had which."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._known: dict[tuple[Hashable, Hashable], int] = {}
        self._distinct: dict[Hashable, _Distinct] = {}

    def of(self, stage: Hashable, subject: Hashable, result: Callable[[], object]) -> int:
        """The number of what `result` says of a subject; it is asked once for each subject."""
        key = (stage, subject)
        found = self._known.get(key)
        if found is None:
            self._meter.spend(1)
            distinct = self._distinct.get(stage)
            if distinct is None:
                distinct = self._distinct[stage] = _Distinct()
            found = self._known[key] = distinct.number(result())
        return found


class _Distinct:
    """Results of which no two are equal, in the order in which they came."""

    def __init__(self) -> None:
        self._results: list[object] = []
        #: By their fingerprints, once there are many.
        self._alike: dict[int, list[int]] = {}

    def number(self, result: object) -> int:
        results = self._results
        if len(results) < _MANY:
            alike: list[int] | range = range(len(results))
        else:
            if not self._alike:
                for position, other in enumerate(results):
                    self._alike.setdefault(fingerprint(other), []).append(position)
            alike = self._alike.setdefault(fingerprint(result), [])
        for position in alike:
            if results[position] == result:
                return position
        if isinstance(alike, list):
            alike.append(len(results))
        results.append(result)
        return len(results) - 1


def fingerprint(value: object) -> int:
    """A hash of any value, equal for equal ones, also for what Python has none for."""
    try:
        return hash(value)
    except TypeError:
        pass
    if isinstance(value, Mapping):
        return hash(frozenset((key, fingerprint(part)) for key, part in value.items()))
    if isinstance(value, list | tuple):
        return hash(tuple(map(fingerprint, value)))
    if is_dataclass(value):
        parts = (getattr(value, field.name) for field in fields(value) if field.compare)
        return hash((type(value), *map(fingerprint, parts)))
    return 0
