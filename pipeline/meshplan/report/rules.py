"""The rules that findings can be of: what meshplan itself looks at, and the rules it comes with.

A report that lists all rules tells "looked at, and nothing found" from "not looked at". Rules are
read as text here: of each, the first decorator and the docstring.
"""

import ast
from collections.abc import Iterable, Iterator
from functools import cache

from meshplan.data import data_path
from meshplan.dataclass import dataclass
from meshplan.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, as reports describe it."""

    id: str
    severity: Severity
    #: One sentence.
    title: str
    #: Why it matters and what to do; "" where nobody wrote it down.
    why: str = ""
    remedy: str = ""
    see: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

#: What is no rule of a pack: findings of the readers, of the shape of objects, and of the plan.
_OWN = (
    Rule("duplicate-object", _ERROR, "An object is defined twice in one target."),
    Rule("invalid-value", _ERROR, "A field has a value that the API does not take."),
    Rule("missing-field", _ERROR, "A field that the API requires is not there."),
    Rule("object-shape", _ERROR, "A document is no object of Kubernetes."),
    Rule("rule-budget", _ERROR, "A rule takes too many steps to decide."),
    Rule("rules-changed", _INFO, "The change touches the rules that it is judged by."),
    Rule("settings", _ERROR, "The settings cannot be used."),
    Rule("settings-changed", _INFO, "The change touches the settings that it is judged by."),
    Rule("unknown-field", _ERROR, "A field is not in the API, so nobody reads it."),
    Rule("unknown-kind", _ERROR, "A kind is not in its API group."),
    Rule("unknown-version", _ERROR, "A kind is not served in this version."),
    Rule("waiver-asked", _INFO, "The change asks to waive findings."),
    Rule("waiver-ends-soon", _INFO, "A waiver ends soon."),
    Rule("waiver-expired", _WARNING, "A waiver has ended."),
    Rule("waiver-too-long", _WARNING, "A waiver ends later than the settings allow."),
    Rule("waiver-unused", _WARNING, "A waiver waives nothing."),
    Rule("waivers", _ERROR, "A file of waivers cannot be used."),
    Rule("wrong-type", _ERROR, "A field has a value of another type than the API takes."),
    Rule("yaml-depth", _ERROR, "YAML is nested deeper than anybody reads it."),
    Rule("yaml-duplicate-key", _ERROR, "A key stands twice in one mapping."),
    Rule("yaml-encoding", _ERROR, "A file is not in UTF-8."),
    Rule("yaml-size", _ERROR, "YAML is larger than is read."),
    Rule("yaml-syntax", _ERROR, "YAML cannot be read."),
    Rule("yaml-value", _ERROR, "A value cannot be read as Kubernetes would read it."),
    Rule("plan-unsafe", _ERROR, "No order of the change is known that loses no request."),
    Rule("plan-unknown", _WARNING, "Whether the plan loses requests is not decided."),
    Rule("deployer-unsafe", _ERROR, "The deployer in use would lose requests on the way."),
    Rule("requests-lost", _INFO, "Requests are served before the change and not after it."),
    Rule("not-read", _ERROR, "Something that changed could not be read."),
)

#: What the decorators of rules make of a finding.
_LEVELS = {"deny": Severity.ERROR, "warn": Severity.WARNING, "info": Severity.INFO}


def all_rules(found: Iterable[Finding] = ()) -> tuple[Rule, ...]:
    """Every rule, by its id, and those of a repository's own that have found something."""
    known = {rule.id: rule for rule in (*_OWN, *_pack())}
    for finding in found:
        if finding.rule not in known:
            known[finding.rule] = Rule(finding.rule, finding.severity, "", refs=finding.refs)
    return tuple(known[name] for name in sorted(known))


@cache
def _pack() -> tuple[Rule, ...]:
    paths = sorted(data_path("policies").glob("*.py"))
    return tuple(rule for path in paths for rule in _rules(path.read_text("utf-8")))


def _rules(text: str) -> Iterator[Rule]:
    from meshplan.policy.page import page_of  # noqa: PLC0415 - only reports with rules need it

    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for call in node.decorator_list:
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
                continue
            name, arguments = call.func.id, [ast.literal_eval(value) for value in call.args]
            if name in _LEVELS and arguments:
                page = page_of(ast.get_docstring(node) or "")
                given = {word.arg: word.value for word in call.keywords}
                refs = tuple(ast.literal_eval(given["refs"])) if "refs" in given else ()
                yield Rule(
                    str(arguments[0]), _LEVELS[name], page.title, page.why, page.fix, page.see, refs
                )
