"""The command line as a process: start-up, pipes, terminals, signals."""

import fcntl
import os
import pty
import resource
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from meshplan import __version__
from support.manifests import BASE, HEAD

MESHPLAN = (sys.executable, "-m", "meshplan")


def cpu_milliseconds(*arguments: str) -> float:
    """User and system time of the best of several runs: the machine may be busy."""
    best = float("inf")
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*MESHPLAN, *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best, spent * 1000)
    return best


def in_terminal(*arguments: str, cwd: Path, columns: int = 80, **environment: str) -> str:
    """What the command writes to a terminal of that width."""
    # COLUMNS, which a test runner may set, would count for more than the terminal.
    inherited = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [*MESHPLAN, *arguments],
        cwd=cwd,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**inherited, "TERM": "xterm", **environment},
        close_fds=True,
    ) as process:
        os.close(follower)
        chunks = []
        while True:
            try:
                chunk = os.read(leader, 65536)
            except OSError:  # the other side has closed
                break
            if not chunk:
                break
            chunks.append(chunk)
        process.wait()
    os.close(leader)
    return b"".join(chunks).decode()


@pytest.fixture
def shop(repo: Any) -> Path:
    path: Path = repo(BASE, HEAD).path
    return path


def test_the_version() -> None:
    done = subprocess.run([*MESHPLAN, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"meshplan {__version__}\n"


def test_the_version_imports_nothing() -> None:
    code = (
        "import sys; sys.argv = ['meshplan', '--version']\n"
        "from meshplan.__main__ import main; main()\n"
        "assert not {'click', 'dataclasses', 'json'} & set(sys.modules), sys.modules\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True)


def test_help_imports_no_stage() -> None:
    code = (
        "import sys\nfrom meshplan.cli import main\nmain(['--help'])\n"
        "heavy = {'rich', 'jinja2', 'yaml', 'networkx', 'git', 'jsonschema', 'meshplan.run'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_diff_imports_only_what_it_needs(shop: Path) -> None:
    code = (
        "import sys\nfrom meshplan.cli import main\nmain(['diff', 'r0..r1'])\n"
        "heavy = {'rich', 'jinja2', 'jsonschema', 'ruamel', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=shop)


def test_a_pipe_that_closes_is_no_error(shop: Path) -> None:
    for arguments in (("diff", "r0..r1", "-o", "json"), ("--help",), ("diff", "r0..r1")):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as closed:
            done = subprocess.run(
                [*MESHPLAN, *arguments],
                cwd=shop,
                stdout=closed,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert done.stderr == b""
        assert done.returncode == 141


def test_an_interrupt_is_one_line(shop: Path) -> None:
    code = (
        "import os, signal, meshplan.run.compare\n"
        "meshplan.run.compare.open_revisions = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n"
        # Whoever runs the tests in the background may have it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys\nfrom meshplan.cli import main\nsys.exit(main(['diff']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_a_terminal_gets_colours_and_lines_that_fit(shop: Path, columns: int) -> None:
    from rich.text import Text

    text = in_terminal("diff", "r0..r1", cwd=shop, columns=columns)
    assert "\x1b[1m" in text
    lines = Text.from_ansi(text.replace("\r\n", "\n").rpartition("\r\x1b[K")[2]).plain.splitlines()
    assert max(map(len, lines)) <= columns
    assert "wave 1" in "\n".join(lines)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_may_refuse_colours(shop: Path, environment: dict[str, str]) -> None:
    assert "\x1b[1m" not in in_terminal("diff", "r0..r1", cwd=shop, **environment)


def test_a_dumb_terminal_gets_no_escapes(shop: Path) -> None:
    assert "\x1b" not in in_terminal("diff", "r0..r1", cwd=shop, TERM="dumb")


def test_another_encoding(shop: Path) -> None:
    done = subprocess.run(
        [*MESHPLAN, "diff", "r0..r1"],
        cwd=shop,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.isascii()
    assert b" -> r1" in done.stdout


def test_names_that_are_no_utf_8(repo: Any) -> None:
    made = repo()
    name = os.fsdecode(b"caf\xe9.yaml")
    made.commit({name: BASE["shop/rule.yaml"]})
    made.git("tag", "r0")
    made.commit({name: HEAD["shop/rule.yaml"]})
    for report in ("text", "json", "markdown", "script", "mermaid", "dot"):
        done = subprocess.run(
            [*MESHPLAN, "diff", "r0..HEAD", "-o", report],
            cwd=made.path,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode("utf-8")


def test_completion_completes(shop: Path) -> None:
    done = subprocess.run(
        MESHPLAN,
        env={
            **os.environ,
            "_MESHPLAN_COMPLETE": "bash_complete",
            "COMP_WORDS": "meshplan di",
            "COMP_CWORD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,diff"]


def test_the_demo_runs_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [*MESHPLAN, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "wave 1" in done.stdout
