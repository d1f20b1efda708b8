"""Reading: the two ways agree, places are right, and no bytes at all can do harm."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.location import escape_pointer
from meshplan.source import libyaml
from meshplan.source.reading import Limits, RefusedError
from meshplan.source.stream import segments
from meshplan.source.values import value_of
from meshplan.source.yaml import locate, parse, read
from support.yamltext import TREES, Tree, document

LIMITS = Limits()
STREAMS = st.lists(TREES, min_size=1, max_size=3).map(
    lambda trees: "---\n".join(document(tree, f"x{n}") for n, tree in enumerate(trees))
)
#: Pieces that mean something to YAML, JSON or a template engine, and some that mean nothing.
PIECES = st.sampled_from(
    [
        *(
            "a: ",
            "- ",
            "? ",
            ": ",
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a ",
            "*a",
            "!!int ",
            "! ",
            "<<: ",
            "|",
            ">",
        ),
        *(
            "\n",
            "\n",
            "\n  ",
            "\n---\n",
            "...\n",
            "%YAML 1.1\n",
            '"',
            "'",
            "#",
            "\\",
            "\t",
            "\r",
            "\0",
        ),
        *(
            '{"a":1}',
            "1e400",
            ".inf",
            "{{ x }}",
            "{% if %}",
            "${X}",
            "$(X)",
            "#@ load(",
            "\ufeff",
            "é",
            "x",
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=30).map(lambda pieces: "".join(pieces).encode())


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A stream with a few bytes changed, doubled or left out."""
    data = draw(STREAMS).encode()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        end = draw(st.integers(at, min(len(data), at + 12)))
        data = (
            data[:at]
            + draw(st.one_of(st.binary(max_size=3), st.just(data[at:end] * 2)))
            + data[end:]
        )
    return data


@settings(deadline=None, max_examples=300)
@given(STREAMS)
def test_the_quick_way_and_the_careful_way_read_the_same(text: str) -> None:
    for segment in segments(text.encode()):
        quick = libyaml.quick(segment, LIMITS)
        if quick is None:
            continue
        careful = []
        for chunk in segment.chunks:
            node, after = libyaml.compose(chunk.data, LIMITS)
            assert after is None
            if node is not None:
                value, problems = value_of(node, LIMITS)
                assert not problems
                careful.append((chunk.index, value))
        assert json.dumps([(r.index, r.value) for r in quick]) == json.dumps(careful)


@settings(deadline=None, max_examples=400)
@given(st.one_of(TEXTS, mutants(), st.binary(max_size=60)))
def test_any_bytes_are_read_to_json_or_to_a_finding_with_a_place(data: bytes) -> None:
    parsed = parse(data, "a.yaml")
    json.dumps([found.value for found in parsed.documents], allow_nan=False).encode("ascii")
    # UTF-16 has line ends that are none as bytes.
    lines = max(data.count(end) for end in (b"\n", b"\r", b"\x85", b"\xa8", b"\xa9", b"\n\0")) + 2
    for found in parsed.documents:
        assert found.origin.line is not None
        assert 1 <= found.origin.line <= lines + data.count(b"\r") + data.count(b"\x85")
    for finding in parsed.findings:
        assert finding.message
        assert finding.locations[0].line is not None
    assert [d.origin.document for d in parsed.documents] == sorted(
        {d.origin.document for d in parsed.documents}
    )
    for found in parsed.documents[:2]:
        locate(data, found.origin.document, "/a/0")


@settings(deadline=None, max_examples=300)
@given(STREAMS)
def test_the_place_of_each_scalar_holds_its_text(text: str) -> None:
    data = text.encode()
    for found in read(data).documents:
        for pointer, value in leaves(found.value):
            place = locate(data, found.index, pointer)
            assert place is not None
            written = excerpt(text, *place)
            if written.startswith(("|", ">", "*")):
                continue  # a block depends on its indentation, an alias on its anchor
            assert read(f"- {written}\n".encode()).documents[0].value == [value]


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """All scalars of a value, with the way to them."""
    match value:
        case dict():
            for key, item in value.items():
                yield from leaves(item, f"{pointer}/{escape_pointer(key)}")
        case list():
            for index, item in enumerate(value):
                yield from leaves(item, f"{pointer}/{index}")
        case _:
            yield pointer, value


def excerpt(text: str, line: int, column: int, end_line: int, end_column: int) -> str:
    """What stands between two places of a text."""
    lines = text.split("\n")[line - 1 : end_line]
    lines[-1] = lines[-1][: end_column - 1]
    lines[0] = lines[0][column - 1 :]
    return "\n".join(lines)


@settings(deadline=None, max_examples=100)
@given(TREES, st.integers(1, 40), st.integers(1, 6))
def test_whatever_the_limits_are_they_hold(tree: Tree, nodes: int, depth: int) -> None:
    limits = Limits(nodes=nodes, depth=depth, aliased=nodes)
    for chunk in next(segments(document(tree, "x").encode())).chunks:
        try:
            node, _ = libyaml.compose(chunk.data, limits)
        except RefusedError:
            continue
        assert node is not None
        try:
            value, _ = value_of(node, limits)
        except RefusedError:
            continue
        assert levels(value) <= depth
        assert size(value) <= 2 * nodes


def levels(value: Any) -> int:
    """How deep mappings and lists are nested."""
    match value:
        case dict():
            return 1 + max(map(levels, value.values()), default=0)
        case list():
            return 1 + max(map(levels, value), default=0)
        case _:
            return 0


def size(value: Any) -> int:
    """How many scalars, lists and mappings there are."""
    match value:
        case dict():
            return 1 + sum(map(size, value.values()))
        case list():
            return 1 + sum(map(size, value))
        case _:
            return 1
