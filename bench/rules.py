"""Print what each rule of the pack finds in the corpora beside the checkout, and how long it takes.

    python bench/rules.py [--closed] [--show RULE] [--corpora DIR]

Each case is a change of somebody's real repository, its trees taken as one target. `--show` prints
the findings of a rule, so that they can be read.
"""

import argparse
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from meshplan.data import data_path
from meshplan.policy.judge import Judge
from meshplan.policy.library import Pack
from meshplan.run.request import mesh_of
from meshplan.settings import RuleSettings, Settings, World

if TYPE_CHECKING:
    from meshplan.finding import Finding

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the pack over all cases."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.corpus import snapshots  # noqa: PLC0415 - it is found from here on alone

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--closed", action="store_true")
    parser.add_argument("--show", metavar="RULE")
    parser.add_argument("--corpora", type=Path, default=ROOT.parent / "shared" / "corpora")
    options = parser.parse_args()
    settings = Settings(world=World.CLOSED if options.closed else World.OPEN)
    start = time.process_time()
    texts = {path.name: path.read_text("utf-8") for path in data_path("policies").glob("*.py")}
    pack = Pack.of(texts)
    pack.raise_errors()
    judge = Judge(pack.compiled, RuleSettings())
    print(f"compiled {len(pack.rules)} rules in {time.process_time() - start:.3f} s")
    found: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    objects, spent = 0, 0.0
    for case in sorted((options.corpora / "cases").iterdir()):
        base, head = (mesh_of(side, settings)[0] for side in snapshots(case))
        objects += len(head.snapshot)
        start = time.process_time()
        for finding in (*judge.state(head, ""), *judge.change(base, head, "")):
            found[finding.rule].append((case.name, finding))
        spent += time.process_time() - start
    for rule in pack.rules:
        hits = found[rule.id]
        cases = Counter(name for name, _ in hits)
        print(f"{rule.id:10} {rule.level:5} {len(hits):5} in {len(cases):3} cases")
    print(f"{objects} objects in {spent:.2f} s")
    for name, finding in found[options.show or ""]:
        print(f"{name}: {finding.locations[0]}: {finding.id}: {finding.message}")


if __name__ == "__main__":
    main()
