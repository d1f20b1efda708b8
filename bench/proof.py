"""Measure what the proof adds to `meshplan diff`, over the number of changed objects.

    python bench/proof.py [--services 3000] [--changes 10 100 1000] [--rounds 2] [--fleet SCRIPT]

Each round runs `meshplan diff` with and without the proof, in turns and with everything read before;
of the rounds the best counts. The proof is given all the time it takes. Figures are printed, and
never a test.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from measure import Run, run
from speed import FLEET, MESHPLAN, make_fleet

SETTINGS = "proof: {timeoutSeconds: 600}\n"


def main() -> int:
    """Print a line for each number of changes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--services", type=int, default=3000)
    parser.add_argument("--changes", type=int, nargs="+", default=[10, 100, 1000, 3000])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--fleet", type=Path, default=FLEET, help="the script that makes fleets")
    options = parser.parse_args()
    if not options.fleet.exists():
        print(f"no script to make fleets with at {options.fleet}", file=sys.stderr)
        return 2
    print(f"{options.services} services")
    print(f"{'changes':>8} {'without':>8} {'with':>8} {'proof':>8} {'each ms':>8} {'peak MB':>8}")
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        settings = Path(folder) / "settings.yaml"
        settings.write_text(SETTINGS)
        for changes in options.changes:
            fleet = Path(folder) / f"fleet-{changes}"
            make_fleet(options.fleet, fleet, options.services, changes)
            plain, proven = best_of(options.rounds, fleet, settings)
            added = proven.cpu - plain.cpu
            figures = (f"{x:8.2f}" for x in (plain.cpu, proven.cpu, added))
            verdict = json.loads(proven.stdout)["verdict"]
            each = f"{added / changes * 1000:8.1f} {proven.peak:8.0f}"
            print(f"{changes:8} {' '.join(figures)} {each}  {verdict}", flush=True)
    print("seconds of CPU; peak of the run with the proof")
    return 0


def best_of(rounds: int, fleet: Path, settings: Path) -> tuple[Run, Run]:
    """The fastest run without and with the proof."""
    command = (*MESHPLAN, "diff", "base..head", "-o", "json", "--config", str(settings))
    env = {"XDG_CACHE_HOME": str(fleet.with_name(f"{fleet.name}-cache"))}
    run((*command, "--no-proof"), cwd=fleet, env=env)
    plain, proven = [], []
    for _ in range(rounds):
        plain.append(run((*command, "--no-proof"), cwd=fleet, env=env))
        proven.append(run(command, cwd=fleet, env=env))
    plain.sort(key=lambda done: done.cpu)
    proven.sort(key=lambda done: done.cpu)
    return plain[0], proven[0]


if __name__ == "__main__":
    sys.exit(main())
