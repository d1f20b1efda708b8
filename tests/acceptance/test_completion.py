"""Completion in real shells: what `meshplan completion` prints, sourced, and a tab pressed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from meshplan.cli import cli

#: bash as it completes: the function that is bound to the command, with the words so far.
BASH = """\
eval "$(meshplan completion bash)"
bound=$(complete -p meshplan); bound=${bound##*-F }; bound=${bound%% *}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
COMPREPLY=()
"$bound" meshplan "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = "meshplan completion fish | source; complete --do-complete (string join ' ' -- $argv)"


def environment() -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path}


def completed(*words: str) -> list[str]:
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", BASH, "bash", "meshplan", *words],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def tree(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that lead to it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from tree(command, *words, name)


COMMANDS = dict(tree(cli))
GROUPS = {(): cli} | {w: c for w, c in COMMANDS.items() if isinstance(c, click.Group)}


def test_there_are_groups_below() -> None:
    assert {("argocd",), ("policy",)} <= set(GROUPS)
    assert len(COMMANDS) > 15


@pytest.mark.parametrize("words", GROUPS, ids=" ".join)
def test_bash_completes_every_group(words: tuple[str, ...]) -> None:
    below = [found[-1] for found in COMMANDS if found[:-1] == words]
    assert completed(*words, "") == below


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_bash_completes_every_option(words: tuple[str, ...]) -> None:
    options = [p for p in COMMANDS[words].params if isinstance(p, click.Option) and not p.hidden]
    names = {name for option in options for name in (*option.opts, *option.secondary_opts)}
    long = {name for name in names if name.startswith("--")} | {"--help"}
    assert set(completed(*words, "--")) == long


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("di",), ["diff"]),
        (("argocd", "g"), ["gate"]),
        (("diff", "--deployer", "k"), ["kubectl", "kapp"]),
        (("diff", "--fail-on", ""), ["error", "warning", "info"]),
        (("schema", "se"), ["settings"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("diff", "--nothing", "--deployer", "h"), ["helm"]),
    ],
)
def test_bash_completes_values(words: tuple[str, ...], found: list[str]) -> None:
    assert completed(*words) == found


def test_a_mistyped_command_puts_no_error_on_the_line() -> None:
    """`completed` refuses whatever is written to the standard error."""
    assert "diff" in completed("dfif", "")


@pytest.mark.tool("fish")
def test_fish_completes() -> None:
    done = subprocess.run(
        ["fish", "--no-config", "-c", FISH, "meshplan", "argocd", "g"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["gate"]


@pytest.mark.tool("zsh")
def test_zsh_takes_the_script() -> None:
    script = 'autoload -U compinit; compinit -u; eval "$(meshplan completion zsh)"; print $_comps[meshplan]'
    done = subprocess.run(
        ["zsh", "-f", "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "_meshplan_completion\n")
    assert "error" not in done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
@pytest.mark.parametrize("words", ["meshplan argocd g", "meshplan policy t"])
def test_what_the_other_shells_ask(shell: str, words: str) -> None:
    """The question that their scripts ask, where the shells themselves are not at hand."""
    *before, last = words.split()
    asked = {
        "_MESHPLAN_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": words if shell == "zsh" else " ".join(before),
        "COMP_CWORD": str(len(before)) if shell == "zsh" else last,
    }
    done = subprocess.run(
        [sys.executable, "-m", "meshplan"],
        env={**environment(), **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = {"g": "gate", "t": "test"}[last]
    assert done.returncode == 0
    assert expected in done.stdout.replace("\t", "\n").replace(",", "\n").splitlines()
