"""Expressions in a few words, so that a place in a rule can be talked about."""

from typing import assert_never

from meshplan.policy import ir

_LONGEST = 60


def sketch(node: ir.Expression) -> str:
    """About what the author wrote, without what would make it long."""
    text = _sketch(node)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _sketch(node: ir.Expression) -> str:  # noqa: C901, PLR0911, PLR0912 - one case each
    match node:
        case ir.Constant(value):
            return repr(value) if isinstance(value, str | int | None) else "…"
        case ir.Name(variable):
            return variable.name
        case ir.Subject(root):
            return root.value
        case ir.Operation():
            return "op"
        case ir.Read(ir.Subject(ir.Root.NEW), path):
            return ".".join(path)
        case ir.Read(base, path):
            return ".".join((_sketch(base), *path))
        case ir.Collection(_, kind):
            return f"all {kind or 'object'}s"
        case ir.Ask(fact, _):
            return f"mesh.{fact}(…)"
        case ir.Call(operation, arguments):
            return f"{operation}({', '.join(map(_sketch, arguments))})"
        case ir.Search(pattern, mode, text):
            return f"re.{mode}({pattern!r}, {_sketch(text)})"
        case ir.Apply(helper, _):
            return f"{helper.name}(…)"
        case ir.Both(parts):
            return " and ".join(map(_sketch, parts))
        case ir.Either(parts):
            return " or ".join(map(_sketch, parts))
        case ir.Negation(part):
            return f"not {_sketch(part)}"
        case ir.IsTrue(part):
            return _sketch(part)
        case ir.IsNone(part):
            return f"{_sketch(part)} is None"
        case ir.Compare(operator, left, right):
            return f"{_sketch(left)} {operator} {_sketch(right)}"
        case ir.Fallback(first, second):
            return f"{_sketch(first)} or {_sketch(second)}"
        case ir.Choice(condition, then, otherwise):
            return f"{_sketch(then)} if {_sketch(condition)} else {_sketch(otherwise)}"
        case ir.Format():
            return 'f"…"'
        case ir.Build():
            return "[…]"
        case ir.Comprehension():
            return "[… for …]"
        case ir.Exists():
            return "any(…)"
        case _:
            assert_never(node)
