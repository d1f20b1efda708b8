"""What rules are shown in tests, and what they have to find: examples of docstrings, and suites."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from meshplan.dataclass import dataclass
from meshplan.errors import SettingsError, UsageError
from meshplan.kinds import scope_of
from meshplan.policy import program
from meshplan.policy.library import Pack
from meshplan.policy.page import Example
from meshplan.policy.parameters import given
from meshplan.resource import Document, Origin, Snapshot
from meshplan.run.policy.rules import Chosen, rule_of
from meshplan.schema import validate
from meshplan.settings import MeshSettings, Settings, World, settings_of
from meshplan.source.objects import resources_of
from meshplan.source.yaml import locate, parse

SCHEMA = "policy-suite"


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding that a case wants; None for what it does not say."""

    message: str | None = None
    path: str | None = None
    resource: str | None = None
    fix: str | int | bool | None = None

    def __str__(self) -> str:
        parts = (self.resource, self.path, self.message and f'"{self.message}"')
        return " ".join(part for part in parts if part) or "a finding"


@dataclass(frozen=True, slots=True)
class Case:
    """Manifests that a rule is shown, and what it has to find in them."""

    rule: program.Rule
    name: str
    path: str
    line: int
    #: Before the change; None where there is none.
    before: Snapshot | None
    given: Snapshot
    #: Each finding; or whether there is any.
    expected: tuple[Expected, ...] | bool
    parameters: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=lambda: Settings(world=World.CLOSED))

    @property
    def place(self) -> str:
        """`path:line`."""
        return f"{self.path}:{self.line}"


def cases_of(chosen: Chosen) -> list[Case]:
    """All cases of rules. Raises SettingsError for those that cannot be read, with their place."""
    cases: list[Case] = []
    if not chosen.suites_alone:
        for path, text in sorted(chosen.texts.items()):
            cases += _examples(chosen.pack, path, text)
    for path, content in sorted(chosen.suites.items()):
        cases += _suite(chosen.pack, path, content)
    return cases


def snapshot_of(
    manifests: str | Sequence[Mapping[str, Any]], path: str = "given", line: int = 0
) -> Snapshot:
    """Manifests as objects; namespaced ones in `default` unless they say otherwise.

    Raises SettingsError for what cannot be read, or is not an object; `line` is the one before the
    first.
    """
    if isinstance(manifests, str):
        parsed = parse(manifests.encode("utf-8", "surrogateescape"), path)
        _refuse(parsed.findings, path, line)
        documents: Iterable[Document] = parsed.documents
    else:
        documents = [Document(dict(value), Origin(path)) for value in manifests]
    objects = resources_of(documents, default_namespace="default", scope_of=scope_of)
    _refuse(objects.findings, path, line)
    for document in objects.ignored:
        if document.value is not None:
            place = line + (document.origin.line or 1)
            message = "an example is made of objects, with apiVersion, kind and metadata.name"
            raise SettingsError(message, path=path, line=place)
    return Snapshot(objects.resources)


def _refuse(findings: Sequence[Any], path: str, line: int) -> None:
    for finding in findings:
        within = finding.locations[0].line or 1 if finding.locations else 1
        raise SettingsError(finding.message, path=path, line=line + within)


def _examples(pack: Pack, path: str, text: str) -> Iterator[Case]:
    starts = dict(_docstrings(text))
    for rule in pack.rules:
        if rule.path != path:
            continue
        sides = ((rule.page.good, "good", False), (rule.page.bad, "bad", True))
        for examples, word, fires in sides:
            for number, example in enumerate(examples, 1):
                line = starts.get(rule.name, rule.span.line) + example.line - 1
                name = f"{word} example {number}" if len(examples) > 1 else f"{word} example"
                yield _example(rule, name, example, line, fires)


def _example(
    rule: program.Rule,
    name: str,
    example: Example,
    line: int,
    fires: bool,
) -> Case:
    before = None
    if example.is_change:
        # Behind the line `before:`, and then behind the line `after:`.
        line += 1
        before = snapshot_of(example.before, rule.path, line)
        line += len(example.before.splitlines()) + 1
    after = snapshot_of(example.after, rule.path, line)
    return Case(rule, name, rule.path, line + 1, before, after, fires)


def _docstrings(text: str) -> Iterator[tuple[str, int]]:
    """The line on which the docstring of each function begins."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield node.name, node.body[0].lineno


def _suite(pack: Pack, path: str, content: bytes) -> Iterator[Case]:
    parsed = parse(content, path)
    _refuse(parsed.findings, path, 0)
    if len(parsed.documents) != 1:
        raise SettingsError("one document was expected", path=path, line=1)
    value = parsed.documents[0].value
    for problem in validate(SCHEMA, value):
        steps = problem.pointer.strip("/").replace("/", ".")
        message = f"{steps}: {problem.message}" if steps else problem.message
        raise SettingsError(message, path=path, line=_line(content, problem.pointer))
    for number, entry in enumerate(value["cases"]):
        line = _line(content, f"/cases/{number}")
        try:
            yield _case(pack, entry, entry.get("rule") or value.get("rule", ""), path, line)
        except (UsageError, SettingsError) as error:
            if isinstance(error, SettingsError) and error.path:
                raise
            raise SettingsError(error.message, hint=error.hint, path=path, line=line) from error


def _case(pack: Pack, entry: Mapping[str, Any], id_: str, path: str, line: int) -> Case:
    if not id_:
        raise UsageError(f'case "{entry["name"]}" does not say which rule it is about')
    rule = rule_of(pack, id_)
    values = entry.get("parameters") or {}
    given(rule, values)
    before = snapshot_of(entry["before"], path, line) if "before" in entry else None
    return Case(
        rule=rule,
        name=entry["name"],
        path=path,
        line=line,
        before=before,
        given=snapshot_of(entry["given"], path, line),
        expected=tuple(
            Expected(e.get("message"), e.get("path"), e.get("resource"), e.get("fix"))
            for e in entry["expect"]
        ),
        parameters=values,
        settings=Settings(
            world=World(entry.get("world", "closed")), mesh=mesh_settings(entry.get("mesh") or {})
        ),
    )


def mesh_settings(facts: Mapping[str, Any]) -> MeshSettings:
    """Facts of the mesh as `mesh` in the settings has them; raises SettingsError."""
    for problem in validate("settings", {"mesh": dict(facts)}):
        name = problem.pointer.removeprefix("/mesh").strip("/")
        raise SettingsError(f"mesh{'.' if name else ''}{name}: {problem.message}")
    return settings_of({"mesh": dict(facts)}, "").mesh


def _line(content: bytes, pointer: str) -> int:
    found = locate(content, 0, pointer)
    return found[0] if found and found[0] else 1
