"""Templates are told from broken YAML."""

import pytest

from meshplan.finding import Severity
from meshplan.source.yaml import parse

HELM = """{{- if .Values.enabled }}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "x.name" . }}
  labels:
    {{- include "x.labels" . | nindent 4 }}
{{- end }}
"""
GO_VALUES = "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Name }}}\n"
JINJA = "{% for name in names %}\n---\nkind: Service\nmetadata:\n  name: {{ name }}\n{% endfor %}\n"
YTT = """#@ load("@ytt:data", "data")
---
apiVersion: v1
kind: Service
metadata:
  name: a
  namespace: #@ data.values.namespace
"""


@pytest.mark.parametrize(
    ("text", "language", "line"),
    [
        pytest.param(HELM, "go", 1, id="Helm"),
        pytest.param("a: 1\n---\n" + GO_VALUES, "go", 5, id="Go"),
        pytest.param("{{/* a\n comment */}}\n{{ define }}\n" + GO_VALUES, "go", 1, id="Go comment"),
        pytest.param("a:\n{{ toYaml .x }}\n  b: 1\n", "go", 2, id="Go block"),
        pytest.param("# a\n" + JINJA, "jinja", 2, id="Jinja"),
        pytest.param("a: 1\nb: {# c #}\n{% if d %}e: 1{% endif %}\n", "jinja", 2, id="Jinja note"),
    ],
)
def test_a_template_that_is_a_program_has_no_documents(text: str, language: str, line: int) -> None:
    parsed = parse(text.encode(), "a.yaml")
    assert (parsed.documents, parsed.template) == ((), language)
    [found] = parsed.findings
    assert (found.rule, found.severity, found.locations[0].line) == (
        "template",
        Severity.INFO,
        line,
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a: [${A}, ${B_C}]\n", "shell"),
        ("${BLOCK}\na: 1\nb: [${A:-x y}]\n", "shell"),
        ("a: {b: ${A:=${B}}}\n", "shell"),
        ("a: 1\n$(BLOCK)\nb: 2\n", "make"),
    ],
)
def test_placeholders_that_break_a_document_leave_the_others(text: str, language: str) -> None:
    parsed = parse(f"x: 1\n---\n{text}---\nz: 2\n".encode(), "a.yaml")
    assert [found.value for found in parsed.documents] == [{"x": 1}, {"z": 2}]
    assert parsed.template == language
    assert [(f.rule, f.severity) for f in parsed.findings] == [("template", Severity.INFO)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: ${A}\n", "${A}"),
        ("a: ${A:-b}-c\n", "${A:-b}-c"),
        ("a: $(A)\n", "$(A)"),
        ("a: '{{ .A }}'\n", "{{ .A }}"),
        ('a: "{% if %}"\n', "{% if %}"),
        ("a: |\n  {{ .A }}\n  #@ x\n", "{{ .A }}\n#@ x\n"),
    ],
)
def test_placeholders_in_a_file_that_is_yaml_are_strings(text: str, value: str) -> None:
    parsed = parse(text.encode(), "a.yaml")
    assert [found.value for found in parsed.documents] == [{"a": value}]
    assert parsed.findings == ()
    assert parsed.template == ""


def test_ytt_is_read_as_the_yaml_it_is_and_reported() -> None:
    parsed = parse(YTT.encode(), "a.yaml")
    assert [found.value["metadata"]["namespace"] for found in parsed.documents] == [None]
    assert parsed.template == "ytt"
    assert [(f.rule, f.severity, f.locations[0].line) for f in parsed.findings] == [
        ("template", Severity.INFO, 1)
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: '{{ $labels.x }}'\nb: [1,\n", id="Go in a string, an open bracket below"),
        pytest.param("a: ${A}\nb: c: d\n", id="shell, a colon too many"),
        pytest.param("a: $(A)\n  b: 1\n", id="make, an indentation too much"),
        pytest.param("a: '$(A)'\n\tb: [\n", id="make in a string, and a tab"),
        pytest.param("a: '{{ x }}'\n\n\nb: &b [*b]\n", id="Go in a string, a cycle below"),
        pytest.param("a: }}{{\n b: 1\n", id="no template at all"),
    ],
)
def test_broken_yaml_is_broken_yaml_whatever_else_is_in_it(text: str) -> None:
    parsed = parse(text.encode(), "a.yaml")
    assert parsed.template == ""
    assert [found.severity for found in parsed.findings] == [Severity.ERROR]


@pytest.mark.parametrize(
    "piece", ["{{ ", "{% ", "${a", "$(a", " #@ ", "{{/*", "{#", "{{}", "${a${b}"]
)
def test_many_beginnings_of_a_placeholder_take_no_longer_than_many_others(piece: str) -> None:
    # Hangs where a pattern takes time by the square of the length.
    assert parse(b"a: [\n" + piece.encode() * 200_000, "a.yaml").documents == ()
