"""Writes a rule as a Rego module, with an entry for one object and one for a whole inventory."""

from collections.abc import Sequence

from meshplan.dataclass import dataclass
from meshplan.policy import ir, program
from meshplan.policy.footprint import paths
from meshplan.policy.rego.body import Body, indented, rule
from meshplan.policy.rego.names import Names, literal, text
from meshplan.policy.rego.terms import Terms
from meshplan.policy.walk import lets

#: A step on the way to a yield.
Step = tuple[ir.Expression, bool] | ir.Each | ir.If


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as Rego."""

    package: str
    text: str
    #: Whether it asks the model, whose answers are shipped as `data.facts`.
    uses_facts: bool
    #: Whether it looks at other objects, in `data.inventory`.
    uses_mesh: bool


def package_of(rule_: program.Rule) -> str:
    """The package of a rule, below `data`."""
    name = "".join(c if c.isalnum() else "_" for c in rule_.id.lower())
    return f"meshplan.{name}"


def rule_module(rule_: program.Rule) -> Written:
    """The module of a rule, as Gatekeeper takes it: it reads `input.review` and `data.inventory`."""
    writer = _Writer(rule_)
    return writer.module()


def inventory_entry(rule_: program.Rule) -> str:
    """A second module of the same package: what the rule finds in all of `data.inventory`."""
    lines = [f"package {package_of(rule_)}", "", "import data.lib.meshplan as mp"]
    if rule_.is_change:
        lines.append("import data.lib.meshplan_changes as changed")
    parts = ["\n".join(lines) + "\n", "# all objects at once\n"]
    head = 'inventory contains {"object": mp.id_of(%s), "violation": finding}'
    for kind in rule_.kinds or (program.Kind("", ""),):
        of = f"({text(kind.group)}, {text(kind.name)})"
        if rule_.is_change:
            body = [f"some [old, new] in changed.changes{of}"]
            body += ["op := mp.operation(new, old)", "some finding in checked(new, old, op)"]
            parts.append(rule(head % "mp.either_message(new, old)", body))
        else:
            source = f"mp.objects{of}" if kind.name else "mp.everything"
            parts.append(
                rule(head % "new", [f"some new in {source}", "some finding in checked(new)"])
            )
    return parts[0] + "\n" + parts[1] + "\n".join(parts[2:])


class _Writer:
    def __init__(self, rule_: program.Rule):
        self.rule = rule_
        self.terms = Terms(Names())
        self.terms.parameters = {p.variable for p in rule_.parameters}
        self.terms.lets = {let.variable: let for let in lets(rule_.body)}
        self.given = ["new", "old", "op"] if rule_.is_change else ["new"]
        self.found: list[str] = []
        #: The yields: the name of each with what it takes.
        self.calls: list[str] = []

    def module(self) -> Written:
        self._block(self.rule.body, ())
        invariants = [self._invariant(let) for let in lets(self.rule.body) if let.invariant]
        parts = [self._head(), *self._entry(), *invariants, *self.found, *self.terms.blocks]
        # Names for what is written once come first in a file, so that it reads from the top.
        body = "\n".join(part for part in parts if part)
        return Written(package_of(self.rule), body, self.terms.uses_facts, self.terms.uses_mesh)

    def _head(self) -> str:
        rule_ = self.rule
        lines = [
            "# METADATA",
            f"# title: {text(rule_.page.title or rule_.name)}",
            "# custom:",
            f"#   id: {text(rule_.id)}",
            f"#   severity: {rule_.severity}",
            f"#   enforcement: {rule_.level}",
            f"#   source: {text(f'{rule_.path}:{rule_.span.line}')}",
            f"package {package_of(rule_)}",
            "",
            "import data.lib.meshplan as mp",
        ]
        if self.terms.uses_facts:
            lines.append("import data.lib.meshplan_facts as model")
        return "\n".join(lines) + "\n"

    def _entry(self) -> list[str]:
        rule_ = self.rule
        kinds = [(k.group, k.name) for k in rule_.kinds]
        given = ", ".join(self.given)
        body = ["new := mp.new_of(input.review)"]
        if rule_.is_change:
            body += ["old := mp.old_of(input.review)", "op := mp.operation(new, old)"]
        either = "mp.either_message(new, old)" if rule_.is_change else "new"
        if kinds:
            body.append(f"concerns({either})")
        else:
            body.append(f"is_object({either})")
        body.append(f"some finding in checked({given})")
        parts = [rule("violation contains finding", body)]
        for group, kind in kinds:
            test = f"concerns(o) if mp.is_kind(o, {text(group)}, {text(kind)})\n"
            parts.append(test)
        return [*parts, *self._checked(), *self._parameters()]

    def _checked(self) -> list[str]:
        given = ", ".join(self.given)
        faults = "mp.faults(new, reads, [])"
        if self.rule.is_change:
            faults = f'mp.union_of({faults}, mp.faults(old, reads_old, ["@old"]))'
        union = (
            " | ".join(self.calls) if len(self.calls) < 2 else f"union({{{', '.join(self.calls)}}})"
        )
        used = ", ".join(
            g if g != "op" or any("op" in _arguments(c) for c in self.calls) else "_"
            for g in self.given
        )
        del given
        checked = (
            f"checked({used}) := wrong if {{\n\twrong := {faults}\n\tcount(wrong) > 0\n}}"
            f" else := {union or 'set()'}\n"
        )
        comment = "# a field of another type is a finding, and the rule says nothing more\n"
        reads = [_reads("reads", self.rule.new)]
        if self.rule.is_change:
            reads.append(_reads("reads_old", self.rule.old))
        return [comment + checked, *reads]

    def _parameters(self) -> list[str]:
        if not self.rule.parameters:
            return []
        pairs = ", ".join(f"{text(p.name)}: {literal(p.default)}" for p in self.rule.parameters)
        return [f"params := mp.parameters({text(self.rule.id)}, {{{pairs}}})\n"]

    def _invariant(self, let: ir.Let) -> str:
        body = Body()
        value = self.terms.assigned(let.value, body)
        name = self.terms.names.of(let.variable)
        return rule(f"{name} := {value}", body.written())

    # Statements

    def _block(self, statements: Sequence[ir.Statement], way: tuple[Step, ...]) -> None:
        for statement in statements:
            match statement:
                case ir.If(condition, then, otherwise):
                    self._block(then, (*way, (condition, True)))
                    self._block(otherwise, (*way, (condition, False)))
                    way = (*way, *_stays(statement))
                case ir.For(each, body):
                    self._block(body, (*way, each))
                case ir.Yield():
                    self._yield(statement, way)
                case _:
                    pass

    def _yield(self, node: ir.Yield, way: tuple[Step, ...]) -> None:
        body = Body()
        for step in way:
            match step:
                case ir.Each():
                    self.terms.loop(step, body)
                case ir.If():
                    self._not_left(step, body)
                case (condition, want):
                    self.terms.condition(condition, body, want=want)
        root = [text("@old")] if node.place.root is ir.Root.OLD else []
        names = [
            self.terms.name(part, body) if isinstance(part, ir.Variable) else text(part)
            for part in node.place.steps
        ]
        details = f'"path": [{", ".join([*root, *names])}]'
        if node.fix is not None:
            details += f', "fix": {self.terms.value(node.fix, body)}'
        message = self.terms.value(node.message, body)
        body.add(f"msg := {message}")
        name = self.terms.names.fresh(f"found_{len(self.calls) + 1}")
        given = [g for g in self.given if g in body.used]
        head = f"{name}({', '.join(given)})" if given else name
        self.calls.append(head)
        lines = indented(body.written())
        comment = f"# {self.rule.path}:{node.span.line}\n"
        self.found.append(
            f'{comment}{head} := {{{{"msg": msg, "details": {{{details}}}}} |\n{lines}}}\n'
        )

    def _not_left(self, statement: ir.If, body: Body) -> None:
        """What follows a statement is reached where none of its ways to leave is taken."""
        ways = list(_leaving([statement], ()))
        inner = {let.variable for let in lets([statement])}
        conditions = [c for way in ways for c, _ in way]
        values = [let.value for let in lets([statement])]
        variables, roots = self.terms.needed([*conditions, *values])
        outer = [v for v in variables if v not in inner]
        given = [*roots, *(self.terms.name(v, body) for v in outer)]
        for root in roots:
            body.use(root)
        name = self.terms.names.fresh(f"leaves_{len(self.terms.blocks) + 1}")
        for way in ways:
            clause = Body(bound=set(outer))
            for condition, want in way:
                self.terms.condition(condition, clause, want=want)
            shown = ", ".join(g if g in clause.used else "_" for g in given)
            head = f"{name}({shown})" if given else name
            self.terms.blocks.append(rule(head, clause.written() or ["true"]))
        body.add(f"not {name}({', '.join(given)})" if given else f"not {name}")


def _arguments(call: str) -> list[str]:
    return call.partition("(")[2].removesuffix(")").split(", ")


def _stays(statement: ir.If) -> tuple[Step, ...]:
    """What holds behind a statement, because it has not left."""
    match statement:
        case ir.If(condition, (ir.Leave(),), ()):
            return ((condition, False),)
        case ir.If(condition, then, otherwise):
            if _always_leaves(then) and not any(_leaving(otherwise, ())):
                return ((condition, False),)
            if otherwise and _always_leaves(otherwise) and not any(_leaving(then, ())):
                return ((condition, True),)
            return (statement,) if any(_leaving([statement], ())) else ()


def _always_leaves(statements: Sequence[ir.Statement]) -> bool:
    if not statements:
        return False
    match statements[-1]:
        case ir.Leave():
            return True
        case ir.If(_, then, otherwise):
            return _always_leaves(then) and _always_leaves(otherwise)
        case _:
            return False


Way = tuple[tuple[ir.Expression, bool], ...]


def _leaving(statements: Sequence[ir.Statement], way: Way) -> list[Way]:
    """The conditions of each way to leave."""
    found: list[Way] = []
    for statement in statements:
        match statement:
            case ir.Leave():
                found.append(way)
            case ir.If(condition, then, otherwise):
                found += _leaving(then, (*way, (condition, True)))
                found += _leaving(otherwise, (*way, (condition, False)))
            case _:
                pass
    return found


def _reads(name: str, shape: program.Shape) -> str:
    entries = []
    for segments, over, type_ in paths(shape):
        steps = ", ".join(literal(list(part)) for part in segments)
        entries.append(
            f'\t{{"steps": [{steps}], "over": {literal(list(over))}, "type": {text(type_)}}},\n'
        )
    return f"{name} := [\n{''.join(entries)}]\n" if entries else f"{name} := []\n"
