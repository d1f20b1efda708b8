"""Rules for people at a terminal: the list of them, the page of one, where they run."""

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Any

from meshplan.policy import program
from meshplan.policy.page import Example
from meshplan.policy.parameters import schema
from meshplan.policy.types import describe
from meshplan.report.layout import Line, Span, line

#: Response flags of Envoy that pages name.
_FLAG = re.compile(r"`(NC|NR|UH|UF|UC|UO|URX|UT|UAEX|DC|DPE|NFCF|UMSDR|UPE)`")
_STYLES = {"deny": "bold red", "warn": "yellow", "info": "blue"}


def kinds_of(rule: program.Rule) -> list[str]:
    """What a rule is about, in words."""
    kinds = [kind.name for kind in rule.kinds] or ["any object"]
    return [f"change of {name}" for name in kinds] if rule.is_change else kinds


def flags_of(rule: program.Rule) -> list[str]:
    """The response flags that the mistake shows in Envoy's access log."""
    return sorted(set(_FLAG.findall(rule.page.why)))


def to_json(rule: program.Rule) -> dict[str, Any]:
    """A rule with its page."""
    page = rule.page
    return {
        "id": rule.id,
        "level": rule.level,
        "severity": rule.severity,
        "holds": rule.holds,
        "title": page.title,
        "kinds": [{"group": kind.group, "kind": kind.name} for kind in rule.kinds],
        "change": rule.is_change,
        "refs": list(rule.refs),
        "why": page.why,
        "fix": page.fix,
        "see": list(page.see),
        "flags": flags_of(rule),
        "parameters": schema(rule),
        "good": [_example_json(example) for example in page.good],
        "bad": [_example_json(example) for example in page.bad],
        "path": rule.path,
        "line": rule.span.line,
    }


def table(titles: Sequence[str], rows: Iterable[Sequence[str | Span]]) -> Iterator[Line]:
    """Columns below their titles; the last one is as wide as it has to be."""
    head = [Span(title, "bold") for title in titles]
    cells = [[c if isinstance(c, Span) else Span(c) for c in row] for row in rows]
    widths = [max(len(c.text) for c in column) for column in zip(head, *cells, strict=True)]
    for row in (head, *cells):
        padded = [
            Span(cell.text if last else f"{cell.text:<{width}}  ", cell.style)
            for cell, width, last in zip(
                row, widths, [False] * (len(row) - 1) + [True], strict=True
            )
        ]
        yield line(*padded, hang=sum(widths[:-1]) + 2 * (len(widths) - 1))


def listed(rules: Sequence[program.Rule]) -> Iterator[Line]:
    """One line for each rule."""
    rows = [
        (rule.id, Span(rule.level, _STYLES[rule.level]), ", ".join(kinds_of(rule)), rule.page.title)
        for rule in rules
    ]
    if rows:
        yield from table(("ID", "LEVEL", "FOR", "TITLE"), rows)
    else:
        yield line("no rules are in force")


def page(rule: program.Rule) -> Iterator[Line]:
    """Everything there is to say about a rule."""
    yield line(Span(rule.id, "bold"), f"  {rule.page.title or rule.name}")
    facts: list[str | Span] = [Span(rule.level, _STYLES[rule.level]), f", severity {rule.severity}"]
    facts.append(f"; for {', '.join(kinds_of(rule))}")
    if rule.holds == "always":
        facts.append("; has to hold in every state on the way through a plan")
    if rule.refs:
        facts.append(f"; like {', '.join(rule.refs)}")
    yield line(*facts)
    for title, text in (("Why", rule.page.why), ("Fix", rule.page.fix)):
        if text:
            yield from _section(title, [text])
    flags = flags_of(rule)
    if flags:
        yield from _section("Flag", [f"{', '.join(flags)} in Envoy's access log"])
    if rule.page.see:
        yield from _section("See", rule.page.see)
    if rule.parameters:
        yield from _section("Parameters (rules.parameters in .meshplan.yaml)", _parameters(rule))
    for title, examples in (("Wrong", rule.page.bad), ("Right", rule.page.good)):
        for example in examples:
            yield from _example(title, example)
    yield line()
    yield line(Span(f"{rule.path}:{rule.span.line}", "dim"))


def _section(title: str, paragraphs: Iterable[str]) -> Iterator[Line]:
    yield line()
    yield line(Span(title, "bold"))
    for paragraph in paragraphs:
        for text in wrap(paragraph, 96, break_long_words=False, break_on_hyphens=False):
            yield line(text, indent=2)


def _parameters(rule: program.Rule) -> Iterator[str]:
    for parameter in rule.parameters:
        value = schema(rule)["properties"][parameter.name]["default"]
        yield f"{parameter.name}: {describe(parameter.type)} = {value!r}"


def _example(title: str, example: Example) -> Iterator[Line]:
    yield line()
    yield line(Span(title, "bold red" if title == "Wrong" else "bold green"))
    sides = (("before", example.before), ("after", example.after)) if example.is_change else ()
    for name, text in sides or (("", example.after),):
        if name:
            yield line(f"# {name}", indent=2)
        for row in text.splitlines():
            yield line(row, indent=2)


def _example_json(example: Example) -> dict[str, str]:
    given = {"before": example.before} if example.is_change else {}
    return {**given, "after": example.after}
