"""The waves of a plan as states of one scope."""

from collections.abc import Iterator, Sequence

from meshplan.proof.scope import Scope
from meshplan.proof.versions import Versions
from meshplan.proof.views import WaveStates
from meshplan.proof.waves import Moving


def in_scope(scope: Scope, waves: Sequence[Moving], versions: Versions) -> Iterator[WaveStates]:
    """The waves in which objects of a scope move."""
    for wave in waves:
        found = None if wave.ids.isdisjoint(scope.ids) else wave_in(scope, wave, versions)
        if found is not None and found.moves:
            yield found


def wave_in(scope: Scope, wave: Moving, versions: Versions) -> WaveStates:
    """One wave, also where nothing of the scope moves in it."""
    moving = [p for p, id_ in enumerate(scope.ids) if id_ in wave.ids]
    before, after = (
        scope.state({i: versions.number(i, state[i]) for i in scope.ids if i in state})
        for state in (wave.before, wave.after)
    )
    passing = {
        p: tuple(versions.number(scope.ids[p], v) for v in wave.passing[scope.ids[p]])
        for p in moving
        if scope.ids[p] in wave.passing
    }
    moved = {
        p: tuple(n for n in dict.fromkeys((*passing.get(p, ()), after[p])) if n != before[p])
        for p in moving
    }
    moves = tuple((p, numbers) for p, numbers in moved.items() if numbers)
    return WaveStates(wave.number, before, after, moves)
