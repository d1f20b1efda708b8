"""The shortest way from the old to the new versions of a few objects, write by write.

Every write on the way is put to the prover, so the way is safe by construction; versions in between
are tried only where the two ends alone do not get there with fewer writes.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from meshplan.bridge import Choice
from meshplan.dataclass import dataclass
from meshplan.identity import ResourceId
from meshplan.plan import Apply, Remove, Step
from meshplan.resource import Resource

#: The versions of the changed objects at one moment; None for one that is not there.
State = Mapping[ResourceId, Resource | None]
#: Whether a wave of steps, begun in a state, is proven safe.
Probe = Callable[[State, Sequence[Step]], bool]

#: Which version each choice is at.
_Position = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """Steps that are safe one after the other, and how they go together."""

    waves: tuple[tuple[Step, ...], ...]


@dataclass(frozen=True, slots=True)
class NoPath:
    """Nothing was found; `exhausted` says whether that is because there is nothing."""

    exhausted: bool
    probes: int


def search(choices: Sequence[Choice], around: State, probe: Probe, budget: int) -> Path | NoPath:
    """The path with the fewest writes, then the fewest temporary objects, in the fewest waves.

    `around` are the versions of the other changed objects while it is carried out; `budget` is the
    number of writes that are put to the prover at most.
    """
    space = _Space(choices, around)
    goal = space.goal
    serial = count()
    frontier: list[tuple[int, int, int, int, _Position]] = []
    heapq.heappush(frontier, (space.missing(space.start), 0, next(serial), 0, space.start))
    came: dict[_Position, tuple[_Position, Step] | None] = {space.start: None}
    writes: dict[_Position, tuple[int, int]] = {space.start: (0, 0)}
    done: set[_Position] = set()
    probes = 0
    while frontier:
        _, extra, _, made, position = heapq.heappop(frontier)
        if position == goal:
            return Path(_waves(space, _steps(came, goal), probe))
        if position in done:
            continue
        done.add(position)
        for after, step, cost in space.moves(position):
            total = (made + 1, extra + cost)
            if after in done or writes.get(after, (total[0] + 1, 0)) <= total:
                continue
            if probes >= budget:
                return NoPath(exhausted=False, probes=probes)
            probes += 1
            if not probe(space.state(position), [step]):
                continue
            writes[after] = total
            came[after] = (position, step)
            estimate = total[0] + space.missing(after)
            heapq.heappush(frontier, (estimate, total[1], next(serial), total[0], after))
    return NoPath(exhausted=True, probes=probes)


class _Space:
    """The positions of the choices, and the writes that lead from one to another."""

    def __init__(self, choices: Sequence[Choice], around: State):
        self._choices = choices
        self._around = around
        self._versions = [_versions(choice) for choice in choices]
        self.start: _Position = (0,) * len(choices)
        self.goal: _Position = tuple(
            0 if choice.temporary else len(versions) - 1
            for choice, versions in zip(choices, self._versions, strict=True)
        )

    def missing(self, position: _Position) -> int:
        """How many writes are left at least."""
        return sum(at != goal for at, goal in zip(position, self.goal, strict=True))

    def state(self, position: _Position) -> State:
        """The versions of all changed objects at a position."""
        own = {
            choice.id: versions[at]
            for choice, versions, at in zip(self._choices, self._versions, position, strict=True)
        }
        return {**self._around, **own}

    def moves(self, position: _Position) -> Iterator[tuple[_Position, Step, int]]:
        """The positions one write away, with the write and what it costs beyond being one."""
        for number, (choice, versions) in enumerate(
            zip(self._choices, self._versions, strict=True)
        ):
            at = position[number]
            for to in _targets(choice, at, len(versions)):
                after = (*position[:number], to, *position[number + 1 :])
                bridge = choice.temporary or 0 < to < len(versions) - 1
                version, gone = versions[to], versions[at]
                if version is not None:
                    yield after, Apply(version, "", bridge=bridge), _cost(choice, to, versions)
                elif gone is not None:
                    removed = Remove(choice.id, gone.api_version, "", bridge=choice.temporary)
                    yield after, removed, 0


def _versions(choice: Choice) -> tuple[Resource | None, ...]:
    if choice.temporary:
        return (None, *choice.between)
    if choice.recreated:
        return (choice.old, None, choice.new)
    return (choice.old, *choice.between, choice.new)


def _targets(choice: Choice, at: int, versions: int) -> Iterator[int]:
    if choice.recreated:
        yield from range(at + 1, min(at + 2, versions))
        return
    if not choice.temporary and at == versions - 1:
        return
    # The version at the head first: it has to be written anyway.
    yield from (to for to in reversed(range(versions)) if to != at and (to or choice.temporary))


def _cost(choice: Choice, to: int, versions: Sequence[Resource | None]) -> int:
    """Of two ways of equal length, the one without temporary objects, then the earlier versions."""
    if choice.temporary:
        return 100
    return 0 if to == len(versions) - 1 else to


def _steps(
    came: Mapping[_Position, tuple[_Position, Step] | None], goal: _Position
) -> list[tuple[_Position, Step]]:
    """The writes that led to `goal`, each with the position in which it is made."""
    found: list[tuple[_Position, Step]] = []
    here = came[goal]
    while here is not None:
        found.append(here)
        here = came[here[0]]
    return found[::-1]


def _waves(
    space: _Space, steps: Sequence[tuple[_Position, Step]], probe: Probe
) -> tuple[tuple[Step, ...], ...]:
    """Writes that may become visible in any order go together."""
    waves: list[list[Step]] = []
    begun: State = {}
    for position, step in steps:
        together = [*waves[-1], step] if waves else []
        alone = step.id in {other.id for other in together[:-1]}
        if together and not alone and probe(begun, together):
            waves[-1] = together
        else:
            waves.append([step])
            begun = space.state(position)
    return tuple(tuple(wave) for wave in waves)
