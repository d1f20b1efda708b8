"""Time the rules that come with meshplan: compiled, run here, and run by OPA over the same objects.

    python bench/policy_speed.py [--services 1650] [--rounds 3] [--fleet SCRIPT]

The fleet has about six objects for each service: 1,650 services are 10,000. OPA evaluates the bundle
that `meshplan policy compile` makes of rules, objects and facts, and `meshplan check` reads and
parses the YAML besides. Figures are CPU seconds of whole processes where nothing else is said, the
best of all rounds, taken in turns; they are printed, and never a test.
"""

import argparse
import gc
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import run
from speed import FLEET, MESHPLAN, make_fleet

from meshplan.data import data_path
from meshplan.policy.evaluate import CompiledRule
from meshplan.policy.judge import Judge
from meshplan.policy.library import Pack
from meshplan.resource import Snapshot
from meshplan.run.request import mesh_of
from meshplan.settings import Settings
from meshplan.source.alone import open_alone
from meshplan.source.load import load_targets

#: Rules that take less time than this, in seconds, have no growth that could be measured.
_SHORT = 0.01


def main() -> int:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--services", type=int, default=1650)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fleet", type=Path, default=FLEET, help="the script that makes fleets")
    given = parser.parse_args()
    if not given.fleet.exists():
        print(f"no script to make fleets with at {given.fleet}", file=sys.stderr)
        return 2
    # As the command does.
    gc.set_threshold(50_000, 10, 10)
    texts = {path.name: path.read_text("utf-8") for path in data_path("policies").glob("*.py")}
    cold = spent(lambda: Pack.of(texts).compiled)
    pack = Pack.of(texts)
    print(f"{len(pack.rules)} rules compiled in {cold * 1000:.0f} ms, the first time in a process")
    with tempfile.TemporaryDirectory(prefix="policy-speed-") as folder:
        snapshots = {}
        for share in (4, 2, 1):
            fleet = Path(folder) / f"fleet-{share}"
            make_fleet(given.fleet, fleet, given.services // share)
            snapshots[share] = loaded(fleet)
        natively(pack, snapshots, given.rounds)
        beside_opa(fleet, Path(folder), given.rounds)
    return 0


def loaded(fleet: Path) -> Snapshot:
    """The objects of a fleet at its head."""
    revision, _ = open_alone(fleet, "head", ())
    (target,) = load_targets(None, revision, Settings()).targets
    return target.head


def natively(pack: Pack, snapshots: dict[int, Snapshot], rounds: int) -> None:
    """All rules over a quarter, a half, and all of the objects; and the rule that grows most."""
    whole = {}
    alone: dict[str, dict[int, float]] = {rule.rule.id: {} for rule in pack.compiled}
    for share, snapshot in snapshots.items():
        whole[share] = judged(pack.compiled, snapshot, rounds)
        for rule in pack.compiled:
            alone[rule.rule.id][share] = judged([rule], snapshot, rounds)
        print(f"all rules over {len(snapshot):6} objects: {whole[share]:.2f} s in this process")
    print(f"twice the objects: {whole[1] / whole[2]:.2f} times as long; linear is 2")
    grown = {id_: t[1] / t[4] for id_, t in alone.items() if t[4] > _SHORT}
    if not grown:
        print("too few objects to say how single rules grow")
        return
    id_ = max(grown, key=lambda found: grown[found])
    exponent = math.log(grown[id_], 4)
    print(f"the rule that grows most is {id_}: objects to the power of {exponent:.2f}")


def judged(rules: Sequence[CompiledRule], snapshot: Snapshot, rounds: int) -> float:
    """Seconds of CPU for some rules over all objects, the model of the mesh included."""

    def once() -> object:
        mesh, _ = mesh_of(snapshot, Settings())
        return Judge(rules, Settings().rules).state(mesh, "fleet")

    return min(spent(once) for _ in range(rounds))


def spent(work: Callable[[], object]) -> float:
    """Seconds of CPU in this process."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def beside_opa(fleet: Path, scratch: Path, rounds: int) -> None:
    """The whole of `meshplan check` beside the whole of `opa eval`."""
    opa = shutil.which("opa")
    if opa is None:
        print("opa is not on PATH: no comparison")
        return
    made = scratch / "compiled"
    compiled = run(
        (*MESHPLAN, "policy", "compile", "--to", "bundle", "-o", str(made), "--manifests", "."),
        cwd=fleet,
    )
    if compiled.status:
        print(compiled.stderr.decode(), file=sys.stderr)
        return
    query = "count(data.meshplan.findings)"
    asked = (opa, "eval", "--format", "values", "--bundle", str(made / "bundle.tar.gz"), query)
    checked = (*MESHPLAN, "check", "--no-cache", "-o", "json=/dev/null")
    here, there = [], []
    for _ in range(rounds):
        here.append(run(checked, cwd=fleet))
        there.append(run(asked, cwd=fleet))
    one, other = (min(runs, key=lambda found: found.cpu) for runs in (here, there))
    for name, found in (("meshplan check", one), ("opa eval", other)):
        print(f"{name:16} {found.cpu:6.2f} s CPU {found.wall:6.2f} s wall {found.peak:5.0f} MB")
    print(
        f"OPA takes {other.cpu / one.cpu:.1f} times the CPU, {other.wall / one.wall:.1f} times as long"
    )


if __name__ == "__main__":
    sys.exit(main())
