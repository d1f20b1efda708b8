"""A fault that is put into imported functions is the fault that an import would bring."""

import ast
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from mutants_swap import functions_in, swap
from mutations import Mutant, mutants

WRAPPED = """
from contextlib import contextmanager
from functools import cached_property, lru_cache

def plain(x):
    return x + 10

@lru_cache(None)
def kept(x):
    return x + 11

@contextmanager
def opened(x):
    yield x + 12

def outer(x):
    def inner(y):
        return y + 13
    return inner(x)

def lesser(x):
    less = lambda y: y - 14
    return less(x)

class Thing:
    def method(self, x):
        return x + 15

    @property
    def shown(self):
        return 2 + 16

    @cached_property
    def found(self):
        return 2 + 17

    @staticmethod
    def still(x):
        return x + 18

    @classmethod
    def made(cls, x):
        return x + 19

    class Inner:
        def deep(self, x):
            return x + 20

    def __len__(self):
        return 2 + 21

def everything(x):
    with opened(x) as y:
        thing = Thing()
        return (
            plain(x), kept(x), y, outer(x), lesser(x), thing.method(x), thing.shown,
            thing.found, thing.still(x), Thing.made(x), Thing.Inner().deep(x), len(thing),
        )
"""

AT_IMPORT = """
from functools import partial

FIXED = 30

def with_default(x, more=31):
    return x + more

class Thing:
    number = 32

def adding(many):
    def add(x):
        return x + many + 33
    return add

add_one = adding(1)

TABLE = [n + 34 for n in (1,)]

def everything(x):
    return FIXED, with_default(x), Thing.number, add_one(x), TABLE
"""


def loaded(path: Path, source: str) -> ModuleType:
    path.parent.mkdir(exist_ok=True)
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("planted", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loaded_for_each(folder: Path, source: str) -> list[tuple[Mutant, Path, ModuleType]]:
    """Each fault with a module of its own."""
    found = []
    for number, mutant in enumerate(mutants("planted", source)):
        path = folder / str(number) / "planted.py"
        found.append((mutant, path, loaded(path, source)))
    return found


def answers(everything: Callable[[int], object]) -> object:
    try:
        return everything(5)
    except Exception as error:  # noqa: BLE001 - what a fault does
        return repr(error)


def planted(mutant: Mutant, source: str, path: Path) -> object:
    """What an import of the module with the fault brings."""
    module = ModuleType("planted")
    exec(compile(mutant.planted(source), str(path), "exec"), module.__dict__)
    return answers(module.everything)


def test_functions_of_all_kinds_get_the_fault(tmp_path: Path) -> None:
    """Each fault lies in a function, and each changes what one of them gives."""
    numbers = set()
    each = loaded_for_each(tmp_path, WRAPPED)
    functions = functions_in(tmp_path)
    for mutant, path, module in each:
        before = answers(module.everything)
        module.kept.cache_clear()
        assert swap(path, mutant.planted(WRAPPED), functions), mutant.key
        after = answers(module.everything)
        assert after == planted(mutant, WRAPPED, path), mutant.key
        assert after != before, mutant.key
        numbers.add(mutant.text)
    assert {str(n) for n in range(10, 22)} <= numbers


def test_what_an_import_does_is_left_to_an_import(tmp_path: Path) -> None:
    """A default, a value of a class or module, what a function has made: these stay as they were."""
    swapped = {}
    each = loaded_for_each(tmp_path, AT_IMPORT)
    functions = functions_in(tmp_path)
    for mutant, path, module in each:
        before = answers(module.everything)
        done = swap(path, mutant.planted(AT_IMPORT), functions)
        after = answers(module.everything)
        assert after == (planted(mutant, AT_IMPORT, path) if done else before), mutant.key
        swapped[mutant.text, mutant.change] = done
    assert not any(swapped[str(n), str(n + 1)] for n in (30, 31, 32, 33, 34))
    assert swapped["x + more", "x - more"]


@pytest.mark.parametrize("text", ["'late'", "super().late()"])
def test_code_that_closes_over_something_else_is_left_to_an_import(
    tmp_path: Path, text: str
) -> None:
    """A function cannot get code that needs `__class__` where its own did not, or the other way."""
    source = f"class A:\n    def late(self):\n        return {text}\n"
    other = source.replace(text, "super().late()" if text == "'late'" else "'late'")
    path = tmp_path / "inner" / "planted.py"
    module = loaded(path, source)
    code = module.A.late.__code__
    assert not swap(path, ast.parse(other), functions_in(path.parent))
    assert module.A.late.__code__ is code


def test_a_module_that_is_not_imported_is_left_to_an_import(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text(WRAPPED)
    (mutant, *_) = mutants("planted", WRAPPED)
    assert not swap(path, mutant.planted(WRAPPED), functions_in(tmp_path))


def test_faults_are_told_by_the_function_that_they_are_in() -> None:
    """By the outermost one, and by the class outside of functions."""
    keys = {mutant.key for mutant in mutants("planted", WRAPPED)}
    assert {
        "planted plain: 10 => 11",
        "planted outer: 13 => 14",
        "planted lesser: 14 => 15",
        "planted Thing.method: 15 => 16",
        "planted Thing.Inner.deep: 20 => 21",
    } <= keys
    keys = {mutant.key for mutant in mutants("planted", AT_IMPORT)}
    assert {
        "planted: 30 => 31",
        "planted with_default: 31 => 32",
        "planted Thing: 32 => 33",
        "planted: 34 => 35",
    } <= keys
