"""The dependency graph for those who draw it."""

import re
import shutil
import subprocess
from itertools import pairwise

import pytest

from meshplan.diff import ChangeSet, Create
from meshplan.graph import Edge
from meshplan.report import View
from meshplan.report.graph import MERMAID_CHARACTERS, dot, mermaid
from support.results import example, hostile, resource, result, target

LINE = re.compile(
    r"flowchart LR"
    r"|  %% [^\n;{}]*(#\d+;[^\n;{}]*)*"
    r'|  subgraph t\d+\["[^"]*"\]|  end'
    r'|    [ne]\d+\["[^"]*"\](:::(create|update|delete))?'
    r'|    n\d+ -->(\|"[^"]*"\|)? n\d+'
    r'|  (more|none)\["[^"]*"\]'
    r"|  classDef [a-z]+ [a-z0-9#:,-]+"
)
HOSTILE = (
    '"]',
    "a\nb",
    "#quot;",
    "`md`",
    "<b onclick=x>",
    "end",
    ";",
    "--> n1",
    "\\",
    "\\N",
    "%%{init}%%",
)


def test_edges_lead_from_first_to_then() -> None:
    text = mermaid(example(), View())
    assert '    n1["DestinationRule shop/reviews"]:::update\n' in text
    assert '    n1 -->|"503 NC"| n2\n' in text


@pytest.mark.parametrize("evil", HOSTILE)
def test_mermaid_holds_nothing_but_what_we_write(evil: str) -> None:
    for line in mermaid(hostile(evil), View()).splitlines():
        assert LINE.fullmatch(line), line
        assert "<" not in line
        assert "`" not in line


@pytest.mark.parametrize("evil", HOSTILE)
def test_strings_of_dot_are_closed(evil: str) -> None:
    text = dot(hostile(evil), View())
    rest = re.sub(r'"(?:[^"\\\n]|\\.)*"', "S", text)
    assert '"' not in rest
    assert re.fullmatch(r"[A-Za-z0-9_=;,\[\]{}\s>-]*", rest)


@pytest.mark.skipif(shutil.which("dot") is None, reason="dot is not on PATH")
@pytest.mark.parametrize("evil", HOSTILE)
def test_graphviz_draws_it(evil: str) -> None:
    subprocess.run(
        ["dot", "-Tsvg"], input=dot(hostile(evil), View()).encode(), check=True, capture_output=True
    )


def test_a_large_graph_stays_within_what_github_draws() -> None:
    many = [resource(name=f"r{number}") for number in range(1000)]
    edges = tuple(Edge(one.id, then.id, "why", "503 NC") for one, then in pairwise(many))
    made = result(target(changes=ChangeSet(tuple(map(Create, many))), edges=edges))
    text = mermaid(made, View())
    assert len(text) <= MERMAID_CHARACTERS
    assert text.count("-->") <= 500
    assert "more edges" in text
    assert dot(made, View()).count(" -> ") == 999


def test_nothing_changes_draws_nothing() -> None:
    assert "nothing changes" in mermaid(result(target()), View())
    assert dot(result(target()), View()).count("{") == 1
