"""An annotation is set, and every other byte stays: read back by PyYAML, which shares no code."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from meshplan.argocd.edit import Annotation, EditError, annotated, listed, written

WAVE = "argocd.argoproj.io/sync-wave"


def wave(document: int = 0, pointer: str = "", value: str = "-2", why: str = "x") -> Annotation:
    return Annotation(document, pointer, WAVE, value, why)


@pytest.mark.parametrize(
    "text",
    [
        "kind: X # k\nmetadata:\n  # first\n  name: a   # n\nspec: {}\n",
        "metadata:\n  annotations:\n    a: b # x\n  name: a\n",
        "metadata: {name: a}\n",
        '{"metadata": {"name": "a", "annotations": {}}}',
        "metadata:\n  annotations:\n  name: a\n",
        "metadata:\n  name: a\n  annotations: null\n",
        "metadata:\n  name: a\n  annotations: ~   # none\n",
        "metadata:\r\n  name: a\r\n",
        "metadata:\n  annotations:\n    argocd.argoproj.io/sync-wave: '3' # mine\n",
        "metadata:\n  annotations:\n    argocd.argoproj.io/sync-wave: 3",
        "metadata:\n  annotations: {argocd.argoproj.io/sync-wave: '3', b: c}\n",
        "metadata:\n    annotations: {\n    }\n",
        "metadata: {}\n",
        "\ufeffmetadata:\n  name: é😀\n",
        "metadata:\n  name: a\n  labels: &l {a: b}\nspec:\n  selector: *l\n",
        "# only\n# comments\nmetadata:\n    name:   a\n\n\n",
        "metadata:\n  annotations:\n    text: |\n      a\n\n      b\n    z: yes\n  name: a\n",
    ],
)
def test_one_annotation_is_set(text: str) -> None:
    edited = annotated(text, "a.yaml", [wave()])
    expected: Any = yaml.safe_load(text)
    expected["metadata"]["annotations"] = {
        **(expected["metadata"].get("annotations") or {}),
        WAVE: "-2",
    }
    assert yaml.safe_load(edited) == expected
    assert ("\r\n" in edited) == ("\r\n" in text)
    assert edited.startswith("\ufeff") == text.startswith("\ufeff")
    # What was there is there still, in its order; only a former value and `null` may go.
    rest = iter(edited)
    gone = ("3", "'3'", "null", "~")
    for part in gone:
        if f" {part}" in text and f" {part}" not in edited:
            text = text.replace(f" {part}", " ", 1)
    assert all(char in rest for char in text)
    again = written(edited, "a.yaml", wave())
    assert again.value == "-2"
    assert annotated(edited, "a.yaml", [wave()]) == edited


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("metadata:\n  annotations: &a\n    b: c\n  labels: *a\n", "an alias stands for it"),
        ("x: &a {b: c}\nmetadata:\n  annotations: *a\n", "an alias stands for it"),
        ("x: &a {name: c}\nmetadata: *a\n", "an alias stands for it"),
        ("metadata:\n  annotations: text\n", "no mapping"),
        ("metadata: [a]\n", "no metadata"),
        ("kind: X\n", "no metadata"),
        ("[1, 2]\n", "no object"),
        ("a: [\n", "cannot be read as YAML"),
        ("a: 1\n--- !x\n", "no metadata"),
        ("? metadata\n: name: x\n", "line of its own"),
    ],
)
def test_what_cannot_be_edited_is_told(text: str, why: str) -> None:
    with pytest.raises(EditError, match=why):
        annotated(text, "a.yaml", [wave()])


def test_documents_and_items_are_told_apart() -> None:
    text = "metadata:\n  name: a\n---\nitems:\n- metadata: {name: b}\n- metadata:\n    name: c\n"
    edited = annotated(text, "a.yaml", [wave(1, "/items/1", "4"), wave(0, "", "2")])
    first, second = yaml.safe_load_all(edited)
    assert first["metadata"]["annotations"] == {WAVE: "2"}
    assert second["items"][0]["metadata"] == {"name": "b"}
    assert second["items"][1]["metadata"]["annotations"] == {WAVE: "4"}


def test_only_our_comments_are_replaced() -> None:
    text = f"metadata:\n  annotations:\n    {WAVE}: '1' # meshplan: old reason\n"
    assert annotated(text, "a", [wave(why="new")]).endswith('"-2" # meshplan: new\n')
    text = text.replace("meshplan: old reason", "because")
    assert annotated(text, "a", [wave(why="new")]).endswith('"-2" # because\n')
    assert not written(text, "a", wave()).ours


@pytest.mark.parametrize("why", ["a\nb: c", "x\r---\r", "\u2028y", "# -->", "\x00"])
def test_a_reason_stays_in_its_comment(why: str) -> None:
    edited = annotated("metadata:\n  name: a\n", "a", [wave(why=why)])
    assert yaml.safe_load(edited) == {"metadata": {"name": "a", "annotations": {WAVE: "-2"}}}


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(
    st.dictionaries(st.text(max_size=5), VALUES, max_size=3),
    st.dictionaries(st.text("abc/.", min_size=1), st.text("xyz -#:\n", max_size=9), max_size=3),
    st.sampled_from([None, True, False]),
    st.integers(2, 6),
)
def test_any_manifest_reads_the_same_but_for_the_annotation(
    spec: dict[str, Any], annotations: dict[str, str], flow: bool | None, indent: int
) -> None:
    value = {"kind": "X", "metadata": {"name": "a", "annotations": annotations}, "spec": spec}
    text = yaml.safe_dump(value, default_flow_style=flow, indent=indent, allow_unicode=True)
    try:
        edited = annotated(text, "a.yaml", [wave()])
    except EditError:
        return  # long keys are written as `? key`, and some characters are not read by both
    # Not `value` itself: PyYAML writes U+0085 so that it reads a blank.
    expected = yaml.safe_load(text)
    assert expected["metadata"]["annotations"] == annotations
    expected["metadata"]["annotations"] = {**annotations, WAVE: "-2"}
    assert yaml.safe_load(edited) == expected


@pytest.mark.parametrize(
    "text",
    [
        "resources:\n- a.yaml\n",
        "resources:\n  # c\n  - a.yaml\n",
        "resources: [a.yaml]\n",
        "resources: []\nnamespace: x\n",
        "namespace: x # c\n",
        "namespace: x",
    ],
)
def test_lists_get_one_more_item(text: str) -> None:
    edited = listed(text, "k.yaml", "resources", "b.yaml")
    before = yaml.safe_load(text)
    after = yaml.safe_load(edited)
    assert sorted(after["resources"]) == sorted([*(before.get("resources") or []), "b.yaml"])
    assert {k: v for k, v in after.items() if k != "resources"} == {
        k: v for k, v in before.items() if k != "resources"
    }
    assert listed(edited, "k.yaml", "resources", "b.yaml") == edited


def test_lists_that_are_none_are_told() -> None:
    for text in ("resources: text\n", "- a\n", "a: 1\n---\nb: 1\n", "resources: &r [a]\n"):
        with pytest.raises(EditError):
            listed(text, "k.yaml", "resources", "b.yaml")


def test_json_stays_json() -> None:
    text = json.dumps({"kind": "X", "metadata": {"name": "a"}}, indent=2)
    edited = annotated(text, "a.json", [wave()])
    assert json.loads(edited)["metadata"]["annotations"] == {WAVE: "-2"}
