"""Writes expressions as Rego: values as terms, conditions as lines."""

from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from meshplan.policy import ir
from meshplan.policy.catalog import FieldType, Leaf, ListOf, MapOf, Part, Scalar
from meshplan.policy.regex import parse, re2
from meshplan.policy.rego.body import Body, Loop, chain, comprehension, rule
from meshplan.policy.rego.names import Names, literal, raw_text, text
from meshplan.policy.types import TRUTH, WHOLE, Basic, Items, Maybe, Message, Set, Table
from meshplan.policy.values import default_of
from meshplan.policy.walk import bound, expressions, free

_KINDS = {
    Scalar.TEXT: "text",
    Scalar.INTEGER: "whole",
    Scalar.NUMBER: "number",
    Scalar.BOOLEAN: "truth",
    Scalar.QUANTITY: "quantity",
    Scalar.INT_OR_TEXT: "quantity",
    Scalar.ANYTHING: "message",
}

#: What holds where a comparison does not.
_OPPOSITE: Mapping[str, str] = {
    "==": "!=",
    "!=": "==",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "in": "not in",
    "not in": "in",
}

#: Operations that give a value: arguments as terms to a term.
_VALUES: Mapping[str, Callable[..., str]] = {
    "add": lambda a, b: f"{_inner(a)} + {_inner(b)}",
    "subtract": lambda a, b: f"{_inner(a)} - {_inner(b)}",
    "multiply": lambda a, b: f"{_inner(a)} * {_inner(b)}",
    "negate": lambda a: f"0 - {_inner(a)}",
    "concat": lambda a, b: f'concat("", [{a}, {b}])',
    "chain": lambda a, b: f"array.concat({a}, {b})",
    "union": lambda a, b: f"mp.union_of({a}, {b})",
    "intersection": lambda a, b: f"mp.intersection_of({a}, {b})",
    "difference": lambda a, b: f"mp.difference_of({a}, {b})",
    "remove_prefix": lambda a, b: f"trim_prefix({a}, {b})",
    "remove_suffix": lambda a, b: f"trim_suffix({a}, {b})",
    "split": lambda a, b: f"split({a}, {b})",
    "strip": lambda a, b: f"trim({a}, {b})",
    "lstrip": lambda a, b: f"trim_left({a}, {b})",
    "rstrip": lambda a, b: f"trim_right({a}, {b})",
    "replace": lambda a, b, c: f"replace({a}, {b}, {c})",
    "lower": lambda a: f"mp.lower({a})",
    "upper": lambda a: f"mp.upper({a})",
    "join": lambda a, b: f"concat({a}, {b})",
    "len": lambda a: f"count({a})",
    "sum": lambda a: f"sum({a})",
    "max": lambda a, b: f"mp.max_or({a}, {b})",
    "min": lambda a, b: f"mp.min_or({a}, {b})",
    "sorted": lambda a: f"sort({a})",
    "set": lambda a: f"mp.to_set({a})",
    "keys": lambda a: f"mp.keys({a})",
    "values": lambda a: f"mp.values({a})",
    "items": lambda a: f"mp.pairs({a})",
    "get": lambda a, b, c: f"object.get({a}, {b}, {c})",
    "fqdn": lambda a, b: f"mp.fqdn({a}, {b})",
    "image_ref": lambda a: f"mp.image_ref({a})",
}

#: Operations that are true or not.
_PREDICATES: Mapping[str, Callable[..., str]] = {
    "contains": lambda part, whole: f"contains({whole}, {part})",
    "starts": lambda a, b: f"startswith({a}, {b})",
    "ends": lambda a, b: f"endswith({a}, {b})",
    "host_matches": lambda a, b: f"mp.host_matches({a}, {b})",
    "subset": lambda a, b: f"mp.is_subset({a}, {b})",
}


def _inner(term: str) -> str:
    """An operand: in parentheses if it is an operation itself."""
    return f"({term})" if any(f" {sign} " in term for sign in "+-*") and " | " not in term else term


class Terms:
    """Writes the expressions of one rule; what needs a function of its own goes to `blocks`."""

    def __init__(self, names: Names):
        self.names = names
        #: Functions in the order in which they were needed.
        self.blocks: list[str] = []
        #: Assignments by their variable.
        self.lets: dict[ir.Variable, ir.Let] = {}
        self.parameters: set[ir.Variable] = set()
        self._helpers: set[ir.Helper] = set()
        #: What the module imports besides the run-time library.
        self.uses_facts = False
        self.uses_mesh = False

    # Values

    def value(self, node: ir.Expression, body: Body) -> str:  # noqa: C901, PLR0911, PLR0912 - one case each
        """A term; lines that it needs are added to the body."""
        match node:
            case ir.Constant(value):
                return literal(value)
            case ir.Name(variable):
                return self.name(variable, body)
            case ir.Subject(root):
                return body.use(_ROOTS[root])
            case ir.Operation():
                return body.use("op")
            case ir.Read():
                return self._read(node, body)
            case ir.Collection(group, kind):
                self.uses_mesh = True
                return f"mp.objects({text(group)}, {text(kind)})" if kind else "mp.everything"
            case ir.Ask():
                return self._ask(node, body)
            case ir.Call(operation, arguments) if operation in _VALUES:
                return _VALUES[operation](*[self.value(a, body) for a in arguments])
            case ir.Apply(helper, arguments):
                return self._apply(helper, arguments, body)
            case ir.Fallback(first, second):
                function = "either_message" if isinstance(first.type, Message) else "either"
                return f"mp.{function}({self.value(first, body)}, {self.value(second, body)})"
            case ir.Choice(condition, then, otherwise):
                return self._choice(node, condition, then, otherwise, body)
            case ir.Format(parts):
                return self._format(parts, body)
            case ir.Build(form, items):
                inner = ", ".join(self.value(item, body) for item in items)
                return (f"{{{inner}}}" if items else "set()") if form == "set" else f"[{inner}]"
            case ir.Comprehension():
                term = self._comprehension(node, body)
                if "\n" not in term:
                    return term
                # The formatter breaks what stands around a term of several lines.
                name = self.names.fresh("items")
                body.add(f"{name} := {term}")
                return body.use(name)
            case _:
                return self._truth(node, body)

    def assigned(self, node: ir.Expression, body: Body) -> str:
        """A term that stands alone behind `:=`."""
        if isinstance(node, ir.Comprehension):
            return self._comprehension(node, body)
        return self.value(node, body)

    def name(self, variable: ir.Variable, body: Body) -> str:
        """The name of a variable, which is given its value first if it has none."""
        if variable in self.parameters:
            return f"params.{variable.name}"
        name = self.names.of(variable)
        let = self.lets.get(variable)
        if let is not None and not let.invariant and not body.knows(variable):
            root = body.root
            value = self.assigned(let.value, root)
            root.add(f"{name} := {value}")
            root.bound.add(variable)
        return body.use(name)

    def _read(self, node: ir.Read, body: Body) -> str:
        base, path = self.value(node.base, body), _path(node.path)
        match node.kind:
            case ListOf(item):
                return f"mp.{kind_name(item)}_list({base}, {path})"
            case MapOf(value):
                return f"mp.{kind_name(value)}_table({base}, {path})"
            case Part() | Leaf(Scalar.ANYTHING):
                return f"mp.message({base}, {path})"
            case Leaf():
                default = literal(default_of(node.kind))
                return f"mp.{kind_name(node.kind)}({base}, {path}, {default})"
            case _:
                assert_never(node.kind)

    def _ask(self, node: ir.Ask, body: Body) -> str:
        self.uses_facts = True
        steps = [text(node.fact)]
        for argument in node.arguments:
            if isinstance(argument, ir.Constant) and argument.type is WHOLE:
                steps.append(text(str(argument.value)))
            elif argument.type is WHOLE:
                steps.append(f'sprintf("%d", [{self.value(argument, body)}])')
            else:
                steps.append(self.value(argument, body))
        match node.type:
            case Items():
                function = "records"
            case Message():
                function = "record"
            case _:
                function = "word"
        return f"model.{function}([{', '.join(steps)}])"

    def _apply(self, helper: ir.Helper, arguments: Sequence[ir.Expression], body: Body) -> str:
        name = self.names.of(helper)
        if helper not in self._helpers:
            self._helpers.add(helper)
            self._helper(helper, name)
        given = [self.value(a, body) for a in arguments]
        return f"{name}({', '.join(given)})" if given else name

    def _helper(self, helper: ir.Helper, name: str) -> None:
        clauses: list[tuple[str, Sequence[str]]] = []
        used: set[str] = set()
        self._clauses(helper, helper.body, (), clauses, used)
        given = [self.names.of(p) for p in helper.parameters]
        shown = ", ".join(n if n in used else "_" for n in given)
        self.blocks.append(chain(f"{name}({shown})" if given else name, clauses))

    def _clauses(
        self,
        helper: ir.Helper,
        statements: Sequence[ir.Statement],
        conditions: tuple[ir.Expression, ...],
        clauses: list[tuple[str, Sequence[str]]],
        used: set[str],
    ) -> None:
        """A clause for each `return`; one that comes later is reached where the earlier are not."""
        for statement in statements:
            match statement:
                case ir.Let(variable):
                    self.lets[variable] = statement
                case ir.If(condition, then, otherwise):
                    self._clauses(helper, then, (*conditions, condition), clauses, used)
                    self._clauses(helper, otherwise, conditions, clauses, used)
                case ir.Return(value):
                    body = Body(bound=set(helper.parameters))
                    for condition in conditions:
                        self.condition(condition, body, want=True)
                    term = self.value(value, body)
                    clauses.append((term, body.written()))
                    used |= body.used
                case _:
                    raise AssertionError(statement)

    def _choice(
        self,
        node: ir.Choice,
        condition: ir.Expression,
        then: ir.Expression,
        otherwise: ir.Expression,
        body: Body,
    ) -> str:
        head, inner = self.function("choose", node, body)
        self.condition(condition, inner, want=True)
        value = self.value(then, inner)
        clauses: list[tuple[str, Sequence[str]]] = [(value, inner.written())]
        other = Body(bound=set(inner.bound))
        value = self.value(otherwise, other)
        clauses.append((value, other.written()))
        self.blocks.append(chain(head, clauses))
        return head

    def _truth(self, node: ir.Expression, body: Body) -> str:
        """A condition as a value."""
        head, inner = self.function("truth", node, body)
        self.condition(node, inner, want=True)
        self.blocks.append(chain(head, [("true", inner.written()), ("false", ())]))
        return head

    def function(self, wish: str, node: ir.Expression, body: Body) -> tuple[str, Body]:
        """A new function of what an expression needs: its call, and the body to write."""
        variables, roots = self.needed([node])
        given = [*roots, *(self.name(v, body) for v in variables)]
        for root in roots:
            body.use(root)
        name = self.names.fresh(f"{wish}_{len(self.blocks) + 1}")
        head = f"{name}({', '.join(given)})" if given else name
        return head, Body(bound=set(variables))

    def needed(self, nodes: Sequence[ir.Expression]) -> tuple[list[ir.Variable], list[str]]:
        """The variables and subjects that expressions take from around them."""
        variables = dict.fromkeys(
            v
            for node in nodes
            for v in free(node)
            if v not in self.parameters and not (v in self.lets and self.lets[v].invariant)
        )
        inner = [e for node in nodes for e in expressions(node)]
        roots = [_ROOTS[e.root] for e in inner if isinstance(e, ir.Subject)]
        roots += ["op" for e in inner if isinstance(e, ir.Operation)]
        return list(variables), list(dict.fromkeys(roots))

    def _format(self, parts: Sequence[str | ir.Expression], body: Body) -> str:
        if all(isinstance(part, str) for part in parts):
            return text("".join(str(part) for part in parts))
        pattern = ""
        given = []
        for part in parts:
            if isinstance(part, str):
                pattern += part.replace("%", "%%")
            else:
                pattern += "%d" if part.type in (WHOLE, Maybe(WHOLE)) else "%s"
                given.append(self.value(part, body))
        return f"sprintf({text(pattern)}, [{', '.join(given)}])"

    # Loops

    def _comprehension(self, node: ir.Comprehension, body: Body) -> str:
        inner = Body(parent=body)
        for loop in node.loops:
            self.loop(loop, inner)
        element = self.value(node.element, inner)
        if node.key is not None:
            element = f"{self.value(node.key, inner)}: {element}"
        opening, closing = "[]" if node.form == "list" else "{}"
        return comprehension(opening, element, closing, inner.written())

    def loop(self, each: ir.Each, body: Body) -> None:
        """The lines of a loop and its conditions."""
        key = self.names.of(each.key) if each.key is not None else None
        raw, kind = self._source(each, body)
        body.bound.update(bound([each]))
        if each.row:
            row = tuple(self.names.of(v) if v is not None else None for v in each.row)
            body.add(Loop(key if each.form == "list" else None, row, raw))
        elif kind is None:
            item = self.names.of(each.item) if each.item is not None else None
            body.add(Loop(key if each.form != "set" else None, item, raw))
        else:
            self._typed(each, body, key, raw, kind)
        for condition in each.conditions:
            self.condition(condition, body, want=True)

    def _source(self, each: ir.Each, body: Body) -> tuple[str, FieldType | None]:
        """What goes round, and the type of its items if they are as they were written."""
        source = each.source
        if isinstance(source, ir.Read):
            match source.kind:
                case ListOf(item):
                    base = self.value(source.base, body)
                    return f"mp.list({base}, {_path(source.path)})", item
                case MapOf(item):
                    base = self.value(source.base, body)
                    return f"mp.table({base}, {_path(source.path)})", item
                case _:
                    pass
        return self.value(source, body), None

    def _typed(self, each: ir.Each, body: Body, key: str | None, raw: str, kind: FieldType) -> None:
        """A loop over values as they were written: those of another type are passed over."""
        name = self.names.of(each.item) if each.item is not None else self.names.fresh("item")
        test = {"text": "is_string", "truth": "is_boolean", "message": "is_object"}.get(
            kind_name(kind)
        )
        if test is not None:
            body.use(name)
            body.add(Loop(key, name, raw))
            body.add(f"{test}({name})")
            return
        written = self.names.fresh("written")
        body.use(written)
        body.add(Loop(key, written, raw))
        body.add(f"{name} := mp.as_{kind_name(kind)}({written})")
        body.use(name)
        body.add(f"{name} != null")

    # Conditions

    def condition(self, node: ir.Expression, body: Body, *, want: bool) -> None:  # noqa: C901, PLR0912 - one case each
        """Lines that hold where an expression is true, or where it is not."""
        match node:
            case ir.Both(parts) if want:
                for part in parts:
                    self.condition(part, body, want=True)
            case ir.Both():
                head, inner = self.function("both", node, body)
                self.condition(node, inner, want=True)
                self.blocks.append(rule(head, inner.written()))
                body.add(f"not {head}")
            case ir.Either(parts) if not want:
                for part in parts:
                    self.condition(part, body, want=False)
            case ir.Either():
                self._either(node, body)
            case ir.Negation(part):
                self.condition(part, body, want=not want)
            case ir.IsTrue(part):
                self._is_true(part, body, want=want)
            case ir.IsNone(part):
                body.add(f"{self.value(part, body)} {'==' if want else '!='} null")
            case ir.Compare():
                self._compare(node, body, want=want)
            case ir.Search(pattern, mode, subject):
                found = self.value(subject, body)
                line = f"regex.match({raw_text(re2(parse(pattern), mode))}, {found})"
                body.add(line if want else f"not {line}")
            case ir.Call(operation, arguments) if operation in _PREDICATES:
                line = _PREDICATES[operation](*[self.value(a, body) for a in arguments])
                body.add(line if want else f"not {line}")
            case ir.Exists(loops, element):
                self._exists(node, loops, element, body, want=want)
            case ir.Constant(value):
                if bool(value) is not want:
                    body.add("false")
            case _:
                term = self.value(node, body)
                body.add(term if want else f"not {term}")

    def _either(self, node: ir.Either, body: Body) -> None:
        head, inner = self.function("either", node, body)
        for part in node.parts:
            clause = Body(bound=set(inner.bound))
            self.condition(part, clause, want=True)
            self.blocks.append(rule(_wildcards(head, clause), clause.written() or ["true"]))
        body.add(head)

    def _exists(
        self,
        node: ir.Exists,
        loops: Sequence[ir.Each],
        element: ir.Expression,
        body: Body,
        *,
        want: bool,
    ) -> None:
        head, inner = self.function("some", node, body)
        for loop in loops:
            self.loop(loop, inner)
        self.condition(element, inner, want=True)
        self.blocks.append(rule(head, inner.written()))
        body.add(head if want else f"not {head}")

    def _compare(self, node: ir.Compare, body: Body, *, want: bool) -> None:
        operator = node.operator if want else _OPPOSITE[node.operator]
        left, right = self.value(node.left, body), self.value(node.right, body)
        if operator in ("in", "not in"):
            if isinstance(node.right.type, Table):
                right = f"object.keys({right})"
            line = f"{left} in {right}"
            body.add(line if operator == "in" else f"not {line}")
        else:
            body.add(f"{left} {operator} {right}")

    def _is_true(self, part: ir.Expression, body: Body, *, want: bool) -> None:
        type_ = part.type
        term = self.value(part, body)
        match type_:
            case Basic.TEXT:
                body.add(f'{term} {"!=" if want else "=="} ""')
            case Basic.WHOLE | Basic.NUMBER:
                body.add(f"{term} {'!=' if want else '=='} 0")
            case Items() | Set() | Table():
                body.add(f"count({term}) {'>' if want else '=='} 0")
            case Message():
                body.add(f"{term} {'!=' if want else '=='} null")
            case Maybe(inner) if inner is TRUTH:
                body.add(f"{term} {'==' if want else '!='} true")
            case _:
                body.add(f"mp.is_true({term})" if want else f"not mp.is_true({term})")


_ROOTS = {ir.Root.NEW: "new", ir.Root.OLD: "old"}


def kind_name(kind: FieldType) -> str:
    """What the run-time library calls a type."""
    return _KINDS[kind.scalar] if isinstance(kind, Leaf) else "message"


def _path(path: tuple[str, ...]) -> str:
    return text(path[0]) if len(path) == 1 else f"[{', '.join(map(text, path))}]"


def _wildcards(head: str, body: Body) -> str:
    """The head of a clause, with `_` for what it does not use."""
    name, bracket, rest = head.partition("(")
    if not bracket:
        return head
    given = rest.removesuffix(")").split(", ")
    return f"{name}({', '.join(n if n in body.used else '_' for n in given)})"
