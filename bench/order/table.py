#!/usr/bin/env python3
"""Print what each deployer's order, and meshplan's, does to the requests of every scenario.

    python bench/order/table.py [NAME...]

A scenario is a folder of `scenarios/` with the manifests before and after a change. Each order is
proven or refuted write by write, and in the deployers' favour every write is assumed to be in force
everywhere before the next one. `.` is a proven order; L requests are lost (I1), M reach a backend
that is neither old nor new (I2), O are let in that were denied (I3), F flap (I4); ? is undecided;
X is meshplan's word that there is no way at all, which comes with a witness.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from meshplan.deployers import DEPLOYERS, Options
from meshplan.diff import diff
from meshplan.graph import dependency_graph
from meshplan.mesh import Mesh, MeshConfig
from meshplan.planner.solve import Solution, solve
from meshplan.proof import Proof, Prover
from meshplan.settings import World
from support.scenarios import SCENARIOS, Scenario, scenario_snapshots

LETTERS = {"I1": "L", "I2": "M", "I3": "O", "I4": "F"}


@dataclass(frozen=True)
class Row:
    """What became of one scenario under each order."""

    scenario: Scenario
    deployers: tuple[str, ...]
    meshplan: str
    solution: Solution


def row(scenario: Scenario) -> Row:
    """Every order of one scenario, proven or refuted."""
    base, head = scenario_snapshots(scenario.name)
    before = Mesh.of(base, MeshConfig(), World.CLOSED)
    after = before.at(head)
    changes = diff(base, head)
    solution = solve(changes, dependency_graph(changes, before, after), before, after)
    prover = Prover(before, after)
    cells = [
        letters(prover.check(deployer.order(changes, base, Options()))) for deployer in DEPLOYERS
    ]
    own = "X" if solution.impossible else letters(solution.proof)
    return Row(scenario, tuple(cells), own, solution)


def letters(proof: Proof) -> str:
    """What is wrong, a letter for each invariant that is broken."""
    broken = {LETTERS[str(found.invariant)] for found in proof.counterexamples}
    return "".join(sorted(broken)) or ("?" if proof.unknowns else ".")


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of the table and the counts below it."""
    names = [deployer.name for deployer in DEPLOYERS] + ["meshplan"]
    yield f"{'scenario':<32}" + "".join(f"{name:<10}" for name in names) + "bridges  waves"
    for found in rows:
        cells = "".join(f"{cell:<10}" for cell in (*found.deployers, found.meshplan))
        plan = found.solution.plan
        yield f"{found.scenario.name:<32}{cells}{plan.bridges:<9}{len(plan.waves)}"
    counts = Counter[str]()
    for found in rows:
        for name, cell in zip(names, (*found.deployers, found.meshplan), strict=True):
            counts[name] += any(letter in cell for letter in "LMOF")
    cells = "".join(f"{f'{counts[name]}/{len(rows)}':<10}" for name in names)
    yield f"{'lost, misled, opened or flapping':<32}{cells}"
    hopeless = [found for found in rows if found.meshplan == "X"]
    for found in hopeless:
        witness = found.solution.impossible
        yield f"no way for {found.scenario.name}: {witness.sentence if witness else ''}"


def main() -> int:
    """Print the table; 1 if meshplan's column is not clean."""
    wanted = set(sys.argv[1:])
    rows = [row(s) for s in SCENARIOS if not wanted or s.name in wanted]
    print("\n".join(table(rows)))
    return 1 if any(set(found.meshplan) & set("LMOF") for found in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
