"""Files to documents: places, broken documents, and what is said about them."""

import subprocess
import sys
from pathlib import Path

import pytest

from meshplan.finding import Severity
from meshplan.source.yaml import Limits, Parsed, parse


def said(parsed: Parsed) -> list[tuple[str, str]]:
    """Where and what rule, for each finding."""
    return [(str(found.locations[0]), found.rule) for found in parsed.findings]


def values(parsed: Parsed) -> list[object]:
    """What the documents say."""
    return [found.value for found in parsed.documents]


def test_each_document_has_the_line_of_its_first_key_and_its_number() -> None:
    text = (
        b"# comment\n---\n\na: 1\n---\n# comment\n---\n\n# comment\n{b: 2}\n---\n- 3\n---\n\n  c:\n"
    )
    found = parse(text, "dir/a.yaml").documents
    origins = [(d.value, d.origin.path, d.origin.line, d.origin.document) for d in found]
    assert origins == [
        ({"a": 1}, "dir/a.yaml", 4, 1),
        ({"b": 2}, "dir/a.yaml", 10, 3),
        ([3], "dir/a.yaml", 12, 4),
        ({"c": None}, "dir/a.yaml", 15, 5),
    ]


def test_each_json_value_has_the_line_of_its_first_key_and_its_number() -> None:
    found = parse(b'{"a": 1}\n{\n\n  "b": 2}null{}\n', "a.json").documents
    assert [(d.value, d.origin.line, d.origin.document) for d in found] == [
        ({"a": 1}, 1, 0),
        ({"b": 2}, 4, 1),
        ({}, 4, 3),
    ]


def test_lines_are_the_same_whatever_ends_them() -> None:
    text = "a: 1\n---\nb: |\n  x\n\n---\nc: !!str 3\n"
    want = [("a", 1), ("b", 3), ("c", 7)]
    for wide in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        for encoding in ("utf-8", "utf-16-le") if wide.startswith("\ufeff") else ("utf-8",):
            found = parse(wide.encode(encoding), "a.yaml").documents
            assert [(next(iter(d.value)), d.origin.line) for d in found] == want


def test_a_broken_document_does_not_take_the_others_with_it() -> None:
    parsed = parse(b"a: 1\n---\nb: [1,\n---\nc: 3\n---\nd: e: f\n---\n- !!int x\n", "a.yaml")
    assert values(parsed) == [{"a": 1}, {"c": 3}]
    assert [d.origin.document for d in parsed.documents] == [0, 2]
    assert said(parsed) == [
        ("a.yaml:4:1", "yaml-syntax"),
        ("a.yaml:7:5", "yaml-syntax"),
        ("a.yaml:9:3", "yaml-value"),
    ]
    assert all(found.severity is Severity.ERROR for found in parsed.findings)
    assert parsed.findings[0].message == (
        "did not find expected node content while parsing a flow node"
    )


def test_what_breaks_off_says_where_it_begins() -> None:
    [found] = parse(b'a: 1\n---\nb: "x\nc: 2\n', "a.yaml").findings
    assert found.message == "found unexpected end of stream while scanning a quoted scalar"
    assert [str(place) for place in found.locations] == ["a.yaml:5:1", "a.yaml:3:4"]


def test_a_key_that_is_written_twice_says_where_it_is_first() -> None:
    [found] = parse(b"- 1\n---\nb:\n  c: 2\n  d: 3\n  c: 4\n", "a.yaml").findings
    assert [str(place) for place in found.locations] == ["a.yaml:6:3", "a.yaml:4:3"]
    assert found.locations[0].pointer == "/b/c"


@pytest.mark.parametrize(
    ("text", "rule", "place", "part"),
    [
        ("a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", "3:1", 'the key "a" is written twice'),
        ("1: a\n'1': b\n", "yaml-duplicate-key", "2:1", 'the key "1" is written twice'),
        ("a: 1\n...\nb: 2\n", "yaml-syntax", "3:1", "the document ends above"),
        ("{a: 1} junk\n", "yaml-syntax", "1:8", "the document ends above"),
        ("a: \xff\n", "yaml-encoding", "1:1", "no UTF-8"),
    ],
)
def test_what_kubectl_reads_without_a_word_is_a_warning(
    text: str, rule: str, place: str, part: str
) -> None:
    parsed = parse(text.encode("latin-1"), "a")
    assert said(parsed) == [(f"a:{place}", rule)]
    assert parsed.findings[0].severity is Severity.WARNING
    assert part in parsed.findings[0].message
    assert len(parsed.documents) == 1


@pytest.mark.parametrize(
    ("text", "rule", "place", "part"),
    [
        ("a: &a [*a]\n", "yaml-alias", "1:8", "*a stands inside of what it stands for"),
        ("a: &a\n  b: {<<: *a}\n", "yaml-alias", "2:11", "*a stands inside of what it stands for"),
        ("a: *b\n", "yaml-syntax", "1:4", "no node before it is &b"),
        ("a: .inf\n", "yaml-value", "1:4", "no JSON form"),
        ("? [a]\n: b\n", "yaml-value", "1:3", "a key is a list or a mapping"),
        ("~: b\n", "yaml-value", "1:1", "a key is null"),
        ("18446744073709551615: b\n", "yaml-value", "1:1", "more than 63 bits"),
        ("a: {<<: [1]}\n", "yaml-value", "1:10", "a merge key (<<) needs a mapping"),
        ('a: 1\nb: "\\/"\n', "yaml-syntax", "2:4", "the escape \\/"),
        ("a: [b?c]\n", "yaml-syntax", "1:5", "no ? within brackets"),
        ("a: [!b , c]\n", "yaml-syntax", "1:5", "a tag within brackets"),
        ("a: 1\n--- b: 2\n", "yaml-syntax", "2:1", "nothing but a comment behind ---"),
        ("a: 1\n\ufeffb: 2\n", "yaml-syntax", "2:1", "byte order mark in the middle"),
        ("a: \x01\n", "yaml-syntax", "1:1", "control characters are not allowed"),
        ('{"a": 1e999}', "yaml-value", "1:1", "larger than a double"),
        ('{}{}\n{"a" 1}', "yaml-syntax", "2:6", "this is no JSON"),
    ],
)
def test_what_kubectl_refuses_is_an_error_with_its_place(
    text: str, rule: str, place: str, part: str
) -> None:
    parsed = parse(text.encode(), "a")
    assert said(parsed) == [(f"a:{place}", rule)]
    assert parsed.findings[0].severity is Severity.ERROR
    assert part in parsed.findings[0].message


def test_a_repeated_key_in_json_has_its_place_whatever_else_libyaml_minds() -> None:
    parsed = parse(b'{"x": "\\/\\ud83d\\ude00",\n "a": 1, "a": 2}', "a.json")
    assert said(parsed) == [("a.json:2:10", "yaml-duplicate-key")]
    assert values(parsed) == [{"x": "/\U0001f600", "a": 2}]


def test_a_finding_never_shows_a_value() -> None:
    for text in (
        "a: !!int hunter2",
        "a: !!binary hunter2",
        "a: !!bool hunter2",
        "a: &x hunter2\n b: *y",
    ):
        assert "hunter2" not in parse(text.encode(), "a").findings[0].message


def test_aliases_share_what_they_stand_for() -> None:
    [value] = values(parse(b"a: &a {b: [1]}\nc: *a\nd: {<<: *a}\n", "a"))
    assert isinstance(value, dict)
    assert value["a"] is value["c"]
    assert value["d"]["b"] is value["a"]["b"]


def test_equal_keys_and_scalars_of_one_file_take_memory_once() -> None:
    first, second = values(
        parse(b"key-of-mine: value-of-mine\n---\nkey-of-mine: value-of-mine\n", "a")
    )
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert next(iter(first)) is next(iter(second))
    assert first["key-of-mine"] is second["key-of-mine"]


def bomb(levels: int, width: int) -> bytes:
    """A list of lists of lists, each of which is the one before it `width` times."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param(b"[" * 100_000, "yaml-depth", id="brackets"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, "yaml-depth", id="closed brackets"),
        pytest.param(b"{a: " * 100_000, "yaml-depth", id="braces"),
        pytest.param(b"- " * 100_000, "yaml-depth", id="dashes"),
        pytest.param(b"? " * 100_000, "yaml-depth", id="question marks"),
        pytest.param(b"".join(b" " * n + b"a:\n" for n in range(2000)), "yaml-depth", id="block"),
        pytest.param(b"[" * 300 + b"]" * 300, "yaml-depth", id="a little too deep"),
        pytest.param(b'{"a":' * 100_000, "yaml-depth", id="JSON"),
        pytest.param(b'{"a":' + b"[" * 300 + b"]" * 300 + b"}", "yaml-depth", id="closed JSON"),
        pytest.param(
            b'{"a":' + b"[" * 900 + b'"\\ud800"' + b"]" * 900 + b"}", "yaml-depth", id="surrogate"
        ),
        pytest.param(bomb(30, 9), "yaml-alias", id="wide bomb"),
        pytest.param(bomb(300, 2), "yaml-alias", id="high bomb"),
        pytest.param(bomb(300, 1), "yaml-depth", id="chain of aliases"),
        pytest.param(
            b"a: &a {"
            + b",".join(b"k%d: 1" % n for n in range(500))
            + b"}\nb:\n"
            + b"- <<: *a\n" * 500,
            "yaml-alias",
            id="merge bomb",
        ),
        pytest.param(b"[" + b"a," * 500_000 + b"]", "yaml-size", id="nodes"),
        pytest.param(b"- a\n" * 500_000, "yaml-size", id="lines"),
        pytest.param(b"a: '" + b"x" * 9_000_000 + b"'", "yaml-size", id="document"),
        pytest.param(b'{"a":"' + b"x" * 9_000_000 + b'"}', "yaml-size", id="JSON document"),
        pytest.param(b"#" * 34_000_000, "yaml-size", id="file"),
        pytest.param(b"---\n" * 110_000, "yaml-size", id="documents"),
        pytest.param(b"{}" * 110_000, "yaml-syntax", id="JSON documents"),
    ],
)
def test_what_a_file_may_cost_is_bounded(text: bytes, rule: str) -> None:
    limit = sys.getrecursionlimit()
    parsed = parse(text, "a.yaml")
    assert [found.rule for found in parsed.findings] == [rule]
    assert sys.getrecursionlimit() == limit


def test_a_limit_leaves_out_one_document_and_no_other() -> None:
    parsed = parse(b"a: 1\n---\n" + bomb(30, 9) + b"\n---\nb: 2\n", "a.yaml")
    assert values(parsed) == [{"a": 1}, {"b": 2}]
    assert said(parsed) == [("a.yaml:8:40", "yaml-alias")]


def test_no_more_findings_are_kept_than_someone_reads() -> None:
    parsed = parse(b"a: [\n---\n" * 300, "a.yaml")
    assert len(parsed.findings) == Limits().problems + 1
    assert parsed.findings[-1].message == "200 more findings about this file are left out"


def test_limits_can_be_set() -> None:
    limits = Limits(depth=2, nodes=6, documents=50, document_bytes=40, file_bytes=400)
    assert values(parse(b"a: [1]\n", "a", limits)) == [{"a": [1]}]
    for text, rule in (
        (b"a: [[1]]\n", "yaml-depth"),
        (b"[1, 2, 3, 4, 5, 6]\n", "yaml-size"),
        (b"a: '" + b"x" * 40 + b"'\n", "yaml-size"),
        (b"#" * 401, "yaml-size"),
    ):
        assert [found.rule for found in parse(text, "a", limits).findings] == [rule]


def test_a_yaml_library_without_libyaml_is_named_with_the_remedy() -> None:
    script = (
        "import sys\n"
        "sys.modules['yaml._yaml'] = None\n"
        "from meshplan.errors import SourceError\n"
        "from meshplan.source.yaml import parse\n"
        "try:\n"
        "    parse(b'a: 1', 'a.yaml')\n"
        "except SourceError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "without libyaml" in done.stdout
    assert "pip install" in done.stdout


@pytest.mark.corpus
def test_all_files_of_the_corpora_are_read(corpora: Path) -> None:
    number = 0
    for path in sorted(corpora.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json") and path.is_file():
            parsed = parse(path.read_bytes(), path.name)
            number += len(parsed.documents)
            rules = {found.rule for found in parsed.findings if found.severity is Severity.ERROR}
            assert not rules, path
    assert number > 10_000
