"""What the checker leaves out makes no difference: it finds what all triples of states give."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

import pytest

from meshplan.mesh import Mesh, MeshConfig
from meshplan.plan import wave_to_json
from meshplan.settings import World
from meshplan.verify import Limits
from meshplan.verify.check import _Checker, _Way
from meshplan.verify.looks import Asked
from meshplan.verify.replay import replayed
from meshplan.verify.verdict import Break, Report
from meshplan.verify.views import Fate, states
from support.random_kinds import pair_of_kinds
from support.random_meshes import pair
from support.random_meshes import plan as random_plan

#: Requests of a mesh that are looked at in every triple, and writes of a stage.
MOST = 30
WRITES = 4


class Plain(_Checker):
    """Asks in every triple of states of all writes of a stage, of all objects, and compares."""

    def start(self, random: Random) -> "Plain":
        """With nothing found yet."""
        self.random = random
        self.compared, self.several = 0, 0
        self.differing: list[str] = []
        self._states: dict[int, list[Mesh]] = {}
        return self

    def all_states(self, number: int) -> list[Mesh]:
        """The whole mesh with each subset of the writes of a stage."""
        if number not in self._states:
            world = self.world
            found = states(world.stages[number], world.rests[number])
            self._states[number] = [world.base.at(state) for _, state in found]
        return self._states[number]

    def _refuted(self, asked: Asked, way: _Way) -> Break | None:
        if self.compared < MOST and self.random.random() < 0.2:
            for looks in way.stages:
                if len(self.world.stages[looks.number].writes) <= WRITES:
                    self.compare(asked, way, looks)
        return super()._refuted(asked, way)

    def compare(self, asked: Asked, way: _Way, looks: Any) -> None:
        """What the looks give for one request and stage, and what all triples give."""
        found = {fate for _, fate in asked.fates(looks, self._part(asked, way))}
        every = self.all_states(looks.number)
        plain = {asked.within(*triple) for triple in product(every, repeat=3)}
        self.compared += 1
        self.several += len(plain) > 1
        if shown(found) != shown(plain):
            writes = [str(w.id) for w in self.world.stages[looks.number].writes]
            self.differing.append(f"{asked.form} {writes}: {shown(plain) ^ shown(found)}")


def shown(found: set[Fate]) -> set[tuple[object, ...]]:
    """Fates as far as the invariants compare them."""
    return {(f.level, f.ends, f.inner and (f.inner.level, f.inner.ends), f.opaque) for f in found}


def checkers(count: int, small: int) -> Iterator[tuple[str, Plain]]:
    """Checkers of random plans between random revisions, after they have run."""
    for seed in range(count):
        random = Random(f"looks {seed}")
        found = pair(random, 2 + seed % 4) if seed % 2 else pair_of_kinds(random)
        plan = random_plan(random, found.steps)
        base = Mesh.of(found.base, MeshConfig(), list(World)[seed // 2 % 2])
        head = base.at(found.head)
        document = {"digest": plan.digest, "waves": [wave_to_json(w) for w in plan.waves]}
        stages = replayed(document, base.snapshot, head.snapshot).stages
        checker = Plain(base, head, stages, Report(Limits(small=small))).start(random)
        checker.run()
        yield f"seed {seed}", checker


@pytest.mark.parametrize("small", [Limits().small, 0])
def test_the_looks_find_what_every_triple_of_states_gives(small: int) -> None:
    differing, compared, several = [], 0, 0
    for name, checker in checkers(50, small):
        differing += [f"{name}: {what}" for what in checker.differing]
        compared += checker.compared
        several += checker.several
    assert not differing
    assert compared >= 500
    assert several >= 100
