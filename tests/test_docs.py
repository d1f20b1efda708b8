"""Every command in the README and in docs/ does what the page says it does."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from meshplan.cli import COMMANDS
from support.console import Command, commands_of, is_output, run_all

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")],
    key=str,
)

#: Files that a page shows, and that are there before its commands are run.
FILES = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)

#: Commands that need a network or make an environment: what runs them instead.
ELSEWHERE = {
    "make demo": ".ci/run, in a fresh environment",
    "make test": ".ci/run: these tests",
    "make check": ".ci/run, one target after the other",
    "pipx install .": "test_packaging, by way of the wheel",
    "uvx --from . meshplan demo": "test_packaging, by way of the wheel",
}


def names(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_commands_do_what_the_page_says(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    commands = [c for c in commands_of(text) if c.text not in ELSEWHERE]
    if not commands:
        pytest.skip("the page has no commands")
    start = re.search(r"<!-- commands start in: (\S+) -->", text)
    folder = prepared(tmp_path, start.group(1) if start else "")
    for name, content in FILES.findall(text):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    done = run_all([command.text for command in commands], folder, environment(tmp_path))
    assert len(done) == len(commands), f"{names(page)}: the shell ended early"
    for number, (command, result) in enumerate(zip(commands, done, strict=True)):
        place = f"{names(page)}:{command.line}: {command.text}\n{result.output}"
        if not asks_for_status(commands[number + 1 :]):
            assert result.status == 0, f"exit status {result.status} of {place}"
        if command.output is not None:
            assert is_output(command.output, result.output), f"another output of {place}"


def asks_for_status(rest: list[Command]) -> bool:
    return bool(rest) and rest[0].text == "echo $?"


def environment(home: Path) -> dict[str, str]:
    """A user's environment: meshplan and the tools on PATH, nothing configured."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        "PATH": path,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "COLUMNS": "100",
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "you",
        "GIT_AUTHOR_EMAIL": "you@example.com",
        "GIT_COMMITTER_NAME": "you",
        "GIT_COMMITTER_EMAIL": "you@example.com",
    }


def prepared(tmp_path: Path, start: str) -> Path:
    """Where the commands of a page start: an empty folder, a checkout, or the shop.

    `shop` is the repository that `meshplan demo --keep` makes, on a branch that was made from its
    base; `checkout` is meshplan's own.
    """
    match start:
        case "checkout":
            return ROOT
        case "shop":
            shop = tmp_path / "shop"
            steps = (
                f"meshplan demo --keep {shop} >/dev/null",
                f"cd {shop}",
                "git checkout --quiet -b change && git branch --quiet --force main base",
            )
            done = run_all(steps, tmp_path, environment(tmp_path))
            assert [step.status for step in done] == [0, 0, 0], done
            return shop
        case _:
            folder = tmp_path / "here"
            folder.mkdir()
            return folder


def test_the_reference_is_up_to_date() -> None:
    """`make docs` would change nothing."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=names)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path) if path else page
        assert found.exists(), f"{names(page)} links to {target}"
        if anchor:
            assert anchor in anchors(found), f"{names(page)} links to {target}"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        for heading in headings
    }


def test_every_command_is_taught() -> None:
    """A command that only the reference knows is a command that nobody finds."""
    pages = [page for page in PAGES if "reference" not in page.parts]
    taught = "\n".join(command.text for page in pages for command in commands_of(page.read_text()))
    missing = [name for name in COMMANDS if f"meshplan {name}" not in taught]
    assert not missing


def test_layers_are_those_that_are_enforced() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    layers = tools["importlinter"]["contracts"][0]["layers"]
    # In parentheses: what may be there and is not yet.
    named = [[name for name in layer.split(" : ") if "(" not in name] for layer in layers]
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")
    block = "\n".join("   ".join(names) for names in named if names)
    assert f"```text\n{block}\n```" in page


def test_every_page_is_linked_from_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    for page in (ROOT / "docs").glob("*/*.md"):
        assert f"({page.relative_to(ROOT / 'docs')})" in index, names(page)


@pytest.mark.parametrize(
    ("said", "real", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a …\n", "a b c\n", True),
        ("a\n...\n", "a\nb\nc\n", True),
        ("...\nc\n", "a\nb\nc\n", True),
        ("a\n...\nc\n", "a\nc\n", True),
        ("a\n...\nd\n", "a\nb\nc\n", False),
        ("a.c\n", "abc\n", False),
    ],
)
def test_outputs_are_compared_with_elisions(said: str, real: str, *, same: bool) -> None:
    assert is_output(said, real) is same
