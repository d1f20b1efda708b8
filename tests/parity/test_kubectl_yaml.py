"""YAML and JSON mean what kubectl takes them for: the same files go to both."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from meshplan.finding import Severity
from meshplan.source.objects import resources_of
from meshplan.source.yaml import Parsed, parse
from support.kubectl import Verdict, comparable, read_all, verdicts, version
from support.yamltext import TREES, Tree, document

pytestmark = pytest.mark.tool("kubectl")

#: `ID` is replaced by a name of the case's own.
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ID}\n"
ONE, TWO = HEAD, HEAD.replace("ID", "ID-b")
OBJECT = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ID"},"x":VALUE}'
JSON = OBJECT.replace("VALUE", "1")
JSON_TWO = JSON.replace("ID", "ID-b")

#: A failing example names the text that fails, so there is nothing to shrink.
GENERATED = settings(
    max_examples=30,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def check(texts: Iterable[bytes]) -> None:
    """Compare what kubectl and meshplan read from each text."""
    files = {f"c{n:05}": text.replace(b"ID", b"c%05d" % n) for n, text in enumerate(texts)}
    for key, verdict in verdicts(files).items():
        problem = _difference(verdict, parse(files[key], f"{key}.yaml"))
        assert not problem, f"{problem}\n{files[key]!r}"


def _difference(verdict: Verdict, parsed: Parsed) -> str:
    ours = [comparable(d.value) for d in parsed.documents if _is_object(d.value)]
    theirs = [comparable(value) for value in verdict.objects]
    refused = any(f.severity is Severity.ERROR for f in parsed.findings) or parsed.template
    if verdict.error:
        # kubectl stops at the first document it cannot read.
        if not refused:
            return f"only kubectl refuses: {verdict.error}"
        return "" if ours[: len(theirs)] == theirs else f"kubectl reads {theirs}, we read {ours}"
    if refused:
        return f"only meshplan refuses: {parsed.findings}"
    return "" if ours == theirs else f"kubectl reads {theirs}, we read {ours}"


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "kind" in value


# The tables are set by hand: one case in a line would take more than a thousand.
# fmt: off

#: Values as they are written behind `key: `, and behind a tab what kubectl 1.32 makes of each.
SCALARS = tuple(
    line.rpartition("\t")[0]
    for line in (Path(__file__).parent / "yaml_scalars.tsv").read_text("utf-8").splitlines()
)
LINES = (
    *("a\n   b\n\n   c", "'a\n   b'", '"a\n   b\n\n   c"', '"a\\\n   b"', "[a\n    , b]", "[a,\n---\n b]"),
    *("|\n    a\n     b\n", "|-\n    a\n", "|+\n    a\n\n", ">\n    a\n    b\n\n    c\n", ">-\n    a\n"),
    *("|2\n      a\n", "|1-\n   a\n", "|\n    a", "|+\n    a", "|\n\n    a\n", ">\n    a\n      b\n    c\n"),
)
KEYS = (
    *("1.50", "1e3", "1234567.0", "0.00001", "16777217.0", "1e300", "-1e300", "123456.0", "3.4e38"),
    *("? [a]", "? {a: b}", "? a", "? |\n    x\n ", "[a]", "{a: b}", "&k a", "=", "<", "? ", "~", "null"),
)
MERGES = (
    "a: &a {x: 1, y: 2}\n  b: {<<: *a, y: 3}", "a: &a {x: 1, y: 2}\n  b: {y: 3, <<: *a}",
    "a: &a {x: 1}\n  b: &b {x: 2, y: 2}\n  c: {<<: [*a, *b]}\n  d: {<<: [*b, *a], z: 1}",
    "b: {<<: {x: 1}, y: 2}\n  c: {<<: [{x: 1}, {x: 2}]}", "b: {<<: null}", "b: {<<: x}", "b: {<<: []}",
    "a: &a {x: 1}\n  b: &b {<<: *a, y: 1}\n  c: {<<: *b}", "a: &a {x: {p: 1}}\n  b: {<<: *a, x: {q: 2}}",
    'a: &a {x: 1}\n  b: {"<<": *a}', "a: &a {x: 1}\n  b: {!!str <<: *a}\n  c: {!!merge <<: *a}",
    "a: &a {x: 1}\n  b: {<<: *a, <<: {y: 2}}", "a: &a [x]\n  b: {<<: *a}", "a: &a x\n  b: {<<: *a}",
    "b: {<<: [[]]}", "b: <<", "b: [<<, {<<: {}}]", "a: &a 1\n  b: *a\n  c: &a 2\n  d: *a",
    "a: &a [1, &b {c: d}]\n  b: [*a, *b, *b]", "a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}",
    "a: &a {b: &b {c: *a}}", "a: &x [1]\n  b: &x [*x]", "&k a: 1\n  b: *k", "&k a: 1\n  *k : 2",
    "a: *b\n  b: &b 1", "a: &a\n  b: *a", "a: &a !!str\n  b: *a", "a: &a-b_c9 1\n  b: *a-b_c9",
    "a: &a {x: 1}\n  b: {<<: &b {y: 1}, z: *b}",
)
STREAMS = (
    *(f"{ONE}---\n{TWO}", f"---\n{ONE}---\n{TWO}---\n", f"---\n---\n\n---\n{ONE}", f"\n{ONE}\n---\n\n{TWO}"),
    *(f"{ONE}--- # comment\n{TWO}", f"{ONE}---   \n{TWO}", f"{ONE}---\t\n{TWO}", f"{ONE}---", f"# a\n{ONE}"),
    *(f"{ONE}--- x\n{TWO}", f"{ONE}---x\n{TWO}", f"{ONE}--- !foo\n{TWO}", f"{ONE}----\n{TWO}", f"--- x\n{ONE}"),
    *(f"--- {{a: b}}\n---\n{ONE}", f"--- |\n  {ONE}", f"{ONE} ---\n{TWO}", f"{ONE}x: |\n  ---\n  y\n"),
    *(f"{ONE}x: |\n---\n  y\n", f'{ONE}x: "a\n---\n  b"\n', f"{ONE}...\n{TWO}", f"{ONE}...\n---\n{TWO}"),
    *(f"...\n{ONE}", f"...\n---\n{ONE}", f"%YAML 1.1\n---\n{ONE}", f"%YAML 1.2\n---\n{ONE}", f"%FOO\n{ONE}"),
    *(f"{ONE}---\n%YAML 1.1\n---\n{TWO}", f"%TAG ! tag:x,2000:\n---\n{ONE}", f"{ONE}x: \x00\n", "\n---\n"),
    *(f"# a\n---\n# b\n---\n{ONE}", "# only comments\n", "", "\n\n", "---\n", "---", " ", "\t", "null\n", "~\n"),
    *("{}\n", f"null\n---\n{ONE}", f"{ONE}---\nnull\n---\n{TWO}", f"\ufeff{ONE}---\n{TWO}", f"\ufeff---\n{ONE}"),
    *(f"{ONE}---\n\ufeff{TWO}", f"{ONE}---\n{TWO}".replace("\n", "\r\n"), ONE.replace("\n", "\r"), ONE[:-1]),
    *(f"{ONE}x: |\n  a\n  b\n".replace("\n", "\r\n"), f"{ONE}x: 1\r---\r{TWO}", f"{ONE}x: |\r\r\n  a\r\r\n"),
    *(f"{ONE}x: a\r\r\n", f"{ONE}x: |\n  a", f"{ONE}x: |+\n  a\n\n", f"{ONE}x: >\n  a\n\n\n---\n{TWO}", f"{ONE}x: a"),
    *(f"{ONE}x: [\n---\n{TWO}", f"{ONE}---\nx: [\n", f"a: b: c\n---\n{ONE}", f"{ONE}x:\ty\n\tz: 1\n", f"{ONE}x: \x01\n"),
    *(f"{ONE}x: \x7f\n", f"{ONE}# \x01\n", f"{ONE}x: \u2028a\n", f"[1] junk\n---\n{ONE}", f"{ONE}...\njunk: [\n---\n{TWO}"),
)
#: Bytes that are no UTF-8: alone, cut off, half of a surrogate pair.
BROKEN = (b"\xff", b"\xe2\x82", b"\xe2\x82\xff", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xc3(", b"\x80\x80")
JSON_VALUES = (
    *(["0", "-0", "1", "1.0", "1e3", "1E+3", "-1.5e-7", "9223372036854775807", "9223372036854775808", "1e400", "-1e400"]),
    *(["18446744073709551615", "123456789012345678901234567890", "1e21", "0.1", "4611686018427387904.0"]),
    *("true", "false", "null", "1" * 400, r'"\ud83d\ude00"', r'"\ud83d"', r'"\ude00x\ud83d"', '"\x7f"', '"é"'),
    *(r'"\u0000\/\b\f"', "[[[]]]", '{"a":1,"a":2}', '{"a":{"b":1},"a":{"c":2}}', '{"":1}', r'{"\ud83d":1}'),
)
JSON_STREAMS = (
    *(JSON, f"\n\n  {JSON}\n", f"{JSON}{JSON_TWO}", f"{JSON}\n{JSON_TWO}\n", f"\ufeff{JSON}", f"null{JSON}", JSON[:-1]),
    *(f"{JSON}{JSON_TWO}\nx", f"{JSON}{JSON_TWO}\n---\n{JSON}", f"{JSON}null{JSON_TWO}", f"[{JSON}]"),
    *(f"{HEAD}---\n{JSON_TWO}", f"{HEAD}---\n{JSON_TWO}{JSON_TWO}"),
)
ALMOST_JSON = (
    *('"\t"', '"a\nb"', "'a'", r'"\x41"', "[1,]", "{,}", "[1 2]", "{a: b}", "# c\n1", "1 # c\n"),
    *(["NaN", "Infinity", "yes", "01", "1.", ".5", "+1"]),
)
ALMOST_JSON_STREAMS = (
    *(f"{JSON}\n# c\n", f"{JSON}\nx: y", f"{JSON} x: y", f"{JSON},{JSON_TWO}", f"{JSON}\n---\n{TWO}", f"{JSON}}}"),
    *(f"\u00a0{{a: b}}\n---\n{HEAD}", f"{{a: b}}\n---\n{JSON}", f"\u00a0{JSON}", f"{JSON}\n\n\n---\n{JSON_TWO}"),
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: ID}} junk\n",
)
# fmt: on


def test_values_are_read_as_kubectl_reads_them() -> None:
    check(f"{HEAD}spec:\n  value: {text}\n".encode() for text in (*SCALARS, *LINES))


def test_values_within_brackets_are_read_as_kubectl_reads_them() -> None:
    check(f"{HEAD}spec: [{text} , 1]\n".encode() for text in SCALARS if not text.startswith("!"))


def test_values_that_begin_with_any_character_are_read_as_kubectl_reads_them() -> None:
    first = [
        chr(n) for n in (*range(0x20, 0x7F), 0x85, 0xA0, 0x2028, 0xE9, 0xFEFF, 0x1F600, 0xFFFF)
    ]
    texts = [text for one in first for text in (one, one + "1", "1" + one)]
    check(f"{HEAD}spec:\n  value: {text}\n".encode() for text in texts)


def test_keys_become_the_strings_that_kubectl_makes_of_them() -> None:
    keys = [text for text in (*SCALARS, *KEYS) if not text.startswith((".nan", ".N"))]
    check(f"{HEAD}spec:\n  {key}: 1\n".encode() for key in keys)


def test_anchors_and_merge_keys_expand_as_in_kubectl() -> None:
    check(f"{HEAD}spec:\n  {text}\n".encode() for text in MERGES)


def test_of_two_equal_keys_the_last_wins() -> None:
    texts = ("a: 1\n  a: 2", "a: {x: 1}\n  a: {y: 2}", "a: 1\n  b: {c: 1, c: 2}\n  a: [3]")
    check(f"{HEAD}spec:\n  {text}\n".encode() for text in texts)


def test_streams_are_cut_as_kubectl_cuts_them() -> None:
    check(text.encode() for text in STREAMS)


def test_encodings_are_told_as_kubectl_tells_them() -> None:
    def encoded(number: int, name: str, mark: str = "") -> bytes:
        text = f"{ONE}x: é\n---\n{TWO}".replace("ID", f"c{number:05}")
        return (mark + text).encode(name)

    wide = ("utf-16-be", "utf-16-le")
    marked = [encoded(n, name, "\ufeff") for n, name in enumerate(wide)]
    plain = [encoded(n, name) for n, name in enumerate((*wide, "utf-32-be", "latin-1"), 2)]
    cut = [encoded(6, "utf-16-be", "\ufeff")[:-3], encoded(7, "utf-16-le", "\ufeff") + b"x\xd8\n\0"]
    check([*marked, *plain, *cut])


def test_broken_characters_are_replaced_as_kubectl_replaces_them() -> None:
    check(b"%sx: a%sb # %s\n" % (ONE.encode(), broken, broken) for broken in BROKEN)
    check(OBJECT.encode().replace(b"VALUE", b'"%s"' % broken) for broken in BROKEN)


def test_json_is_read_as_kubectl_reads_it() -> None:
    check(OBJECT.replace("VALUE", value).encode() for value in JSON_VALUES)
    check(OBJECT.replace("VALUE", value).replace(",", ",\n  ").encode() for value in JSON_VALUES)


def test_json_streams_are_cut_as_kubectl_cuts_them() -> None:
    check(text.encode() for text in JSON_STREAMS)


def test_what_begins_like_json_may_be_yaml_since_kubectl_1_33() -> None:
    if version() < (1, 33):
        pytest.skip("kubectl before 1.33 takes nothing but JSON after a first {")
    check(OBJECT.replace("VALUE", value).encode() for value in ALMOST_JSON)
    check(text.encode() for text in ALMOST_JSON_STREAMS)


@GENERATED
@given(st.lists(TREES, min_size=20, max_size=40))
def test_made_up_yaml_is_read_as_kubectl_reads_it(trees: list[Tree]) -> None:
    check(document(tree, "ID").encode() for tree in trees)


@GENERATED
@given(st.lists(st.lists(TREES, min_size=1, max_size=3), min_size=8, max_size=16))
def test_made_up_streams_are_read_as_kubectl_reads_them(streams: list[list[Tree]]) -> None:
    ends = ("---\n", "---\r\n", "--- # end\n")
    check(
        ends[number % 3].join(document(tree, f"ID-{n}") for n, tree in enumerate(trees)).encode()
        for number, trees in enumerate(streams)
    )


@pytest.mark.corpus
def test_manifests_of_the_corpora_are_read_as_kubectl_reads_them(corpora: Path) -> None:
    paths = [path for path in sorted((corpora / "cases").rglob("*.yaml")) if path.is_file()]
    for start in range(0, len(paths), 600):
        some = enumerate(paths[start : start + 600 : 3])
        texts = {f"c{number:05}": path.read_bytes() for number, path in some}
        sound = {key: text for key, text in texts.items() if _is_sound(parse(text, key))}
        objects, errors = read_all(sound)
        assert not errors
        ours = (found for key, text in sound.items() for found in _objects(parse(text, key)))
        for mine, theirs in zip_longest(map(_annotated, ours), objects):
            assert comparable(mine) == comparable(theirs)


def _is_sound(parsed: Parsed) -> bool:
    """Whether kubectl has nothing to say against the objects of a file."""
    found = resources_of(parsed.documents, default_namespace="x", scope_of=lambda *_: "Namespaced")
    return not parsed.findings and not found.findings


def _objects(parsed: Parsed) -> Iterator[dict[str, Any]]:
    for found in parsed.documents:
        if _is_object(found.value):
            yield from found.value.get("items", [found.value])


def _annotated(value: dict[str, Any]) -> dict[str, Any]:
    """An object as `kubectl annotate` leaves it: it loses annotations where one of them is null."""
    metadata = dict(value.get("metadata", {}))
    annotations = metadata.pop("annotations", None)
    if annotations and None not in annotations.values():
        metadata["annotations"] = annotations
    return {**value, "metadata": metadata}
