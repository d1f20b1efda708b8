"""A copy of the package and of the tests, and which of the tests run which lines."""

import os
import pickle
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import coverage
import hypothesis
import pytest
from mutations import Mutant

ROOT = Path(__file__).parents[1]
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
    "::test_a_hundred_thousand_requests",
    "test_recordings_reach.py",
)
#: What coverage is told of the time before the first test.
_EARLY = "early"
#: Plugins of pytest are imported before it starts.
OPTIONS = ("-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A copy of what the tests need, so that nobody's edits come in between."""

    folder: Path

    @property
    def package(self) -> Path:
        """The package with the modules."""
        return self.folder / "pipeline" / "meshplan"

    def path(self, module: str) -> Path:
        """The file of a module."""
        return self.package / f"{module}.py"

    def enter(self) -> None:
        """Makes the copy the one that is imported by this process."""
        os.chdir(self.folder)
        sys.path.insert(0, str(self.folder / "pipeline"))
        self.leave_apart()
        hypothesis.settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,  # limits are the bench's
            suppress_health_check=[hypothesis.HealthCheck.too_slow],
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],  # any failure will do
        )
        hypothesis.settings.load_profile("mutants")

    def leave_apart(self) -> None:
        """What pytest leaves stays beside the copy; no process reads what another one wrote."""
        scratch = self.folder.parent / f"scratch-{os.getpid()}"
        scratch.mkdir(exist_ok=True)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(scratch)


@dataclass(frozen=True, slots=True)
class Covered:
    """What each test ran."""

    #: In which order tests are run, and the seconds that each took.
    seconds: dict[str, float]
    #: For each line the positions of the tests that ran it.
    lines: dict[tuple[str, int], list[int]]
    #: What ran before the first test did, as files with tests were imported.
    early: frozenset[tuple[str, int]]

    def tests_of(self, mutant: Mutant, budget: float) -> dict[str, float]:
        """The tests that may notice a fault, as many as a number of seconds allows for."""
        names = list(self.seconds)
        places = [(mutant.module, line) for line in mutant.lines]
        # What is in force from the import on may show anywhere, but soonest in its own module.
        own = places or [place for place in self.lines if place[0] == mutant.module]
        numbers = sorted({n for place in own for n in self.lines.get(place, ())})
        if not places:
            numbers += sorted(set(range(len(names))).difference(numbers))
        found = [names[number] for number in numbers]
        within = accumulate(self.seconds[name] for name in found)
        return {
            name: self.seconds[name]
            for name, spent in zip(found, within, strict=True)
            if spent <= budget or name == found[0]
        }

    def is_early(self, mutant: Mutant) -> bool:
        """Whether a fault is in force before the first test runs."""
        return not mutant.lines or any((mutant.module, line) in self.early for line in mutant.lines)


def copied(folder: Path) -> Checkout:
    """A checkout in an empty folder."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for name in ("pipeline", "policies", "schemas", "tests", "bench", "examples"):
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        shutil.copytree(ROOT / name, checkout / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", checkout)
    if (ROOT.parent / "shared").is_dir():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return Checkout(checkout)


def measured(checkout: Checkout, kept: Path | None) -> Covered:
    """What each test runs, by running all of them in a process of its own."""
    path = kept or checkout.folder / "coverage.pickle"
    if not path.exists():
        child = os.fork()
        if child == 0:
            os._exit(_measure(checkout, path))
        if os.waitpid(child, 0)[1]:
            raise SystemExit("the tests fail without any fault")
    seconds, lines, early = pickle.loads(path.read_bytes())
    return Covered(seconds, lines, early)


def _measure(checkout: Checkout, path: Path) -> int:
    checkout.enter()
    watch = coverage.Coverage(
        data_file=None, source=[str(checkout.folder / "pipeline")], config_file=False
    )
    recorder = _Recorder(watch)
    watch.start()
    watch.switch_context(_EARLY)
    status = pytest.main([*OPTIONS, "-q", *CHAIN], plugins=[recorder])
    watch.stop()
    if status != pytest.ExitCode.OK:
        return 1
    data = watch.get_data()
    names = sorted(recorder.seconds, key=lambda name: (_rank(name, recorder.seconds[name]), name))
    position = {name: number for number, name in enumerate(names)}
    lines: dict[tuple[str, int], list[int]] = {}
    early = set()
    for file in data.measured_files():
        module = str(Path(file).relative_to(checkout.package).with_suffix(""))
        for line, contexts in data.contexts_by_lineno(file).items():
            lines[module, line] = sorted(position[c] for c in contexts if c in position)
            if _EARLY in contexts:
                early.add((module, line))
    seconds = {name: recorder.seconds[name] for name in names}
    path.write_bytes(pickle.dumps((seconds, lines, frozenset(early))))
    return 0


def _rank(name: str, seconds: float) -> float:
    """Recordings first, then what takes little time."""
    return seconds / 3 if "test_recorded_proxies" in name else seconds


class Wanted:
    """Leaves out tests that are not to be run."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the others."""
        items[:] = [one for one in items if not any(name in one.nodeid for name in LEFT_OUT)]


class _Recorder(Wanted):
    def __init__(self, watch: coverage.Coverage):
        self._watch = watch
        self.seconds: dict[str, float] = {}

    def pytest_collection_finish(self) -> None:
        self._watch.switch_context("")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._watch.switch_context(item.nodeid)
        start = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - start
        self._watch.switch_context("")
        return result
