"""Runs the tests that may notice a fault, in a process for each fault.

Most faults go into a process that was forked from a session of all tests, whose functions get other
code. What an import does is only there in a process that imports the module with the fault.
"""

import gc
import importlib.abc
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

import pytest
from mutants_coverage import CHAIN, OPTIONS, Checkout, Wanted
from mutants_swap import functions_in, swap
from mutations import Mutant

#: Exit statuses of a process with a fault.
SURVIVED, KILLED, TOO_SLOW, NOT_SWAPPED, BROKEN = 0, 1, 3, 4, 5
_WORDS = {
    SURVIVED: "survived",
    KILLED: "killed",
    NOT_SWAPPED: "not swapped",
    BROKEN: "broken",
}


@dataclass(frozen=True, slots=True)
class Task:
    """A fault, and the tests that may notice it with the seconds that each takes without it."""

    mutant: Mutant
    tests: dict[str, float]


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a fault."""

    mutant: Mutant
    #: "killed", "slow", "survived" or "unreached".
    what: str
    by: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the processes with faults may take."""

    #: How many there are at a time.
    jobs: int
    #: The CPU seconds of each.
    seconds: int


#: What runs the tests in the process with a fault, and gives its exit status.
Run = Callable[[Task, int], int]
#: The number of a task, what became of it, which test noticed it, and the seconds it took.
_Answer = tuple[int, str, str, float]


def fates_of(
    checkout: Checkout, tasks: Sequence[Task], quick: Sequence[bool], limits: Limits
) -> Iterator[Fate]:
    """What becomes of faults, in any order; those go into imported functions that `quick` says."""
    left = [number for number, is_quick in enumerate(quick) if not is_quick]
    asked = {number: task for number, task in enumerate(tasks) if quick[number]}
    for number, what, by, seconds in _from_session(checkout, asked, limits) if asked else ():
        if what == _WORDS[NOT_SWAPPED]:
            left.append(number)
        else:
            yield _fate(tasks[number], what, by, seconds)

    def run(task: Task, writer: int) -> int:
        return _imported(checkout, task, writer)

    for number, what, by, seconds in _forked({n: tasks[n] for n in sorted(left)}, run, limits):
        yield _fate(tasks[number], what, by, seconds)


def _fate(task: Task, what: str, by: str, seconds: float) -> Fate:
    if what == _WORDS[BROKEN]:
        raise RuntimeError(f"{task.mutant.key}: {by}")
    return Fate(task.mutant, what, by, seconds)


def _from_session(checkout: Checkout, tasks: dict[int, Task], limits: Limits) -> Iterator[_Answer]:
    """What becomes of faults that are put into a session of all tests."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _silence()
        checkout.enter()
        session = _Session(checkout, tasks, limits, writer)
        pytest.main([*OPTIONS, "-q", "--tb=no", *CHAIN], plugins=[session])
        os._exit(0)
    os.close(writer)
    told = 0
    with os.fdopen(reader, "r") as answers:
        for told, line in enumerate(answers, start=1):  # noqa: B007 - read below
            yield json.loads(line)
    os.waitpid(child, 0)
    if told < len(tasks):
        raise SystemExit("the session with all tests ended too early")


class _Session(Wanted):
    """Instead of running all tests, runs some of them for each fault in a fork of the session."""

    def __init__(self, checkout: Checkout, tasks: dict[int, Task], limits: Limits, writer: int):
        self._checkout = checkout
        self._tasks = tasks
        self._limits = limits
        self._writer = writer

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        gc.unfreeze()
        gc.collect()
        functions = functions_in(self._checkout.package)
        items = {item.nodeid: item for item in session.items}
        gc.disable()  # a collection in a child would write to all that it shares with this process

        def run(task: Task, writer: int) -> int:
            mutant = task.mutant
            path = self._checkout.path(mutant.module)
            if not swap(path, mutant.planted(path.read_text("utf-8")), functions):
                return NOT_SWAPPED
            self._checkout.leave_apart()
            session.items = [items[name] for name in task.tests]
            return self._run(session, _Killer(task.tests, writer))

        for answer in _forked(self._tasks, run, self._limits):
            os.write(self._writer, f"{json.dumps(answer)}\n".encode())
        return True

    def _run(self, session: pytest.Session, killer: "_Killer") -> int:
        manager = session.config.pluginmanager
        manager.register(killer)
        loop = manager.subset_hook_caller("pytest_runtestloop", remove_plugins=[self])
        try:
            loop(session=session)
        except BaseException:  # noqa: BLE001 - as a session of its own would fail
            return KILLED
        return KILLED if killer.noticed else SURVIVED


def _forked(tasks: dict[int, Task], run: Run, limits: Limits) -> Iterator[_Answer]:
    """Runs each task in a process of its own."""
    waiting = list(reversed(tasks))
    running: dict[int, tuple[int, int, float]] = {}
    while waiting or running:
        while waiting and len(running) < limits.jobs:
            number = waiting.pop()
            if not tasks[number].tests:
                yield number, "unreached", "", 0
                continue
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reader)
                _end_with(run, tasks[number], writer, limits.seconds)
            os.close(writer)
            running[reader] = (child, number, time.monotonic())
        for reader in select.select(list(running), [], [])[0] if running else ():
            child, number, start = running.pop(reader)
            with os.fdopen(reader, "r") as said:
                by = said.read()
            _, status = os.waitpid(child, 0)
            what = _WORDS.get(os.waitstatus_to_exitcode(status), "slow")
            yield number, what, by, time.monotonic() - start


def _end_with(run: Run, task: Task, writer: int, seconds: int) -> NoReturn:
    """Runs a task in a process that ends here."""
    code = BROKEN
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        _silence()
        code = run(task, writer)
    except BaseException:  # noqa: BLE001 - told by whoever forked this process
        os.write(writer, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _silence() -> None:
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def _imported(checkout: Checkout, task: Task, writer: int) -> int:
    """Runs tests in a process that imports a module with a fault."""
    checkout.enter()
    mutant = task.mutant
    sys.meta_path.insert(0, _Finder(mutant, checkout.path(mutant.module)))
    files = sorted({name.split("::")[0] for name in task.tests})
    killer = _Killer(task.tests, writer)
    status = pytest.main([*OPTIONS, "-q", "--tb=no", *files], plugins=[killer])
    return SURVIVED if status == pytest.ExitCode.OK else KILLED


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Gives a module with a fault to whoever imports it."""

    def __init__(self, mutant: Mutant, path: Path):
        name = mutant.module.removesuffix("/__init__").replace("/", ".")
        self._name = f"meshplan.{name}"
        self._path = path
        self._mutant = mutant

    def find_spec(self, fullname: str, *_: Any) -> Any:
        if fullname != self._name:
            return None
        inside = self._path.name == "__init__.py"
        return importlib.util.spec_from_file_location(
            fullname,
            self._path,
            loader=self,
            submodule_search_locations=[str(self._path.parent)] if inside else None,
        )

    def get_code(self, fullname: str) -> CodeType:
        planted = self._mutant.planted(self.get_source(fullname))
        code: CodeType = compile(planted, str(self._path), "exec", dont_inherit=True)
        return code

    def get_source(self, _: str) -> str:
        return self._path.read_text("utf-8")

    def exec_module(self, module: ModuleType) -> None:
        exec(self.get_code(self._name), module.__dict__)


class _Killer:
    """Runs the tests that may notice a fault in their order, and tells which did."""

    def __init__(self, tests: dict[str, float], writer: int):
        self._tests = tests
        self._writer = writer
        self.noticed = False

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        order = {name: number for number, name in enumerate(self._tests)}
        items[:] = sorted(
            (one for one in items if one.nodeid in order), key=lambda one: order[one.nodeid]
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        signal.signal(signal.SIGPROF, lambda *_: os._exit(TOO_SLOW))
        signal.setitimer(signal.ITIMER_PROF, 5 + 10 * self._tests[item.nodeid])
        result = yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.noticed = True
            os.write(self._writer, report.nodeid.encode())
