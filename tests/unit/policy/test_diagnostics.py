"""Every mistake of a file is said at once: where it is, and what to write instead."""

import re
from pathlib import Path

import pytest

import meshplan.policy
from meshplan.policy.errors import Grade, PolicyError
from meshplan.policy.library import Pack

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "policy"
MISTAKES = (CASES / "mistakes.txt").read_text("utf-8")

HEAD = """from meshplan.policy import Findings, Mesh, at, deny
from meshplan.policy.k8s import Deployment, Service

@deny("X-1")
def rule(svc: Service, mesh: Mesh) -> Findings:
"""

#: Worked out once for all objects.
MADE = "names = {s.metadata.name for s in mesh.services}\n"

HELPERS = """

def walks(name: str, mesh: Mesh) -> bool:
    return any(s.metadata.name == name for s in mesh.services)

def within(text: str, names: set[str]) -> bool:
    return any(name in text for name in names)

def has(text: str, names: set[str]) -> bool:
    return text in names

"""


def codes(body: str) -> list[str]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    found = Pack.of({"x.py": HEAD + lines}).diagnostics
    return [d.code for d in found if d.code != "W401"]


@pytest.mark.parametrize("name", ["mistakes", "rare-mistakes"])
def test_all_mistakes_of_a_file_are_shown(name: str) -> None:
    """`*.out.txt` is what the command line shows, read and found right."""
    text = (CASES / f"{name}.txt").read_text("utf-8")
    found = Pack.of({f"{name}.txt": text}).diagnostics
    shown = "\n\n".join(map(str, found)) + "\n"
    assert shown == (CASES / f"{name}.out.txt").read_text("utf-8")


def test_every_mistake_is_on_the_page_of_mistakes() -> None:
    sources = Path(meshplan.policy.__file__).parent.rglob("*.py")
    codes = {c for path in sources for c in re.findall(r'"([EW]\d{3})"', path.read_text("utf-8"))}
    page = (ROOT / "docs" / "reference" / "rule-errors.md").read_text("utf-8")
    # E115 is for statements that Python does not have yet.
    assert codes - set(re.findall(r"^### ([EW]\d{3})$", page, re.MULTILINE)) == {"E115"}


def test_a_place_is_that_of_the_mistake() -> None:
    lines = MISTAKES.splitlines()
    for diagnostic in Pack.of({"mistakes.txt": MISTAKES}).diagnostics:
        span = diagnostic.span
        line = lines[span.line - 1]
        assert diagnostic.source == line
        end = span.end_column if span.end_line == span.line else len(line) + 1
        named = re.findall(r"`([\w.]+)`", diagnostic.message)
        assert line[span.column - 1 : end].strip()
        if diagnostic.code in ("E160", "E161", "E164", "E201", "E209"):
            assert any(name.split(".")[-1] in line[span.column - 1 : end] for name in named)


def test_columns_count_characters_and_not_bytes() -> None:
    text = HEAD + "    yield f\"{len('é😀')}\" + svc.nme\n"
    (mistake,) = [d for d in Pack.of({"x.py": text}).diagnostics if d.code == "E161"]
    assert text.splitlines()[5][mistake.span.column - 1 :] == "svc.nme"
    assert str(mistake).splitlines()[3].index("^") == str(mistake).splitlines()[2].index("svc.nme")


def test_of_a_long_line_the_mistake_is_shown() -> None:
    padding = "'" + "y" * 3000 + "'"
    text = HEAD + f"    yield {padding} + svc.nme + {padding}\n"
    (mistake,) = [d for d in Pack.of({"x.py": text}).diagnostics if d.code == "E161"]
    shown = str(mistake).splitlines()
    assert max(map(len, shown)) < 250
    start = shown[3].index("^")
    assert shown[2][start : start + shown[3].count("^")] == "svc.nme"
    whole = Pack.of({"x.py": "#" * 70_000}).diagnostics
    assert max(map(len, str(whole[0]).splitlines())) < 250


def test_a_file_with_a_mistake_has_no_rules() -> None:
    good = HEAD + '    yield "x"\n'
    assert len(Pack.of({"x.py": good}).rules) == 1
    broken = Pack.of({"x.py": f"{good}\nimport os\n", "y.py": good})
    assert [rule.path for rule in broken.rules] == ["y.py"]
    with pytest.raises(PolicyError, match=r"x\.py:8:1: error\[E103\]"):
        broken.raise_errors()


def test_an_id_is_used_once() -> None:
    good = HEAD + '    yield "x"\n'
    pack = Pack.of({"x.py": good, "y.py": good})
    assert [(d.code, d.path) for d in pack.errors] == [("E123", "y.py")]


def test_warnings_do_not_keep_a_rule_from_running() -> None:
    body = '    for s in mesh.services:\n        yield f"{s.metadata.name}"\n'
    pack = Pack.of({"x.py": HEAD + body})
    assert {d.code: d.grade for d in pack.diagnostics} == {
        "W301": Grade.WARNING,
        "W401": Grade.WARNING,
    }
    assert len(pack.rules) == 1


@pytest.mark.parametrize(
    ("body", "walked"),
    [
        ("for s in mesh.services:\n    yield s.metadata.name", "all Services of the mesh"),
        ("if any(s.metadata.name == 'x' for s in mesh.services):\n    yield 'x'", "all Services"),
        ("if walks(svc.metadata.name, mesh):\n    yield 'x'", "all Services"),
        (MADE + "for name in names:\n    yield name", "`names`"),
        (MADE + "if any(name in svc.metadata.name for name in names):\n    yield 'x'", "`names`"),
        (MADE + "if within(svc.metadata.name, names):\n    yield 'x'", "`names`"),
        (MADE + "more = {n for n in names if n != 'x'}\nfor n in more:\n    yield n", "`more`"),
        (MADE + "if svc.metadata.name in names:\n    yield 'x'", None),
        (MADE + "if has(svc.metadata.name, names):\n    yield 'x'", None),
        (MADE + "if len(names) > 3:\n    yield 'x'", None),
        ("for p in svc.spec.ports:\n    if p.name is not None:\n        yield p.name", None),
        ("few = {'a', 'b'}\nfor name in few:\n    yield name", None),
    ],
)
def test_a_rule_that_walks_the_mesh_for_every_object_is_warned_of(
    body: str, walked: str | None
) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    helpers = HELPERS + HEAD.partition("\n\n")[2]
    found = Pack.of({"x.py": HEAD.partition("\n\n")[0] + helpers + lines}).diagnostics
    told = [d.message for d in found if d.code != "W401"]
    assert [d.code for d in found if d.code != "W401"] == (["W301"] if walked else [])
    assert all(walked is not None and walked in message for message in told)


@pytest.mark.parametrize(
    "body",
    [
        "if svc.spec.clusterIP is None:\n    return\nyield svc.spec.clusterIP.lower()",
        "if not svc.spec.clusterIP:\n    return\nyield svc.spec.clusterIP.lower()",
        "if svc.spec.clusterIP is not None and svc.spec.clusterIP.lower() == 'x':\n    yield 'x'",
        "if svc.spec.clusterIP is None or svc.spec.clusterIP.lower() == 'x':\n    yield 'x'",
        "yield svc.spec.clusterIP or 'x'",
        "yield svc.spec.clusterIP if svc.spec.clusterIP is not None else 'x'",
        "ip = svc.spec.clusterIP\nif ip is None or svc.spec.type == 'x':\n    return\nyield ip",
        "if svc.spec.clusterIP == 'None':\n    yield svc.spec.clusterIP",
        "if svc.spec.clusterIP in {'a', 'b'}:\n    yield svc.spec.clusterIP",
        "for p in svc.spec.ports:\n    if p.name is None:\n        continue\n    yield at(p.name, p.name)",
        (
            "for p in svc.spec.ports:\n    if p.name is None:\n        yield 'x'\n    elif p.port is None:\n"
            "        continue\n    else:\n        yield f'{p.name}{p.port}'"
        ),
        "names = [p.name for p in svc.spec.ports if p.name is not None]\nyield ' '.join(names)",
        "if all(p.name is not None and p.name != '' for p in svc.spec.ports):\n    yield 'x'",
    ],
)
def test_what_was_tested_is_not_none(body: str) -> None:
    assert codes(body) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("if svc.spec.clusterIP is None:\n    yield 'x'\nyield svc.spec.clusterIP", "E201"),
        (
            "if svc.spec.clusterIP is None and svc.spec.type == 'x':\n    return\nyield svc.spec.clusterIP",
            "E201",
        ),
        (
            "if svc.spec.clusterIP is not None or svc.spec.type == 'x':\n    yield svc.spec.clusterIP",
            "E201",
        ),
        (
            "if not (svc.spec.clusterIP or svc.spec.externalName):\n    return\nyield svc.spec.clusterIP",
            "E201",
        ),
        (
            "for p in svc.spec.ports:\n    if p.name is None:\n        continue\nyield p.name",
            "E160",
        ),
        ("if svc.spec.clusterIP is not None:\n    x = svc.spec.clusterIP\nyield x", "E160"),
        ("names = [p.name for p in svc.spec.ports]\nyield ' '.join(names)", "E185"),
        ("yield svc.metadata.labels.get('a')", "E201"),
        ("if svc.spec.clusterIP != 'None':\n    yield svc.spec.clusterIP", "E201"),
    ],
)
def test_what_was_not_tested_may_be_none(body: str, code: str) -> None:
    assert codes(body) == [code]
