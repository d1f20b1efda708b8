"""What is written about a result, and for whom: one file per report, one tuple of them all."""

from collections.abc import Callable
from dataclasses import dataclass

from meshplan.report import github, graph, json, junit, markdown, sarif, script, text
from meshplan.report.layout import View
from meshplan.result import Result

__all__ = ["REPORTS", "Report", "View"]


@dataclass(frozen=True, slots=True)
class Report:
    """A way to write a result down."""

    name: str
    about: str
    render: Callable[[Result, View], str]
    #: Whether it is for people at a terminal: in colour, wrapped, and in the terminal's encoding.
    terminal: bool = False


REPORTS = (
    Report(
        "text", "for a terminal: what changes, in which order, what is wrong", text.render, True
    ),
    Report("json", "for programs: `meshplan schema result` describes it", json.render),
    Report("markdown", "for a pull request, within the size of a comment", markdown.render),
    Report("sarif", "for code scanning and editors: findings in SARIF 2.1.0", sarif.render),
    Report("junit", "for CI systems: plans and findings as test cases in XML", junit.render),
    Report("github", "for the log of a job: annotations of GitHub Actions", github.render),
    Report("script", "the plan as a shell script for kubectl", script.render),
    Report("mermaid", "the dependency graph as a Mermaid flowchart", graph.mermaid),
    Report("dot", "the dependency graph for Graphviz", graph.dot),
)
