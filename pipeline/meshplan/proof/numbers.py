"""Numbers in the place of results, so that equal ones are compared once."""

from collections.abc import Callable, Hashable

from meshplan.proof.meter import Meter


class Numbers:
    """Gives equal results of one stage the same number, and remembers which subject had which."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._known: dict[tuple[Hashable, Hashable], int] = {}
        self._distinct: dict[Hashable, list[object]] = {}

    def of(self, stage: Hashable, subject: Hashable, result: Callable[[], object]) -> int:
        """The number of what `result` says of a subject; it is asked once for each subject."""
        key = (stage, subject)
        found = self._known.get(key)
        if found is None:
            self._meter.spend(1)
            value = result()
            distinct = self._distinct.setdefault(stage, [])
            same = (number for number, other in enumerate(distinct) if other == value)
            found = next(same, len(distinct))
            if found == len(distinct):
                distinct.append(value)
            self._known[key] = found
        return found
