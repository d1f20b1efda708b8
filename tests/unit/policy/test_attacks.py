"""Rules are text of strangers: whatever they hold, nothing of it is run, and nothing crashes."""

import ast
import builtins
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import meshplan.policy
from meshplan.policy.library import Pack
from meshplan.policy.rego import rule_module

PACKAGE = Path(meshplan.policy.__file__).parent

HEAD = """from meshplan.policy import Change, Findings, Mesh, at, deny
from meshplan.policy.k8s import Deployment, Service
import re
"""


def rule(body: str, *, decorator: str = '@deny("X-1")', head: str = "svc: Service") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{HEAD}\n{decorator}\ndef rule({head}) -> Findings:\n{lines}"


BOMB = "__import__('pathlib').Path(OUT).write_text('x')"

#: Each would leave a file behind if any part of it ran, or hang, or crash.
ATTACKS = {
    "module level call": f"{HEAD}\n{BOMB}\n",
    "import": "import os\nos.system('touch OUT')\n",
    "import from": "from os import system\nsystem('touch OUT')\n",
    "import of a pack": f"{HEAD}\nfrom meshplan.policy.syntax import module_of\n",
    "relative import": "from . import syntax\n",
    "star import": "from meshplan.policy import *\n",
    "import as": "from meshplan.policy import deny as run\n",
    "decorator": rule('yield "x"', decorator=f"@{BOMB}"),
    "second decorator": rule('yield "x"', decorator=f'@deny("X-1")\n@{BOMB}'),
    "decorator argument": rule('yield "x"', decorator=f"@deny({BOMB})"),
    "decorator keyword": rule('yield "x"', decorator=f'@deny("X-1", severity={BOMB})'),
    "decorator spread": rule('yield "x"', decorator=f'@deny("X-1", **{BOMB})'),
    "default": rule('yield "x"', head=f"svc: Service, *, a: str = {BOMB}"),
    "annotation": rule('yield "x"', head=f"svc: {BOMB}"),
    "annotation as text": rule('yield "x"', head=f'svc: "{BOMB}"'),
    "return annotation": f'{HEAD}\n@deny("X-1")\ndef rule(svc: Service) -> {BOMB}:\n    yield "x"\n',
    "constant": f"{HEAD}\nX = {BOMB}\n",
    "constant comprehension": f"{HEAD}\nX = [{BOMB} for _ in [1]]\n",
    "docstring f-string": rule(f'f"""{{{BOMB}}}"""\nyield "x"'),
    "call": rule(f"yield str({BOMB})"),
    "open": rule('yield open("/etc/passwd").read()'),
    "eval": rule(f'yield eval("{BOMB}")'),
    "exec": rule(f'exec("{BOMB}")\nyield "x"'),
    "class": f"{HEAD}\nclass X:\n    {BOMB}\n",
    "lambda": rule(f"yield (lambda: {BOMB})()"),
    "walrus": rule(f'if (x := {BOMB}):\n    yield "x"'),
    "dunder": rule("yield svc.__class__.__mro__"),
    "dunder of text": rule('yield "x".__class__.__base__.__subclasses__()'),
    "format": rule('yield "{0.__class__}".format(svc)'),
    "format specification": rule('yield f"{svc.metadata.name:>9999999999}"'),
    "conversion": rule('yield f"{svc.metadata.name!r}"'),
    "getattr": rule('yield getattr(svc, "metadata")'),
    "global": rule('global X\nyield "x"'),
    "with": rule(f'with {BOMB}:\n    yield "x"'),
    "try": rule('try:\n    yield "x"\nfinally:\n    pass'),
    "match": rule('match svc:\n    case _:\n        yield "x"'),
    "async": HEAD + '\n@deny("X-1")\nasync def rule(svc: Service) -> Findings:\n    yield "x"\n',
    "yield from": rule("yield from svc.spec.ports"),
    "power": rule('if 9**9**9 > 1:\n    yield "x"'),
    "shift": rule('if 1 << 999999999 > 1:\n    yield "x"'),
    "large number": rule(f'if svc.spec.ports == {"9" * 4000}:\n    yield "x"'),
    "larger number": rule(f'if svc.spec.ports == {"9" * 5000}:\n    yield "x"'),
    "text times number": rule('yield "a" * 999999999'),
    "endless loop": rule('while True:\n    yield "x"'),
    "recursion": f"{HEAD}\ndef f(n: int) -> int:\n    return f(n + 1)\n",
    "mutual recursion": f"{HEAD}\ndef f(n: int) -> int:\n    return g(n)\ndef g(n: int) -> int:\n    return f(n)\n",
    "nested parentheses": rule(f'if {"(" * 150}1{")" * 150}:\n    yield "x"'),
    "very nested parentheses": f"{HEAD}\nX = {'(' * 15000}1{')' * 15000}\n",
    "nested not": rule(f'if {"not " * 15000}svc:\n    yield "x"'),
    "nested minus": f"{HEAD}\nX = {'-' * 15000}1\n",
    "nested lists": f"{HEAD}\nX = {'[' * 90}1{']' * 90}\n",
    "long sum": f"{HEAD}\nX = {' + '.join(['1'] * 15000)}\n",
    "long attribute": rule(f'if svc{".a" * 15000}:\n    yield "x"'),
    "nested ifs": rule(
        "\n".join(" " * n + "if svc:" for n in range(150)) + "\n" + " " * 150 + 'yield "x"'
    ),
    "many elifs": rule("if svc.spec:\n    yield 'a'\n" + "elif svc.spec:\n    yield 'a'\n" * 900),
    "long file": HEAD + "# \n" * 40_000,
    "doubling constants": HEAD
    + 'A0 = "aaaaaaaaaaaaaaaa"\n'
    + "".join(f"A{n} = A{n - 1} + A{n - 1}\n" for n in range(1, 60)),
    "doubling helpers": HEAD
    + "def h0(a: str) -> str:\n    return a\n"
    + "".join(
        f"def h{n}(a: str) -> str:\n    return h{n - 1}(a) + h{n - 1}(a)\n" for n in range(1, 40)
    ),
    "unrolled loops": rule(
        "p = svc.spec.ports\n"
        + "\n".join(
            "    " * n + f"for a{n} in svc.spec.ports{' + svc.spec.ports' * 15}:" for n in range(5)
        )
        + "\n"
        + "    " * 5
        + 'yield "x"'
    ),
    "catastrophic pattern": rule('if re.search("(a+)+$", svc.metadata.name):\n    yield "x"'),
    "large pattern": rule('if re.search("(a{1000}){1000}", svc.metadata.name):\n    yield "x"'),
    "computed pattern": rule('if re.search(svc.metadata.name, "a"):\n    yield "x"'),
    "null byte": "X = '\x00'\n",
    "no Python": "this is no Python\n",
    "half a surrogate": f'{HEAD}\nX = "\\ud800"\n',
    "raw surrogate": "X = '\ud800'\n",
    "other encoding": "# coding: utf-7\nX = 1\n",
    "invalid escape": HEAD + 'X = "\\d"\n',
    "tabs and spaces": f"{HEAD}\nif 1:\n\tX = 1\n        Y = 2\n",
    "bidirectional text": f'{HEAD}\nX = "\u202e"\n',
    "fancy name": rule("\uff45\uff58\uff45\uff43('1')\nyield 'x'"),
    "empty": "",
    "comment alone": "# nothing",
    "type alias": f"{HEAD}\nX: {BOMB} = 1\n",
    "parameter star": rule('yield "x"', head="svc: Service, *args: str"),
    "rego in texts": rule('yield "`}\\n violation contains 1 if { http.send({}) } #"'),
}


def _but_for_dataclasses(name: str, forbidden: Callable[..., None]) -> Callable[..., object]:
    """A builtin that is forbidden to all but the standard library, which makes methods with it."""
    real = getattr(builtins, name)

    def guarded(*args: object, **named: object) -> object:
        caller = sys._getframe(1).f_globals["__name__"]
        return (real if caller == "dataclasses" else forbidden)(*args, **named)

    return guarded


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_runs_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = tmp_path / "witness"
    text = ATTACKS[name].replace("OUT", repr(str(witness)))

    def forbidden(*_: object, **__: object) -> None:
        pytest.fail("a rule was run")

    for function in ("exec", "eval", "open"):
        monkeypatch.setattr(builtins, function, _but_for_dataclasses(function, forbidden))
    monkeypatch.setattr(os, "system", forbidden)
    start = time.process_time()
    pack = Pack.of({"attack.py": text})
    for found in pack.rules:
        rule_module(found)
    assert pack.compiled is not None
    shown = [str(diagnostic) for diagnostic in pack.diagnostics]
    spent = time.process_time() - start
    monkeypatch.undo()
    assert not witness.exists()
    assert spent < 10
    assert all(line.startswith("attack.py:") for line in shown)
    assert bool(pack.errors) is (name not in HARMLESS)
    assert not pack.errors or pack.rules == ()


#: Strange, and yet rules or files without any.
HARMLESS = {
    "catastrophic pattern",
    "nested parentheses",
    "nested lists",
    "empty",
    "comment alone",
    "doubling helpers",
    "bidirectional text",
    "rego in texts",
    "other encoding",
}


def test_texts_of_a_rule_stay_texts_in_rego() -> None:
    pack = Pack.of({"attack.py": ATTACKS["rego in texts"]})
    written = rule_module(pack.rules[0]).text
    assert written.count("violation contains") == 2
    assert 'msg := "`}\\n violation contains 1 if { http.send({}) } #"' in written


def test_nothing_in_the_package_can_run_a_rule() -> None:
    """No `exec`, `eval`, `compile`, import by name, pickle, and `ast` for its parser alone."""
    banned = {
        "exec",
        "eval",
        "compile",
        "__import__",
        "importlib",
        "runpy",
        "pickle",
        "marshal",
        "code",
    }
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names: list[str] = []
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    names = [name]
                case ast.Call(func=ast.Attribute(value=ast.Name(id="ast" | "builtins"), attr=name)):
                    names = [name]
                case ast.Import(names=aliases):
                    names = [alias.name.partition(".")[0] for alias in aliases]
                case ast.ImportFrom(module=str(module)):
                    names = [module.partition(".")[0]]
            found += [(path.name, name) for name in names if name in banned | {"literal_eval"}]
    assert found == []


def test_a_deep_source_does_not_crash_a_small_stack() -> None:
    """In a process of its own: what fails here would take the interpreter with it."""
    sources = [
        "not " * 15000 + "x",
        "-" * 15000 + "1",
        "(" * 15000,
        "a" + ".a" * 20000,
        "[" * 15000,
    ]
    program = (
        "import sys; sys.setrecursionlimit(600)\n"
        "from meshplan.policy.library import Pack\n"
        f"for text in {sources!r}: assert Pack.of({{'a.py': 'X = ' + text}}).errors\n"
    )
    subprocess.run([sys.executable, "-"], input=program, text=True, check=True, timeout=60)
