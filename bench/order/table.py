#!/usr/bin/env python3
"""Print what each deployer's order, and meshplan's, does to the requests of every scenario.

    python bench/order/table.py [NAME...]      the table as text
    python bench/order/table.py --markdown     docs/explanation/order-bench.md

A scenario is a folder of `scenarios/` with the manifests before and after a change. Each order is
proven or refuted write by write, and in the deployers' favour every write is assumed to be in force
everywhere before the next one. `.` is a proven order; L requests are lost (I1), M reach a backend
that is neither old nor new (I2), O are let in that were denied (I3), F flap (I4); ? is undecided;
X is meshplan's word that there is no way at all, which comes with a witness.
"""

import sys
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
    cells = "".join(f"{f'{count}/{len(rows)}':<10}" for count in broken(rows))
    yield f"{'lost, misled, opened or flapping':<32}{cells}"
    hopeless = [found for found in rows if found.meshplan == "X"]
    for found in hopeless:
        witness = found.solution.impossible
        yield f"no way for {found.scenario.name}: {witness.sentence if witness else ''}"


_ABOUT = """
Each row is a change of a small mesh, as plain YAML before and after in `bench/order/scenarios/`. Each column is an order in which its
objects are written: that of a deployer with its defaults, as its source has it, and that of meshplan. Every order is proven or refuted by the
same [model](model.md). In the deployers' favour each of their writes is taken to be in force everywhere before the next one is made, although
none of them waits for proxies; Argo CD's runs of one kind and kapp's changes go off together, as they do there.

`·` is a proven order; **lost**: requests that are served before and after are not served on the way; **misled**: they reach a backend that is
neither old nor new; **opened**: requests get in that are denied before and after; `?`: not decided, as an object is not modelled; **no way**:
there is no order, with or without bridges, and a request shows it.
"""
_WORDS = {"L": "lost", "M": "misled", "O": "opened", "F": "flapping"}


def markdown(rows: Sequence[Row]) -> Iterator[str]:
    """The table as a page."""
    names = [deployer.title for deployer in DEPLOYERS] + ["meshplan"]
    yield _ABOUT.strip()
    yield ""
    yield f"| change | {' | '.join(names)} | with |"
    yield f"| --- | {' | '.join('---' for _ in names)} | --- |"
    for found in rows:
        cells = " | ".join(words(cell) for cell in (*found.deployers, found.meshplan))
        yield f"| {found.scenario.title} (`{found.scenario.name}`) | {cells} | {_size(found)} |"
    counted = " | ".join(str(count) for count in broken(rows))
    yield f"| **broken of {len(rows)}** | {counted} | |"
    yield ""
    yield "What cannot be done, and a request that shows it:"
    yield ""
    for found in rows:
        if found.solution.impossible:
            yield f"- {found.scenario.title}: `{found.solution.impossible.sentence}`"


def words(cell: str) -> str:
    """A cell of the table for readers."""
    if cell in (".", "?"):
        return {".": "·", "?": "?"}[cell]
    if cell == "X":
        return "no way"
    return ", ".join(f"**{_WORDS[letter]}**" for letter in cell)


def _size(found: Row) -> str:
    plan = found.solution.plan
    waves = f"{len(plan.waves)} wave{'' if len(plan.waves) == 1 else 's'}"
    ids = {step.id for step in plan.steps if step.bridge}
    return waves + (f", {len(ids)} bridge{'' if len(ids) == 1 else 's'}" if ids else "")


def broken(rows: Sequence[Row]) -> tuple[int, ...]:
    """How many changes each order breaks, meshplan's last."""
    columns = zip(*((*found.deployers, found.meshplan) for found in rows), strict=True)
    return tuple(sum(bool(set(cell) & set("LMOF")) for cell in column) for column in columns)


def main() -> int:
    """Print the table; 1 if meshplan's column is not clean."""
    wanted = set(sys.argv[1:]) - {"--markdown"}
    rows = [row(s) for s in SCENARIOS if not wanted or s.name in wanted]
    lines = markdown(rows) if "--markdown" in sys.argv else table(rows)
    print("\n".join(lines))
    return 1 if broken(rows)[-1] else 0


if __name__ == "__main__":
    sys.exit(main())
