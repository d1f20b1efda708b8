"""Measure `meshplan diff` on made-up fleets, side by side with what else there is.

    python bench/speed.py [--services 1000 3000] [--rounds 3] [--fleet SCRIPT]

Each round runs every command once, so that a busy machine slows all of them alike; of the rounds
the best counts. Figures are ratios within one run: they are printed, and never a test.

- nothing cached, base read before, all read before: meshplan with an empty cache, with one that
  holds the base, and with one that holds both revisions
- order alone: the same without the proof and without rules
- floor: `git cat-file --batch` of every blob of both revisions
- istioctl: `istioctl analyze --use-kube=false` over the head's files, if istioctl is on PATH
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from measure import Run, run

ROOT = Path(__file__).parents[1]
FLEET = ROOT.parent / "shared" / "bench" / "make_fleet.py"
MESHPLAN = (str(Path(sys.executable).parent / "meshplan"),)


@dataclass(frozen=True, slots=True)
class Contender:
    """A command that is measured, and what has to be done before each time."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    prepare: Callable[[], object] = lambda: None


def make_fleet(script: Path, folder: Path, services: int, changes: int = 20) -> None:
    """A repository with the tags `base` and `head`, some changes apart, packed like a clone."""
    size = ("--services", str(services), "--changes", str(changes))
    subprocess.run([sys.executable, str(script), str(folder), *size], check=True)
    # git packs the large fleet by itself and not the small one: growth would be about that.
    subprocess.run(["git", "repack", "-adq"], cwd=folder, check=True)


def contenders(fleet: Path, scratch: Path) -> list[Contender]:
    """Everything that is measured on one fleet."""
    cold, base, both = (scratch / name for name in ("cold", "base", "both"))
    diff = (*MESHPLAN, "diff", "base..head", "-o", "json")
    within(fleet, both, diff)
    settings = scratch / "order.yaml"
    settings.write_text("rules: {builtin: false}\n")
    alone = (*diff, "--no-proof", "--config", str(settings))

    def only_base() -> None:
        shutil.rmtree(base, ignore_errors=True)
        within(fleet, base, (*MESHPLAN, "diff", "base..base", "-o", "json"))

    found = [
        Contender(
            "meshplan diff, nothing cached",
            diff,
            {"XDG_CACHE_HOME": str(cold)},
            lambda: shutil.rmtree(cold, ignore_errors=True),
        ),
        Contender(
            "meshplan diff, base read before", diff, {"XDG_CACHE_HOME": str(base)}, only_base
        ),
        Contender("meshplan diff, all read before", diff, {"XDG_CACHE_HOME": str(both)}),
        Contender(
            "order alone, nothing cached",
            alone,
            {"XDG_CACHE_HOME": str(cold)},
            lambda: shutil.rmtree(cold, ignore_errors=True),
        ),
        Contender("order alone, base read before", alone, {"XDG_CACHE_HOME": str(base)}, only_base),
        Contender("floor: git cat-file of all blobs", _cat_all(fleet, scratch), {}),
    ]
    if istioctl := shutil.which("istioctl"):
        # Without --recursive: current releases always walk, and with it complain and do no more.
        analyze = (istioctl, "analyze", "--use-kube=false", str(fleet))
        found.append(Contender("istioctl analyze", analyze, {}))
    return found


def within(fleet: Path, cache: Path, command: Sequence[str]) -> None:
    """Run once, unmeasured, to fill a cache."""
    subprocess.run(
        command,
        cwd=fleet,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.DEVNULL,
        check=False,
    )


def _cat_all(fleet: Path, scratch: Path) -> Sequence[str]:
    """A command that writes every blob of both revisions to nowhere."""
    listed = subprocess.run(
        ["git", "rev-list", "--objects", "--no-object-names", "base", "head"],
        cwd=fleet,
        stdout=subprocess.PIPE,
        check=True,
    )
    objects = scratch / "objects"
    objects.write_bytes(listed.stdout)
    return ("sh", "-c", f'git cat-file --batch <"{objects}" >/dev/null')


def best_of(rounds: int, fleet: Path, entries: Sequence[Contender]) -> dict[str, Run]:
    """The fastest run of each, taken in turns."""
    best: dict[str, Run] = {}
    for _ in range(rounds):
        for entry in entries:
            entry.prepare()
            done = run(entry.command, cwd=fleet, env=entry.env)
            if entry.name not in best or done.wall < best[entry.name].wall:
                best[entry.name] = done
    return best


def table(services: int, best: Mapping[str, Run]) -> str:
    """The figures of one fleet, each beside its ratio to istioctl and to the floor."""
    floor = best["floor: git cat-file of all blobs"]
    other = best.get("istioctl analyze")
    head = (
        f"{'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'x floor':>8} {'x istioctl':>10} {'exit':>5}"
    )
    lines = [f"{services} services", f"  {'':34} {head}"]
    for name, done in best.items():
        ratio = f"{done.wall / other.wall:10.2f}" if other else f"{'-':>10}"
        lines.append(
            f"  {name:34} {done.wall:8.2f} {done.cpu:8.2f} {done.peak:8.0f} "
            f"{done.wall / floor.wall:8.1f} {ratio} {done.status:5}"
        )
    return "\n".join(lines)


def startup(rounds: int) -> str:
    """CPU of the two commands that do nothing, and of the interpreter that does less."""
    commands = {
        "python -c pass": (sys.executable, "-c", "pass"),
        "meshplan --version": (*MESHPLAN, "--version"),
        "meshplan --help": (*MESHPLAN, "--help"),
    }
    lines = ["start-up, CPU ms (best of many)"]
    for name, command in commands.items():
        cpu = min(run(command, cwd=ROOT).cpu for _ in range(rounds * 5))
        lines.append(f"  {name:34} {cpu * 1000:8.0f}")
    return "\n".join(lines)


def main() -> int:
    """Print the tables, and how meshplan grows from the first fleet to the last."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--services", type=int, nargs="+", default=[1000, 3000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fleet", type=Path, default=FLEET, help="the script that makes fleets")
    options = parser.parse_args()
    if not options.fleet.exists():
        print(f"no script to make fleets with at {options.fleet}", file=sys.stderr)
        return 2
    if not shutil.which("istioctl"):
        print("istioctl is not on PATH: meshplan's own figures only\n")
    print(startup(options.rounds))
    taken: dict[int, Run] = {}
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        for services in options.services:
            fleet, scratch = (Path(folder) / f"{name}-{services}" for name in ("fleet", "scratch"))
            scratch.mkdir()
            make_fleet(options.fleet, fleet, services)
            best = best_of(options.rounds, fleet, contenders(fleet, scratch))
            taken[services] = best["meshplan diff, nothing cached"]
            print(f"\n{table(services, best)}", flush=True)
    first, last = options.services[0], options.services[-1]
    if first != last:
        growth = taken[last].cpu / taken[first].cpu
        print(f"\n{last / first:.1f} times the services: {growth:.2f} times the CPU, uncached")
    return 0


if __name__ == "__main__":
    sys.exit(main())
