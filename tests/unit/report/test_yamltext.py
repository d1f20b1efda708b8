"""YAML that we write, read back by others."""

import json
import math
import subprocess
from io import StringIO
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from meshplan.report.yamltext import to_yaml

TRICKY = (
    *("yes", "No", "on", "~", "null", "Null", "0x1f", "0o7", "012", "1_000", "1e3", "1.", ".5"),
    *("-", "- a", "? a", ": a", "a: b", "a:", "a #b", "#a", "&a", "*a", "!a", "%a", "@a", "`a"),
    *(
        "",
        " ",
        " a",
        "a ",
        "a\n",
        "\na",
        "a\n\nb\n",
        "a\n\n",
        "a\n b\n",
        " a\nb",
        "\ta\nb",
        "a\tb\nc",
    ),
    *("a\r\nb", "\x85", "\u2028", "\ufeff", "\x00", "\x7f", "é", "😀", "---", "--- a", "...", "<<"),
    *("2026-01-01", "12:30:45", "=", ".inf", "-.INF", ".nan", "'", '"', "\\", "[a", "{a", "a, b"),
    *("|", ">", "EOF", "a (b)", "*.example.com", "y", "n", "/a", "a\n...\nb", "a\n---\nb"),
)

texts = st.sampled_from(TRICKY) | st.text(st.characters(codec="utf-8"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(values)
@example({"a": [[[]], [{}], [[1, [2]]], {"b": "x\ny\n"}]})
@example([["a\nb\n"], "c\nd"])
def test_yaml_1_1_reads_the_value(value: Any) -> None:
    assert yaml.safe_load(to_yaml(value)) == value


@settings(max_examples=200, deadline=None)
@given(values)
def test_yaml_1_2_reads_the_value(value: Any) -> None:
    reader = YAML(typ="safe", pure=True)
    assert reader.load(StringIO(to_yaml(value))) == value


@pytest.mark.parametrize("value", [0.5, -1.25, 1e-7, 1.5e300, 3.0])
def test_numbers_keep_their_value(value: float) -> None:
    read = yaml.safe_load(to_yaml({"a": value}))["a"]
    assert math.isclose(float(read), value)


@pytest.mark.tool("kubectl")
def test_kubectl_reads_the_value() -> None:
    data = {f"k{number}": text for number, text in enumerate(TRICKY)}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data}
    done = subprocess.run(
        ["kubectl", "annotate", "--local", "-f", "-", "k=v", "-o", "json"],
        input=to_yaml(manifest),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["data"] == data


def test_text_of_several_lines_stays_readable() -> None:
    assert to_yaml({"conf": "a {\n\tb\n}\n"}) == "conf: |\n  a {\n  \tb\n  }\n"
