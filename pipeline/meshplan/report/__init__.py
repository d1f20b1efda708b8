"""What is written about a result, and for whom: one file per report, one tuple of them all."""

import importlib

from meshplan.dataclass import dataclass
from meshplan.report.layout import View
from meshplan.result import Result

__all__ = ["REPORTS", "Report", "View"]


@dataclass(frozen=True, slots=True)
class Report:
    """A way to write a result down."""

    name: str
    about: str
    #: The module of this package that does it, imported when it is asked for.
    module: str
    function: str = "render"
    #: Whether it is for people at a terminal: in colour, wrapped, and in the terminal's encoding.
    terminal: bool = False

    def render(self, result: Result, view: View) -> str:
        """The result, written down."""
        module = importlib.import_module(f"meshplan.report.{self.module}")
        written: str = getattr(module, self.function)(result, view)
        return written


REPORTS = (
    Report(
        "text", "for a terminal: what changes, in which order, what is wrong", "text", terminal=True
    ),
    Report("json", "for programs: `meshplan schema result` describes it", "json"),
    Report("markdown", "for a pull request, within the size of a comment", "markdown"),
    Report("sarif", "for code scanning and editors: findings in SARIF 2.1.0", "sarif"),
    Report("junit", "for CI systems: plans and findings as test cases in XML", "junit"),
    Report("github", "for the log of a job: annotations of GitHub Actions", "github"),
    Report("script", "the plan as a shell script for kubectl", "script"),
    Report("mermaid", "the dependency graph as a Mermaid flowchart", "graph", "mermaid"),
    Report("dot", "the dependency graph for Graphviz", "graph", "dot"),
)
