"""Small faults that can be planted in a module: what is changed, where, and to what."""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Trees = Iterator[tuple[str, ast.AST]]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_CALLS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}
#: What only type checkers read, or what no call ever reaches.
_INERT = ("assert_never", "TypeVar", "cast")


Path = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault in one module."""

    module: str
    line: int
    #: The lines of which one has to run for the fault to be noticed; empty if it is in force
    #: from the import on.
    lines: frozenset[int]
    #: The qualified name of the class, or of the outermost function, that it is in; else empty.
    scope: str
    #: The lines of the statement, as they are and as one text: what a list of exceptions names.
    text: str
    change: str
    #: Which one it is, from 1 on, of those that are alike in all of this.
    nth: int
    _path: Path
    _made: ast.AST

    @property
    def key(self) -> str:
        """What stays the same if the lines above it change."""
        where = f"{self.module} {self.scope}" if self.scope else self.module
        nth = f" #{self.nth}" if self.nth > 1 else ""
        return f"{where}: {self.text} => {self.change}{nth}"

    def planted(self, source: str) -> ast.Module:
        """The module with the fault."""
        tree = ast.parse(source)
        _put(tree, self._path, self._made)
        return ast.fix_missing_locations(tree)


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """All faults of a module that are known, in the order of its text."""
    tree = ast.parse(source)
    alike = Counter[tuple[str, str, str]]()
    for path, statement, in_function, change, made in _faults(tree):
        node = _at(tree, path)
        first = getattr(node, "lineno", statement.lineno)
        last = getattr(node, "end_lineno", None) or first
        lines = (statement.lineno, *range(first, last + 1)) if in_function else ()
        scope = _scope(tree, path)
        text = ast.unparse(node if isinstance(node, ast.expr) else statement).split("\n")[0]
        alike[scope, text, change] += 1
        yield Mutant(
            module=module,
            line=first,
            lines=frozenset(lines),
            scope=scope,
            text=text,
            change=change,
            nth=alike[scope, text, change],
            _path=path,
            _made=made,
        )


Fault = tuple[Path, ast.stmt, bool, str, ast.AST]


def _scope(tree: ast.AST, path: Path) -> str:
    names: list[str] = []
    for name, index in path:
        if isinstance(tree, ast.ClassDef | ast.FunctionDef):
            names.append(tree.name)
        if isinstance(tree, ast.FunctionDef):
            break
        tree = _at(tree, ((name, index),))
    return ".".join(names)


def _faults(tree: ast.Module) -> Iterator[Fault]:
    for path, statement, in_function, node in _places(tree, (), None, in_function=False):
        if statement is None:
            continue
        for change, made in _changes(node):
            yield path, statement, in_function, change, ast.copy_location(made, node)


def _places(
    node: ast.AST, path: Path, statement: ast.stmt | None, *, in_function: bool
) -> Iterator[tuple[Path, ast.stmt | None, bool, ast.AST]]:
    """Every node that may be changed; no annotation, decorator, import or docstring."""
    if isinstance(node, ast.stmt):
        statement = node
    yield path, statement, in_function, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        is_word = name in ("func", "format_spec") or isinstance(node, ast.JoinedStr | ast.Raise)
        if is_word and not (name == "func" and isinstance(value, ast.Attribute)):
            continue
        inside = in_function or (isinstance(node, ast.FunctionDef | ast.Lambda) and name == "body")
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_inert(child) or _is_end(node, child):
                continue
            at = (*path, (name, index if isinstance(value, list) else None))
            yield from _places(child, at, statement, in_function=inside)


def _is_inert(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Assert():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Call(func=ast.Name(id=name)) | ast.Expr(value=ast.Call(func=ast.Name(id=name))):
            return name in _INERT
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.keyword(arg="strict"):
            # Of `zip`, whose parts are of one length wherever it says so.
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


def _is_end(node: ast.AST, child: ast.AST) -> bool:
    """Whether it is a `return None` where the function ends anyway."""
    match node, child:
        case ast.FunctionDef(body=[*_, last]), ast.Return(value=ast.Constant(value=None)):
            return child is last
        case _:
            return False


def _changes(node: ast.AST) -> Trees:
    for changes in _RULES.get(type(node), ()):
        yield from changes(node)


def _compare(node: ast.Compare) -> Trees:
    for index, operator in enumerate(node.ops):
        ops = list(node.ops)
        ops[index] = _COMPARISONS[type(operator)]()
        made = ast.Compare(node.left, ops, node.comparators)
        yield ast.unparse(made), made


def _bool(node: ast.BoolOp) -> Trees:
    made = ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    yield ast.unparse(made), made
    for index in range(len(node.values)):
        rest = node.values[:index] + node.values[index + 1 :]
        less = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        yield ast.unparse(less), less


def _not(node: ast.UnaryOp) -> Trees:
    if isinstance(node.op, ast.Not | ast.USub):
        yield ast.unparse(node.operand), node.operand


def _binary(node: ast.BinOp) -> Trees:
    if type(node.op) in _OPERATORS:
        made = ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        yield ast.unparse(made), made


def _constant(node: ast.Constant) -> Trees:
    match node.value:
        case bool(value):
            yield str(not value), ast.Constant(not value)
        case int(value):
            yield str(value + 1), ast.Constant(value + 1)
        case str(value) if value and " " not in value:
            yield repr(value + "~"), ast.Constant(value + "~")


def _call(node: ast.Call) -> Trees:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        if node.func.id == "sorted" and node.keywords:
            return
        made = ast.Call(ast.Name(_CALLS[node.func.id], ast.Load()), node.args, node.keywords)
        yield ast.unparse(made), made


def _if(node: ast.If) -> Trees:
    made = ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    yield f"if not ({ast.unparse(node.test)})", made
    yield "if False", ast.If(ast.Constant(False), node.body, node.orelse)


def _choice(node: ast.IfExp) -> Trees:
    for branch in (node.body, node.orelse):
        yield f"always {ast.unparse(branch)}", branch


def _comprehension(node: ast.comprehension) -> Trees:
    for index, test in enumerate(node.ifs):
        rest = node.ifs[:index] + node.ifs[index + 1 :]
        made = ast.comprehension(node.target, node.iter, rest, node.is_async)
        yield f"without if {ast.unparse(test)}", made
        others = list(node.ifs)
        others[index] = ast.UnaryOp(ast.Not(), test)
        negated = ast.comprehension(node.target, node.iter, others, node.is_async)
        yield f"if not ({ast.unparse(test)})", negated


def _set(node: ast.Set) -> Trees:
    for index in range(len(node.elts)) if len(node.elts) > 1 else ():
        made = ast.Set(node.elts[:index] + node.elts[index + 1 :])
        yield ast.unparse(made), made


def _dict(node: ast.Dict) -> Trees:
    for index, key in enumerate(node.keys):
        made = ast.Dict(
            node.keys[:index] + node.keys[index + 1 :],
            node.values[:index] + node.values[index + 1 :],
        )
        yield f"without {ast.unparse(key) if key else '**'}", made


def _tuple(node: ast.Tuple) -> Trees:
    """A constant tuple is a set of words; all others have a place for each part."""
    if len(node.elts) > 1 and all(isinstance(e, ast.Constant) for e in node.elts):
        for index in range(len(node.elts)):
            made = ast.Tuple(node.elts[:index] + node.elts[index + 1 :], ast.Load())
            yield ast.unparse(made), made


def _dropped(node: ast.stmt) -> Trees:
    if isinstance(node, ast.Expr) and not isinstance(
        node.value, ast.Call | ast.Yield | ast.YieldFrom
    ):
        return
    yield f"without {ast.unparse(node)}", ast.Pass()


def _match(node: ast.Match) -> Trees:
    for index, case in enumerate(node.cases):
        last = case.body[-1]
        is_inert = isinstance(last, ast.Pass) or (isinstance(last, ast.Expr) and _is_inert(last))
        if len(node.cases) > 1 and not is_inert:
            made = ast.Match(node.subject, node.cases[:index] + node.cases[index + 1 :])
            yield f"without case {ast.unparse(case.pattern)}", made


def _return(node: ast.Return) -> Trees:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield "return None", ast.Return(ast.Constant(None))
    yield f"without {ast.unparse(node)}", ast.Pass()


_RULES: dict[type[ast.AST], tuple[Callable[..., Trees], ...]] = {
    ast.Compare: (_compare,),
    ast.BoolOp: (_bool,),
    ast.UnaryOp: (_not,),
    ast.BinOp: (_binary,),
    ast.Constant: (_constant,),
    ast.Call: (_call,),
    ast.If: (_if,),
    ast.IfExp: (_choice,),
    ast.comprehension: (_comprehension,),
    ast.Set: (_set,),
    ast.Dict: (_dict,),
    ast.Tuple: (_tuple,),
    ast.Expr: (_dropped,),
    ast.AugAssign: (_dropped,),
    ast.Continue: (_dropped,),
    ast.Break: (_dropped,),
    ast.Raise: (_dropped,),
    ast.Match: (_match,),
    ast.Return: (_return,),
}


def _at(tree: ast.AST, path: Path) -> ast.AST:
    for name, index in path:
        found = getattr(tree, name)
        tree = found if index is None else found[index]
    return tree


def _put(tree: ast.AST, path: Path, made: ast.AST) -> None:
    parent = _at(tree, path[:-1])
    name, index = path[-1]
    if index is None:
        setattr(parent, name, copy.deepcopy(made))
    else:
        getattr(parent, name)[index] = copy.deepcopy(made)
