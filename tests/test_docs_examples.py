"""Every example of the pages is valid as what it is an example of, and no command is out of reach.

test_docs runs what is in console blocks; what is elsewhere on a page is looked at here.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from meshplan.cli import cli, main
from meshplan.schema import validate
from meshplan.source.yaml import parse

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")], key=str
)
#: Made of the texts of the rules, whose examples have tests of their own.
MADE = "docs/reference/rules.md"
FENCE = re.compile(
    r"^(?P<file><!-- file: \S+ -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: A command in the text: in code, and the first of its words.
INLINE = re.compile(r"`(meshplan [^`]+)`")


def names(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(kind: str) -> Iterator[tuple[str, str]]:
    """Examples of a kind that are not files which the commands of their page work on."""
    for page in PAGES:
        if names(page) != MADE:
            for found in FENCE.finditer(page.read_text("utf-8")):
                if found["kind"] == kind and not found["file"]:
                    line = page.read_text("utf-8").count("\n", 0, found.start()) + 1
                    yield f"{names(page)}:{line}", found["text"]


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_what_can_be_typed_is_in_console_blocks(page: Path) -> None:
    """A block of another kind would not be run; a prompt outside of a block would neither."""
    text = page.read_text("utf-8")
    kinds = {found["kind"] for found in FENCE.finditer(text)}
    assert kinds <= {"console", "text", "yaml", "python"}, "shell goes into console blocks"
    rest = re.sub(r"^```console\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"^\s*\$ .*", rest, re.MULTILINE)


def told() -> list[tuple[str, str]]:
    return [
        (names(page), command)
        for page in PAGES
        for command in INLINE.findall(
            re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        )
    ]


@pytest.mark.parametrize(("page", "text"), sorted(set(told())))
def test_commands_in_sentences_exist(page: str, text: str) -> None:
    """With their options: a command that was renamed is found in every sentence."""
    words = [word.rstrip("…") for word in shlex.split(text)[1:] if word not in ("…", "...")]
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        context = click.Context(command)
        assert words[0] in command.list_commands(context), f"{page}: {text}"
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    said = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert said <= known | {"--help", "-h"}, f"{page}: {text}"


@pytest.mark.parametrize(("place", "text"), list(blocks("yaml")))
def test_yaml_is_what_its_schema_says(place: str, text: str) -> None:
    """Settings, waivers and suites by our own schemas; workflows by what the action takes."""
    [document] = parse(text.encode(), place).documents  # dates are text, as meshplan reads them
    value: Any = document.value
    if isinstance(value, dict) and ("jobs" in value or "uses" in value):
        jobs = value.get("jobs", {}).values()
        check_steps(step for job in jobs for step in job["steps"])
    elif isinstance(value, list) and all("uses" in entry for entry in value):
        check_steps(value)
    elif isinstance(value, list) and all("expires" in entry for entry in value):
        assert not validate("waivers", value)
    elif isinstance(value, dict) and "cases" in value:
        assert not validate("policy-suite", value)
    else:
        assert not validate("settings", value), place


def check_steps(steps: Any) -> None:
    inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
    for step in steps:
        if "uses" in step:
            assert re.search(r"@[0-9a-f]{40}$", step["uses"]), step["uses"]
        if "/meshplan@" in step.get("uses", ""):
            assert set(step.get("with", {})) <= set(inputs)


@pytest.mark.tool("actionlint")
def test_workflows_are_linted(tmp_path: Path) -> None:
    whole = [text for _, text in blocks("yaml") if "jobs" in (yaml.safe_load(text) or ())]
    assert len(whole) >= 3
    for number, text in enumerate(whole):
        file = tmp_path / f"{number}.yml"
        file.write_text(text)
        done = subprocess.run(
            [shutil.which("actionlint") or "", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("place", "text"), list(blocks("python")))
def test_rules_compile(
    place: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rule.py"
    file.write_text(text)
    assert main(["policy", "list", str(file)]) == 0, capsys.readouterr().err
