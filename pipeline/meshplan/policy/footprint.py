"""What a rule reads of its subject, derived from its text: where another type is a finding."""

from collections.abc import Iterable
from dataclasses import dataclass, field

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


def footprint(body: Iterable[ir.Statement]) -> dict[ir.Root, program.Shape]:
    """What statements read of the object as it is to be, and of the object as it was."""
    roots = {root: _Node("object") for root in ir.Root}
    for expression in within(body):
        if isinstance(expression, ir.Read) and expression.checked:
            place = place_of(expression)
            if place is not None:
                node = roots[place.root]
                for step in place.steps:
                    node = node.below(step)
                node.learn(expression.kind)
    return {root: node.frozen() for root, node in roots.items()}


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
