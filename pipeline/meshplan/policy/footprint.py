"""What a rule reads of its subject, derived from its text: where another type is a finding."""

from collections.abc import Iterable
from dataclasses import field

from meshplan.dataclass import dataclass
from meshplan.policy import ir, program
from meshplan.policy.catalog import FieldType, Leaf, ListOf, MapOf, Part, Scalar
from meshplan.policy.scope import place_of
from meshplan.policy.walk import within

_SCALARS = {
    Scalar.TEXT: "text",
    Scalar.INTEGER: "whole",
    Scalar.NUMBER: "number",
    Scalar.BOOLEAN: "truth",
    Scalar.QUANTITY: "quantity",
    Scalar.INT_OR_TEXT: "quantity",
    Scalar.ANYTHING: "",
}


@dataclass(slots=True)
class _Node:
    type: str = ""
    fields: dict[str, "_Node"] = field(default_factory=dict)
    each: "_Node | None" = None

    def below(self, step: str | ir.Variable) -> "_Node":
        if isinstance(step, str):
            self.type = self.type or "object"
            return self.fields.setdefault(step, _Node())
        if self.each is None:
            self.each = _Node()
        return self.each

    def learn(self, kind: FieldType) -> None:
        """What has to be here for a field of a type."""
        match kind:
            case Leaf(scalar):
                self.type = self.type or _SCALARS[scalar]
            case Part():
                self.type = "object"
            case ListOf(item):
                self.type = "array"
                self.below(_ITEM).learn(item)
            case MapOf(value):
                self.type = "object"
                self.below(_ITEM).learn(value)

    def frozen(self) -> program.Shape:
        fields = {name: node.frozen() for name, node in sorted(self.fields.items())}
        return program.Shape(self.type, fields, self.each.frozen() if self.each else None)


_ITEM = ir.Variable("item", Leaf(Scalar.ANYTHING))  # type: ignore[arg-type]


_Places = dict[ir.Variable, ir.Place]


def footprint(body: Iterable[ir.Statement]) -> dict[ir.Root, program.Shape]:
    """What statements read of the object as it is to be, and of the object as it was."""
    roots = {root: _Node("object") for root in ir.Root}
    _learn(tuple(body), {}, roots)
    return {root: node.frozen() for root, node in roots.items()}


def _learn(body: tuple[ir.Statement, ...], given: _Places, roots: dict[ir.Root, _Node]) -> None:
    """Note what statements read; of a helper, with the places that its parameters are `given`."""
    known = dict(given)
    for expression in within(body):
        match expression:
            case ir.Comprehension(loops=loops) | ir.Exists(loops=loops) if given:
                _follow(loops, known)
            case ir.Read() if expression.checked:
                place = _place(expression, known)
                if place is not None:
                    node = roots[place.root]
                    for step in place.steps:
                        node = node.below(step)
                    node.learn(expression.kind)
            case ir.Apply(helper, arguments):
                places = zip(helper.parameters, (_place(a, known) for a in arguments), strict=True)
                inner = {parameter: place for parameter, place in places if place is not None}
                if inner:
                    _learn(helper.body, inner, roots)
            case _:
                pass


def _follow(loops: Iterable[ir.Each], known: _Places) -> None:
    """Note the places of what goes round in the loops of a helper."""
    for loop in loops:
        place = _place(loop.source, known)
        if place is not None and loop.item is not None:
            known[loop.item] = place.below(loop.item)


def _place(expression: ir.Expression, known: _Places) -> ir.Place | None:
    """Where a value was read, also where that is known from outside of a helper alone."""
    match expression:
        case ir.Name(variable):
            if variable in known:
                return known[variable]
            if variable.place is None and variable.value is not None and known:
                return _place(variable.value, known)
            return variable.place
        case ir.Read(base, path):
            place = _place(base, known)
            return place.below(*path) if place is not None else None
        case ir.Fallback(first):
            return _place(first, known)
        case _:
            return place_of(expression)


def paths(shape: program.Shape) -> list[tuple[tuple[tuple[str, ...], ...], tuple[str, ...], str]]:
    """A shape as a list: steps between loops, what each loop is over, and the type at the end.

    `spec.ports[].name` is `((spec, ports), (name,)), ("array",), "text"`.
    """
    found: list[tuple[tuple[tuple[str, ...], ...], tuple[str, ...], str]] = []

    def visit(
        node: program.Shape, segments: tuple[tuple[str, ...], ...], forms: tuple[str, ...]
    ) -> None:
        if node.type and (segments != ((),)):
            found.append((segments, forms, node.type))
        for name, inner in node.fields.items():
            visit(inner, (*segments[:-1], (*segments[-1], name)), forms)
        if node.each is not None:
            visit(node.each, (*segments, ()), (*forms, node.type))

    visit(shape, ((),), ())
    return found
