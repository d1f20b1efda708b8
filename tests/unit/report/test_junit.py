"""JUnit's XML, read back by a parser of XML."""

from xml.etree import ElementTree

import pytest

from meshplan.finding import Status, Waiver
from meshplan.report import View, junit
from meshplan.result import Result
from support.results import example, finding, hostile, result, target

HOSTILE = ("\x00\x1b", "\ufffe\uffff", "\udcff\ud800", "]]><x>", "&lt;", "\"'", "a\nb", "😀", " ")


def read(made: Result) -> ElementTree.Element:
    """The document, with its totals checked."""
    root = ElementTree.fromstring(junit.render(made, View()).encode("utf-8"))
    assert root.tag == "testsuites"
    for element in (root, *root):
        cases = list(element.iter("testcase"))
        assert int(element.attrib["tests"]) == len(cases) > 0
        for count, tag in (("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
            assert int(element.attrib[count]) == sum(case.find(tag) is not None for case in cases)
    for case in root.iter("testcase"):
        assert case.attrib["name"]
        assert case.attrib["classname"]
        assert {child.tag for child in case} <= {"failure", "skipped"}
        assert len(case) <= 1
        assert set(case.attrib) <= {"name", "classname", "time", "file", "line"}
    return root


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_valid_xml(text: str) -> None:
    read(hostile(f"x{text}"))


def test_new_findings_fail_and_old_ones_are_skipped() -> None:
    cases = {
        case[0].attrib["message"]: case[0].tag
        for case in read(example()).iter("testcase")
        if len(case)
    }
    assert cases["no such gateway"] == "failure"
    assert cases["there before: an old story"] == "skipped"
    assert "no longer so" not in cases


def test_of_one_revision_every_finding_fails() -> None:
    made = result(target(), findings=(finding("x", Status.EXISTING),), base=None)
    [case] = [case for case in read(made).iter("testcase") if len(case)]
    assert case[0].tag == "failure"


def test_a_waived_finding_does_not_fail() -> None:
    waiver = Waiver("no-gateway", "*", "legacy", "team-a", "2027-01-31")
    made = result(target(), findings=(finding("x", Status.NEW, waiver=waiver),))
    [case] = [case for case in read(made).iter("testcase") if len(case)]
    assert case[0].tag == "skipped"
    assert case[0].attrib["message"] == "waived until 2027-01-31: legacy"


def test_a_refuted_plan_fails_and_names_the_request() -> None:
    root = read(hostile("x"))
    plan = next(case for case in root.iter("testcase") if case.attrib["name"] == "plan")
    deployer = next(case for case in root.iter("testcase") if case.attrib["name"] == "x")
    assert plan.find("failure") is not None or plan.find("skipped") is not None
    assert deployer.find("failure") is not None


def test_findings_have_places() -> None:
    case = next(case for case in read(example()).iter("testcase") if case.get("file"))
    assert (case.attrib["file"], case.attrib["line"]) == ("shop/reviews.yaml", "3")


def test_there_is_always_a_test_case() -> None:
    assert read(result()).attrib["tests"] == "1"
