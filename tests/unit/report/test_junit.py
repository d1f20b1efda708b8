"""JUnit's XML, read back by a parser of XML, and held to what its readers agree on."""

import subprocess
from pathlib import Path
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


def test_findings_of_one_rule_and_object_have_names_of_their_own() -> None:
    """Jenkins takes two cases of one name for one; what they are called does not hang on order."""
    one, two = finding("one", Status.NEW), finding("two", Status.NEW)
    names = [
        {case.attrib["name"] for case in read(made).iter("testcase")}
        for made in (
            result(target(), findings=(one, two)),
            result(target(), findings=(two, one)),
            result(target(), findings=(one, one, two)),
        )
    ]
    assert names[0] == names[1]
    assert len([name for name in names[0] if one.rule in name]) == 2
    assert len([name for name in names[2] if one.rule in name]) == 3


def test_there_is_always_a_test_case() -> None:
    assert read(result()).attrib["tests"] == "1"


SCHEMA = Path(__file__).parents[2] / "data" / "junit.xsd"


def misfits(text: str) -> str:
    """What xmllint has to say; "" for a document that is as the schema wants it."""
    done = subprocess.run(
        ["xmllint", "--nonet", "--noout", "--schema", str(SCHEMA), "-"],
        input=text.encode("utf-8"),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stderr.decode() if done.returncode else ""


@pytest.mark.tool("xmllint")
class TestSchema:
    @pytest.mark.parametrize("made", [result(), example(), *map(hostile, HOSTILE)])
    def test_every_document_fits(self, made: Result) -> None:
        assert misfits(junit.render(made, View())) == ""

    @pytest.mark.parametrize(
        ("right", "wrong"),
        [
            ('tests="', 'tests="-'),
            (' classname="', ' class="'),
            ('time="0"', 'time="soon"'),
            ("testcase", "test"),
            ('message="', 'said="'),
            (' type="error"', ""),
            ("</testcase>", '<error message="x" type="x"/></testcase>'),
        ],
    )
    def test_what_is_wrong_is_noticed(self, right: str, wrong: str) -> None:
        text = junit.render(example(), View())
        assert right in text
        assert misfits(text.replace(right, wrong))

    def test_two_cases_of_one_name_are_noticed(self) -> None:
        made = ElementTree.fromstring(junit.render(example(), View()))
        made[0].append(made[0][0])
        assert "Duplicate" in misfits(ElementTree.tostring(made, encoding="unicode"))
