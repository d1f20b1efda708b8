"""Puts a fault into functions that are imported already, by giving them other code."""

import ast
import gc
import inspect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import CodeType, FunctionType

#: Where code is written: its file, its qualified name, and its first line.
Place = tuple[str, str, int]
Functions = Mapping[Place, Sequence[FunctionType]]


def functions_in(folder: Path) -> Functions:
    """All functions there are now whose code is in a folder, whatever wraps or holds them.

    What `gc.freeze` has set aside is not seen.
    """
    found: dict[Place, list[FunctionType]] = defaultdict(list)
    prefix = f"{folder}/"
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(prefix):
            found[_place(one.__code__)].append(one)
    return dict(found)


def swap(path: Path, planted: ast.Module, functions: Functions) -> bool:
    """Gives the functions of a file the code that they have in `planted`.

    False, and nothing is done, where that would not be as if the file had been imported so: where
    something else than the body of a function differs, where a function is not there, or where
    functions that it has made already would stay what they are.
    """
    source = path.read_text("utf-8")
    pairs = differing(_compiled(ast.parse(source), path), _compiled(planted, path))
    if pairs is None:
        return False
    made = chain.from_iterable(_inside(own) for own, _ in pairs)
    if any(_place(code) in functions for code in made):
        return False
    changes = [(own, other, functions.get(_place(own), ())) for own, other in pairs]
    for own, other, holders in changes:
        if not holders or any(holder.__code__ != own for holder in holders):
            return False
        if own.co_freevars != other.co_freevars:
            return False
    for _, other, holders in changes:
        for holder in holders:
            holder.__code__ = other
    return True


def differing(own: CodeType, other: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """The functions of a module that differ in another version of it, each with the other.

    None if more than bodies of functions differs: then what an import does differs too.
    """
    if _hollow(own) != _hollow(other):
        return None
    found = []
    for one, two in zip(_codes(own), _codes(other), strict=True):
        if one == two:
            continue
        if one.co_flags & inspect.CO_OPTIMIZED:  # functions; bodies of classes are not
            found.append((one, two))
        elif (inner := differing(one, two)) is None:
            return None
        else:
            found += inner
    return found


def _compiled(tree: ast.Module, path: Path) -> CodeType:
    code: CodeType = compile(tree, str(path), "exec", dont_inherit=True)
    return code


def _codes(code: CodeType) -> Iterator[CodeType]:
    return (one for one in code.co_consts if isinstance(one, CodeType))


def _inside(code: CodeType) -> Iterator[CodeType]:
    """The code of the functions in a function."""
    for one in _codes(code):
        yield one
        yield from _inside(one)


def _hollow(code: CodeType) -> CodeType:
    """Code with but the names of the functions in it."""
    consts = (
        (one.co_qualname, one.co_firstlineno) if isinstance(one, CodeType) else one
        for one in code.co_consts
    )
    return code.replace(co_consts=tuple(consts))


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno
