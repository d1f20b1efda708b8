"""The dependency graph of what changes, as Mermaid and as Graphviz's dot."""

from collections.abc import Iterable, Iterator, Mapping

from meshplan.diff import Rename
from meshplan.graph import Edge
from meshplan.identity import ResourceId
from meshplan.report import wording
from meshplan.report.layout import View, printable, shorten
from meshplan.result import Result, TargetResult, action_of

#: GitHub draws at most 500 edges and 50,000 characters, and puts an error in the place of more.
MERMAID_EDGES = 300
MERMAID_CHARACTERS = 45_000

#: What a reader can still follow in the middle of a page.
CHART_EDGES = 60
CHART_CHARACTERS = 12_000
LABEL = 253

_MERMAID_CLASSES = """\
  classDef create stroke:#1a7f37,stroke-width:2px
  classDef update stroke:#9a6700,stroke-width:2px
  classDef delete stroke:#cf222e,stroke-width:2px,stroke-dasharray:4"""
_CLASSES = {"create": "create", "delete": "delete"}
_COLORS = {"create": "#1a7f37", "update": "#9a6700", "delete": "#cf222e"}


def mermaid(result: Result, _view: View) -> str:
    """A flowchart: an arrow leads from what has to be there first."""
    text = ""
    for limit in (MERMAID_EDGES, MERMAID_EDGES // 3, MERMAID_EDGES // 10, 0):
        text = "\n".join(_mermaid(result, limit)) + "\n"
        if len(text) <= MERMAID_CHARACTERS:
            break
    return text


def _mermaid(result: Result, limit: int) -> Iterator[str]:
    yield "flowchart LR"
    yield f"  %% {_mermaid_text(wording.compared(result))}"
    left, number = limit, 0
    for position, target in enumerate(wording.changed(result), 1):
        edges = target.edges[:left]
        left -= len(edges)
        names, actions, shown = _names(edges, number), _actions(target), wording.naming(target)
        number += len(names)
        yield f'  subgraph t{position}["{_mermaid_text(target.name)}"]'
        for found, name in names.items():
            yield f'    {name}["{_mermaid_text(shown(found))}"]:::{actions.get(found, "update")}'
        yield from _arrows(edges, names)
        if not edges:
            words = wording.count(len(target.changes), "change")
            free = "" if target.edges else ", none waits for another"
            yield f'    e{position}["{words}{free}"]'
        yield "  end"
    hidden = sum(len(target.edges) for target in result.targets) - (limit - left)
    if hidden > 0:
        yield f'  more["… and {wording.count(hidden, "more edge")}: see -o dot or -o json"]'
    if not wording.changed(result):
        yield '  none["nothing changes"]'
    yield _MERMAID_CLASSES


def _arrows(edges: Iterable[Edge], names: Mapping[ResourceId, str]) -> Iterator[str]:
    for edge in edges:
        label = _mermaid_text(edge.failure)
        arrow = f'-->|"{label}"|' if label else "-->"
        yield f"    {names[edge.first]} {arrow} {names[edge.then]}"


def _merged(edges: Iterable[Edge]) -> Iterator[Edge]:
    """One edge between two objects, with everything that fails without it."""
    found: dict[tuple[ResourceId, ResourceId], dict[str, None]] = {}
    for edge in edges:
        failures = found.setdefault((edge.first, edge.then), {})
        failures |= {edge.failure: None} if edge.failure else {}
    for (first, then), failures in found.items():
        yield Edge(first, then, "", " or ".join(failures))


def chart(target: TargetResult) -> tuple[str, ...]:
    """A flowchart of one target, for the middle of a page; nothing where it has no edges, or more
    than can be followed.
    """
    if not 0 < len(target.edges) <= CHART_EDGES:
        return ()
    lines = tuple(_chart(target))
    return lines if sum(map(len, lines)) <= CHART_CHARACTERS else ()


def _chart(target: TargetResult) -> Iterator[str]:
    names, shown = _names(target.edges, 0), wording.naming(target)
    words = {wording.subject(change).id: action_of(change) for change in target.changes}
    words |= {change.before.id: "delete" for change in target.changes if isinstance(change, Rename)}
    yield "flowchart LR"
    for found, name in names.items():
        word = words.get(found, "")
        label = _mermaid_text(f"{word} {shown(found)}".strip())
        yield f'    {name}["{label}"]:::{_CLASSES.get(word, "update")}'
    yield from _arrows(_merged(target.edges), names)
    yield from _MERMAID_CLASSES.splitlines()


def dot(result: Result, _view: View) -> str:
    """A directed graph with a cluster for each target; the reasons are tooltips."""
    return "\n".join(_dot(result)) + "\n"


def _dot(result: Result) -> Iterator[str]:
    yield "digraph meshplan {"
    yield f"  label={_quoted(wording.compared(result))};"
    yield '  rankdir=LR; node [shape=box, fontname="sans-serif"]; edge [fontname="sans-serif"];'
    number = 0
    for position, target in enumerate(wording.changed(result), 1):
        names, actions = _names(target.edges, number), _actions(target)
        shown = wording.naming(target)
        number += len(names)
        yield f"  subgraph cluster_{position} {{"
        yield f"    label={_quoted(target.name)};"
        for found, name in names.items():
            color = _COLORS[actions.get(found, "update")]
            yield f'    {name} [label={_quoted(shown(found))}, color="{color}"];'
        for edge in target.edges:
            yield (
                f"    {names[edge.first]} -> {names[edge.then]} "
                f"[label={_quoted(edge.failure)}, tooltip={_quoted(edge.why)}];"
            )
        yield "  }"
    yield "}"


def _names(edges: tuple[Edge, ...], offset: int) -> Mapping[ResourceId, str]:
    """`n1`, `n2`, … for the objects at the ends of `edges`: no name of a manifest is an id."""
    ends = dict.fromkeys(found for edge in edges for found in (edge.first, edge.then))
    return {found: f"n{number}" for number, found in enumerate(ends, offset + 1)}


def _actions(target: TargetResult) -> Mapping[ResourceId, str]:
    return {
        wording.subject(change).id: _CLASSES.get(action_of(change), "update")
        for change in target.changes
    }


def _mermaid_text(text: str) -> str:
    """`text` inside quotes: whatever Mermaid or HTML could read as more is an entity."""
    text = shorten(text[: LABEL + 1], LABEL)
    return "".join(
        char if char.isalnum() or char in " /.,:=-_()→…*" else f"#{ord(char)};"
        for char in printable(text)
    )


def _quoted(text: str) -> str:
    """A string of the dot language; `printable` has made line ends and control characters visible."""
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
