"""What the language leaves out of Python: for each construct a code, the reason, what to write."""

import ast

_LOOP = "iterate over a finite collection with `for ... in ...:`, or use any()/all()"

#: By the type of the statement.
STATEMENTS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.While: ("E101", "`while` is not part of the rule language: a rule must end", _LOOP),
    ast.Try: (
        "E102",
        "`try` is not part of the rule language: no expression can raise",
        "a missing field reads as None; test it with `is None`",
    ),
    ast.Raise: (
        "E104",
        "`raise` is not part of the rule language: a rule finds, it does not fail",
        "`yield` a message",
    ),
    ast.Assert: (
        "E104",
        "`assert` is not part of the rule language: a rule finds, it does not fail",
        "`if not ...: yield` a message",
    ),
    ast.Import: (
        "E103",
        "rules cannot import modules: they are compiled, never run",
        "only `from meshplan.policy... import ...` and `import re` are understood",
    ),
    ast.ImportFrom: (
        "E103",
        "rules cannot import modules: they are compiled, never run",
        "only `from meshplan.policy... import ...` and `import re` are understood",
    ),
    ast.ClassDef: ("E105", "rules have no classes", "a rule is a function below a decorator"),
    ast.With: ("E106", "`with` is not part of the rule language", "rules open nothing"),
    ast.AsyncWith: ("E106", "`with` is not part of the rule language", "rules open nothing"),
    ast.Global: ("E106", "`global` is not part of the rule language", "names are assigned once"),
    ast.Nonlocal: (
        "E106",
        "`nonlocal` is not part of the rule language",
        "names are assigned once",
    ),
    ast.AugAssign: (
        "E108",
        "names are assigned once, and this changes one",
        "use sum(...), len([...]) or a comprehension instead of accumulating",
    ),
    ast.Delete: ("E108", "names are assigned once, and `del` takes one away", "leave it out"),
    ast.AnnAssign: (
        "E108",
        "a name gets its type from its value",
        "write `name = value` without a type",
    ),
    ast.Break: (
        "E109",
        "`break` makes the result depend on order",
        "use any(...), or a condition in the loop",
    ),
    ast.AsyncFor: ("E110", "rules do not wait: there is no `async`", "write `for`"),
    ast.AsyncFunctionDef: ("E110", "rules do not wait: there is no `async`", "write `def`"),
    ast.Match: ("E113", "`match` is not part of the rule language", "use if/elif/else"),
    ast.FunctionDef: (
        "E114",
        "functions are defined at the top of the file",
        "move it out of this function",
    ),
    ast.Pass: ("E116", "`pass` does nothing", "leave it out"),
    ast.Expr: ("E116", "the value of this expression goes nowhere", "yield it, or give it a name"),
}
if hasattr(ast, "TryStar"):
    STATEMENTS[ast.TryStar] = STATEMENTS[ast.Try]
if hasattr(ast, "TypeAlias"):
    STATEMENTS[ast.TypeAlias] = ("E105", "rules define no types", "write the type where it is used")

#: By the type of the expression.
EXPRESSIONS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.Lambda: ("E107", "`lambda` is not part of the rule language", "write a helper with `def`"),
    ast.Await: ("E110", "rules do not wait: there is no `await`", "leave it out"),
    ast.YieldFrom: (
        "E111",
        "`yield from` hides the place of a finding",
        "loop, and `yield` each finding",
    ),
    ast.Yield: ("E111", "`yield` is a statement of its own", "put it on a line of its own"),
    ast.NamedExpr: ("E112", "`:=` is not part of the rule language", "assign on a line of its own"),
    ast.Starred: ("E112", "`*` is not part of the rule language", "use `+` on lists, `|` on sets"),
    ast.Subscript: (
        "E139",
        "indexing can fail, and an expression of a rule never fails",
        "use m.get(key), or loop over it",
    ),
    ast.Slice: (
        "E139",
        "slices are not part of the rule language",
        "use removeprefix(), removesuffix(), or a condition",
    ),
    ast.Dict: (
        "E136",
        "a mapping can only be written at the top of the file",
        "NAME = {...} at the top, and NAME.get(key) here",
    ),
}

OPERATORS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.Div: (
        "E206",
        "division can fail or round differently between engines",
        "multiply instead: `new * 2 < old` rather than `new / old < 0.5`",
    ),
    ast.FloorDiv: (
        "E206",
        "division can fail or round differently between engines",
        "multiply instead: `new * 2 < old` rather than `new // old < 1`",
    ),
    ast.Mod: (
        "E206",
        "`%` can fail or round differently between engines",
        "for text use an f-string",
    ),
    ast.Pow: ("E206", "`**` can grow without bounds", "multiply"),
    ast.MatMult: ("E206", "`@` is not part of the rule language", ""),
    ast.LShift: ("E206", "shifts are not part of the rule language", "multiply"),
    ast.RShift: ("E206", "shifts are not part of the rule language", "compare with a product"),
    ast.BitXor: ("E206", "`^` is not part of the rule language", "use `|`, `&` and `-` on sets"),
}
