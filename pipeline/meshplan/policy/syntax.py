"""From the text of a file to rules: parsed, never run; all mistakes of the file at once."""

import ast
from collections.abc import Iterator

from meshplan.policy import ir, optimize, program, signatures
from meshplan.policy.catalog import MODULES, catalog
from meshplan.policy.errors import Diagnostic, Diagnostics
from meshplan.policy.footprint import footprint
from meshplan.policy.literals import literal
from meshplan.policy.page import Page, page_of
from meshplan.policy.scope import Globals, Scope, did_you_mean
from meshplan.policy.statements import Statements
from meshplan.policy.text import read
from meshplan.policy.types import (
    IMAGE,
    TEXT,
    UNKNOWN,
    Basic,
    Items,
    Message,
    Transition,
    Type,
    describe,
)
from meshplan.policy.unsupported import STATEMENTS

#: What `meshplan.policy` has to import.
WORDS = {
    *("deny", "warn", "info", "at", "fqdn", "host_matches", "image_ref"),
    *("Change", "Findings", "Mesh", "Resource", "Message", "ImageRef"),
}


def module_of(path: str, text: str) -> tuple[program.Module, tuple[Diagnostic, ...]]:
    """The rules of a file without mistakes, and all mistakes of the file."""
    diagnostics = Diagnostics(path, text)
    source = read(path, text, diagnostics)
    if source is None:
        return program.Module(path, (), ()), diagnostics.found
    file = _File(Globals(source, diagnostics))
    rules = tuple(file.rules())
    # A rule that is not understood whole is not used: half of it could find the opposite.
    rules = () if diagnostics.has_errors else rules
    return program.Module(path, rules, tuple(file.globals.helpers.values())), diagnostics.found


class _File:
    def __init__(self, globals_: Globals):
        self.globals = globals_
        self.report = globals_.diagnostics.report
        self.span = globals_.source.span

    def rules(self) -> Iterator[program.Rule]:
        functions = []
        for number, node in enumerate(self.globals.source.tree.body):
            match node:
                case ast.Expr(value=ast.Constant(value=str())) if number == 0:
                    pass
                case ast.ImportFrom():
                    self._import(node)
                case ast.Import(names=[ast.alias(name="re", asname=None)]):
                    self.globals.has_re = True
                case ast.Assign():
                    self._constant(node)
                case ast.FunctionDef():
                    functions.append(node)
                case ast.Expr():
                    text = "a file of rules runs nothing"
                    self.report("E116", self.span(node), text, "constants, helpers and rules only")
                case _:
                    text = "this is not part of the rule language"
                    found = STATEMENTS.get(type(node), ("E115", text, ""))
                    self.report(found[0], self.span(node), *found[1:])
        self._duplicates(functions)
        for helper in self._in_order([f for f in functions if not f.decorator_list]):
            self._helper(helper)
        for node in functions:
            if node.decorator_list:
                rule = self._rule(node)
                if rule is not None:
                    yield rule

    def _duplicates(self, functions: list[ast.FunctionDef]) -> None:
        seen: set[str] = set()
        for node in functions:
            if node.name in seen or node.name in self.globals.constants:
                text = f"`{node.name}` is defined already"
                self.report("E114", self.span(node), text, "use another name")
            seen.add(node.name)

    def _import(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        home = module.removeprefix("meshplan.policy").removeprefix(".")
        if node.level or not module.startswith("meshplan.policy") or home not in ("", *MODULES):
            self.report("E103", self.span(node), *STATEMENTS[ast.ImportFrom][1:])
            return
        for alias in node.names:
            name = alias.asname or alias.name
            if home:
                self._import_type(alias, home, name)
            elif alias.name not in WORDS or alias.asname:
                text = f"meshplan.policy has no `{alias.name}`"
                if alias.name in WORDS:
                    text = "the words of the language keep their names"
                help_ = did_you_mean(alias.name, WORDS)
                self.report("E103", self.span(alias), text, help_)
            else:
                self.globals.words.add(name)
                if name == "ImageRef":
                    self.globals.types[name] = Message((IMAGE,))

    def _import_type(self, alias: ast.alias, home: str, name: str) -> None:
        full = f"{home}.{alias.name}"
        if catalog().message(full) is None:
            help_ = did_you_mean(alias.name, catalog().names(home))
            text = f"meshplan.policy.{home} has no `{alias.name}`"
            self.report("E140", self.span(alias), text, help_)
            self.globals.types[name] = Message(())
        else:
            self.globals.types[name] = Message((full,))

    def _constant(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) != 1 or not isinstance(target, ast.Name):
            self.report("E132", self.span(target), "a value is given to one name")
            return
        found = literal(self.globals, node.value, "E121")
        if target.id in self.globals.constants:
            text = f"names are assigned once, and `{target.id}` has a value already"
            self.report("E108", self.span(target), text, "use another name")
        self.globals.constants[target.id] = found or ir.Constant(None, UNKNOWN)

    def _in_order(self, helpers: list[ast.FunctionDef]) -> list[ast.FunctionDef]:
        """Helpers below those that they call; those that call themselves come last."""
        self.globals.pending = {node.name for node in helpers}
        done: set[str] = set()
        ordered: list[ast.FunctionDef] = []
        waiting = list(helpers)
        while waiting:
            ready = [n for n in waiting if not (_called(n) & self.globals.pending) - done]
            if not ready:
                return [*ordered, *waiting]
            ordered += ready
            done |= {node.name for node in ready}
            waiting = [node for node in waiting if node not in ready]
        return ordered

    def _helper(self, node: ast.FunctionDef) -> None:
        scope = Scope(self.globals)
        signatures.parameters(self.globals, node)
        parameters = []
        for argument in node.args.args:
            type_ = signatures.annotated(self.globals, argument.annotation, argument)
            variable = scope.variable(argument.arg, type_)
            scope.bind(argument, variable)
            if isinstance(type_, Transition):
                self.report("E140", self.span(argument), "a helper takes `change.old` or `.new`")
            elif type_ is not Basic.MESH:
                parameters.append(variable)
        for extra in [*node.args.kwonlyargs, *node.args.defaults]:
            self.report("E125", self.span(extra), "a helper has plain parameters without defaults")
        result: Type = UNKNOWN
        if node.returns is None:
            text = f"helper `{node.name}` needs the type of what it returns"
            self.report("E142", self.span(node), text, f"def {node.name}(...) -> bool:")
        else:
            result = signatures.annotated(self.globals, node.returns, node)
        statements = Statements(scope)
        statements.result = result
        body, leaves = statements.block(_without_docstring(node), "helper")
        if not leaves:
            text = f"helper `{node.name}` does not always return a value"
            self.report("E143", self.span(node), text, "end it with `return ...`")
        self.globals.pending.discard(node.name)
        self.globals.helpers[node.name] = ir.Helper(
            node.name, tuple(parameters), result, body, scope.slots + 1, self.span(node)
        )

    def _rule(self, node: ast.FunctionDef) -> program.Rule | None:
        head = signatures.head(self.globals, node)
        signatures.parameters(self.globals, node)
        if not signatures.is_findings(self.globals, node.returns):
            text = "a rule gives findings"
            place = self.span(node.returns or node)
            self.report("E126", place, text, "-> Findings, imported from meshplan.policy")
        scope = Scope(self.globals)
        subject = self._subject(scope, node)
        takes_mesh = self._mesh(scope, node)
        parameters = tuple(self._parameters(scope, node))
        scope.places.append(ir.Place(ir.Root.NEW))
        body, _ = Statements(scope).block(_without_docstring(node), "rule")
        if head is None or subject is None:
            return None
        message = subject.subject if isinstance(subject, Transition) else subject
        body = optimize.hoisted(body, {p.variable for p in parameters})
        optimize.warn(body, self.globals.diagnostics)
        page = page_of(ast.get_docstring(node) or "")
        if not page.good or not page.bad:
            self.report(
                "W401",
                self.span(node.decorator_list[0]),
                f"{head.id} has {_lacking(page)}",
                "`Good:` and `Bad:` in the docstring, with manifests below them",
            )
        kinds = [catalog().kinds[name] for name in message.types]
        shapes = footprint(body)
        return program.Rule(
            id=head.id,
            name=node.name,
            level=head.level,
            severity=head.severity,
            refs=head.refs,
            holds=head.holds,
            page=page,
            kinds=tuple(program.Kind(kind.group, kind.name) for kind in kinds),
            is_change=isinstance(subject, Transition),
            takes_mesh=takes_mesh,
            parameters=parameters,
            body=body,
            slots=scope.slots + 1,
            path=self.globals.source.path,
            span=self.span(node),
            new=shapes[ir.Root.NEW],
            old=shapes[ir.Root.OLD],
        )

    def _subject(self, scope: Scope, node: ast.FunctionDef) -> Message | Transition | None:
        if not node.args.args:
            text = "a rule is about an object: its first parameter"
            self.report(
                "E124", self.span(node), text, f"def {node.name}(svc: Service) -> Findings:"
            )
            return None
        argument = node.args.args[0]
        type_ = signatures.annotated(self.globals, argument.annotation, argument)
        message = type_.subject if isinstance(type_, Transition) else type_
        kinds = catalog().kinds
        if not isinstance(message, Message) or not all(name in kinds for name in message.types):
            if type_ is not UNKNOWN:
                text = f"a rule is about a kind of objects, and {describe(type_)} is none"
                self.report("E124", self.span(argument), text, "svc: Service, or Change[Service]")
            scope.bind(argument, scope.variable(argument.arg, UNKNOWN))
            return None
        value = ir.Subject(ir.Root.NEW, message) if message is type_ else None
        place = ir.Place(ir.Root.NEW) if value is not None else None
        scope.bind(argument, scope.variable(argument.arg, type_, place, value))
        return message if message is type_ else Transition(message)

    def _mesh(self, scope: Scope, node: ast.FunctionDef) -> bool:
        found = False
        for argument in node.args.args[1:]:
            type_ = signatures.annotated(self.globals, argument.annotation, argument)
            scope.bind(argument, scope.variable(argument.arg, type_))
            if type_ is Basic.MESH and not found:
                found = True
            elif type_ is not UNKNOWN:
                text = f"`{argument.arg}` is a parameter that settings give: it stands behind `*`"
                help_ = f"def {node.name}(subject: Kind, mesh: Mesh, *, {argument.arg}: int = ...)"
                self.report("E124", self.span(argument), text, help_)
        for default in node.args.defaults:
            self.report("E125", self.span(default), "the subject and the mesh have no default")
        return found

    def _parameters(self, scope: Scope, node: ast.FunctionDef) -> Iterator[program.Parameter]:
        for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            type_ = signatures.annotated(self.globals, argument.annotation, argument)
            variable = scope.variable(argument.arg, type_)
            scope.bind(argument, variable)
            if not _is_parameter(type_):
                text = f"settings cannot give a value of type {describe(type_)}"
                help_ = "str, int, bool, list[str], list[int] or dict[str, str]"
                self.report("E125", self.span(argument), text, help_)
            value = signatures.default_of(self.globals, argument, default, type_)
            if value is not None:
                yield program.Parameter(argument.arg, type_, value, variable, self.span(argument))


def _is_parameter(type_: Type) -> bool:
    match type_:
        case Items(item):
            return item in (TEXT, Basic.WHOLE)
        case _:
            return (
                type_ in (TEXT, Basic.WHOLE, Basic.TRUTH, UNKNOWN)
                or describe(type_) == "dict[str, str]"
            )


def _called(node: ast.FunctionDef) -> set[str]:
    return {
        call.func.id
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }


def _without_docstring(node: ast.FunctionDef) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body


def _lacking(page: Page) -> str:
    if page.good:
        return "no bad example"
    return "no good example" if page.bad else "neither a good nor a bad example"
