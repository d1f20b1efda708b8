"""Every report is listed, described, and of use."""

import pkgutil

import pytest

import meshplan.report
from meshplan.cli.diff import FORMATS
from meshplan.report import REPORTS, Report, View
from support.results import example, result, target

#: What reports share.
SHARED = {
    *("escape", "firstscreen", "fitting", "judged", "layout", "rules", "sections"),
    *("verdicts", "wayback", "wording", "yamltext"),
}
#: Reports about something else than a result.
OTHERS = {"rule_targets", "rulebook", "trace"}


def test_every_module_is_a_listed_report() -> None:
    modules = {module.name for module in pkgutil.iter_modules(meshplan.report.__path__)}
    modules -= SHARED | OTHERS
    assert {report.module for report in REPORTS} == modules


def test_help_names_every_report() -> None:
    assert FORMATS.split(", ") == [report.name for report in REPORTS]


@pytest.mark.parametrize("report", REPORTS, ids=[report.name for report in REPORTS])
class TestEach:
    def test_it_is_described(self, report: Report) -> None:
        assert report.about

    def test_it_ends_with_one_line_break(self, report: Report) -> None:
        for made in (example(), result(), result(target(), base=None)):
            text = report.render(made, View())
            # There may be nothing to annotate.
            assert text.endswith("\n") or (report.name == "github" and not text)
            assert not text.endswith("\n\n")

    def test_it_is_deterministic(self, report: Report) -> None:
        assert report.render(example(), View()) == report.render(example(), View())
