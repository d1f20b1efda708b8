"""Findings and plans as JUnit's XML, which every CI system shows as tests.

Each target is a suite: its plan and each deployer that was asked about are test cases, and so is
each finding. What holds nothing back is skipped.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from meshplan.finding import Finding, Status
from meshplan.report import verdicts, wording
from meshplan.report.judged import judged
from meshplan.report.layout import View, printable, shorten
from meshplan.result import Result, TargetResult, Verdict

_TEXT = 2_000
#: What XML 1.0 has no place for, after `printable` has shown what does not print.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(result: Result, _view: View) -> str:
    """The document, with totals at each level."""
    root = Element("testsuites", name="meshplan")
    compared = result.base is not None
    found = [finding for finding in judged(result) if finding.status is not Status.FIXED]
    for target in result.targets:
        cases = _target(target, result)
        mine = [f for f in found if f.target == target.name and f.rule not in _PLANS]
        _suite(root, f"target {target.name}", (*cases, *_findings(mine, compared=compared)))
    names = {target.name for target in result.targets}
    others = [f for f in found if f.target not in names]
    _suite(root, "findings", _findings(others, compared=compared))
    if not len(root):  # of a file without a test case, CI systems say that nothing ran
        _suite(root, "findings", (_case("nothing to report", "meshplan"),))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    indent(root)
    text = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


#: What the test cases of a target say already.
_PLANS = ("plan-unsafe", "plan-unknown", "deployer-unsafe", "requests-lost")


def _suite(root: Element, name: str, cases: tuple[Element, ...]) -> None:
    if not cases:
        return
    suite = SubElement(root, "testsuite", name=_text(name), tests=str(len(cases)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", "0")
    suite.extend(cases)


def _case(name: str, of: str) -> Element:
    return Element("testcase", name=_text(name), classname=_text(of), time="0")


def _target(target: TargetResult, result: Result) -> Iterator[Element]:
    if not len(target.changes):
        return
    case = _case("plan", target.name)
    points = verdicts.of_the_plan(target)
    told = "\n".join(line for point in points for line in (point.title, *point.cases))
    if target.proof is not None and target.verdict in result.settings.fail_on_verdicts:
        _say(case, "failure", verdicts.verdict(target), told, str(target.verdict))
    elif target.verdict.rank >= Verdict.UNKNOWN.rank:
        _say(case, "skipped", verdicts.verdict(target), told)
    yield case
    for deployer in target.deployers:
        case = _case(deployer.title, target.name)
        point = verdicts.deployed(deployer)
        if deployer.verdict is Verdict.UNSAFE and deployer.configured:
            _say(case, "failure", point.title, "\n".join(point.cases), "unsafe")
        elif deployer.verdict is not Verdict.SAFE:
            _say(case, "skipped", point.title, "\n".join(point.cases))
        yield case


def _findings(found: Sequence[Finding], *, compared: bool) -> tuple[Element, ...]:
    """A test case for each; no two of one name, which their readers would take for one."""
    named = [(finding, _finding(finding, compared=compared)) for finding in found]
    shared = Counter(_name(case) for _, case in named)
    for finding, case in named:
        if shared[_name(case)] > 1:
            case.set("name", _text(f"{case.get('name')}: {finding.message}"))
    taken: Counter[tuple[str, ...]] = Counter()
    for _, case in named:
        taken[name := _name(case)] += 1
        if taken[name] > 1:
            case.set("name", f"{case.get('name')} #{taken[name]}")
    return tuple(case for _, case in named)


def _name(case: Element) -> tuple[str, ...]:
    return case.get("classname", ""), case.get("name", "")


def _finding(finding: Finding, *, compared: bool) -> Element:
    place = finding.locations[0] if finding.locations else None
    what = str(finding.id) if finding.id else place.path if place else ""
    case = _case(f"{finding.rule} {what}".strip(), finding.target or "findings")
    if place is not None:
        case.set("file", _text(place.path))
        if place.line is not None:
            case.set("line", str(place.line))
    where = [wording.place(found) for found in finding.locations[:20]]
    told = "\n".join([finding.message, *where, *([finding.help] if finding.help else [])])
    if finding.waiver is not None:
        waiver = finding.waiver
        _say(case, "skipped", f"waived until {waiver.expires}: {waiver.reason}", told)
    elif compared and finding.status is Status.EXISTING:
        _say(case, "skipped", f"there before: {finding.message}", told)
    else:
        _say(case, "failure", finding.message, told, str(finding.severity))
    return case


def _say(case: Element, tag: str, message: str, told: str, kind: str = "") -> None:
    said = SubElement(case, tag, message=_text(message))
    if kind:
        said.set("type", kind)
    said.text = "\n".join(_text(line) for line in told.split("\n")[:50])


def _text(text: str) -> str:
    """On one line, and with nothing that XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", shorten(printable(text[: _TEXT + 1]), _TEXT))
