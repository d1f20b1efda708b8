"""How many planted faults the tests notice, in what decides about requests and in the prover.

    python bench/mutants.py [--count 300] [--seed 1] [--only traffic/route …] [--jobs 1]

A copy of the package, of the tests and of the benches is made in a temporary folder. The tests run
there once under coverage; then each fault is put into a fresh process as it imports the module,
and the tests that ran its line are run, the quick ones first, until one fails. A fault that no
test notices survives; one that can make no difference stands in `mutants-equivalent.txt`, with the
reason.
"""

import argparse
import importlib.abc
import importlib.util
import os
import pickle
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

import coverage
import hypothesis
import pytest
import yaml  # noqa: F401 - imported once for all processes
from mutations import Mutant, count, mutants

if TYPE_CHECKING:
    import ast

ROOT = Path(__file__).parents[1]
PACKAGES = ("traffic", "mesh", "proof")
#: What is run for a fault, as far as it reaches the fault's line.
CHAIN = (
    "tests/unit/traffic",
    "tests/unit/mesh",
    "tests/unit/proof",
    "tests/unit/bridge",
    "tests/properties/test_proof_requests.py",
    "tests/properties/test_proof_lost.py",
    "tests/properties/test_proof_whole.py",
    "tests/properties/test_proof_twins.py",
    "tests/properties/test_proof_brute_force.py",
    "tests/properties/test_proof_classes.py",
    "tests/properties/test_proof_shortcuts.py",
    "tests/properties/test_proof_texts.py",
)
#: Left out: what takes long while shorter tests of its kind are there, and what looks at lines
#: instead of outcomes, so that it would notice faults that no outcome shows.
LEFT_OUT = (
    "test_proof_classes.py::test_a_hundred_thousand_requests",
    "test_recordings_reach.py",
)
#: Plugins of pytest are imported before it starts.
OPTIONS = ("-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
EQUIVALENT = Path(__file__).with_name("mutants-equivalent.txt")
#: Exit statuses of a process with a fault.
SURVIVED, KILLED, TOO_SLOW = 0, 1, 3

#: In which order tests are run; for each line the positions of the tests that ran it.
Covered = tuple[list[str], list[float], dict[tuple[str, int], list[int]]]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a fault."""

    mutant: Mutant
    #: "killed", "slow", "survived" or "unreached".
    what: str
    by: str
    seconds: float


def main() -> int:
    """Plants the faults and prints which of them nobody noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=PACKAGES, metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=int, default=120, help="CPU seconds for a fault")
    parser.add_argument("--budget", type=float, default=60, help="seconds of tests for a fault")
    parser.add_argument("--verbose", action="store_true", help="print what killed each fault")
    parser.add_argument("--coverage", type=Path, help="keep what each test ran in this file")
    parser.add_argument("--at-least", type=float, default=0, help="fail below this per cent")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        checkout = _copy(Path(folder))
        chosen = _chosen(checkout, options.only, options.count, random.Random(options.seed))
        start = time.monotonic()
        covered = _coverage(checkout, options.coverage)
        print(f"{len(covered[0])} tests ran in {time.monotonic() - start:.0f} s", flush=True)
        fates = []
        asked = [(mutant, _tests_of(mutant, covered, options.budget)) for mutant in chosen]
        for fate in _tried(checkout, asked, covered, options.jobs, options.limit):
            fates.append(fate)
            if options.verbose or fate.what in ("survived", "unreached"):
                print(_line(fate), flush=True)
    return _report(fates, options.at_least)


def _copy(folder: Path) -> Path:
    """What the tests need, so that nobody's edits come in between."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in ("pipeline", "policies", "schemas", "tests", "bench", "examples"):
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    if (ROOT.parent / "shared").is_dir():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return checkout


def _source(checkout: Path, module: str) -> Path:
    return checkout / "pipeline" / "meshplan" / f"{module}.py"


def _chosen(
    checkout: Path, only: Sequence[str], wanted: int, source: random.Random
) -> list[Mutant]:
    package = checkout / "pipeline" / "meshplan"
    modules = sorted(
        str(path.relative_to(package).with_suffix(""))
        for name in PACKAGES
        for path in (package / name).glob("*.py")
    )
    asked = [m for m in modules if any(m == o or m.startswith(f"{o}/") for o in only)]
    texts = {module: _source(checkout, module).read_text("utf-8") for module in asked}
    places = [(module, n) for module in asked for n in range(count(texts[module]))]
    picked = source.sample(places, min(wanted, len(places)))
    return [
        mutant
        for module in asked
        for mutant in mutants(module, texts[module], {n for m, n in picked if m == module})
    ]


def _coverage(checkout: Path, kept: Path | None) -> Covered:
    """What each test runs, by running all of them in a process of its own."""
    path = kept or checkout / "coverage.pickle"
    if not path.exists():
        child = os.fork()
        if child == 0:
            os._exit(_measure(checkout, path))
        if os.waitpid(child, 0)[1]:
            raise SystemExit("the tests fail without any fault")
    found: Covered = pickle.loads(path.read_bytes())
    return found


def _measure(checkout: Path, path: Path) -> int:
    _enter(checkout)
    watch = coverage.Coverage(
        data_file=None, source=[str(checkout / "pipeline")], config_file=False
    )
    recorder = _Recorder(watch)
    watch.start()
    status = pytest.main([*OPTIONS, "-q", *CHAIN], plugins=[recorder])
    watch.stop()
    if status != pytest.ExitCode.OK:
        return 1
    data = watch.get_data()
    names = sorted(recorder.seconds, key=lambda name: (_rank(name, recorder.seconds[name]), name))
    position = {name: number for number, name in enumerate(names)}
    lines: dict[tuple[str, int], list[int]] = {}
    package = checkout / "pipeline" / "meshplan"
    for file in data.measured_files():
        module = str(Path(file).relative_to(package).with_suffix(""))
        for line, contexts in data.contexts_by_lineno(file).items():
            lines[module, line] = sorted(position[c] for c in contexts if c in position)
    path.write_bytes(pickle.dumps((names, [recorder.seconds[n] for n in names], lines)))
    return 0


def _rank(name: str, seconds: float) -> float:
    """Recordings first, then what takes little time."""
    return seconds / 3 if "test_recorded_proxies" in name else seconds


class _Recorder:
    def __init__(self, watch: coverage.Coverage):
        self._watch = watch
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [one for one in items if not any(name in one.nodeid for name in LEFT_OUT)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._watch.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - start
        self._watch.switch_context("")
        return result


def _enter(checkout: Path) -> None:
    """Makes the copy the one that is imported."""
    os.chdir(checkout)
    sys.path.insert(0, str(checkout / "pipeline"))
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None)
    hypothesis.settings.load_profile("mutants")


def _tried(
    checkout: Path,
    asked: Sequence[tuple[Mutant, list[int]]],
    covered: Covered,
    jobs: int,
    limit: int,
) -> Iterator[Fate]:
    waiting = list(reversed(asked))
    running: dict[int, tuple[int, Mutant, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant, tests = waiting.pop()
            if not tests:
                yield Fate(mutant, "unreached", "", 0)
                continue
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reader)
                _run(checkout, mutant, tests, covered, writer, limit)
            os.close(writer)
            running[reader] = (child, mutant, time.monotonic())
        for reader in select.select(list(running), [], [])[0] if running else ():
            child, mutant, start = running.pop(reader)
            with os.fdopen(reader, "r") as said:
                by = said.read()
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            what = {SURVIVED: "survived", KILLED: "killed"}.get(code, "slow")
            yield Fate(mutant, what, by, time.monotonic() - start)


def _tests_of(mutant: Mutant, covered: Covered, budget: float) -> list[int]:
    """The tests that may notice a fault, as many as a number of seconds allows for."""
    names, seconds, lines = covered
    if mutant.lines:
        found = sorted({n for line in mutant.lines for n in lines.get((mutant.module, line), ())})
    else:
        found = list(range(len(names)))
    within = accumulate(seconds[n] for n in found)
    return [n for n, spent in zip(found, within, strict=True) if spent <= budget or n == found[0]]


def _run(
    checkout: Path, mutant: Mutant, tests: list[int], covered: Covered, writer: int, limit: int
) -> NoReturn:
    """Runs tests with a fault, in a process that ends here."""
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    _enter(checkout)
    path = _source(checkout, mutant.module)
    sys.meta_path.insert(0, _Finder(mutant, path))
    names = {covered[0][n]: covered[1][n] for n in tests}
    killer = _Killer(names, writer)
    files = sorted({name.split("::")[0] for name in names})
    options = [*OPTIONS, "-q", "--tb=no", *files]
    code = KILLED
    try:
        code = SURVIVED if pytest.main(options, plugins=[killer]) == 0 else KILLED
    finally:
        os._exit(code)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives a module with a fault to whoever imports it."""

    def __init__(self, mutant: Mutant, path: Path):
        name = mutant.module.removesuffix("/__init__").replace("/", ".")
        self._name = f"meshplan.{name}"
        self._path = path
        self._tree: ast.Module = mutant.tree

    def find_spec(self, fullname: str, *_: Any) -> Any:
        if fullname != self._name:
            return None
        inside = self._path.name == "__init__.py"
        return importlib.util.spec_from_file_location(
            fullname,
            self._path,
            loader=self,  # type: ignore[arg-type]
            submodule_search_locations=[str(self._path.parent)] if inside else None,
        )

    def get_code(self, _: str) -> CodeType:
        return compile(self._tree, str(self._path), "exec")

    def get_source(self, _: str) -> str:
        return self._path.read_text("utf-8")

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(self._name), module.__dict__)


class _Killer:
    """Runs the tests that may notice a fault in their order, and tells which did."""

    def __init__(self, names: dict[str, float], writer: int):
        self._names = names
        self._writer = writer

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        order = {name: number for number, name in enumerate(self._names)}
        items[:] = sorted(
            (one for one in items if one.nodeid in order), key=lambda one: order[one.nodeid]
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        signal.signal(signal.SIGPROF, lambda *_: os._exit(TOO_SLOW))
        signal.setitimer(signal.ITIMER_PROF, 5 + 10 * self._names[item.nodeid])
        result = yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self._writer, report.nodeid.encode())


def _line(fate: Fate) -> str:
    mutant = fate.mutant
    where = f"pipeline/meshplan/{mutant.module}.py:{mutant.line}"
    by = f"  [{fate.by or 'on import'}]" if fate.what == "killed" else ""
    return f"{fate.what:10}{fate.seconds:6.1f} s  {where}: {mutant.text} => {mutant.change}{by}"


def _report(fates: list[Fate], at_least: float) -> int:
    equivalent = _equivalent()
    counted = [f for f in fates if f.what in ("killed", "slow") or f.mutant.key not in equivalent]
    total, killed = Counter[str](), Counter[str]()
    for fate in counted:
        for name in (fate.mutant.module, fate.mutant.module.split("/")[0], "all"):
            total[name] += 1
            killed[name] += fate.what in ("killed", "slow")
    print(f"\n{'module':32}{'faults':>8}{'noticed':>9}{'':>9}")
    for name in sorted(total, key=lambda name: (name == "all", name)):
        share = 100 * killed[name] / total[name]
        print(f"{name:32}{total[name]:8}{killed[name]:9}{share:8.1f} %")
    seconds = sum(fate.seconds for fate in fates)
    print(f"{len(fates) - len(counted)} of {len(fates)} are equivalent; {seconds:.0f} s")
    return int(100 * killed["all"] < at_least * total["all"])


def _equivalent() -> set[str]:
    """Faults that make no difference: a line each, with the reason above it."""
    if not EQUIVALENT.exists():
        return set()
    lines = EQUIVALENT.read_text("utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


if __name__ == "__main__":
    sys.exit(main())
