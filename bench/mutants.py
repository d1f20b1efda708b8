"""How many planted faults the tests notice, in what decides about requests and in the prover.

    python bench/mutants.py [--count 300] [--seed 1] [--only traffic/route …] [--jobs 1]

A copy of the package, of the tests and of the benches is made in a temporary folder. The tests run
there once under coverage; then each fault is put into a process of its own, where the tests that
ran its line are run, the quick ones first, until one fails. A fault that no test notices survives;
one that can make no difference stands in `mutants-equivalent.txt`, with the reason, and is left
out.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import yaml  # noqa: F401 - imported once for all processes
from mutants_coverage import Checkout, copied, measured
from mutants_runs import Fate, Limits, Task, fates_of
from mutations import Mutant, mutants

PACKAGES = ("traffic", "mesh", "proof")
EQUIVALENT = Path(__file__).with_name("mutants-equivalent.txt")


def main() -> int:
    """Plants the faults and prints which of them nobody noticed."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        checkout = copied(Path(folder))
        known = _known(checkout)
        listed = _equivalent()
        stale = sorted(listed - {mutant.key for mutant in known})
        for key in stale:
            print(f"{EQUIVALENT.name} names what is planted nowhere: {key}")
        asked = [m for m in known if any(f"{m.module}/".startswith(f"{o}/") for o in options.only)]
        chosen = _chosen(asked, options.count, random.Random(options.seed))
        tried = [mutant for mutant in chosen if (mutant.key in listed) == options.listed]
        start = time.monotonic()
        covered = measured(checkout, options.coverage)
        print(f"{len(covered.seconds)} tests ran in {time.monotonic() - start:.0f} s", flush=True)
        tasks = [Task(mutant, covered.tests_of(mutant, options.budget)) for mutant in tried]
        quick = [not options.slow and not covered.is_early(mutant) for mutant in tried]
        fates = []
        for fate in fates_of(checkout, tasks, quick, Limits(options.jobs, options.limit)):
            fates.append(fate)
            if options.verbose or fate.what in ("survived", "unreached"):
                print(_line(fate), flush=True)
    print(f"\n{len(chosen) - len(tried)} of {len(chosen)} are left out")
    return int(bool(stale) | _report(fates, options.at_least))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=PACKAGES, metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=int, default=120, help="CPU seconds for a fault")
    parser.add_argument("--budget", type=float, default=60, help="seconds of tests for a fault")
    parser.add_argument("--verbose", action="store_true", help="print what killed each fault")
    parser.add_argument(
        "--coverage", type=Path, help="keep what each test ran in this file, until anything changes"
    )
    parser.add_argument("--at-least", type=float, default=0, help="fail below this per cent")
    parser.add_argument("--listed", action="store_true", help=f"only those of {EQUIVALENT.name}")
    parser.add_argument("--slow", action="store_true", help="import the module for each fault")
    return parser


def _known(checkout: Checkout) -> list[Mutant]:
    return [
        mutant
        for name in sorted(PACKAGES)
        for path in sorted((checkout.package / name).glob("*.py"))
        for mutant in mutants(f"{name}/{path.stem}", path.read_text("utf-8"))
    ]


def _chosen(asked: Sequence[Mutant], wanted: int, source: random.Random) -> list[Mutant]:
    """Some of the faults, in the order in which they stand."""
    picked = source.sample(range(len(asked)), min(wanted, len(asked)))
    return [asked[number] for number in sorted(picked)]


def _line(fate: Fate) -> str:
    mutant = fate.mutant
    where = f"pipeline/meshplan/{mutant.module}.py:{mutant.line}"
    what = mutant.key.removeprefix(mutant.module).lstrip()
    by = f"  [{fate.by or 'on import'}]" if fate.what == "killed" else ""
    return f"{fate.what:10}{fate.seconds:6.1f} s  {where} {what}{by}"


def _report(fates: Sequence[Fate], at_least: float) -> bool:
    """Prints how many faults were noticed; whether they are fewer than there should be."""
    total, killed = Counter[str](), Counter[str]()
    for fate in fates:
        for name in (fate.mutant.module, fate.mutant.module.split("/")[0], "all"):
            total[name] += 1
            killed[name] += fate.what in ("killed", "slow")
    print(f"{'module':32}{'faults':>8}{'noticed':>9}{'':>9}")
    for name in sorted(total, key=lambda name: (name == "all", name)):
        share = 100 * killed[name] / total[name]
        print(f"{name:32}{total[name]:8}{killed[name]:9}{share:8.1f} %")
    print(f"{sum(fate.seconds for fate in fates):.0f} s")
    return 100 * killed["all"] < at_least * total["all"]


def _equivalent() -> set[str]:
    """Faults that make no difference: a line each, with the reason above it."""
    lines = EQUIVALENT.read_text("utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


if __name__ == "__main__":
    sys.exit(main())
