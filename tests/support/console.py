"""Console blocks of Markdown pages: commands, and what they are said to print.

    ```console
    $ meshplan diff nowhere..HEAD
    error: …
    $ echo $?
    2
    ```

A line after `$ ` is a command, `> ` goes on with it, and what follows up to the next command is
its output. Output that is not shown is not compared; `…` stands for any text within a line, and a
line of `...` for any number of lines. A command has to succeed unless `echo $?` follows.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END = "\x1e"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a page, and what it is said to print; None where nothing is said."""

    line: int
    text: str
    output: str | None


def commands_of(page: str) -> tuple[Command, ...]:
    """Every command of every console block, in order."""
    found: list[Command] = []
    for block in _BLOCK.finditer(page):
        first = page.count("\n", 0, block.start(1)) + 1
        found += _commands(block.group(1).splitlines(), first)
    return tuple(found)


def _commands(lines: Sequence[str], first: int) -> Iterator[Command]:
    current: Command | None = None
    for number, line in enumerate(lines, first):
        if line.startswith("$ "):
            if current:
                yield current
            current = Command(number, line.removeprefix("$ "), None)
        elif current is None:
            raise AssertionError(f"line {number}: output before any command: {line}")
        elif current.output is None and line.startswith("> "):
            current = Command(current.line, f"{current.text}\n{line.removeprefix('> ')}", None)
        else:
            current = Command(current.line, current.text, f"{current.output or ''}{line}\n")
    if current:
        yield current


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command."""

    output: str
    status: int


def run_all(commands: Sequence[str], folder: Path, env: Mapping[str, str]) -> tuple[Done, ...]:
    """Run commands one after the other in one bash, as a reader would type them."""
    script = "".join(
        f"{{ {text}\n}} </dev/null 2>&1; __status=$?\nprintf '{_END}%d{_END}' $__status\n(exit $__status)\n"
        for text in commands
    )
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", script],
        cwd=folder,
        env=dict(env),
        capture_output=True,
        check=False,
    )
    parts = done.stdout.decode("utf-8", "replace").split(_END)
    return tuple(Done(o, int(s)) for o, s in zip(parts[0::2], parts[1::2], strict=False))


def is_output(said: str, real: str) -> bool:
    """Whether a command printed what the page says it prints."""
    lines = [re.escape(line.rstrip()).replace("…", ".*") for line in said.rstrip().splitlines()]
    pattern = "\n".join(r"(?:.*\n?)*?" if line == r"\.\.\." else line for line in lines)
    pattern = pattern.replace("(?:.*\\n?)*?\n", "(?:.*\\n)*?")
    plain = "\n".join(line.rstrip() for line in real.rstrip().splitlines())
    return re.fullmatch(pattern, plain) is not None
