"""Annotations, read as the runner reads them."""

import re

import pytest

from meshplan.finding import Severity, Status
from meshplan.location import Location
from meshplan.report import View, github
from meshplan.result import Result
from support.results import example, finding, hostile, result, target

COMMAND = re.compile(r"::(error|warning|notice) ((?:[A-Za-z]+=[^:,\r\n]*,?)*)::(.*)")
HOSTILE = ("a\n::error::b", "%0A::add-mask::x", "a,line=1::x", "::", "a\r\nb", "\x1b[31m", "\udcff")


def read(made: Result) -> list[tuple[str, dict[str, str], str]]:
    """Each line as a command: its name, properties and message, unescaped."""
    text = github.render(made, View())
    commands = []
    for line in text.removesuffix("\n").split("\n"):
        found = COMMAND.fullmatch(line)
        assert found, line
        pairs = (pair.partition("=") for pair in found[2].split(","))
        properties = {key: unescaped(value) for key, _, value in pairs}
        assert set(properties) <= {"file", "line", "endLine", "col", "endColumn", "title"}
        commands.append((found[1], properties, unescaped(found[3])))
    return commands


def unescaped(text: str) -> str:
    return re.sub(r"%(25|0A|0D|3A|2C)", lambda found: chr(int(found[1], 16)), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_another_command(text: str) -> None:
    for _, properties, message in read(hostile(text)):
        assert not set(message) & set("\r\x1b")
        assert properties["title"].startswith("meshplan")


def test_an_annotation_is_at_the_line_of_its_finding() -> None:
    [found] = [entry for entry in read(example()) if entry[2].startswith("no such gateway")]
    name, properties, message = found
    assert name == "error"
    assert (properties["file"], properties["line"], properties["col"]) == (
        "shop/reviews.yaml",
        "3",
        "5",
    )
    assert message.split("\n")[1] == "name one that exists"


def test_the_worst_come_first_and_no_more_than_github_shows() -> None:
    findings = tuple(
        finding(
            f"{severity} {number}", Status.NEW, locations=(Location(f"{number}.yaml", 1),)
        ).with_(severity=severity)
        for severity in (Severity.INFO, Severity.WARNING, Severity.ERROR)
        for number in range(30)
    )
    names = [name for name, _, _ in read(result(target(), findings=findings))]
    assert names == ["error"] * 10 + ["warning"] * 10 + ["notice"] * 10
    last = read(result(target(), findings=findings))[9]
    assert last[2] == "and 21 more errors in 21 files: see the report"


def test_findings_of_one_rule_in_one_file_are_one_annotation() -> None:
    findings = tuple(finding(f"fault {number}", Status.NEW) for number in range(5))
    [(_, _, message)] = read(result(target(), findings=findings))
    assert message.split("\n")[-1] == "(and 4 more of no-gateway in this file)"


def test_old_findings_are_not_annotated() -> None:
    assert not [entry for entry in read(example()) if "an old story" in entry[2]]


def test_without_a_finding_nothing_is_annotated() -> None:
    assert github.render(result(target()), View()) == ""
